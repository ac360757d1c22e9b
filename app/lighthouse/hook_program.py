"""`python -SI …/lighthouse/hook_program.py` is `lighthouse hook` where no installed command starts Python so.

A program is compiled at each start, a module is not; so this is short, and the module is elsewhere.
"""

import sys

# -I keeps the folder of this file off the path, and -S whatever is installed beside it.
sys.path.insert(0, __file__.rpartition("/lighthouse/")[0])

from lighthouse.hook import main

main(sys.argv[1:])

"""Who is asked when a tool call is in doubt: experts by what they can judge, and the way to reach them."""

from lighthouse.experts.capabilities import Capabilities, Needs
from lighthouse.experts.errors import BadExpert, TooManySockets
from lighthouse.experts.expert import Expert
from lighthouse.experts.experts import Experts
from lighthouse.experts.mailbox import Letter, Reader

__all__ = ["BadExpert", "Capabilities", "Expert", "Experts", "Letter", "Needs", "Reader", "TooManySockets"]

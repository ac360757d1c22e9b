"""What rooms have in common whose things wait for somebody: requests, questions, and more of the kind.

Such a thing is a case: asked for by an event, changed by events one after the other, and ended by one, if
need be by its time.
"""

from lighthouse.casework.alarm import Alarm, Clock
from lighthouse.casework.case import Case
from lighthouse.casework.ended import Ended
from lighthouse.casework.ids import number_of
from lighthouse.casework.waiters import Waiters
from lighthouse.casework.work import Work

__all__ = ["Alarm", "Case", "Clock", "Ended", "Waiters", "Work", "number_of"]

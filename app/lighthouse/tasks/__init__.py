"""Work that one agent gives to another, or to whoever is able to do it."""

from lighthouse.tasks.errors import BadTask, NoSuchTask, TaskClosed, TaskTaken, TooManyTasks
from lighthouse.tasks.task import Capability, State, Task
from lighthouse.tasks.tasks import Tasks

__all__ = [
    "BadTask",
    "Capability",
    "NoSuchTask",
    "State",
    "Task",
    "TaskClosed",
    "TaskTaken",
    "Tasks",
    "TooManyTasks",
]

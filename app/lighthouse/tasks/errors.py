"""What the room refuses, and why."""

from lighthouse.errors import LighthouseError


class NoSuchTask(LighthouseError):
    """No task has this id (HTTP 404)."""


class BadTask(LighthouseError):
    """A task that cannot be dispatched, or a result that cannot be kept, as it was sent (HTTP 422)."""


class TaskTaken(LighthouseError):
    """Another has it, or it is not the caller's any more (HTTP 409)."""


class TaskClosed(LighthouseError):
    """It has ended (HTTP 409)."""


class TooManyTasks(LighthouseError):
    """As many tasks are open as may be (HTTP 409)."""

"""What opening a socket can be refused for."""

from lighthouse.errors import LighthouseError


class TooManySockets(LighthouseError):
    """The agent has as many sockets open as one agent may (HTTP 429)."""

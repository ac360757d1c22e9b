"""What registering an expert and reaching one can be refused for."""

from lighthouse.errors import LighthouseError


class BadExpert(LighthouseError):
    """Capabilities that make no sense: no word as speciality, an unknown language or risk, a bad glob."""


class TooManySockets(LighthouseError):
    """The agent has as many sockets open as one agent may."""

"""What registering an expert can be refused for."""

from lighthouse.errors import LighthouseError


class BadExpert(LighthouseError):
    """Capabilities that make no sense: no word as speciality, an unknown language or risk, a bad glob."""

"""What the shadow refuses or cannot do."""

from lighthouse.errors import LighthouseError


class NotCaptured(LighthouseError):
    """Nothing is captured under that path at that version."""


class NoSuchVersion(LighthouseError):
    """No version of the project with that sequence number, or none as early."""


class BadMoment(NoSuchVersion):
    """What cannot be a moment of the project, or cannot be a snapshot's name."""


class NameTaken(LighthouseError):
    """The snapshot's name belongs to another version."""


class BadNote(LighthouseError):
    """A note that is too long to be kept."""


class ContentMissing(LighthouseError):
    """A content or tree is not in the content store, or is damaged there."""


class ContentsRefused(LighthouseError):
    """The content store cannot be used: newer schema, damaged, or not writable. Nothing was changed."""


class ProjectAway(LighthouseError):
    """The project's folder is gone, unmounted or closed to the bridge. The last captured tree stays."""

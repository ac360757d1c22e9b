"""What the shadow refuses or cannot do."""

from lighthouse.errors import LighthouseError


class NotCaptured(LighthouseError):
    """Nothing is captured under that path at that version."""


class NoSuchVersion(LighthouseError):
    """No version of the project with that sequence number, or none as early."""


class ContentMissing(LighthouseError):
    """A content or tree is not in the content store, or is damaged there."""


class ContentsRefused(LighthouseError):
    """The content store cannot be used: newer schema, damaged, or not writable. Nothing was changed."""


class ProjectAway(LighthouseError):
    """The project's folder is gone, unmounted or closed to the bridge. The last captured tree stays."""

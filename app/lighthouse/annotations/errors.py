"""What the notes refuse."""

from lighthouse.errors import LighthouseError


class BadAnnotation(LighthouseError):
    """No note can be made of that: no such line or name, no text file, too little or much said (422)."""


class NoSuchAnnotation(LighthouseError):
    """No note has that id (404)."""


class AnnotationClosed(LighthouseError):
    """The note was closed the other way before (409)."""


class TooManyAnnotations(LighthouseError):
    """A file, or the project, has as many open notes as it may have (409)."""

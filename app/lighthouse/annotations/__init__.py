"""Notes on the project: anchored to what they are about, and found again after the files have changed."""

from lighthouse.annotations.annotations import Annotations, Listing, Target
from lighthouse.annotations.errors import (
    AnnotationClosed,
    BadAnnotation,
    NoSuchAnnotation,
    TooManyAnnotations,
)
from lighthouse.annotations.note import Note
from lighthouse.annotations.standings import Placed
from lighthouse.annotations.told import Annotation, told

__all__ = [
    "Annotation",
    "AnnotationClosed",
    "Annotations",
    "BadAnnotation",
    "Listing",
    "NoSuchAnnotation",
    "Note",
    "Placed",
    "Target",
    "TooManyAnnotations",
    "told",
]

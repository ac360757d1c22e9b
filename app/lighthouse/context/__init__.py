"""Contexts: chosen files of one version and notes, put together under a name for one review."""

from lighthouse.context.contexts import Contexts
from lighthouse.context.errors import BadContext, ContextTaken, NoSuchContext
from lighthouse.context.package import Note, Package

__all__ = ["BadContext", "ContextTaken", "Contexts", "NoSuchContext", "Note", "Package"]

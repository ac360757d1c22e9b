"""Lighthouse: the one bridge that several AI coding agents go through to work on one project."""

__version__ = "0.1.0"

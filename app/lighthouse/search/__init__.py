"""Search: what ripgrep would find in any version of the project, bounded in time and size."""

from lighthouse.search.errors import BadCursor, BadGlob, BadPattern, SearchBusy
from lighthouse.search.found import FileMatches, Found, Line
from lighthouse.search.query import Mode, Query
from lighthouse.search.search import Search

__all__ = [
    "BadCursor",
    "BadGlob",
    "BadPattern",
    "FileMatches",
    "Found",
    "Line",
    "Mode",
    "Query",
    "Search",
    "SearchBusy",
]

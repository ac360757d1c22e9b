"""POST /shadow/search: what matches a pattern in any version of the project."""

from typing import TYPE_CHECKING

from lighthouse import paths
from lighthouse.bridge.call import Answer, Call, Route
from lighthouse.bridge.problems import Rejected
from lighthouse.bridge.search_schemas import FoundFile, FoundLine, SearchFound, ShadowSearch
from lighthouse.search import FileMatches, Line

if TYPE_CHECKING:
    from lighthouse.bridge.bridge import Bridge


async def search(bridge: "Bridge", call: Call) -> SearchFound:
    """A page of matches."""
    asked: ShadowSearch = call.body
    if bridge.search is None:
        raise Rejected(503, "the project is not captured yet", "try again in a moment")
    found = await bridge.search.find(asked.query())
    return SearchFound(
        seq=found.seq,
        files=[_file(file) for file in found.files],
        searched=found.searched,
        searched_bytes=found.searched_bytes,
        binary=found.binary,
        not_captured=found.not_captured,
        truncated=found.truncated,
        timed_out=found.timed_out,
        cursor=found.cursor,
    )


def _file(file: FileMatches) -> FoundFile:
    return FoundFile(count=file.count, lines=[_line(line) for line in file.lines], **paths.to_json(file.path))


def _line(line: Line) -> FoundLine:
    return FoundLine(
        number=line.number,
        match=line.match,
        spans=line.spans,
        offset=line.offset,
        cut=line.cut,
        **paths.name_to_json(line.text, "text"),
    )


ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        "/shadow/search",
        "shadow_search",
        "Search the project at any version for a regular expression or a fixed string",
        search,
        {200: Answer("A page of matches", SearchFound)},
        permission="shadow.read",
        body=ShadowSearch,
        errors=(404,),
    ),
)

"""Searching the project at any version."""

from collections.abc import Sequence
from typing import Literal

from lighthouse.client.answers_search import SearchPage
from lighthouse.client.asking import Asking, given


class Searching(Asking):
    """Searching the project at any version."""

    async def search(
        self,
        pattern: str,
        *,
        path: str = "",
        at: str | int | None = None,
        fixed: bool = False,
        ignore_case: bool = False,
        smart_case: bool = False,
        word: bool = False,
        globs: Sequence[str] = (),
        types: Sequence[str] = (),
        before: int = 0,
        after: int = 0,
        mode: Literal["lines", "files", "count"] = "lines",
        max_matches: int = 1000,
        max_per_file: int | None = None,
        max_columns: int = 500,
        max_bytes: int = 1024 * 1024,
        timeout_seconds: float = 5.0,
        cursor: str | None = None,
    ) -> SearchPage:
        """A page of what matches the regular expression (RE2), or the `fixed` string `pattern`.

        With the page's `cursor` and all else unchanged the next call goes on, in the same version. Keep
        `timeout_seconds` below the client's own.
        """
        body = {
            "pattern": pattern,
            "path": path,
            "at": None if at is None else str(at),
            "fixed": fixed,
            "ignore_case": ignore_case,
            "smart_case": smart_case,
            "word": word,
            "globs": list(globs),
            "types": list(types),
            "before": before,
            "after": after,
            "mode": mode,
            "max_matches": max_matches,
            "max_per_file": max_per_file,
            "max_columns": max_columns,
            "max_bytes": max_bytes,
            "timeout_seconds": timeout_seconds,
            "cursor": cursor,
        }
        answer = await self._ask("POST", "/shadow/search", body=given(body), repeatable=True)
        return self._transport.decode(answer, SearchPage)

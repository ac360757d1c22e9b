"""Notes that follow the code."""

from urllib.parse import quote

from lighthouse import paths
from lighthouse.client.answers_annotations import AnnotationEnded, AnnotationList, AnnotationMade, Severity
from lighthouse.client.asking import Asking, given


class Annotations(Asking):
    """Notes that follow the code."""

    async def annotate(
        self,
        path: str | bytes,
        text: str,
        *,
        line: int | None = None,
        end_line: int | None = None,
        symbol: str | None = None,
        severity: Severity = "info",
        category: str = "note",
        at: str | int | None = None,
    ) -> AnnotationMade:
        """Note `text` on a file, on its lines, or on a declaration by its name; on return it is on disk.

        The same note on the same version again is answered with the first one.
        """
        body = {
            **paths.to_json(paths.parse(path)),
            "line": line,
            "end_line": end_line,
            "symbol": symbol,
            "text": text,
            "severity": severity,
            "category": category,
            "at": None if at is None else str(at),
        }
        answer = await self._ask("POST", "/shadow/annotate", body=given(body))
        return self._transport.decode(answer, AnnotationMade)

    async def annotations(
        self, path: str | bytes = "", *, at: str | int | None = None, offset: int = 0, limit: int = 200
    ) -> AnnotationList:
        """The open notes at and beneath `path`, where they stand now or stood at a moment."""
        where = "/".join(quote(name, safe="") for name in paths.parse(path))
        query = {"offset": str(offset), "limit": str(limit)} | ({} if at is None else {"at": str(at)})
        answer = await self._ask("GET", f"/shadow/annotations/{where}", query=query, repeatable=True)
        return self._transport.decode(answer, AnnotationList)

    async def withdraw_annotation(self, annotation_id: str, reason: str = "") -> AnnotationEnded:
        """Take a note back: one's own, or as operator or admin anyone's."""
        return await self._end(annotation_id, "withdraw", reason)

    async def resolve_annotation(self, annotation_id: str, reason: str = "") -> AnnotationEnded:
        """Say that what a note asks for is done."""
        return await self._end(annotation_id, "resolve", reason)

    async def _end(self, annotation_id: str, how: str, reason: str) -> AnnotationEnded:
        where = f"/annotation/{quote(annotation_id, safe='')}/{how}"
        answer = await self._ask("POST", where, body={"reason": reason}, repeatable=True)
        return self._transport.decode(answer, AnnotationEnded)

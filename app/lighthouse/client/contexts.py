"""Contexts: packages of files and notes for one review."""

from collections.abc import Mapping, Sequence
from urllib.parse import quote

from lighthouse.client.answers_contexts import Context, ContextDetail, ContextList, ContextRemoved
from lighthouse.client.asking import Asking, given


class Contexts(Asking):
    """Contexts: packages of files and notes for one review."""

    async def create_context(
        self,
        name: str,
        files: Sequence[str] = (),
        *,
        at: str | int | None = None,
        notes: Mapping[str, str] | None = None,
        annotations: bool = False,
        purpose: str = "",
    ) -> Context:
        """Put files of the version at `at` (None: the present) and `notes` (title to text) together.

        `files` are paths, folders and globs; a glob with `!` in front takes away. `annotations`
        adds what stands noted on them. On return it is on disk.
        """
        body = {
            "name": name,
            "files": list(files),
            "at": None if at is None else str(at),
            "notes": [{"title": title, "text": text} for title, text in (notes or {}).items()],
            "annotations": annotations,
            "purpose": purpose,
        }
        answer = await self._ask("POST", "/context/create", body=given(body))
        return self._transport.decode(answer, Context)

    async def contexts(self) -> list[Context]:
        """All contexts, the oldest first."""
        answer = await self._ask("GET", "/contexts", repeatable=True)
        return self._transport.decode(answer, ContextList).contexts

    async def context(self, name: str) -> ContextDetail:
        """A context with the files it lists, and its notes."""
        answer = await self._ask("GET", f"/context/{quote(name, safe='')}", repeatable=True)
        return self._transport.decode(answer, ContextDetail)

    async def remove_context(self, name: str) -> ContextRemoved:
        """Take a context away: one's own, or as operator or admin anyone's."""
        answer = await self._ask("POST", f"/context/{quote(name, safe='')}/remove", body={})
        return self._transport.decode(answer, ContextRemoved)

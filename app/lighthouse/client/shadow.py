"""The project as captured."""

from lighthouse import paths
from lighthouse.client.answers import Shadowed
from lighthouse.client.asking import Asking
from lighthouse.client.reading import quoted_path, shadowed


class ShadowReading(Asking):
    """Reading the project as captured."""

    async def read(
        self, path: str | bytes, *, at: str | int | None = None, offset: int = 0, size: int | None = None
    ) -> Shadowed:
        """What the shadow holds at `path`, beneath the project's root; of a file, `size` bytes from `offset`.

        `at` is a sequence number, an RFC 3339 time or a snapshot's name; without it the present is read.
        Raises BadPath before the bridge is asked.
        """
        names = paths.parse(path)
        headers = {} if offset == 0 and size is None else {"Range": _range(offset, size)}
        answer = await self._ask(
            "GET",
            f"/shadow/read/{quoted_path(path)}",
            query={} if at is None else {"at": str(at)},
            headers=headers,
            repeatable=True,
            accept=frozenset({416}),
        )
        return shadowed(self._transport, answer, names, offset)


def _range(offset: int, size: int | None) -> str:
    return f"bytes={offset}-" if size is None else f"bytes={offset}-{offset + max(size, 1) - 1}"

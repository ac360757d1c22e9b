"""Contexts through the client."""

import pytest

from lighthouse.client import Client, Refused


async def test_from_making_to_removing(bridge_process) -> None:
    async with Client(bridge_process.url, bridge_process.token("carl")) as bridge:
        made = await bridge.create_context("client-review", ["src"], notes={"Why": "so"})
        assert made in await bridge.contexts()
        found = await bridge.context(made.name)
        assert [(file.path, file.kind) for file in found.files] == [("src/main.py", "file")]
        assert found.notes[0].text == "so\n"
        await bridge.remove_context(made.name)
        with pytest.raises(Refused, match="no context"):
            await bridge.context(made.name)

"""Searching through the client: every option arrives, and a page goes on where the one before ended."""

from lighthouse.client import Client


async def test_options_and_pages(bridge_process) -> None:
    async with Client(bridge_process.url, bridge_process.token()) as bridge:
        page = await bridge.search("GRÜß", ignore_case=True, types=["py"], path="src", after=3)
        assert [(file.path, file.lines[0].text) for file in page.files] == [
            ("src/main.py", "print('grüß dich')")
        ]
        assert page.files[0].lines[0].spans == [(7, 13)]
        assert page.binary == 0
        assert (await bridge.search("x", globs=["*.bin"])).binary == 1
        assert (await bridge.search("prin", word=True)).files == []
        assert (await bridge.search("print(", fixed=True, mode="count")).files[0].count == 1
        first = await bridge.search(".", path="src", max_matches=1)
        assert first.truncated
        assert (await bridge.search(".", path="src", cursor=first.cursor)).files == []

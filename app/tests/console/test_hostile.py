"""Whatever agents and files say stays text, and shows what hides in it."""

import asyncio
from urllib.parse import quote

import pytest
from playwright.async_api import Page, expect

from tests.console.conftest import PUBLISH, SCRIPT, Harbour, Person

pytestmark = pytest.mark.asyncio(loop_scope="session")

NAME = "<img src=x onerror=alert(1)>\u202e.txt"
SHOWN_NAME = "<img src=x onerror=alert(1)>\\u202e.txt"


async def is_inert(page: Page) -> None:
    """No element of the page comes from a text, and no hidden character reached it."""
    assert await page.locator("main :is(img:not([width]), script, iframe, [onerror])").count() == 0
    text = await page.locator("body").inner_text()
    assert not {"\u202e", "\u200b", "\x1b"} & set(text)


async def test_commands_reasons_and_descriptions(olga: Person, harbour: Harbour) -> None:
    command = f"{PUBLISH} --tag '{SCRIPT}\u202e\u200b\x1b[31m' && echo '</pre></article><h1>Approved</h1>'"
    asked = await asyncio.to_thread(
        harbour.ask, command, description=f"harmless {SCRIPT}\u202e", **{SCRIPT: SCRIPT}
    )
    assert asked["decision"] == "escalate"
    await olga.open("/")
    request = olga.page.locator(f"#{asked['id']}")
    shown = request.locator(".command")
    await expect(shown).to_contain_text(SCRIPT)
    await expect(shown).to_contain_text("\\u202e\\u200b\\x1b[31m")
    await expect(shown).to_contain_text("</pre></article><h1>Approved</h1>")
    await is_inert(olga.page)
    await request.get_by_label("Reason").fill(f"no {SCRIPT}")
    await request.get_by_role("button", name="Deny").click()
    await expect(olga.page.locator("#answered")).to_contain_text(f"no {SCRIPT}")
    for path in (f"/console/request/{asked['id']}", "/console/history", "/console/events", "/console/agents"):
        await olga.open(path)
        for details in await olga.page.locator("details").all():
            await details.evaluate("element => { element.open = true }")
        await is_inert(olga.page)


async def test_experts_and_what_they_say(olga: Person, harbour: Harbour) -> None:
    body = {"speciality": "releases", "paths": [SCRIPT]}
    await asyncio.to_thread(harbour.call, "/expert/register", body, agent="eve", role="expert")
    asked = await asyncio.to_thread(harbour.ask, f"{PUBLISH} --tag said")
    said = {"id": asked["id"], "verdict": "approve", "reason": f"fine {SCRIPT}\u202e"}
    await asyncio.to_thread(harbour.call, "/approve", said, agent="eve", role="expert")
    await olga.open("/")
    answer = olga.page.locator(f"#{asked['id']} .answers")
    await expect(answer).to_contain_text(f"fine {SCRIPT}\\u202e")
    await is_inert(olga.page)
    await olga.open("/console/agents")
    await expect(olga.page.get_by_role("region", name="eve")).to_contain_text(SCRIPT)
    await is_inert(olga.page)


async def test_names_contents_and_notes(olga: Person, harbour: Harbour) -> None:
    note = {"path": NAME, "line": 2, "text": f"see {SCRIPT}\u202e", "severity": "critical"}
    await asyncio.to_thread(harbour.call, "/shadow/annotate", note)
    await olga.open("/console/files/")
    await olga.page.get_by_role("link", name=SHOWN_NAME).click()
    await expect(olga.page.locator("#L2 code")).to_have_text(
        f"{SCRIPT} \\u202egnp.exe\\u200b\\x1b[31m line 1"
    )
    await expect(olga.page.get_by_role("complementary")).to_contain_text(f"see {SCRIPT}\\u202e")
    await is_inert(olga.page)
    assert SHOWN_NAME in await olga.page.title()


async def test_events_that_come(olga: Person, harbour: Harbour) -> None:
    await olga.open("/console/events?type=note.added")
    await expect(olga.page.locator("#live-state")).to_have_text("live")
    body = {"type": "note.added", "data": {"text": f"{SCRIPT}\u202e"}, "stream": "notes<b>"}
    seq = (await asyncio.to_thread(harbour.call, "/event/store", body))["seq"]
    event = olga.page.locator(f"#e{seq}")
    await event.locator("summary").click()
    await expect(event.locator("pre")).to_contain_text(f"{SCRIPT}\\u202e")
    await expect(event).to_contain_text("stream notes<b>")
    await is_inert(olga.page)


INTRUDER = """async () => {
  const stopped = [];
  document.addEventListener("securitypolicyviolation", (event) => stopped.push(event.effectiveDirective));
  const inline = "<img src=x:y onerror='window.ran = 1'><p style='color: red'></p>";
  document.body.insertAdjacentHTML("beforeend", inline);
  document.body.append(Object.assign(document.createElement("script"), { textContent: "window.ran = 2" }));
  document.body.append(Object.assign(document.createElement("iframe"), { src: "/" }));
  await fetch("http://127.0.0.1:1/").catch(() => null);
  const end = performance.now() + 8000;
  while (new Set(stopped).size < 6 && performance.now() < end) await new Promise((go) => setTimeout(go, 20));
  return { ran: window.ran ?? 0, stopped };
}"""


async def test_the_policy_would_stop_what_got_in(olga: Person) -> None:
    await olga.open("/")
    found = await olga.page.evaluate(INTRUDER)
    assert found["ran"] == 0
    stopped = {"connect-src", "frame-src", "img-src", "script-src-attr", "script-src-elem", "style-src-attr"}
    assert set(found["stopped"]) == stopped
    olga.troubles.clear()  # which is what this is about


async def test_addresses(olga: Person) -> None:
    for path in (
        f"/console/files/{quote(SCRIPT)}",
        f"/console/diff?from={quote(SCRIPT)}",
        f"/console/events?type={quote(SCRIPT)}",
    ):
        await olga.open(path)
        await is_inert(olga.page)
    await olga.open(f"/console/login?next={quote(SCRIPT)}")
    await is_inert(olga.page)
    olga.troubles = [
        trouble for trouble in olga.troubles if not any(status in trouble for status in ("404", "422"))
    ]

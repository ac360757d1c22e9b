"""The pages that look at events, the project and the bridge: what they show, and that it can be read."""

import asyncio
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.console.conftest import PUBLISH, Harbour, MakePerson, Person

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def noted(harbour: Harbour, text: str, agent: str = "builder") -> Any:
    body = {"type": "note.added", "data": {"text": text}}
    return (await asyncio.to_thread(harbour.call, "/event/store", body, agent=agent))["seq"]


async def test_events_arrive_as_they_are_filtered(olga: Person, harbour: Harbour) -> None:
    await olga.open("/console/events?type=note.*&agent=pilot")
    await expect(olga.page.locator("#live-state")).to_have_text("live")
    others = await noted(harbour, "not this")
    first = await noted(harbour, "ahoy", "pilot")
    await expect(olga.page.locator("#rows > li").first).to_have_id(f"e{first}")
    await expect(olga.page.locator(f"#e{others}")).to_have_count(0)
    await olga.page.get_by_role("button", name="Pause").click()
    second = await noted(harbour, "ahoy again", "pilot")
    await expect(olga.page.locator("#live-state")).to_have_text("1 held back")
    await expect(olga.page.locator(f"#e{second}")).to_have_count(0)
    await olga.page.get_by_role("button", name="Go on").click()
    await expect(olga.page.locator("#rows > li").first).to_have_id(f"e{second}")


async def test_the_list_of_live_events_is_bounded(olga: Person, harbour: Harbour) -> None:
    await olga.open("/console/events?type=flood.*")
    await expect(olga.page.locator("#live-state")).to_have_text("live")
    most = int(await olga.page.locator("#rows").get_attribute("data-most") or "0")
    for _ in range(8):
        batch = {"events": [{"type": "flood.drop", "data": {}}] * (most // 4)}
        last = (await asyncio.to_thread(harbour.call, "/event/store", batch))[-1]["seq"]
        await expect(olga.page.locator(f"#e{last}")).to_be_attached()
    assert 0 < await olga.page.locator("#rows > li").count() <= most


async def test_a_file_is_read_at_a_moment_and_compared(olga: Person, harbour: Harbour) -> None:
    before = (await asyncio.to_thread(harbour.call, "/shadow/update", {}))["seq"]
    note = {"path": "src/main.py", "symbol": "total", "text": "cents, not euros", "severity": "warning"}
    await asyncio.to_thread(harbour.call, "/shadow/annotate", note)
    file = harbour.bridge.project / "src" / "main.py"
    file.write_text("import sys\n\n\n" + file.read_text().replace("print(", "sys.exit("))
    after = (await asyncio.to_thread(harbour.call, "/shadow/update", {}))["seq"]
    assert after > before
    await olga.open("/console/files/src/main.py")
    await expect(olga.page.locator("#L4")).to_contain_text("def total(cents):")
    await expect(olga.page.get_by_role("complementary")).to_contain_text("cents, not euros")
    await expect(olga.page.get_by_role("complementary").get_by_role("link", name="line 4")).to_be_visible()
    await olga.page.get_by_label("Version").fill(str(before))
    await olga.page.get_by_role("button", name="Show").click()
    await expect(olga.page.locator("#L1")).to_contain_text("def total(cents):")
    await olga.page.get_by_role("link", name="what changed since").click()
    await expect(olga.page.locator(".added")).to_contain_text(
        ["+import sys", "+", "+", "+sys.exit(total(3))"]
    )
    await expect(olga.page.locator(".removed")).to_have_text(["5-print(total(3))"])
    await olga.open("/console/files/image.bin")
    await expect(olga.page.get_by_text("The content is binary.")).to_be_visible()


async def test_health_and_agents_are_told(olga: Person, harbour: Harbour) -> None:
    await noted(harbour, "here I am", "pilot")
    await olga.open("/console/health")
    await expect(olga.page.get_by_role("heading", name="Health")).to_contain_text("ok")
    await expect(olga.page.get_by_role("row", name="event store")).to_contain_text("head is event")
    await olga.open("/console/agents")
    await expect(olga.page.get_by_role("region", name="pilot")).to_contain_text("note.added")
    await expect(olga.page.get_by_role("region", name="olga")).to_contain_text("session as operator")


PLACES = (
    "/",
    "/console/history",
    "/console/events",
    "/console/agents",
    "/console/files/",
    "/console/files/src/main.py",
    "/console/diff?from=1",
    "/console/rules",
    "/console/health",
)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_page_fits_400_pixels_and_can_be_read(
    visit: MakePerson, harbour: Harbour, scheme: str
) -> None:
    long = "x" * 300
    asked = await asyncio.to_thread(harbour.ask, f"{PUBLISH} --tag {long}")
    remember = {"scope": "exact"}
    body = {"id": asked["id"], "verdict": "deny", "reason": long, "remember": remember}
    if asked["decision"] == "escalate":
        await asyncio.to_thread(harbour.call, "/approve", body, agent="olga", role="operator")
    await asyncio.to_thread(harbour.ask, f"{PUBLISH} --tag {long}y")
    person = await visit(viewport={"width": 400, "height": 800}, color_scheme=scheme)
    await person.open("/console/login")
    await fits(person.page)
    await person.log_in()
    for place in PLACES:
        await person.open(place)
        for details in await person.page.locator("details").all():
            await details.evaluate("element => { element.open = true }")
        await fits(person.page)
        found = await person.page.evaluate(CONTRASTS)
        assert found["seen"] > 5, place
        assert found["poor"] == [], place


async def fits(page: Page) -> None:
    assert await page.evaluate("document.documentElement.scrollWidth") <= 400, page.url


# Every text against the background behind it, by the formula of WCAG 2; 4.5 is what AA asks for.
CONTRASTS = """() => {
  const channels = (color) => color.match(/[\\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => {
    const linear = (v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    const [x, y, z] = [r, g, b].map((v) => linear(v / 255));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = channels(getComputedStyle(at).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const poor = [];
  let seen = 0;
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || !element.checkVisibility()) continue;
    seen += 1;
    const [a, b] = [luminance(channels(getComputedStyle(element).color)), luminance(behind(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const what = `${element.tagName} ${element.className} ${element.textContent.trim().slice(0, 30)}`;
    if (ratio < 4.5) poor.push(`${what}: ${ratio.toFixed(2)}`);
  }
  return { seen, poor: [...new Set(poor)] };
}"""


async def test_a_long_file_is_read_forth_and_back(olga: Person) -> None:
    await olga.open("/console/files/src/long.txt")
    for name, part in (("Next", "2001 to 4000"), ("Next", "4001 to 4500"), ("Earlier", "2001 to 4000")):
        await olga.page.get_by_role("link", name=f"{name} lines").click()
        await expect(olga.page.get_by_text(f"Lines {part} of 4500")).to_be_visible()

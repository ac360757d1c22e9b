"""What waits is answered in the browser, and whoever waits for it gets the answer."""

import asyncio
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from tests.conftest import RunningBridge
from tests.console.conftest import PUBLISH, Harbour, MakePerson, Person

pytestmark = pytest.mark.asyncio(loop_scope="session")


def card(page: Page, command: str) -> Locator:
    return page.get_by_role("article").filter(has_text=command)


async def outcome(asking: "asyncio.Task[Any]") -> Any:
    return await asyncio.wait_for(asking, 20)


async def test_an_escalated_command_is_approved_and_the_waiting_call_gets_it(
    olga: Person, harbour: Harbour
) -> None:
    asking = await harbour.waiting(f"{PUBLISH} --tag one")
    request = card(olga.page, "--tag one")
    await expect(request).to_contain_text("high")
    await expect(request).to_contain_text("builder")
    await expect(request).to_contain_text("publishes, or changes what others run")
    await request.get_by_label("Reason").fill("the release is due")
    await request.get_by_role("button", name="Approve").click()
    told = await outcome(asking)
    assert (told["decision"], told["reason"]) == ("allow", "olga approved: the release is due")
    await expect(olga.page.locator("#answered")).to_contain_text("olga approved: the release is due")
    await expect(card(olga.page, "--tag one")).to_have_count(0)
    event = (await asyncio.to_thread(harbour.call, "/event/query?type=validation.resolved"))["events"][-1]
    assert (event["agent_id"], event["data"]["how"]) == ("olga", "person")


async def test_neither_enter_nor_a_second_click_answers_what_was_not_meant(
    olga: Person, harbour: Harbour
) -> None:
    asking = [await harbour.waiting(f"{PUBLISH} --tag {name}") for name in ("first", "second")]
    await olga.open("/")
    reason = card(olga.page, "--tag first").get_by_label("Reason")
    await reason.fill("let me")
    await reason.press("Enter")
    await reason.press("Control+Enter")
    await expect(reason).to_have_value("let me\n")
    assert len(await harbour.pending()) == 2
    await olga.page.clock.install(time=0)
    await olga.page.clock.pause_at(1)
    await card(olga.page, "--tag first").get_by_role("button", name="Approve").dblclick()
    assert (await outcome(asking[0]))["reason"] == "olga approved: let me"
    await expect(olga.page.locator("#answered")).to_be_visible()
    button = card(olga.page, "--tag second").get_by_role("button", name="Approve")
    await expect(button).to_be_disabled()
    assert len(await harbour.pending()) == 1
    await olga.page.clock.run_for(1000)
    await button.click()
    assert (await outcome(asking[1]))["decision"] == "allow"
    await expect(button).to_have_count(0)


async def test_it_is_denied_with_a_reason(olga: Person, harbour: Harbour) -> None:
    asking = await harbour.waiting(f"{PUBLISH} --tag two")
    request = card(olga.page, "--tag two")
    await request.get_by_label("Reason").fill("not on a <b>Friday</b>")
    await request.get_by_role("button", name="Deny").click()
    told = await outcome(asking)
    assert (told["decision"], told["reason"]) == ("deny", "olga denied: not on a <b>Friday</b>")
    await olga.open("/console/history?by=answer")
    first = olga.page.locator(".decision").first
    await expect(first).to_contain_text("olga denied: not on a <b>Friday</b>")


async def test_an_answer_is_remembered_listed_and_revoked(olga: Person, harbour: Harbour) -> None:
    command = f"{PUBLISH} --tag three"
    asking = await harbour.waiting(command)
    request = card(olga.page, "--tag three")
    await request.get_by_text("Remember", exact=True).click()
    await request.get_by_label("For").select_option("exact")
    await request.get_by_label("during").select_option("3600")
    await request.get_by_role("button", name="Approve").click()
    assert (await outcome(asking))["decision"] == "allow"
    again = await asyncio.to_thread(harbour.ask, command)
    assert (again["decision"], again["rule"][0]) == ("allow", "r")
    await olga.page.get_by_role("link", name="Rules").click()
    rule = olga.page.locator(f"#{again['rule']}")
    await expect(rule).to_contain_text("exactly this call of builder")
    await expect(rule).to_contain_text("min")
    await rule.get_by_role("button", name="Revoke").click()
    await expect(rule).to_have_count(0)
    assert (await asyncio.to_thread(harbour.ask, command))["decision"] == "escalate"


async def test_the_keyboard_is_enough(visit: MakePerson, harbour: Harbour) -> None:
    asking = await harbour.waiting(f"{PUBLISH} --tag four")
    person = await visit()
    await person.open("/")
    await expect(person.page.get_by_label("An operator's token")).to_be_focused()
    await person.page.keyboard.insert_text(harbour.bridge.token("olga", "operator"))
    await person.page.keyboard.press("Enter")
    await expect(card(person.page, "--tag four")).to_be_visible()
    approve = card(person.page, "--tag four").get_by_role("button", name="Approve")
    await expect(approve).to_be_enabled()
    await person.page.keyboard.press("Tab")
    assert await focused(person.page) == "Skip to the page"
    await person.page.keyboard.press("Enter")
    reason = card(person.page, "--tag four").get_by_label("Reason")
    for _ in range(60):
        await person.page.keyboard.press("Tab")
        assert await person.page.evaluate(RING), await focused(person.page)
        if await reason.evaluate("element => element === document.activeElement"):
            break
    await person.page.keyboard.type("by hand")
    await person.page.keyboard.press("Tab")
    assert await focused(person.page) == "Approve"
    await person.page.keyboard.press("Enter")
    assert (await outcome(asking))["reason"] == "olga approved: by hand"
    await expect(person.page.locator("#answered")).to_contain_text("by hand")


RING = "getComputedStyle(document.activeElement).outlineStyle !== 'none'"


async def focused(page: Page) -> str:
    text: str = await page.evaluate("document.activeElement.textContent.trim()")
    return text


async def test_what_comes_appears_by_itself_and_what_is_written_stays(olga: Person, harbour: Harbour) -> None:
    first = await harbour.waiting(f"{PUBLISH} --tag five")
    await olga.open("/")
    await card(olga.page, "--tag five").get_by_label("Reason").fill("half a sent")
    second = await harbour.waiting(f"{PUBLISH} --tag six")
    await expect(card(olga.page, "--tag six")).to_be_visible()
    count = len(await harbour.pending())
    await expect(olga.page).to_have_title(f"({count}) Waiting · Lighthouse")
    await expect(olga.page.locator("#waiting-count")).to_have_text(str(count))
    await expect(olga.page.locator("#said")).to_contain_text("New: v")
    await expect(card(olga.page, "--tag five").get_by_label("Reason")).to_have_value("half a sent")
    for one in await harbour.pending():
        body = {"id": one["id"], "verdict": "deny", "reason": "elsewhere"}
        await asyncio.to_thread(harbour.call, "/approve", body, agent="otto", role="operator")
    await outcome(first)
    await outcome(second)
    # What can be seen stays where it is, says what happened, and takes no answer.
    await expect(card(olga.page, "--tag five")).to_contain_text("This was decided")
    await expect(card(olga.page, "--tag five").get_by_role("button", name="Approve")).to_be_disabled()
    await expect(olga.page).to_have_title("Waiting · Lighthouse")


async def test_all_of_it_works_without_script(visit: MakePerson, harbour: Harbour) -> None:
    asking = await harbour.waiting(f"{PUBLISH} --tag seven")
    person = await visit(java_script_enabled=False)
    await person.log_in()
    request = card(person.page, "--tag seven")
    await request.get_by_label("Reason").fill("plain")
    await request.get_by_role("button", name="Approve").click()
    assert (await outcome(asking))["reason"] == "olga approved: plain"
    await expect(person.page.locator("#answered")).to_contain_text("olga approved: plain")
    for place in ("History", "Events", "Agents", "Files", "Changes", "Rules", "Health"):
        await person.page.get_by_role("link", name=place, exact=True).click()
        await expect(person.page).to_have_title(f"{place} · Lighthouse")


async def test_a_command_that_lies_out_of_sight_in_part_says_so(olga: Person, harbour: Harbour) -> None:
    asked = await asyncio.to_thread(harbour.ask, f"ls\n{chr(10) * 400}{PUBLISH}")
    request = olga.page.locator(f"#{asked['id']}")
    await expect(request.get_by_text("It is long: 402 lines")).to_be_visible()
    await expect(request.locator(".command tr").last).to_contain_text(f"402{PUBLISH}")
    short = await asyncio.to_thread(harbour.ask, f"{PUBLISH} --tag short")
    await expect(olga.page.locator(f"#{short['id']}")).to_be_visible()
    await expect(olga.page.locator(f"#{short['id']}").get_by_text("It is long")).to_have_count(0)
    for one in (asked, short):
        body = {"id": one["id"], "verdict": "deny", "reason": "tidied"}
        await asyncio.to_thread(harbour.call, "/approve", body, agent="otto", role="operator")


async def test_a_difference_is_shown_to_the_end_of_its_longest_line(olga: Person, harbour: Harbour) -> None:
    for lines, cut in ((["on: push", f"{'x' * 4000} && its end"], 0), (["step"] * 20_000, 1)):
        written = {
            "file_path": f"{harbour.bridge.project}/.github/workflows/ci.yml",
            "content": "\n".join(lines),
        }
        called = {"tool_name": "Write", "tool_input": written, "cwd": str(harbour.bridge.project)}
        asked = await asyncio.to_thread(harbour.call, "/validate", called)
        request = olga.page.locator(f"#{asked['id']}")
        await expect(request.locator(".patch")).to_contain_text(lines[-1])
        await expect(request.get_by_text("its end is not shown")).to_have_count(cut)
        body = {"id": asked["id"], "verdict": "deny", "reason": "tidied"}
        await asyncio.to_thread(harbour.call, "/approve", body, agent="otto", role="operator")


async def test_a_command_that_is_not_kept_whole_says_so(olga: Person, harbour: Harbour) -> None:
    asked = await asyncio.to_thread(harbour.ask, f"{PUBLISH} {'x' * 70_000}; true")
    request = olga.page.locator(f"#{asked['id']}")
    await expect(request.get_by_text("more would run than can be shown here")).to_be_visible()
    body = {"id": asked["id"], "verdict": "deny", "reason": "tidied"}
    await asyncio.to_thread(harbour.call, "/approve", body, agent="otto", role="operator")


async def test_a_reason_of_many_lines_is_taken(olga: Person, harbour: Harbour) -> None:
    asking = await harbour.waiting(f"{PUBLISH} --tag lines")
    request = card(olga.page, "--tag lines")
    await request.get_by_label("Reason").fill("no\n" * 330)
    await request.get_by_role("button", name="Deny").click()
    assert (await outcome(asking))["reason"].endswith(" no no no")


async def test_a_waiting_hook_call_gets_the_answer(olga: Person, harbour: Harbour) -> None:
    command = f"{PUBLISH} --tag hooked"
    hook = {
        "hook_event_name": "PreToolUse",
        "session_id": "6e0b4c6e",
        "tool_use_id": "toolu_01",
        "cwd": str(harbour.bridge.project),
        "tool_name": "Bash",
        "tool_input": {"command": command, "description": "Publish it"},
    }
    for button, told in (("Deny", "deny"), ("Approve", None)):
        asking = asyncio.create_task(asyncio.to_thread(harbour.call, "/hooks/claude-code", hook))
        await card(olga.page, "--tag hooked").get_by_label("Reason").fill("seen")
        await card(olga.page, "--tag hooked").get_by_role("button", name=button).click()
        output = (await outcome(asking)).get("hookSpecificOutput", {})
        assert output.get("permissionDecision") == told
        assert told is None or "seen" in output["permissionDecisionReason"]
        await expect(olga.page.locator("#answered")).to_contain_text("seen")


async def test_an_edit_is_shown_as_the_difference_it_makes(olga: Person, harbour: Harbour) -> None:
    build = harbour.bridge.project / ".github" / "workflows" / "ci.yml"
    build.parent.mkdir(parents=True)
    build.write_text("on: push\njobs: <none>\n")
    await asyncio.to_thread(harbour.call, "/shadow/update", {})
    edit = {"file_path": str(build), "old_string": "<none>", "new_string": "<script>alert(1)</script>"}
    call = {"tool_name": "Edit", "tool_input": edit, "cwd": str(harbour.bridge.project)}
    asked = await asyncio.to_thread(harbour.call, "/validate", call)
    assert asked["decision"] == "escalate"
    request = olga.page.locator(f"#{asked['id']}")
    await expect(request.locator(".removed")).to_contain_text("2-jobs: <none>")
    await expect(request.locator(".added")).to_contain_text("2+jobs: <script>alert(1)</script>")


async def test_a_page_outlives_the_bridge(visit: MakePerson, own_bridge: RunningBridge) -> None:
    own_bridge.start()
    away = Harbour(own_bridge)
    person = await visit()
    person.harbour = away
    await person.log_in()
    await expect(person.page.get_by_text("Nothing waits.")).to_be_visible()
    own_bridge.stop()
    own_bridge.start()
    await asyncio.to_thread(away.ask, f"{PUBLISH} --tag again")
    await expect(card(person.page, "--tag again")).to_be_visible(timeout=20_000)
    person.troubles.clear()  # Chromium tells of each connection that was refused


async def test_a_form_that_came_too_late_says_so(olga: Person, harbour: Harbour) -> None:
    asking = await harbour.waiting(f"{PUBLISH} --tag eight")
    [one] = [one for one in await harbour.pending() if "eight" in one["tool_input"].get("command", "")]
    await olga.open(f"/console/request/{one['id']}")
    body = {"id": one["id"], "verdict": "deny", "reason": "elsewhere"}
    await asyncio.to_thread(harbour.call, "/approve", body, agent="otto", role="operator")
    await outcome(asking)
    await olga.page.get_by_role("button", name="Approve").click()
    await expect(olga.page.get_by_role("alert")).to_contain_text("decided already: deny")
    olga.troubles = [trouble for trouble in olga.troubles if "409" not in trouble]

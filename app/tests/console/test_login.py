"""Logging in and out, in a real browser."""

import pytest
from playwright.async_api import expect

from tests.console.conftest import Harbour, MakePerson, Person

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_an_operator_logs_in_and_lands_where_the_way_led(visit: MakePerson) -> None:
    person = await visit()
    await person.open("/console/events?type=note.added")
    await expect(person.page).to_have_title("Log in · Lighthouse")
    await person.page.get_by_label("An operator's token").fill(
        person.harbour.bridge.token("olga", "operator")
    )
    await person.page.keyboard.press("Enter")
    await expect(person.page).to_have_url(f"{person.harbour.url}/console/events?type=note.added")
    await expect(person.page.get_by_role("heading", name="Events")).to_be_visible()


@pytest.mark.parametrize(
    ("role", "told"), [("agent", "role agent"), ("expert", "role expert"), ("", "not accepted")]
)
async def test_others_do_not(visit: MakePerson, role: str, told: str) -> None:
    person = await visit()
    token = person.harbour.bridge.token("mallory", role) if role else "nonsense"
    await person.open("/console/login")
    await person.page.get_by_label("An operator's token").fill(token)
    await person.page.get_by_role("button", name="Log in").click()
    await expect(person.page.get_by_role("alert")).to_contain_text(told)
    assert await person.context.cookies() == []
    # The browser tells of the status of the page itself.
    person.troubles = [trouble for trouble in person.troubles if "403" not in trouble]


async def test_no_script_sees_the_cookie(olga: Person) -> None:
    assert await olga.page.evaluate("document.cookie") == ""
    [cookie] = await olga.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Strict", "/")


async def test_logging_out_ends_every_open_page(visit: MakePerson, harbour: Harbour) -> None:
    olga = await visit()
    await olga.log_in()
    other = await olga.context.new_page()
    await other.goto(harbour.url)
    await olga.page.get_by_role("button", name="Log out").click()
    await expect(olga.page).to_have_title("Log in · Lighthouse")
    await other.reload()
    await expect(other).to_have_title("Log in · Lighthouse")
    assert await olga.context.cookies() == []

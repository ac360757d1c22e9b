"""Notes made, followed while the project changes, listed for the present and the past, and closed."""

import asyncio
import os
from pathlib import Path

import pytest

from lighthouse.annotations import (
    AnnotationClosed,
    Annotations,
    BadAnnotation,
    NoSuchAnnotation,
    Placed,
    Target,
    TooManyAnnotations,
    annotations,
)
from lighthouse.events import EventStore, Query
from lighthouse.shadow import NotCaptured, Shadow
from tests.annotations.conftest import told

ORDERS = "shop/orders.py"


def shown(placed: Placed) -> str:
    return told(placed.standing)


async def only(notes: Annotations, path: str = "", at: str | None = None) -> Placed:
    [placed] = (await notes.listed(path, at=at)).placed
    return placed


async def test_a_note_is_an_event_with_its_anchor(
    notes: Annotations, shadow: Shadow, events: EventStore
) -> None:
    target = Target(ORDERS, line=60)
    seq, placed = await notes.annotate(
        target, "rounds twice", severity="error", category="money", agent_id="ann"
    )
    assert (seq, shown(placed)) == (shadow.current.seq, "same shop/orders.py:60 Order.total")
    [event] = (await events.query(Query(stream="annotations"))).events
    assert (event.type, event.agent_id) == ("annotation.added", "ann")
    data = event.value
    assert (data["path"], data["severity"], data["category"]) == (ORDERS, "error", "money")
    anchor = data["anchor"]
    assert [(node["kind"], node["name"]) for node in anchor["nodes"]] == [
        ("class_definition", "Order"),
        ("function_definition", "total"),
    ]
    assert (anchor["kind"], anchor["lines"], anchor["language"]) == ("return_statement", [60, 60], "python")
    assert anchor["text"].strip() == "return round(amount * (1 - discount), 2)"
    assert len(anchor["context"]) == 64


async def test_it_is_followed_into_another_file_and_back_in_time(
    notes: Annotations, shadow: Shadow, project: Path, events: EventStore
) -> None:
    await notes.annotate(Target(ORDERS, symbol="total_weight"), "in tons?", agent_id="ann")
    before = events.head.seq
    text = (project / ORDERS).read_text()
    head, _, body = text.partition("def total_weight")
    (project / "shop" / "weights.py").write_text(f'"""Weights."""\n\n\ndef total_weight{body}')
    (project / ORDERS).write_text(head.rstrip() + "\n")
    await shadow.scan()
    moved = await only(notes)
    assert shown(moved) == "moved shop/weights.py:4-6 total_weight"
    assert (await notes.listed(ORDERS)).total == 0
    assert shown(await only(notes, "shop/weights.py")) == shown(moved)
    assert shown(await only(notes, "shop", at=str(before))) == "same shop/orders.py:104-106 total_weight"


async def test_an_orphan_is_told_with_the_last_version_it_stood_in(
    notes: Annotations, shadow: Shadow, project: Path, events: EventStore
) -> None:
    await notes.annotate(Target(ORDERS, line=85), "quick check", agent_id="ann")
    text = (project / ORDERS).read_text()
    (project / ORDERS).write_text("# A line.\n" + text)
    await shadow.scan()
    stood = shadow.current.seq
    for number in range(3):
        (project / "other.txt").write_text(f"{number}\n")
        stood = await shadow.scan()
    (project / ORDERS).write_text("print('all gone')\n")
    await shadow.scan()
    for _ in range(2):
        orphan = await only(notes)
        assert shown(orphan) == "orphaned shop/orders.py:86 parse_line"
        assert orphan.last_seq == stood
        (project / "other.txt").write_text("more\n")
        await shadow.scan()
    anew = Annotations(shadow, events)
    await anew.start()
    assert (await only(anew)).last_seq in range(stood - 2, stood + 1)
    await anew.close()
    (project / ORDERS).write_text(text)
    await shadow.scan()
    assert shown(await only(notes)) == "same shop/orders.py:85 parse_line"


async def test_what_was_noted_is_there_after_a_restart(
    notes: Annotations, shadow: Shadow, events: EventStore
) -> None:
    _, first = await notes.annotate(Target(ORDERS, line=50, end_line=52), "which?", agent_id="ann")
    _, second = await notes.annotate(Target("shop/pricing.py"), "whole file", agent_id="bob")
    _, third = await notes.annotate(Target("shop/pricing.py", line=6), "old rates", agent_id="bob")
    await notes.end(second.note.id, "resolved", "split it", agent_id="ann")
    anew = Annotations(shadow, events)
    await anew.start()
    assert [one.note for one in (await anew.listed()).placed] == [first.note, third.note]
    assert anew.get(second.note.id) == notes.get(second.note.id)
    assert anew.open_count == 2
    await anew.close()


async def test_closing(notes: Annotations, shadow: Shadow, events: EventStore) -> None:
    _, placed = await notes.annotate(Target(ORDERS, line=9), "unused?", agent_id="ann")
    made = placed.note
    while_open = events.head.seq
    closed = await notes.end(made.id, "withdrawn", "my mistake", agent_id="ann")
    assert (closed.ending, closed.reason) == ("withdrawn", "my mistake")
    assert notes.get(made.id).closed == closed
    assert (await notes.listed()).placed == []
    assert (await notes.end(made.id, "withdrawn", agent_id="ann")) == closed
    with pytest.raises(AnnotationClosed, match="withdrawn by event"):
        await notes.end(made.id, "resolved", agent_id="ann")
    with pytest.raises(NoSuchAnnotation):
        await notes.end("none", "resolved", agent_id="ann")
    then = await only(notes, at=str(while_open))
    assert then.note.id == made.id
    assert (await notes.listed(at=str(while_open - 1))).placed == []
    assert (await only(notes, at=made.at)).note.id == made.id


async def test_the_same_note_again_is_the_same(notes: Annotations, events: EventStore) -> None:
    target = Target(ORDERS, line=12)
    _, one = await notes.annotate(target, "why 200?", agent_id="ann")
    head = events.head.seq
    assert (await notes.annotate(target, "why 200?", agent_id="ann"))[1] == one
    assert events.head.seq == head
    assert (await notes.annotate(target, "why 200?", agent_id="bob"))[1].note.id != one.note.id


@pytest.mark.parametrize(
    ("target", "text", "category", "said"),
    [
        (Target("shop"), "x", "note", "folder"),
        (Target(ORDERS, line=1), "", "note", "0 bytes"),
        (Target(ORDERS, line=1), "  \n", "note", "bytes"),
        (Target(ORDERS, line=1), "x" * 8193, "note", "8193 bytes"),
        (Target(ORDERS, line=1), "x", "Not Good", "category"),
        (Target(ORDERS, line=1, symbol="Order"), "x", "note", "a line and a symbol"),
        (Target(ORDERS, end_line=1), "x", "note", "no line"),
        (Target(ORDERS, line=0), "x", "note", "no lines 0 to 0"),
        (Target("image.bin", line=1), "x", "note", "no text"),
        (Target("link", line=1), "x", "note", "symbolic link"),
    ],
)
async def test_what_is_no_note_is_refused_and_changes_nothing(
    notes: Annotations,
    shadow: Shadow,
    project: Path,
    events: EventStore,
    target: Target,
    text: str,
    category: str,
    said: str,
) -> None:
    (project / "image.bin").write_bytes(b"\0\1")
    (project / "link").symlink_to("shop")
    await shadow.scan()
    with pytest.raises(BadAnnotation, match=said):
        await notes.annotate(target, text, category=category, agent_id="ann")
    assert (await events.query(Query(stream="annotations"))).events == []


async def test_what_is_not_captured_is_refused(notes: Annotations) -> None:
    with pytest.raises(NotCaptured):
        await notes.annotate(Target("none.py", line=1), "x", agent_id="ann")


async def test_there_is_an_end_to_notes(notes: Annotations, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(annotations, "MAX_OPEN_OF_FILE", 2)
    monkeypatch.setattr(annotations, "MAX_OPEN", 3)
    await notes.annotate(Target(ORDERS, line=1), "one", agent_id="ann")
    _, made = await notes.annotate(Target(ORDERS, line=1), "two", agent_id="ann")
    with pytest.raises(TooManyAnnotations, match="on this file"):
        await notes.annotate(Target(ORDERS, line=1), "three", agent_id="ann")
    await notes.annotate(Target("shop/pricing.py", line=1), "three", agent_id="ann")
    with pytest.raises(TooManyAnnotations, match="3 notes are open"):
        await notes.annotate(Target("shop/pricing.py", line=1), "four", agent_id="ann")
    await notes.end(made.note.id, "resolved", agent_id="ann")
    await notes.annotate(Target(ORDERS, line=1), "two", agent_id="ann")


async def test_notes_on_names_that_are_not_text(notes: Annotations, shadow: Shadow, project: Path) -> None:
    name = b"caf\xe9.py"
    Path(os.fsdecode(os.fsencode(project) + b"/" + name)).write_bytes(b"x = 1\n")
    await shadow.scan()
    await notes.annotate(Target(name, line=1), "cafe", agent_id="ann")
    assert (await only(notes)).standing.path == (name,)


async def test_pages(notes: Annotations) -> None:
    for line in (60, 9, 46):
        await notes.annotate(Target(ORDERS, line=line), f"on {line}", agent_id="ann")
    page = await notes.listed(offset=1, limit=1)
    assert page.total == 3
    assert [one.note.text for one in page.placed] == ["on 46"]


async def test_many_at_once_are_each_made_once(notes: Annotations, events: EventStore) -> None:
    async with asyncio.TaskGroup() as group:
        for number in range(20):
            said = f"note {number // 2}"
            group.create_task(notes.annotate(Target(ORDERS, line=46), said, agent_id="ann"))
    assert (await notes.listed()).total == 10
    assert len((await events.query(Query(stream="annotations"))).events) == 10

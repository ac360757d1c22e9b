"""The kernel's counts: what it forgets is dropped, unless the proposal holds it."""

from lighthouse.mount.proposal_inodes import Inodes


async def test_what_only_shows_the_base_is_dropped_once_forgotten(desk) -> None:
    proposal = desk.proposals.get("draft")
    tree, inodes = proposal.tree, Inodes()
    path = [
        tree.root,
        tree.find((b"src",)),
        tree.find((b"src", b"deep")),
        tree.find((b"src", b"deep", b"data")),
    ]
    for node in path:
        inodes.told(proposal, node)
    numbers = [node.inode for node in path]
    assert len(set(numbers)) == len(inodes) == 4
    for number in numbers[1:3]:
        inodes.forget(number, 1)
    # Its child is still known.
    assert b"src" in tree.root.kids
    inodes.forget(numbers[3], 1)
    assert len(inodes) == 1
    assert tree.root.kids == {}


async def test_what_was_changed_keeps_its_number(desk) -> None:
    await desk.away((desk.here / "README").write_text, "mine\n")
    await desk.mount.stop()
    proposal = desk.proposals.get("draft")
    node = proposal.tree.find((b"README",))
    inodes = Inodes()
    inodes.told(proposal, node)
    inodes.told(proposal, node)
    number = node.inode
    inodes.forget(number, 2)
    assert inodes.get(number) is None
    assert proposal.tree.find((b"README",)) is node
    inodes.told(proposal, node)
    assert node.inode == number


async def test_the_kernel_forgets_what_it_is_told_to(desk) -> None:
    await desk.out("find", desk.here, "-ls")
    before = len(desk.mount._inodes)
    assert before >= 9
    await desk.proposals.withdraw("draft", agent="ann")
    await desk.mount.settle()
    await desk.away(desk.here.exists)
    assert len(desk.mount._inodes) < before

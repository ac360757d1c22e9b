"""The chain of rules: configured patterns first, then the deepest `.gitignore` that says something."""

from lighthouse.shadow.ignore import Rules

CONFIGURED = Rules.configured([".git/", "*.pyc", "!keep.pyc"])


def test_configured_patterns_cannot_be_taken_back_by_the_project() -> None:
    rules = CONFIGURED.beneath(0, b"!.git/\n!*.pyc\n")
    assert rules.ignores((b".git",), is_folder=True)
    assert rules.ignores((b"a", b"x.pyc"), is_folder=False)


def test_a_configured_exception_holds() -> None:
    assert not CONFIGURED.beneath(0, b"*\n").ignores((b"keep.pyc",), is_folder=False)


def test_a_pattern_for_folders_leaves_files() -> None:
    assert not CONFIGURED.ignores((b".git",), is_folder=False)


def test_the_deeper_file_wins() -> None:
    rules = CONFIGURED.beneath(0, b"*.log\n").beneath(1, b"!here.log\n")
    assert not rules.ignores((b"a", b"here.log"), is_folder=False)
    assert rules.ignores((b"a", b"there.log"), is_folder=False)


def test_an_anchored_pattern_starts_at_its_own_folder() -> None:
    rules = CONFIGURED.beneath(1, b"/build\n")
    assert rules.ignores((b"a", b"build"), is_folder=True)
    assert not rules.ignores((b"a", b"b", b"build"), is_folder=True)


def test_a_byte_order_mark_and_windows_line_ends() -> None:
    rules = CONFIGURED.beneath(0, b"\xef\xbb\xbf*.log\r\n*.tmp\r\n")
    assert rules.ignores((b"x.log",), is_folder=False)
    assert rules.ignores((b"x.tmp",), is_folder=False)


def test_the_same_content_is_recognised() -> None:
    rules = CONFIGURED.beneath(0, b"*.log\n")
    assert rules.holds(b"*.log\n")
    assert not rules.holds(b"*.log")

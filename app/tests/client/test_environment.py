"""Where the client finds the bridge and the token, and which places it refuses."""

from pathlib import Path

import pytest

from lighthouse.client import ClientMisconfigured, connection_from


def test_defaults(tmp_path: Path) -> None:
    connection = connection_from({"HOME": str(tmp_path)})
    assert connection == ("http://localhost:8765", None)


def test_variables_win_over_the_default_and_the_argument_over_both() -> None:
    env = {"LIGHTHOUSE_BRIDGE_URL": "http://bridge:1/", "LIGHTHOUSE_TOKEN": " a.b.c\n"}
    assert connection_from(env) == ("http://bridge:1", "a.b.c")
    assert connection_from(env, "https://other:2").url == "https://other:2"


@pytest.mark.parametrize(
    "url",
    ["localhost:8765", "ftp://x", "http://", "http://x:99999", "http://u:p@x", "http://x?y=1", "http://[::1"],
)
def test_bad_address(url: str) -> None:
    with pytest.raises(ClientMisconfigured, match="address"):
        connection_from({"LIGHTHOUSE_BRIDGE_URL": url, "LIGHTHOUSE_TOKEN": "t"})


def test_token_file(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("a.b.c\n")
    file.chmod(0o600)
    assert connection_from({"LIGHTHOUSE_TOKEN_FILE": str(file)}).token == "a.b.c"


def test_token_of_the_user(tmp_path: Path) -> None:
    file = tmp_path / "lighthouse" / "token"
    file.parent.mkdir()
    file.write_text("own")
    file.chmod(0o600)
    assert connection_from({"XDG_CONFIG_HOME": str(tmp_path)}).token == "own"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_token_file_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    file = tmp_path / "token"
    file.write_text("a.b.c")
    file.chmod(mode)
    with pytest.raises(ClientMisconfigured, match="open to others") as caught:
        connection_from({"LIGHTHOUSE_TOKEN_FILE": str(file)})
    assert "a.b.c" not in str(caught.value)


@pytest.mark.parametrize("content", ["", "\n", "two words", "grüß", "a\x00b"])
def test_what_is_no_token(tmp_path: Path, content: str) -> None:
    file = tmp_path / "token"
    file.write_text(content)
    file.chmod(0o600)
    with pytest.raises(ClientMisconfigured):
        connection_from({"LIGHTHOUSE_TOKEN_FILE": str(file)})


def test_missing_token_file_and_folder(tmp_path: Path) -> None:
    for place in (tmp_path / "none", tmp_path):
        with pytest.raises(ClientMisconfigured, match="token file"):
            connection_from({"LIGHTHOUSE_TOKEN_FILE": str(place)})


def test_the_token_is_not_shown() -> None:
    assert "secret" not in repr(connection_from({"LIGHTHOUSE_TOKEN": "secret"}))

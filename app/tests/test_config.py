"""Settings: defaults, file, environment, command line, in that order; nonsense is refused in one line."""

from pathlib import Path

import pytest

from lighthouse import config
from lighthouse.config import BadSettings, load


@pytest.fixture
def config_file(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def from_file(path: Path, text: str) -> config.Settings:
    path.write_text(text)
    return load({"LIGHTHOUSE_CONFIG": str(path)})


def test_defaults_are_those_of_the_contract(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(config, "CONFIG_PATH", tmp_path / "absent.toml")
    settings = load({})
    assert settings.project_path == Path("/project")
    assert settings.mount_point == Path("/mnt/lighthouse/project")
    assert settings.event_store == Path("/var/lib/lighthouse/events")
    assert settings.host_port == ("127.0.0.1", 8765)
    assert settings.secret_environment() == {}


def test_environment_wins_over_file_and_command_line_over_both(config_file: Path) -> None:
    config_file.write_text('project_path = "/a"\nmount_point = "/m"\nlisten = "127.0.0.1:1"\n')
    settings = load(
        {
            "LIGHTHOUSE_CONFIG": str(config_file),
            "LIGHTHOUSE_PROJECT_PATH": "/b",
            "LIGHTHOUSE_LISTEN": "[::1]:2",
        },
        {"listen": "127.0.0.1:3"},
    )
    assert (settings.project_path, settings.mount_point) == (Path("/b"), Path("/m"))
    assert settings.host_port == ("127.0.0.1", 3)


def test_lists_and_maps_are_split_at_colons() -> None:
    env = {"LIGHTHOUSE_IGNORE": "*.o:build/", "LIGHTHOUSE_ROOTS": "/home/ann/shop=/project:/srv/x=/project/x"}
    settings = load(env)
    assert settings.ignore == ("*.o", "build/")
    assert settings.roots == {"/home/ann/shop": "/project", "/srv/x": "/project/x"}


def test_brackets_of_ipv6_are_not_part_of_the_host() -> None:
    assert load({"LIGHTHOUSE_LISTEN": "[::1]:8765"}).host_port == ("::1", 8765)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("mont = true", "mont"),
        ("mount = 3", "mount"),
        ("roots = {'/a' = 3}", "roots"),
        ("ignore = 'x'", "ignore"),
        ("project_path = ''", "project_path"),
        ("mount_uid = -1", "mount_uid"),
        ("log_level = 'loud'", "log_level"),
        ("listen = 'nowhere'", "nowhere"),
        ("listen = '127.0.0.1:99999'", "99999"),
        ("roots = {'a' = 'b'}", "not absolute"),
        ("mount", "not TOML"),
        ("max_file_bytes = 0", "max_file_bytes"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused_in_one_line(config_file: Path, text: str, said: str) -> None:
    with pytest.raises(BadSettings) as caught:
        from_file(config_file, text)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_utf8_or_missing_or_unreadable_is_refused(
    config_file: Path, tmp_path: Path
) -> None:
    config_file.write_bytes(b"version = '\xff'")
    for path in (config_file, tmp_path / "absent", tmp_path):
        with pytest.raises(BadSettings, match="config file"):
            load({"LIGHTHOUSE_CONFIG": str(path)})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("MOUNT", "perhaps"),
        ("MOUNT_UID", "root"),
        ("MAX_FILE_BYTES", "64 MiB"),
        ("PROJECT_PATH", ""),
        ("PROJECT_PATH", "a\0b"),
        ("ROOTS", "/a"),
        ("RECONCILE_SECONDS", "0"),
    ],
)
def test_a_variable_that_makes_no_sense_is_named(name: str, text: str) -> None:
    with pytest.raises(BadSettings, match=f"LIGHTHOUSE_{name} is not valid"):
        load({f"LIGHTHOUSE_{name}": text})


def test_the_environments_secret_replaces_the_files_whichever_way_it_is_given(config_file: Path) -> None:
    config_file.write_text("auth_secret = 'in the file'\n")
    env = {"LIGHTHOUSE_CONFIG": str(config_file), "LIGHTHOUSE_AUTH_SECRET_FILE": "/run/secrets/s"}
    assert load(env).secret_environment() == {"LIGHTHOUSE_AUTH_SECRET_FILE": "/run/secrets/s"}


def test_the_secret_is_never_shown(config_file: Path) -> None:
    settings = from_file(config_file, "auth_secret = 'do not show me'\n")
    assert "do not show me" not in repr(settings)
    assert settings.secret_environment() == {"LIGHTHOUSE_AUTH_SECRET": "do not show me"}


def test_names_that_mean_nothing_are_told_but_do_not_stop_the_bridge() -> None:
    env = {"LIGHTHOUSE_MONT": "1", "LIGHTHOUSE_MOUNT": "true", "LIGHTHOUSE_TOKEN": "t", "PATH": "/bin"}
    assert config.unknown_names(env) == ["LIGHTHOUSE_MONT"]
    assert load(env).mount is True

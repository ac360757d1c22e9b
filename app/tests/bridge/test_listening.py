"""Sockets: bound, taken over, refused in one line, and cleaned away."""

import os
import socket
import stat
from pathlib import Path

import pytest

from lighthouse.bridge.listening import UNREAD_BYTES, UNREAD_SECONDS, HealthSocket, listen, take_over
from lighthouse.errors import LighthouseError


def test_a_taken_port_is_refused_in_one_line() -> None:
    [first] = listen("127.0.0.1", 0)
    with first, pytest.raises(LighthouseError, match="cannot listen"):
        listen("127.0.0.1", first.getsockname()[1])


def test_a_name_that_does_not_resolve_is_refused() -> None:
    with pytest.raises(LighthouseError, match="cannot listen"):
        listen("no-such-host.invalid", 1)


def test_only_a_listening_socket_is_taken_over(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as good:
        [taken] = take_over([os.dup(good.fileno())])
        assert taken.getsockname() == good.getsockname()
        taken.close()
    with socket.socket() as idle, pytest.raises(LighthouseError, match="no listening socket"):
        take_over([os.dup(idle.fileno())])
    plain = os.open(tmp_path / "f", os.O_CREAT | os.O_RDWR)
    with pytest.raises(LighthouseError, match="no listening socket"):
        take_over([plain])
    os.close(plain)


def test_connections_are_bounded_whose_data_nobody_takes() -> None:
    [own] = listen("127.0.0.1", 0)
    with socket.create_server(("127.0.0.1", 0)) as server:
        [inherited] = take_over([os.dup(server.fileno())])
    for listening in (own, inherited):
        with listening, socket.create_connection(listening.getsockname()), listening.accept()[0] as taken:
            patience = taken.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)
            assert patience == UNREAD_SECONDS * 1000
            # The kernel counts its own structures too, and therefore twice what it is asked for.
            assert taken.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) <= 2 * UNREAD_BYTES


def test_the_health_socket_is_for_its_owner_alone_and_goes_away(tmp_path: Path) -> None:
    path = tmp_path / "health"
    first = HealthSocket(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    first.socket.close()
    second = HealthSocket(path)  # what a killed bridge left behind is replaced
    second.socket.close()
    second.close()
    assert not path.exists()


def test_a_file_that_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("x")
    with pytest.raises(LighthouseError, match="health socket"):
        HealthSocket(tmp_path / "precious")
    assert (tmp_path / "precious").read_text() == "x"

"""ICE agents that are not ours: libnice and aioice against both programs, Chromium against the box. Each finds a nominated pair with the standing
credentials of docs/protocol/ice.md. With the first two a datagram goes each way on it: the first flights of DTLS, which
either program sends and hears on a nominated pair alone."""

from __future__ import annotations

import asyncio
import os
import re
import socket

import aioice
import pytest
from chromium import chromium
from command import FINE, Command, Running, free_port
from dtls import client_hello, hello_verify_request, is_answer, is_client_hello
from hearthlab.waiting import until
from nice import NicePeer
from standing import be_the_box_of, pair_with

HERE = "127.0.0.1"


def path_of(running: Running) -> str:
    """The endpoint that a program chose."""
    found = re.search(r" endpoint=(\S+)", running.wait_for("path_selected"))
    assert found
    return found.group(1)


# libnice takes the wrong role too, and finds out in its checks (RFC 8445 section 7.3.1.1).
@pytest.mark.parametrize("controlling", [True, False], ids=["controlling", "in conflict"])
def test_libnice_connects_to_the_box(box: Command, controlling: bool) -> None:
    running = box.started()
    c = pair_with(box)
    port = free_port(socket.SOCK_DGRAM)
    with NicePeer(HERE, port, c.device_ufrag, c.device_password, controlling=controlling) as nice:
        nice.connect(HERE, box.tunnel_port, c.box_ufrag, c.box_password)
        nice.wait(lambda: nice.state == "ready", "a nominated pair")
        assert nice.selected() == (f"{HERE} {port}", f"{HERE} {box.tunnel_port}")
        assert path_of(running) == f"{HERE}:{port}"
        nice.send(client_hello())
        nice.wait(lambda: any(is_answer(datagram) for datagram in nice.received), "the box's answer")
    assert running.end() == FINE


def test_libnice_with_another_password_is_not_answered(box: Command) -> None:
    running = box.started()
    c = pair_with(box)
    with NicePeer(HERE, free_port(socket.SOCK_DGRAM), c.device_ufrag, c.device_password, controlling=True) as nice:
        nice.connect(HERE, box.tunnel_port, c.box_ufrag, c.device_password)
        nice.wait(lambda: nice.state == "failed", "libnice to give up")
    assert "path_selected" not in running.log()
    assert running.end() == FINE


@pytest.mark.parametrize("controlling", [False, True], ids=["controlled", "in conflict"])
def test_the_client_connects_to_libnice(away: Command, controlling: bool) -> None:
    port, clients_port = free_port(socket.SOCK_DGRAM), free_port(socket.SOCK_DGRAM)
    c = be_the_box_of(away, f"{HERE}:{port}", clients_port)
    with NicePeer(HERE, port, c.box_ufrag, c.box_password, controlling=controlling) as nice:
        running = away.started()
        nice.connect(HERE, clients_port, c.device_ufrag, c.device_password)
        nice.wait(lambda: nice.state == "ready", "a nominated pair")
        assert nice.selected() == (f"{HERE} {port}", f"{HERE} {clients_port}")
        assert path_of(running) == f"{HERE}:{port}"
        assert away.status()["path"]["endpoint"] == f"{HERE}:{port}"
        nice.wait(lambda: any(is_client_hello(datagram) for datagram in nice.received), "the client's handshake")
        cookie = os.urandom(20)
        nice.send(hello_verify_request(cookie))
        nice.wait(lambda: any(cookie in datagram for datagram in nice.received), "the cookie in the client's next flight")
    assert running.end() == FINE


class AioPeer(aioice.Connection):
    """aioice at one address of this machine."""

    @classmethod
    async def at(cls, port_of: str, ufrag: str, password: str, *, controlling: bool) -> AioPeer:
        peer = cls(controlling)
        peer.local_username, peer.local_password = ufrag, password
        await peer.gather_candidates()
        assert [candidate.host for candidate in peer.local_candidates] == [port_of]
        return peer

    @property
    def port(self) -> int:
        return int(self.local_candidates[0].port)

    async def reach(self, port: int, ufrag: str, password: str) -> None:
        """Ends with a nominated pair."""
        self.remote_username, self.remote_password = ufrag, password
        await self.add_remote_candidate(aioice.Candidate("1", 1, "udp", 2130706431, HERE, port, "host"))
        await self.add_remote_candidate(None)
        await asyncio.wait_for(self.connect(), 60)

    async def hear(self, wanted: object) -> None:
        assert callable(wanted)
        while not wanted(await asyncio.wait_for(self.recv(), 60)):
            pass


@pytest.fixture(autouse=True)
def _on_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    """aioice looks for addresses of its own and would pass over this one."""
    monkeypatch.setattr(aioice.ice, "get_host_addresses", lambda **_: [HERE])


def test_aioice_connects_to_the_box(box: Command) -> None:
    running = box.started()
    c = pair_with(box)

    async def session() -> None:
        peer = await AioPeer.at(HERE, c.device_ufrag, c.device_password, controlling=True)
        await peer.reach(box.tunnel_port, c.box_ufrag, c.box_password)
        assert path_of(running) == f"{HERE}:{peer.port}"
        await peer.send(client_hello())
        await peer.hear(is_answer)
        await peer.close()

    asyncio.run(session())
    assert running.end() == FINE


def test_the_client_connects_to_aioice(away: Command) -> None:
    clients_port = free_port(socket.SOCK_DGRAM)

    async def session() -> Running:
        peer = await AioPeer.at(HERE, "", "", controlling=False)
        c = be_the_box_of(away, f"{HERE}:{peer.port}", clients_port)
        peer.local_username, peer.local_password = c.box_ufrag, c.box_password
        running = away.start()
        await peer.reach(clients_port, c.device_ufrag, c.device_password)
        assert path_of(running) == f"{HERE}:{peer.port}"
        await peer.hear(is_client_hello)
        cookie = os.urandom(20)
        await peer.send(hello_verify_request(cookie))
        await peer.hear(lambda datagram: cookie in datagram)
        await peer.close()
        return running

    running = asyncio.run(session())
    assert until(lambda: away.status()["path"], "the status")["type"] == "prflx"
    assert running.end() == FINE


def test_chromium_connects_to_the_box(box: Command) -> None:
    running = box.started()
    c = pair_with(box)
    ours, theirs = (c.device_ufrag, c.device_password), (c.box_ufrag, c.box_password)
    with chromium(controlling=True, local=ours, remote=theirs, port=box.tunnel_port) as browser:
        pair = browser.said("pair")
        assert pair["role"] == "controlling"
        assert pair["remote"] == f"{HERE}:{box.tunnel_port}"
        assert path_of(running) == pair["local"]
    assert running.end() == FINE

"""Hosts of the home network through the tunnel: those that the owner granted, from the laptop's own kernel, and no others."""

from __future__ import annotations

import contextlib
import errno
import json
import socket
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hearthlab.channels import ONE
from hearthlab.namespace import Namespace
from hearthlab.program import Refused
from hearthlab.topology import BOX_IP4, HOMEPC_IP4
from hearthlab.waiting import until
from hearthlab.world import Away, World

DEVICE = "hearthcast0"
OPEN, CLOSED = 8080, 8081  # of the home's computer: granted, not granted
BOX_IP6, HOMEPC_IP6 = "fd77::10", "fd77::20"
SIZE = 4_000_000


class Talker:
    """A service of the home's computer: says who called, then echoes until the caller has said all. Both families."""

    def __init__(self, space: Namespace, port: int) -> None:
        self.callers: list[str] = []
        self._socket = space.socket(socket.AF_INET6, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        self._socket.bind(("::", port))
        self._socket.listen(64)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                caller, address = self._socket.accept()
            except OSError:
                return
            self.callers.append(address[0].removeprefix("::ffff:"))
            threading.Thread(target=self._talk, args=(caller,), daemon=True).start()

    @staticmethod
    def _talk(caller: socket.socket) -> None:
        with contextlib.closing(caller), contextlib.suppress(OSError):
            while data := caller.recv(65536):
                caller.sendall(data)
            caller.sendall(b"end")

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()


@pytest.fixture(scope="module")
def homepc(world: World) -> Iterator[Talker]:
    world.topology["box"].ip(f"address add {BOX_IP6}/64 dev eth0 nodad")
    world.topology["homepc"].ip(f"address add {HOMEPC_IP6}/64 dev eth0 nodad")
    granted, other = (Talker(world.topology["homepc"], port) for port in (OPEN, CLOSED))
    yield granted
    assert not other.callers, "somebody reached what was never granted"
    granted.close()
    other.close()


@pytest.fixture(scope="module")
def laptop(world: World, homepc: Talker) -> Iterator[Away]:
    client = world.new_away("laptop", tun=True)
    world.approve(world.pair(client), (ONE,))
    until(lambda: len(tun(client)["addresses"]) == 3, "the addresses that the box gives")
    until(lambda: world.box.ask("status")["tunnel_interface"]["state"] == "up", "the box's interface")
    yield client
    client.program.stop()


def tun(client: Away) -> dict[str, Any]:
    return dict(client.program.ask("status")["tun"])


def inside(world: World) -> dict[str, Any]:
    return dict(world.box.ask("status")["tunnel_interface"])


def number_of(world: World) -> str:
    return str(next(device["id"] for device in world.box.ask("devices")["devices"] if device["connected"]))


def grant(world: World, client: Away, *hosts: str) -> None:
    """Until the laptop knows, too."""
    world.box.call("home-hosts", number_of(world), ",".join(hosts) or "none")
    until(lambda: [one["host"] for one in tun(client).get("home_hosts", [])] == list(hosts), f"the laptop knows {hosts}", 30)


def connected(space: Namespace, address: str, port: int, timeout: float = 60) -> socket.socket:
    made = space.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    made.settimeout(timeout)
    try:
        made.connect((address, port))
    except OSError:
        made.close()
        raise
    return made


def echoed(space: Namespace, address: str, port: int, data: bytes) -> bytes:
    """Sends it all, says that this was all, and reads to the end."""
    with contextlib.closing(connected(space, address, port)) as call:
        sender = threading.Thread(target=lambda: (call.sendall(data), call.shutdown(socket.SHUT_WR)), daemon=True)
        sender.start()
        parts = []
        while part := call.recv(65536):
            parts.append(part)
        sender.join(60)
    return b"".join(parts)


def route_to(space: Namespace, address: str) -> str:
    return space.run("ip", "route", "get", address, check=False)


def test_without_a_grant_nothing_leads_home(world: World, laptop: Away, homepc: Talker) -> None:
    assert "home_hosts" not in tun(laptop)
    assert DEVICE not in route_to(laptop.space, HOMEPC_IP4)
    laptop.space.ip(f"route add {HOMEPC_IP4} dev {DEVICE}")
    try:
        before = tun(laptop)["counters"]["kept_here"]
        with pytest.raises(OSError):
            connected(laptop.space, HOMEPC_IP4, OPEN, timeout=2).close()
        assert tun(laptop)["counters"]["kept_here"] > before
    finally:
        laptop.space.ip(f"route del {HOMEPC_IP4} dev {DEVICE}")
    assert not homepc.callers


@pytest.mark.parametrize(("host", "rule"), ((HOMEPC_IP4, f"{HOMEPC_IP4}:{OPEN}"), (HOMEPC_IP6, f"[{HOMEPC_IP6}]:{OPEN}")), ids=("ipv4", "ipv6"))
def test_a_granted_host_is_reached_and_sees_the_box(world: World, laptop: Away, homepc: Talker, host: str, rule: str) -> None:
    grant(world, laptop, rule)
    assert DEVICE in route_to(laptop.space, host)
    before = inside(world)
    data = bytes(range(256)) * (SIZE // 256)
    assert echoed(laptop.space, host, OPEN, data) == data + b"end"
    assert homepc.callers[-1] == (BOX_IP6 if ":" in host else BOX_IP4)
    until(lambda: inside(world)["home_packets_in"] > before["home_packets_in"] + 1000, "the packets counted", 20)
    assert inside(world)["home_packets_out"] > before["home_packets_out"] + 1000
    until(lambda: inside(world)["home_connections"] == 0, "the connection has ended", 30)
    said = world.box.call("devices")
    assert f"at home {rule}" in said, said
    assert f"at home {rule}" in laptop.program.call("status")


@pytest.mark.parametrize(("host", "error"), ((HOMEPC_IP4, errno.EHOSTUNREACH), (HOMEPC_IP6, errno.EACCES)), ids=("ipv4", "ipv6"))
def test_another_port_of_it_is_prohibited_in_words_of_icmp(world: World, laptop: Away, homepc: Talker, host: str, error: int) -> None:
    grant(world, laptop, f"{HOMEPC_IP4}:{OPEN}", f"[{HOMEPC_IP6}]:{OPEN}")
    before = inside(world)["drops"]["prohibited"]
    with pytest.raises(OSError) as failed:
        connected(laptop.space, host, CLOSED).close()
    assert failed.value.errno == error
    said = laptop.space.run("ping", "-n", "-c", "1", "-W", "10", host, check=False)
    assert "filtered" in said.lower() or "prohibited" in said.lower(), said
    until(lambda: inside(world)["drops"]["prohibited"] >= before + 2, "the refusals counted", 20)


def test_no_other_host_of_the_network_is_on_the_way(world: World, laptop: Away, homepc: Talker) -> None:
    grant(world, laptop, f"{HOMEPC_IP4}:{OPEN}")
    for other in ("192.168.1.1", BOX_IP4, "192.168.1.21", "10.64.0.10"):
        assert DEVICE not in route_to(laptop.space, other), other


def test_many_connections_at_once_while_a_channel_plays(world: World, laptop: Away, homepc: Talker) -> None:
    grant(world, laptop, f"{HOMEPC_IP4}:{OPEN}")
    player = laptop.playing(ONE)
    try:
        with ThreadPoolExecutor(16) as pool:
            datas = [bytes([number]) * 200_000 for number in range(16)]
            answers = list(pool.map(lambda data: echoed(laptop.space, HOMEPC_IP4, OPEN, data), datas))
        assert answers == [data + b"end" for data in datas]
        player.wait_for_more(1_000_000)
    finally:
        player.close()


def test_a_whole_network_does_not_include_the_box(world: World, laptop: Away, homepc: Talker) -> None:
    grant(world, laptop, "192.168.1.0/24")
    assert echoed(laptop.space, HOMEPC_IP4, OPEN, b"hello") == b"helloend"
    before = inside(world)["drops"]["home_refused"]
    for port in (8871, 8872):
        with pytest.raises((ConnectionError, TimeoutError)):
            call = connected(laptop.space, BOX_IP4, port)
            with contextlib.closing(call):
                call.settimeout(20)
                if not call.recv(10):
                    raise ConnectionResetError
    until(lambda: inside(world)["drops"]["home_refused"] >= before + 2, "the refusals counted", 20)
    with pytest.raises(ConnectionError):  # a host that refuses
        with contextlib.closing(connected(laptop.space, HOMEPC_IP4, 9)) as call:
            if not call.recv(10):
                raise ConnectionResetError


def test_what_the_owner_takes_back_ends_at_once(world: World, laptop: Away, homepc: Talker) -> None:
    grant(world, laptop, f"{HOMEPC_IP4}:{OPEN}")
    with contextlib.closing(connected(laptop.space, HOMEPC_IP4, OPEN)) as call:
        call.sendall(b"still there?")
        assert call.recv(100) == b"still there?"
        grant(world, laptop)
        assert inside(world)["home_connections"] == 0 or until(lambda: inside(world)["home_connections"] == 0, "it is cut", 20) is not None
        assert DEVICE not in route_to(laptop.space, HOMEPC_IP4)
    callers = len(homepc.callers)
    with pytest.raises(OSError):
        connected(laptop.space, HOMEPC_IP4, OPEN, timeout=3).close()
    assert len(homepc.callers) == callers


def test_the_network_where_the_laptop_is_goes_first(world: World, laptop: Away, homepc: Talker) -> None:
    grant(world, laptop, "192.168.7.0/24", f"{HOMEPC_IP4}:{OPEN}")
    first, second = tun(laptop)["home_hosts"]
    assert not first["reached"] and "eth0" in first["text"]
    assert second["reached"]
    assert DEVICE not in route_to(laptop.space, "192.168.7.1")
    assert "not reached" in laptop.program.call("status")


def test_only_hosts_of_a_home_can_be_granted(world: World, laptop: Away) -> None:
    for wrong in ("8.8.8.8", "192.168.1.0/8", "10.0.0.0/8", "127.0.0.1", "224.0.0.1", "192.168.1.20:0", "2001:db8::1", "nas.local"):
        with pytest.raises(Refused) as refused:
            world.box.call("home-hosts", number_of(world), wrong)
        assert "192.168.1.50:80" in refused.value.text, refused.value.text


def test_grants_outlive_the_box_and_end_with_the_device(world: World, laptop: Away, homepc: Talker) -> None:
    grant(world, laptop, f"{HOMEPC_IP4}:{OPEN}")
    starts = world.box.supervisor.starts
    world.box.supervisor.kill()
    world.box.supervisor.wait_for_starts(starts + 1)
    until(lambda: answers(world, laptop), "the host answers again", 120)
    number = number_of(world)
    world.box.call("revoke", number)
    until(lambda: DEVICE not in route_to(laptop.space, HOMEPC_IP4), "nothing leads home", 30)
    listing = json.loads(world.topology["box"].run("ip", "-j", "address", "show", "dev", DEVICE))
    assert not listing[0]["addr_info"]


def answers(world: World, laptop: Away) -> bool:
    try:
        return echoed(laptop.space, HOMEPC_IP4, OPEN, b"x") == b"xend"
    except (OSError, subprocess.SubprocessError):
        return False

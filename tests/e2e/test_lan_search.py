"""A laptop that comes home finds its box by asking the network, with no rendezvous and nothing remembered."""

from __future__ import annotations

import socket
import struct
from typing import Any

import pytest
from hearthlab.channels import ONE
from hearthlab.topology import BOX_IP4, HOMEPC_IP4
from hearthlab.waiting import until
from hearthlab.world import RENDEZVOUS_URL, Away, World

LIMIT = 90
PORT = 4799  # not the usual one, which the laptop would try by itself
MDNS = ("224.0.0.251", 5353)
SERVICE = b"\x0b_hearthcast\x04_udp\x05local\x00"


def settings(world: World, **network: Any) -> dict[str, Any]:
    return {
        "name": "Home",
        "network": {"upstream_interface": "eth0", "tunnel_port": PORT, **network},
        "rendezvous": {"url": RENDEZVOUS_URL, "pin": world.pin},
        "log": {"level": "debug"},
    }


def restart(world: World, **network: Any) -> None:
    world.box.stop()
    world.box.write_settings(settings(world, **network))
    world.box.start()
    until(lambda: world.box.ask("status"), "the box's control socket")


@pytest.fixture(scope="module")
def guest(world: World) -> Away:
    restart(world)
    world.wait_for_rendezvous(world.box)
    laptop = world.new_away("guest", "homepc")
    world.approve(world.pair(laptop))
    laptop.playing(ONE, timeout=LIMIT).close()
    return laptop


def lost(world: World, laptop: Away) -> None:
    """The laptop has come home: it knows no address of the box that is of use, and nobody introduces it."""
    laptop.program.stop()
    world.rendezvous.supervisor.stop()
    laptop.forget("endpoints", "candidates", "told")
    laptop.program.start()
    until(lambda: laptop.program.ask("status"), "the laptop's control socket")


def asked(world: World, query: bytes, *, source_port: int = 0, wait: float = 3) -> bytes | None:
    """The answer to one question that the house's computer sends to the group."""
    with world.topology["homepc"].socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.bind((HOMEPC_IP4, source_port))
        link.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(HOMEPC_IP4))
        link.settimeout(wait)
        link.sendto(query, MDNS)
        try:
            answer, (address, port) = link.recvfrom(2048)
        except TimeoutError:
            return None
    assert (address, port) == (BOX_IP4, 5353)
    return answer


def question(size: int, name: bytes = SERVICE) -> bytes:
    head = struct.pack("!6H", 0x4242, 0, 1, 0, 0, 1) + name + struct.pack("!HH", 12, 0x8001)
    padding = max(0, size - len(head) - 15)
    return head + struct.pack("!BHHIHHH", 0, 41, 1440, 0, 4 + padding, 12, padding) + bytes(padding)


def test_the_laptop_finds_the_box_by_asking(world: World, guest: Away) -> None:
    lost(world, guest)
    try:
        guest.playing(ONE, timeout=LIMIT).close()
        assert guest.program.ask("status")["path"]["endpoint"] == f"{BOX_IP4}:{PORT}"
    finally:
        world.rendezvous.supervisor.start()
        world.wait_for_rendezvous(world.box)


def test_the_answer_is_no_larger_than_the_question_and_names_nothing(world: World, guest: Away) -> None:
    for size in (80, 200, 300, 512):
        query = question(size)
        answer = asked(world, query, wait=1.5)
        assert answer is None or len(answer) <= len(query)
    answer = asked(world, question(512))
    assert answer is not None and answer[:2] == b"\x42\x42"
    assert socket.inet_aton(BOX_IP4) in answer and struct.pack("!H", PORT) in answer
    for name in (b"Home", b"box", socket.gethostname().encode()):
        assert name not in answer
    assert asked(world, question(512, b"\x04_ipp\x04_tcp\x05local\x00"), wait=1.5) is None


def test_without_the_setting_nobody_answers_and_the_laptop_stays_alone(world: World, guest: Away) -> None:
    restart(world, answer_lan=False)
    try:
        assert asked(world, question(512)) is None
        lost(world, guest)
        assert guest.program.ask("status")["state"] == "searching"
    finally:
        world.rendezvous.supervisor.start()
        restart(world)
        world.wait_for_rendezvous(world.box)
    guest.playing(ONE, timeout=LIMIT).close()

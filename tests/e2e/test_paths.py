"""Which way the packets go, as programs that are not ours see it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hearthlab.capture import Capture, fields
from hearthlab.channels import ONE
from hearthlab.topology import AWAY_WAN_IP4, HOME_WAN_IP4, HOMEPC_IP4, RENDEZVOUS_IP4
from hearthlab.waiting import until
from hearthlab.world import Away, World


@pytest.fixture(scope="module")
def capture(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Internet between the two sites, from before the laptop knows its box until it has played."""
    path = tmp_path_factory.mktemp("capture") / "internet.pcap"
    running = Capture(world.topology["internet"], "away", path)
    laptop = world.new_away("away")
    number = world.pair(laptop)
    world.approve(number)
    until(lambda: world.device(number).get("path_mtu", 0) > 1400, "the path's size")  # until then datagrams go in two pieces
    player = laptop.playing(ONE)
    player.wait_for_more(3_000_000)
    assert world.device(number)["path"] == "direct"
    player.close()
    running.stop()
    return path


def test_media_goes_directly_from_nat_to_nat(capture: Path) -> None:
    rows = fields(capture, "udp.length > 1000", "ip.src", "ip.dst")
    assert len(rows) > 1000
    assert {tuple(row) for row in rows} == {(HOME_WAN_IP4, AWAY_WAN_IP4)}


def test_tshark_decodes_the_checks(capture: Path) -> None:
    site = f"ip.addr == {HOME_WAN_IP4}"
    requests = fields(capture, f"stun.type == 0x0001 && {site}", "ip.src", "stun.att.username", "stun.att.priority")
    answers = fields(capture, f"stun.type == 0x0101 && {site}", "ip.src")
    assert {row[0] for row in requests} == {HOME_WAN_IP4, AWAY_WAN_IP4}
    assert all(row[1].count(":") == 1 and row[2] for row in requests)
    assert answers
    controlling = fields(capture, f"stun.att.type == 0x802a && {site}", "ip.src")
    assert {row[0] for row in controlling} == {AWAY_WAN_IP4}, "the away side is always the controlling one"
    bad = fields(capture, f"stun && {site} && stun.att.crc32.status == 0", "frame.number")
    assert not bad


def test_tshark_decodes_dtls(capture: Path) -> None:
    shown = fields(capture, "dtls", "dtls.record.content_type", "dtls.record.version")
    kinds = {kind for row in shown for kind in row[0].split(",")}
    assert {"22", "20", "23"} <= kinds  # handshake, change of cipher, application data
    hello = fields(capture, "dtls.handshake.type == 1", "ip.src", "dtls.handshake.extensions_alpn_str")
    assert {row[0] for row in hello} == {AWAY_WAN_IP4}, "the away side is always the DTLS client"
    data = fields(capture, "dtls.record.content_type == 23", "dtls.record.version")
    assert {version for row in data for version in row[0].split(",")} == {"0xfefd"}  # DTLS 1.2


def test_nothing_readable_passes_the_internet(capture: Path) -> None:
    octets = capture.read_bytes()
    for secret in (ONE.name.encode(), b"Hearthcast Lab", b"channels_revision", b'"channels"'):
        assert secret not in octets
    assert fields(capture, f"tls && ip.addr == {RENDEZVOUS_IP4}", "frame.number")


def test_playlist_and_play_with_the_rendezvous_gone(world: World, capture: Path) -> None:
    laptop = world.aways["away"]
    laptop.playing(ONE).close()
    world.rendezvous.supervisor.stop()
    try:
        assert ONE.name in laptop.playlist()
        laptop.playing(ONE).close()
    finally:
        world.rendezvous.supervisor.start()
        world.wait_for_rendezvous(world.box)


def test_pairing_at_home_needs_no_rendezvous(world: World) -> None:
    """Also with the rendezvous of the settings gone: the link names the box's addresses, and they are tried first."""
    world.rendezvous.supervisor.stop()
    try:
        device = world.new_away("guest", "homepc", port=8880)
        number = world.pair(device)
        world.approve(number)
        device.playing(ONE).close()
        until(lambda: world.device(number)["path"] == "lan", "the path over the LAN", 30)
        assert world.device(number)["address"].startswith(HOMEPC_IP4)
    finally:
        world.rendezvous.supervisor.start()
        world.wait_for_rendezvous(world.box)


def test_device_at_home_takes_the_lan(world: World, tmp_path: Path) -> None:
    device = world.new_away("tablet", "homepc")
    number = world.pair(device)
    world.approve(number)
    running = Capture(world.topology["homenat"], "lan", tmp_path / "router.pcap")
    player = device.playing(ONE)
    until(lambda: world.device(number)["path"] == "lan", "the path over the LAN", 30)
    player.wait_for_more(2_000_000)
    running.stop()
    player.close()
    assert world.device(number)["address"].startswith(HOMEPC_IP4)
    through_router = fields(tmp_path / "router.pcap", "udp.length > 1000 && dtls", "frame.number")
    assert not through_router

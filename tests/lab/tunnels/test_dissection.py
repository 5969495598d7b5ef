"""Wireshark's dissectors read every clear form as what its document says, down to the channel inside."""

from __future__ import annotations

from pathlib import Path

import pytest
from hearthlab import channels
from tunlab.capture import Capture, tshark
from tunlab.plans import BOX, PLANS, Plan
from tunlab.world import PeerWorld

CHANNELS = {6: channels.ONE, 4: channels.TWO}
GUE = ("-X", f"lua_script:{Path(__file__).parent / 'tunlab' / 'gue.lua'}")
FOU = ("-d", "udp.port==3653,ipv6")
# What the frames' protocols are called between the outer IP header and the inner one.
LAYERS = {
    "gre": "gre", "gre-udp": "udp:gre", "gre-gue": "udp:gue:gre", "6in4": "", "6in4-udp": "udp",
    "6in4-gue": "udp:gue", "ayiya": "udp:ayiya", "ayiya-sha1": "udp:ayiya",
}
CELLS = [(plan, inner) for plan in PLANS for inner in plan.inner]


@pytest.mark.parametrize(("plan", "inner"), CELLS, ids=[f"{plan.name}-carries-{inner}" for plan, inner in CELLS])
def test_tshark_reads_it(peers: PeerWorld, plan: Plan, inner: int, tmp_path: Path) -> None:
    with Capture(peers.peers_space) as capture:
        assert peers.watch(plan, CHANNELS[inner], packets=60).bytes_equal
    peers.wait_until_quiet(plan)
    file = tmp_path / "tunnel.pcap"
    capture.write(file)
    group = CHANNELS[inner].group
    rows = tshark(
        file, *GUE, *FOU, "-o", "udp.check_checksum:TRUE",
        "-Y", f"{'ipv6' if inner == 6 else 'ip'}.dst == {group}",
        fields=("frame.protocols", "ip.src", "ipv6.src", "udp.dstport", "udp.checksum.status", "_ws.malformed"),
    )
    assert len(rows) >= 60
    outer_name, inner_name = ("ip", "ipv6")[plan.outer == 6], ("ip", "ipv6")[inner == 6]
    between = LAYERS[plan.encapsulation]
    layers = ":".join(part for part in ("eth:ethertype", outer_name, between, inner_name, "udp") if part)
    for protocols, ip4_source, ip6_source, ports, checksums, malformed in rows:
        assert protocols.startswith(layers), protocols
        assert BOX[plan.outer] in (ip4_source if plan.outer == 4 else ip6_source).split(",")
        assert ports.split(",")[-1] == str(CHANNELS[inner].port)
        # The outer one is the network card's to write, which a virtual cable leaves undone.
        assert checksums.split(",")[-1] == "1", "the channel's own UDP checksum is right"
        assert not malformed


def test_tshark_reads_the_names_of_ayiya(peers: PeerWorld, tmp_path: Path) -> None:
    plan = next(plan for plan in PLANS if plan.name == "ayiya-sha1-over-4")
    with Capture(peers.peers_space) as capture:
        assert peers.watch(plan, channels.ONE, packets=60).bytes_equal
    file = tmp_path / "ayiya.pcap"
    capture.write(file)
    fields = ("ayiya.idlen", "ayiya.idtype", "ayiya.siglen", "ayiya.hashmethod", "ayiya.authmethod", "ayiya.opcode", "ayiya.nextheader")
    rows = tshark(file, "-Y", f"ayiya && ip.src == {BOX[4]} && ip.dst == {plan.address} && ipv6.dst == {channels.ONE.group}", fields=fields)
    assert len(rows) >= 60
    assert {tuple(int(value, 0) for value in row) for row in rows} == {(4, 1, 5, 2, 1, 1, 41)}

"""Packets of unsealed tunnels that are cut off, nested, unsound inside or too large: dropped, counted, no harm."""

from __future__ import annotations

import pytest
from hearthlab.waiting import until
from tunlab import packets
from tunlab.forms import IPPROTO_GRE, IPPROTO_IPV6, Gre
from tunlab.target import BAIT, Target, counted


def test_every_truncation_is_dropped(target: Target) -> None:
    """Of a packet that is right, cut off at each octet, from the peer's own address."""
    since = counted(target.peers, target.plan)
    whole = target.form.wrap(target.bait())
    cut = [whole[:size] for size in range(1, len(whole))]
    target.from_peer(*cut)
    target.from_stranger(*cut)
    target.assert_dropped(2 * len(cut), since=since)
    target.assert_still_watching()


def nested(target: Target) -> list[bytes]:
    inner = target.bait()
    return [
        packets.ip6("fe80::2", "2001:db8::1", IPPROTO_IPV6, inner),
        packets.ip6("fe80::2", "2001:db8::1", IPPROTO_GRE, Gre().wrap(inner)),
        packets.ip6("fe80::2", "2001:db8::1", 4, packets.ip4("192.0.2.1", "192.0.2.2", 17, packets.udp(1, 2, b"x"))),
    ]


def strange(target: Target) -> list[bytes]:
    """Inner packets that are longer or shorter than they say, from impossible sources, or larger than any path."""
    bait = target.bait()
    return [
        bait + b"\0",
        bait[:-1],
        packets.mld_report(BAIT.group, source="ff02::1"),
        packets.mld_report(BAIT.group, source="::1"),
        packets.mld_report(BAIT.group, source="::ffff:192.0.2.1"),
        packets.ip6("fe80::2", "ff02::16", 17, packets.udp(1, 2, bytes(8000)))[:-1],
    ]


@pytest.mark.parametrize("kind", [nested, strange])
def test_what_is_inside_has_to_be_sound(target: Target, kind: object) -> None:
    assert callable(kind)
    since = counted(target.peers, target.plan)
    inner = kind(target)
    target.from_peer(*(target.form.wrap(packet) for packet in inner))
    target.assert_dropped(len(inner), since=since)
    if kind is nested:
        assert target.peers.drops(target.plan)["nested"] >= len(inner)
    target.assert_still_watching()


def test_the_largest_datagrams_do_no_harm(target: Target) -> None:
    """Whole and right but for what they are: 60 kB of UDP in the peer's tunnel go no further than the box."""
    large = packets.ip6("fe80::2", BAIT.group, 17, packets.udp(1, BAIT.port, bytes(60_000)))
    received = target.peers.shown(target.plan)["received"]
    since = counted(target.peers, target.plan)
    for _ in range(3):
        target.from_peer(target.form.wrap(large))
    until(
        lambda: counted(target.peers, target.plan) > since or target.peers.shown(target.plan)["received"] >= received + 3,
        "the large ones dropped, or handed on to where only reports are taken",
    )
    assert target.peers.shown(target.plan)["watching"] == target.before["watching"]
    target.assert_still_watching()

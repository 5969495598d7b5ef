"""What strangers and broken peers send to the ports of unsealed tunnels: dropped, counted, not answered."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hearthlab import channels
from hearthlab.channels import Channel
from hearthlab.listener import Listener
from hearthlab.waiting import until
from tunlab import packets
from tunlab.capture import Capture
from tunlab.forms import IPPROTO_GRE, IPPROTO_IPV6, Ayiya, Gre, HardenedAyiya
from tunlab.peer import Peer
from tunlab.plans import BY_NAME, Plan
from tunlab.world import STRANGER, PeerWorld

# One for each kind of port and each way to check, both outer families.
ATTACKED = [
    BY_NAME[name]
    for name in (
        "gre-over-4", "gre-agreed-over-6", "gre-udp-over-4", "gre-udp-agreed-over-6", "gre-gue-over-4",
        "6in4-udp-over-6", "6in4-gue-over-4", "6in4-over-4", "ayiya-over-4", "ayiya-sha1-over-6",
    )
]
REMEMBERING = [plan for plan in ATTACKED if "agreed" in plan.name or "ayiya" in plan.name]
BAIT = channels.FOUR  # what the hostile packets ask for


def counted(peers: PeerWorld, plan: Plan) -> int:
    """All that was dropped in the name of the peer, or as nobody's."""
    answer = peers.ask("peers")
    shown = next(peer for peer in answer["peers"] if peer["name"] == plan.name)
    return sum(shown["drops"].values()) + int(answer["strangers"])


class Target:
    """A peer that watches a channel while somebody is at its port."""

    def __init__(self, peers: PeerWorld, plan: Plan) -> None:
        self.peers = peers
        self.plan = plan
        self.peer: Peer = peers.peer(plan)
        self.form = self.peer.form
        self.stranger = STRANGER[plan.outer]
        self.channel: Channel = channels.ONE
        self.listener = Listener(peers.peers_space, self.channel, self.peer.interface)
        self.listener.wait_for(50, timeout=60)
        # Figures are those of the last second; with packets in them they also know how the peer's address was learnt.
        until(lambda: peers.shown(plan)["watching"] and peers.shown(plan)["packets"], f"{plan.name} shown as watching")
        self.before = peers.shown(plan)

    def bait(self) -> bytes:
        return packets.report(BAIT.group)

    def from_stranger(self, *datagrams: bytes) -> None:
        self.peers.send_from(self.stranger, self.plan.port, *datagrams, protocol=self.plan.protocol)

    def from_peer(self, *datagrams: bytes) -> None:
        for datagram in datagrams:
            self.peer.send(datagram)

    def assert_dropped(self, count: int, *, since: int) -> None:
        until(lambda: counted(self.peers, self.plan) - since >= count, f"{count} datagrams counted as dropped", 30)
        after = self.peers.shown(self.plan)
        assert after["endpoint"] == self.before["endpoint"]
        assert after["moves"] == self.before["moves"]
        assert after["watching"] == self.before["watching"], "nothing else is watched, and this still is"

    def assert_still_watching(self) -> None:
        self.listener.wait_for(len(self.listener.arrived) + 50, timeout=20)

    def close(self) -> None:
        self.listener.close()
        self.peers.wait_until_quiet(self.plan)


@pytest.fixture(params=ATTACKED, ids=[plan.name for plan in ATTACKED])
def target(peers: PeerWorld, request: pytest.FixtureRequest) -> Iterator[Target]:
    made = Target(peers, request.param)
    try:
        yield made
    finally:
        made.close()


def forged(target: Target) -> list[bytes]:
    """What a stranger sends who knows all but the secret."""
    if isinstance(target.form, Ayiya):
        strangers_form = type(target.form)(target.form.local, target.form.remote, b"another secret of 32 octets long")
        return [strangers_form.wrap(target.bait()), strangers_form.alive()]
    return [target.form.wrap(target.bait())]


def test_a_strangers_packets_are_dropped_and_not_answered(target: Target) -> None:
    since = counted(target.peers, target.plan)
    datagrams = forged(target) * 20
    with Capture(target.peers.peers_space) as capture:
        target.from_stranger(*datagrams)
        target.assert_dropped(len(datagrams), since=since)
    assert capture.sent_from(target.stranger), "the capture sees the question"
    assert capture.sent_to(target.stranger) == []
    target.assert_still_watching()


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


@pytest.mark.parametrize("target", REMEMBERING, ids=[plan.name for plan in REMEMBERING], indirect=True)
def test_what_comes_again_is_dropped(target: Target) -> None:
    """The other forms cannot tell (docs/tunnels): with them a second report asks for what the first one did."""
    leave = target.form.wrap(packets.report(BAIT.group, leave=True))
    target.from_peer(leave)
    since = counted(target.peers, target.plan)
    with Capture(target.peers.peers_space) as capture:
        target.from_peer(*[leave] * 10)
        target.from_stranger(*[leave] * 10)
        target.assert_dropped(20, since=since)
    assert capture.sent_to(target.stranger) == []
    reason = "replay" if isinstance(target.form, Ayiya) else "sequence"
    assert target.peers.drops(target.plan)[reason] >= 10
    target.assert_still_watching()


def test_a_report_for_what_is_not_granted_brings_nothing(peers: PeerWorld) -> None:
    """Every peer here may watch all channels; no other group is one."""
    plan = BY_NAME["gre-udp-over-4"]
    peer = peers.peer(plan)
    peer.send_inner(packets.report("ff3e::dead:beef"))
    until(lambda: "no channel at this address" in peers.shown(plan).get("refusal", ""), "the refusal in words")
    assert peers.shown(plan)["watching"] == []


def test_clocks_that_differ_too_much_are_told(peers: PeerWorld) -> None:
    plan = BY_NAME["ayiya-over-4"]
    peer = peers.peer(plan)
    assert isinstance(peer.form, HardenedAyiya)
    before = peers.drops(plan).get("time", 0)
    for skew in (90, -90):
        late = HardenedAyiya(peer.form.local, peer.form.remote, peer.form.secret, skew=skew)
        peer.send(late.wrap(packets.report(channels.ONE.group)))
    until(lambda: peers.drops(plan).get("time", 0) >= before + 2, "both counted as of another time")


def test_without_a_peer_nothing_listens(peers_of_none: PeerWorld) -> None:
    """Not on the ports of UDP, and no raw socket."""
    assert peers_of_none.ask("peers") == {"peers": [], "strangers": 0}
    assert peers_of_none.ask("status")["unsealed_peers"] == []
    open_now = peers_of_none.topology["box"].run("ss", "-H", "-l", "-n", "-u", "-w", "-A", "udp,raw")
    listening = {line.split()[4].rsplit(":", 1)[1] for line in open_now.splitlines()}
    assert "4755" in listening, "the sealed tunnels' own port"
    assert not listening & {"4754", "5072", "6080", "6081", "3653", "3740", "41", "47", "gre", "ipv6"}

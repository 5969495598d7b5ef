"""What strangers and peers send to the ports of unsealed tunnels that they should not: dropped, counted, not answered."""

from __future__ import annotations

import pytest
from hearthlab import channels
from hearthlab.waiting import until
from tunlab import packets
from tunlab.capture import Capture
from tunlab.forms import Ayiya, HardenedAyiya
from tunlab.plans import BY_NAME
from tunlab.target import BAIT, REMEMBERING, Target, counted
from tunlab.world import PeerWorld


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

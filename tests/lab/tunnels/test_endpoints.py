"""Where a peer is: learnt only from what proves it, moved by nothing else, and never at the price of an amplifier."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from hearthlab import channels
from hearthlab.listener import Listener
from hearthlab.waiting import until
from tunlab.capture import Capture
from tunlab.forms import Ayiya, HardenedAyiya, heartbeat
from tunlab.peer import Peer
from tunlab.plans import BOX, BY_NAME, HEARTBEAT_TUNNEL, PASSWORD, Plan
from tunlab.world import STRANGER, PeerWorld

HEARTBEATS = BY_NAME["6in4-heartbeat-over-4"]


@pytest.fixture(params=["ayiya-over-4", "ayiya-over-6"])
def hardened(peers: PeerWorld, request: pytest.FixtureRequest) -> Iterator[tuple[Plan, Peer]]:
    plan = BY_NAME[request.param]
    peer = peers.peer(plan)
    until(lambda: peers.shown(plan)["moves"], "the figures of the second in which it was found")
    yield plan, peer
    peer.answers_challenges = True
    if peer.outer.local != plan.address:
        peer.move(plan.address)
    until(lambda: plan.address in peers.shown(plan)["endpoint"], f"{plan.name} at home again")


def test_a_peer_that_moved_is_found_again(peers: PeerWorld, hardened: tuple[Plan, Peer]) -> None:
    plan, peer = hardened
    elsewhere = plan.elsewhere
    listener = Listener(peers.peers_space, channels.ONE, peer.interface)
    try:
        listener.wait_for(50, timeout=60)
        moves = peers.shown(plan)["moves"]
        peer.move(elsewhere)
        until(lambda: elsewhere in peers.shown(plan)["endpoint"], "the new address")
        until(lambda: peers.shown(plan)["moves"] == moves + 1, "one move counted")
        assert peer.challenges >= 1
        listener.wait_for(len(listener.arrived) + 100, timeout=20)
    finally:
        listener.close()
    assert peer.wrong == []


def test_who_answers_no_challenge_moves_nothing(peers: PeerWorld, hardened: tuple[Plan, Peer]) -> None:
    """Packets that the peer signed, held back by somebody on the way and sent first from an address of his own."""
    plan, peer = hardened
    before = peers.shown(plan)
    stranger = STRANGER[plan.outer]
    with Capture(peers.peers_space) as capture:
        sent = 0
        deadline = time.monotonic() + 3
        while time.monotonic() < deadline:
            assert isinstance(peer.form, HardenedAyiya)
            peers.send_from(stranger, plan.port, peer.form.alive())
            sent += 1
            time.sleep(0.1)
        until(lambda: capture.sent_to(stranger), "a challenge")
        questions, answers = capture.sent_from(stranger), capture.sent_to(stranger)
    assert len(questions) >= sent, "and what its kernel says to a challenge that nobody takes"
    assert 1 <= len(answers) <= 5, "at most one challenge a second"
    assert max(map(len, answers)) <= min(map(len, questions)), "no answer is larger than its question"
    after = peers.shown(plan)
    assert after["endpoint"] == before["endpoint"]
    assert after["moves"] == before["moves"]


def test_a_small_packet_is_not_even_challenged(peers: PeerWorld, hardened: tuple[Plan, Peer]) -> None:
    """The challenge would be larger."""
    plan, peer = hardened
    stranger = STRANGER[plan.outer]
    assert isinstance(peer.form, HardenedAyiya)
    received = peers.shown(plan)["moves"]
    with Capture(peers.peers_space) as capture:
        for _ in range(5):
            peers.send_from(stranger, plan.port, peer.form.packet(0, 59, b""))
        # Something behind them that is counted, so that they have been read.
        replays = peers.drops(plan).get("replay", 0)
        known = peer.form.alive()
        peer.send(known)
        peer.send(known)
        until(lambda: peers.drops(plan).get("replay", 0) > replays, "the replay behind them counted")
    assert capture.sent_to(stranger) == []
    assert peers.shown(plan)["moves"] == received


@pytest.mark.parametrize("name", ["ayiya-sha1-over-4", "ayiya-sha1-over-6"])
def test_the_deployed_profile_moves_by_signature_and_not_by_replay(peers: PeerWorld, name: str) -> None:
    plan = BY_NAME[name]
    peer = peers.peer(plan)
    stranger = STRANGER[plan.outer]
    assert isinstance(peer.form, Ayiya)
    signed = peer.form.packet(0, 59, b"once")
    replays = peers.drops(plan).get("replay", 0)
    peer.send(signed)
    peers.send_from(stranger, plan.port, *[signed] * 5)
    until(lambda: peers.drops(plan).get("replay", 0) >= replays + 5, "the replays counted")
    assert plan.address in peers.shown(plan)["endpoint"]
    peer.move(plan.elsewhere)
    until(lambda: plan.elsewhere in peers.shown(plan)["endpoint"], "the new address")
    peer.move(plan.address)
    until(lambda: plan.address in peers.shown(plan)["endpoint"], "the old address")


def test_a_heartbeat_moves_and_a_replayed_one_does_not(peers: PeerWorld) -> None:
    peers.peer(HEARTBEATS)
    now = int(time.time()) + 20  # later than those that were sent to find the peer
    first = heartbeat(HEARTBEAT_TUNNEL, PASSWORD, when=now)
    peers.send_heartbeat(HEARTBEATS.address, first)
    before = peers.drops(HEARTBEATS)
    stranger = STRANGER[4]
    hostile = {
        "replay": [first] * 5,
        "signature": [heartbeat(HEARTBEAT_TUNNEL, "another password", when=now + 1)] * 5,
        "time": [heartbeat(HEARTBEAT_TUNNEL, PASSWORD, when=now + 600), heartbeat(HEARTBEAT_TUNNEL, PASSWORD, when=now - 600)],
        "source": [heartbeat(HEARTBEAT_TUNNEL, PASSWORD, address=HEARTBEATS.address, when=now + 2)] * 5,
    }
    with Capture(peers.peers_space) as capture:
        for reason, datagrams in hostile.items():
            for datagram in datagrams:
                peers.send_heartbeat(stranger, datagram)
            expected = before.get(reason, 0) + len(datagrams)
            until(lambda: peers.drops(HEARTBEATS).get(reason, 0) >= expected, f"counted as {reason}")
    assert capture.sent_to(stranger) == [], "heartbeats are not answered"
    assert peers.shown(HEARTBEATS)["endpoint"] == HEARTBEATS.address
    peers.send_heartbeat(stranger, heartbeat(HEARTBEAT_TUNNEL, PASSWORD, when=now + 3))
    until(lambda: peers.shown(HEARTBEATS)["endpoint"] == stranger, "the new address")
    peers.send_heartbeat(HEARTBEATS.address, heartbeat(HEARTBEAT_TUNNEL, PASSWORD, address=HEARTBEATS.address, when=now + 4))
    until(lambda: peers.shown(HEARTBEATS)["endpoint"] == HEARTBEATS.address, "the old address")


def test_heartbeats_that_are_none_are_counted(peers: PeerWorld) -> None:
    peers.peer(HEARTBEATS)
    before = peers.ask("peers")["strangers"]
    broken = [b"", b"HEARTBEAT", b"\0" * 1400, b"HEARTBEAT TUNNEL " + b"x" * 60_000, heartbeat("2001:db8::ffff", PASSWORD)]
    whole = heartbeat(HEARTBEAT_TUNNEL, PASSWORD)
    broken += [whole[:size] for size in range(0, len(whole) - 1, 7)]
    with Capture(peers.peers_space) as capture:
        for datagram in broken:
            peers.send_heartbeat(STRANGER[4], datagram)
        until(lambda: peers.ask("peers")["strangers"] >= before + len(broken), "all counted as strangers'")
    assert capture.sent_to(STRANGER[4]) == []
    assert BOX[4] not in peers.shown(HEARTBEATS)["endpoint"]

"""A peer of an unsealed tunnel that watches a channel while somebody is at its port."""

from __future__ import annotations

from hearthlab import channels
from hearthlab.channels import Channel
from hearthlab.listener import Listener
from hearthlab.waiting import until

from tunlab import packets
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

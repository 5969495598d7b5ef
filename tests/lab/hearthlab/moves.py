"""Sites that move while a stream runs, and how long its viewer sees nothing.

A home router that gets another address, one that forgets its mappings, a box whose own addresses are other ones, and a laptop
that leaves one network for another: a hotel's, which stands beside the away site and is made when it is first visited.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from . import nat
from .namespace import Namespace
from .player import Player
from .topology import HOME_WAN_IP4, LAPTOP_IP4, SYSCTLS, Topology
from .waiting import until

HOME_NETWORK = "198.51.100"
HOTEL_WAN_IP4 = "198.18.9.2"
HOTEL_LAPTOP_IP4 = "192.168.9.20"
HOTEL_LAPTOP_IP6 = "2001:db8:3::20"
HOME_BOX_IP6 = "2001:db8:1::20"
GAP_S = 0.2  # a silence that a viewer sees: HTTP players have as much in store
STEADY_S = 0.5  # and what comes after it is a picture when it lasts as long


def give_home_address(topology: Topology, last: int) -> str:
    """The home router gets 198.51.100.LAST for its own, as after a reconnection; its NAT begins anew."""
    router, address = topology["homenat"], f"{HOME_NETWORK}.{last}"
    router.run("ip", "-4", "address", "flush", "dev", "wan")
    router.ip(f"address add {address}/24 dev wan", f"route replace default via {HOME_NETWORK}.1")
    nat.forget_mappings(router)
    return address


def rebind(router: Namespace, port: int) -> None:
    """The router forgets all mappings, and has this port for every UDP flow from now on (endpoint-independent as before)."""
    router.nft(f"flush chain ip nat after\nadd rule ip nat after oifname \"wan\" meta l4proto udp masquerade to :{port}\n"
               'add rule ip nat after oifname "wan" masquerade')
    nat.forget_mappings(router)


class Hotel:
    """Another network that the laptop can be in: IPv4 behind a NAT of its own, or IPv6 alone."""

    def __init__(self, topology: Topology) -> None:
        self._topology = topology
        self.router = Namespace(topology.prefix, "hotelnat")
        self.router.create(SYSCTLS)
        internet, laptop = topology["internet"], topology["laptop"]
        internet.ip(f"link add hotel type veth peer name wan netns {self.router.full_name}",
                    "address add 198.18.9.1/24 dev hotel", "address add 2001:db8:a3::1/64 dev hotel nodad", "link set hotel up")
        laptop.ip(f"link add eth1 type veth peer name lan netns {self.router.full_name}")
        self.router.sysctl({"ipv4/ip_forward": 1, "ipv6/conf/all/forwarding": 1})
        self.router.ip(
            f"address add {HOTEL_WAN_IP4}/24 dev wan", "address add 192.168.9.1/24 dev lan", "link set wan up", "link set lan up",
            "address add 2001:db8:a3::2/64 dev wan nodad", "address add 2001:db8:3::1/64 dev lan nodad",
            "route add default via 198.18.9.1", "route add default via 2001:db8:a3::1",
        )
        internet.ip("route add 2001:db8:3::/64 via 2001:db8:a3::2")
        nat.apply(self.router, HOTEL_WAN_IP4, nat.PORT_RESTRICTED)

    def enter(self, *, ip6: bool = False) -> None:
        """The laptop leaves the away site and comes up here. `ip6`: there is nothing else here."""
        laptop = self._topology["laptop"]
        laptop.ip("address flush dev eth0", "link set eth0 down")
        if ip6:
            laptop.ip("link set eth1 up", f"address add {HOTEL_LAPTOP_IP6}/64 dev eth1 nodad", "route add default via 2001:db8:3::1")
        else:
            laptop.ip("link set eth1 up", f"address add {HOTEL_LAPTOP_IP4}/24 dev eth1", "route add default via 192.168.9.1")

    def leave(self) -> None:
        """And back to the away site."""
        laptop = self._topology["laptop"]
        laptop.ip("address flush dev eth1", "link set eth1 down")
        laptop.ip("link set eth0 up", f"address add {LAPTOP_IP4}/24 dev eth0", "route add default via 192.168.7.1")


def give_home_ip6(topology: Topology, *, firewall: bool) -> None:
    """The home gets IPv6 beside its IPv4, the box an address in it; `firewall`: nothing unasked comes in."""
    for name in ("homenat", "internet"):
        topology[name].sysctl({"ipv6/conf/all/forwarding": 1})
    topology["internet"].ip("address replace 2001:db8:a1::1/64 dev home nodad", "route replace 2001:db8:1::/64 via 2001:db8:a1::2")
    topology["homenat"].ip("address replace 2001:db8:a1::2/64 dev wan nodad", "address replace 2001:db8:1::1/64 dev lan nodad",
                           "route replace default via 2001:db8:a1::1")
    topology["box"].ip(f"address replace {HOME_BOX_IP6}/64 dev eth0 nodad", "route replace default via 2001:db8:1::1")
    if firewall:
        topology["homenat"].nft(nat.FIREWALL6)


def renumber_box(topology: Topology, last: int) -> str:
    """The box has another IPv6 address, and only that."""
    address = f"2001:db8:1::{last:x}"
    topology["box"].run("ip", "-6", "address", "flush", "dev", "eth0", "scope", "global")
    topology["box"].ip(f"address add {address}/64 dev eth0 nodad", "route replace default via 2001:db8:1::1")
    return address


@dataclass(frozen=True)
class Outage:
    began_s: float  # after the move
    back_s: float  # after the move: 0 when the stream never stopped


def watch(player: Player, move: Callable[[], object], *, quiet_s: float = 2.5, limit_s: float = 60) -> Outage:
    """Moves something and says when the picture was back. `quiet_s`: without a gap until then there was none."""
    at_once = time.monotonic()
    move()
    moved = time.monotonic()

    def over() -> Outage | None:
        moments = [moment / 1e9 for _, moment in player.arrivals() if moment / 1e9 > at_once - 1]
        found = _outage(moments, at_once, time.monotonic())
        # The gap of the move before this one may be less than a second ago: it is none of this one's.
        gaps = [after for before, after in zip(moments, moments[1:]) if after > at_once and after - before >= GAP_S]
        if found is None and not gaps:
            quiet = time.monotonic() - moved >= quiet_s and time.monotonic() - moments[-1] < GAP_S
            return Outage(0, 0) if quiet else None
        return found

    return until(over, "the picture to be back", limit_s, pause=0.05)


def _outage(moments: list[float], since: float, now: float) -> Outage | None:
    """The first gap after `since` that a steady stream follows. Nothing yet: None."""
    began: float | None = None
    for before, after in zip(moments, moments[1:]):
        if after <= since or after - before < GAP_S:
            continue
        began = before if began is None else began
        following = [moment for moment in moments if after <= moment <= after + STEADY_S]
        whole = all(later - earlier < GAP_S for earlier, later in zip(following, following[1:]))
        if now >= after + STEADY_S and whole and after + STEADY_S - following[-1] < GAP_S:
            return Outage(max(0.0, began - since), after - since)
    return None


def home_again(topology: Topology) -> None:
    """The home router as it was at first."""
    give_home_address(topology, int(HOME_WAN_IP4.rsplit(".", 1)[1]))
    nat.apply(topology["homenat"], HOME_WAN_IP4, nat.PORT_RESTRICTED)

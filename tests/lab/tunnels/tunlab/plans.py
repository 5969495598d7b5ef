"""Every way in which a foreign peer may be connected: the box's settings for it, and its own end."""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .forms import IPPROTO_GRE, IPPROTO_IPV6, Ayiya, Form, Gre, Gue, HardenedAyiya, SixInFour
from .peer import Outer

BOX = {4: "203.0.113.1", 6: "2001:db8:99::1"}
PASSWORD = "a password of old"
SECRET = bytes(range(32))
KEY = 42
SIXRD_PREFIX = "2001:db8::/32"  # of a provider whose customers have 203.0.0.0/8


@dataclass(frozen=True)
class Plan:
    """One peer. `number` makes its addresses its own."""

    name: str
    number: int
    outer: int  # family
    encapsulation: str
    form: Callable[[], Form]
    port: int = 0
    protocol: int = 0
    settings: dict[str, Any] = field(default_factory=dict)
    endpoint: Callable[[str], str] | None = lambda address: address  # as the box's owner writes it; None: learnt
    secret: str = ""

    @property
    def address(self) -> str:
        return f"203.0.113.{self.number + 10}" if self.outer == 4 else f"2001:db8:99::{self.number + 10:x}"

    @property
    def elsewhere(self) -> str:
        """An address to which it may move."""
        return f"203.0.113.{self.number + 100}" if self.outer == 4 else f"2001:db8:99::{self.number + 100:x}"

    @property
    def inner(self) -> tuple[int, ...]:
        return self.form().families

    @property
    def where(self) -> Outer:
        return Outer(self.address, BOX[self.outer], self.port, self.protocol)

    def row(self, secret_file: str) -> dict[str, Any]:
        """The `[[peer]]` of the box's settings. It may watch everything."""
        row = {"name": self.name, "encapsulation": self.encapsulation, "seal": "none", "channels": ["all"], **self.settings}
        if self.endpoint is not None:
            row["endpoint"] = self.endpoint(self.address)
        if self.secret:
            row["secret_file"] = secret_file
        return row


def tunnel_address(number: int) -> str:
    return f"2001:db8:aa::{number:x}"


def packed(address: str) -> bytes:
    return socket.inet_pton(socket.AF_INET6, address)


def _sixtofour(address: str) -> str:
    return f"6to4:2002:{socket.inet_aton(address).hex()[:4]}:{socket.inet_aton(address).hex()[4:]}::1"


def _sixrd(address: str) -> str:
    own = socket.inet_aton(address)[1:]  # the 24 bits that are not common to all
    return f"6rd:{SIXRD_PREFIX},203.0.0.0/8,2001:db8:{own[:2].hex()}:{own[2:].hex()}00::1"


def over_udp(address: str) -> Callable[[str], str]:
    return lambda own: f"[{own}]:{address}" if ":" in own else f"{own}:{address}"


def _ayiya(number: int, hardened: bool) -> Callable[[], Form]:
    ends = packed(tunnel_address(number)), packed(tunnel_address(1))
    return lambda: HardenedAyiya(*ends, SECRET) if hardened else Ayiya(*ends, PASSWORD.encode())


def _plans() -> list[Plan]:
    made: list[Plan] = []

    def add(name: str, outer: int, encapsulation: str, form: Callable[[], Form], **more: Any) -> None:
        made.append(Plan(f"{name}-over-{outer}", len(made) + 1, outer, encapsulation, form, **more))

    agreed = {"key": str(KEY), "sequence": True, "checksum": True}
    for outer in (4, 6):
        add("gre", outer, "gre", Gre, protocol=IPPROTO_GRE)
        add("gre-agreed", outer, "gre", lambda: Gre(KEY, True, True), protocol=IPPROTO_GRE, settings=agreed)
        add("gre-udp", outer, "gre-udp", Gre, port=4754, endpoint=over_udp("4754"))
        add("gre-udp-agreed", outer, "gre-udp", lambda: Gre(KEY, True, True), port=4754, settings=agreed)
        add("gre-gue", outer, "gre-gue", lambda: Gue(Gre()), port=6080)
        add("6in4-udp", outer, "6in4-udp", SixInFour, port=3653)
        add("6in4-gue", outer, "6in4-gue", lambda: Gue(SixInFour()), port=6081, settings={"port": 6081},
            endpoint=over_udp("6081"))
        add("6in4-gue-1", outer, "6in4-gue", lambda: Gue(SixInFour(), bare=True), port=6081, settings={"port": 6081},
            endpoint=over_udp("6081"))
        for name, hardened, secret in (("ayiya", True, SECRET.hex()), ("ayiya-sha1", False, PASSWORD)):
            number = len(made) + 1
            add(name, outer, name, _ayiya(number + 0x100, hardened), port=5072, endpoint=None, secret=secret,
                settings={"local_address": tunnel_address(1), "peer_address": tunnel_address(number + 0x100)})
    add("6in4", 4, "6in4", SixInFour, protocol=IPPROTO_IPV6)
    add("6to4", 4, "6in4", SixInFour, protocol=IPPROTO_IPV6, endpoint=_sixtofour)
    add("6rd", 4, "6in4", SixInFour, protocol=IPPROTO_IPV6, endpoint=_sixrd)
    add("6in4-heartbeat", 4, "6in4", SixInFour, protocol=IPPROTO_IPV6, endpoint=None, secret=PASSWORD,
        settings={"heartbeat": True, "peer_address": tunnel_address(0x300)})
    return made


PLANS = _plans()
BY_NAME = {plan.name: plan for plan in PLANS}
HEARTBEAT_TUNNEL = tunnel_address(0x300)

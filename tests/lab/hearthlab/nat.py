"""Rules of the lab's NAT routers, by their RFC 4787 names. Each router has the interfaces `wan` and `lan`.

EIM, ADM, APDM: how the mapping depends on where a packet goes (not at all; on the address; on address and port).
EIF, ADF, APDF: who may answer to a mapping (anybody; addresses written to; addresses and ports written to).
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass

from .namespace import Namespace


@dataclass(frozen=True)
class Profile:
    """`rules` for nft, with {wan} for the router's own address outside. `mapping` is None where UDP does not pass."""

    name: str
    mapping: str | None
    filtering: str | None
    rules: str


def _router(nat: str, *, forward: str = "", closed: bool = True, out: str = "accept") -> str:
    # The drop in `input` is needed: without it a peer's early probe reaches the router itself, takes the tuple in
    # conntrack, and the later outbound packet gets another port, which is no longer endpoint-independent.
    unasked = 'iifname "wan" ct state new drop' if closed else ""
    return f"""
table ip nat {{{nat}}}
table ip filter {{
  chain through {{
    type filter hook forward priority filter; policy drop;
    ct state established,related accept
    {forward}
    iifname "lan" oifname "wan" {out}
  }}
  chain in {{
    type filter hook input priority filter; policy accept;
    {unasked}
  }}
}}
"""


_MASQUERADE = """
  chain after { type nat hook postrouting priority srcnat; oifname "wan" masquerade; }
"""

# Who sent from a port is remembered when a packet goes out, and gets whatever comes to that port.
_REMEMBERED = """
  map inside { type inet_service : ipv4_addr . inet_service; flags dynamic,timeout; timeout 5m; size 65535; }
  set written_to { type ipv4_addr . inet_service; flags dynamic,timeout; timeout 5m; size 65535; }
  chain learn {
    type filter hook postrouting priority 90;
    oifname "wan" meta l4proto udp update @inside { udp sport : ip saddr . udp sport }
    oifname "wan" meta l4proto udp update @written_to { ip daddr . udp sport }
  }
"""

_FULL_CONE = f"""{_REMEMBERED}{_MASQUERADE}
  chain before {{
    type nat hook prerouting priority dstnat;
    iifname "wan" meta l4proto udp dnat ip to udp dport map @inside
  }}
"""

_ADDRESS_RESTRICTED = f"""{_REMEMBERED}{_MASQUERADE}
  chain before {{
    type nat hook prerouting priority dstnat;
    iifname "wan" meta l4proto udp ip saddr . udp dport @written_to dnat ip to udp dport map @inside
  }}
"""

_SYMMETRIC = """
  chain after { type nat hook postrouting priority srcnat; oifname "wan" masquerade fully-random; }
"""

# A port for each address: the port that it has for the rendezvous' addresses, and another for all others. It is for one
# socket of one host behind the router.
_ADDRESS_DEPENDENT = """
  chain after {
    type nat hook postrouting priority srcnat;
    oifname "wan" meta l4proto udp snat ip to ip daddr map {
      203.0.113.10 : {wan} . 30010, 203.0.113.11 : {wan} . 30011, 198.51.100.2 : {wan} . 30012, 192.0.2.2 : {wan} . 30013 }
    oifname "wan" masquerade
  }
"""

# Hosts inside reach each other by the router's address outside, too.
_HAIRPIN = f"""{_REMEMBERED}
  chain before {{
    type nat hook prerouting priority dstnat;
    iifname "wan" meta l4proto udp dnat ip to udp dport map @inside
    iifname "lan" ip daddr {{wan}} meta l4proto udp dnat ip to udp dport map @inside
  }}
  chain after {{
    type nat hook postrouting priority srcnat;
    iifname "lan" oifname "lan" ct status dnat masquerade
    oifname "wan" masquerade
  }}
"""

_ANSWERED = "ct status dnat accept"

PROFILES: Mapping[str, Profile] = {
    profile.name: profile
    for profile in (
        Profile("full-cone", "EIM", "EIF", _router(_FULL_CONE, forward=_ANSWERED)),
        Profile("address-restricted", "EIM", "ADF", _router(_ADDRESS_RESTRICTED, forward=_ANSWERED)),
        Profile("port-restricted", "EIM", "APDF", _router(_MASQUERADE)),
        Profile("address-dependent", "ADM", "APDF", _router(_ADDRESS_DEPENDENT)),
        Profile("symmetric", "APDM", "APDF", _router(_SYMMETRIC)),
        # A router that takes an unasked packet for its own: the next mapping towards that peer gets another port.
        Profile("hostile-cone", "APDM", "APDF", _router(_MASQUERADE, closed=False)),
        Profile("hairpin", "EIM", "EIF", _router(_HAIRPIN, forward=_ANSWERED)),
        Profile("udp-blocked", None, None, _router(_MASQUERADE, out="tcp dport { 80, 443 } accept")),
    )
}
PORT_RESTRICTED = PROFILES["port-restricted"]

# The firewall of a home router for IPv6, where no NAT is: only what was asked for comes in.
FIREWALL6 = """
table ip6 firewall {
  chain through {
    type filter hook forward priority filter; policy drop;
    ct state established,related accept
    meta l4proto icmpv6 accept
    iifname "lan" oifname "wan" accept
  }
}
"""


def apply(router: Namespace, wan: str, profile: Profile) -> None:
    """Makes a router behave so from now on; it forgets all mappings that it had."""
    router.nft("flush ruleset\n" + profile.rules.replace("{wan}", wan))
    forget_mappings(router)


def forget_mappings(router: Namespace) -> None:
    """Empties the connection tracking, as a router does that starts anew."""
    delete_all = (1 << 8) | 2  # NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_DELETE without a tuple
    request_with_answer = 0x0001 | 0x0004
    netfilter = 12
    with router.socket(socket.AF_NETLINK, socket.SOCK_RAW, netfilter) as link:
        link.bind((0, 0))
        link.send(struct.pack("=IHHIIBBH", 20, delete_all, request_with_answer, 1, 0, socket.AF_UNSPEC, 0, 0))
        error = struct.unpack_from("=i", link.recv(4096), 16)[0]
    if error:
        raise OSError(-error, f"the mappings of {router.name}: {os.strerror(-error)}")

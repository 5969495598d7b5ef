"""Rules of the lab's NAT routers, by their RFC 4787 names. Each router has the interfaces `wan` and `lan`."""

from __future__ import annotations

# Endpoint-independent mapping, address and port-dependent filtering: what most homes have. The drop in `input` is
# needed: without it a peer's early probe reaches the router itself, takes the tuple in conntrack, and the later
# outbound packet gets another port, which is no longer endpoint-independent.
PORT_RESTRICTED = """
table ip nat {
  chain after { type nat hook postrouting priority srcnat; oifname "wan" masquerade; }
}
table ip filter {
  chain through {
    type filter hook forward priority filter; policy drop;
    ct state established,related accept
    iifname "lan" oifname "wan" accept
  }
  chain in {
    type filter hook input priority filter; policy accept;
    iifname "wan" ct state new drop
  }
}
"""

PROFILES = {"port-restricted": PORT_RESTRICTED}

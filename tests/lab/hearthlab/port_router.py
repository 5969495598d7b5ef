"""The home's router as one that lets hosts inside open ports: miniupnpd (PCP, NAT-PMP, UPnP) in the router's namespace.

Its NAT is otherwise the least friendly one: a port for each destination, and nobody gets in unasked.
"""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

from .topology import HOME_WAN_IP4, Topology
from .waiting import until

DAEMON = "/usr/sbin/miniupnpd"
# The daemon opens no ports on an address of a documentation range, so the home has another one outside while it runs.
# Nothing of the lab leaves its namespaces.
PUBLIC_IP4 = "11.22.33.2"
_GATEWAY = "11.22.33.1"

_RULES = """
flush ruleset
table inet miniupnpd {
  chain forwarded { }
  chain redirected { }
  chain masked { }
  chain through {
    type filter hook forward priority filter; policy drop;
    ct state established,related accept
    iifname "lan" oifname "wan" accept
    jump forwarded
  }
  chain in {
    type filter hook input priority filter; policy accept;
    iifname "wan" ct state new drop
  }
  chain before { type nat hook prerouting priority dstnat; jump redirected; }
  chain after { type nat hook postrouting priority srcnat; jump masked; oifname "wan" masquerade fully-random; }
}
"""

_SETTINGS = """
ext_ifname=wan
listening_ip=lan
enable_natpmp={pcp}
enable_upnp={upnp}
secure_mode=yes
upnp_table_name=miniupnpd
upnp_nat_table_name=miniupnpd
upnp_forward_chain=forwarded
upnp_nat_chain=redirected
upnp_nat_postrouting_chain=masked
min_lifetime=120
max_lifetime=86400
http_port=5000
notify_interval=30
uuid=5f6c3f1e-0000-4000-8000-000000000001
allow 1024-65535 192.168.1.0/24 1024-65535
deny 0-65535 0.0.0.0/0 0-65535
"""


class PortRouter:
    """Takes the place of the home's router rules, until `close`. `pcp`: PCP and NAT-PMP are on; `upnp`: UPnP is."""

    def __init__(self, topology: Topology, folder: Path, *, pcp: bool, upnp: bool) -> None:
        self._topology = topology
        self._space = topology["homenat"]
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self._on = pcp or upnp  # the daemon itself wants one of them
        (folder / "miniupnpd.conf").write_text(
            _SETTINGS.format(pcp="yes" if pcp else "no", upnp="yes" if upnp else "no"), encoding="ascii"
        )
        self._topology["internet"].ip(f"address add {_GATEWAY}/24 dev home")
        self._space.ip(
            f"address delete {HOME_WAN_IP4}/24 dev wan", f"address add {PUBLIC_IP4}/24 dev wan", f"route replace default via {_GATEWAY}"
        )
        self.start()

    def start(self) -> None:
        """As a router that has just been switched on: without any mapping."""
        self._space.nft(_RULES)
        if not self._on:
            return
        log = open(self._folder / "miniupnpd.log", "ab")  # noqa: SIM115 - the process keeps it
        starts = self.log().count(" starting ")
        self._process = self._space.popen(
            [DAEMON, "-d", "-f", str(self._folder / "miniupnpd.conf"), "-P", str(self._folder / "miniupnpd.pid")],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log,
        )
        log.close()
        until(lambda: self.log().count(" starting ") > starts, "the router's daemon")

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def restart(self) -> None:
        """It forgets its mappings, and announces itself as RFC 6886 section 3.2.1 wants: this daemon does so when it is told to."""
        self.stop()
        self.start()
        assert self._process is not None
        self._process.send_signal(signal.SIGUSR1)

    def ports(self) -> list[int]:
        """The UDP ports that are open now, as the kernel's rules say."""
        rules = self._space.run("nft", "list", "chain", "inet", "miniupnpd", "redirected")
        return [int(line.split("dport ")[1].split()[0]) for line in rules.splitlines() if "dnat" in line]

    def log(self) -> str:
        file = self._folder / "miniupnpd.log"
        return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""

    def close(self) -> None:
        """The router is an ordinary one again, at its former address; its rules are for the caller to apply."""
        self.stop()
        self._space.ip(
            f"address delete {PUBLIC_IP4}/24 dev wan", f"address add {HOME_WAN_IP4}/24 dev wan", "route replace default via 198.51.100.1"
        )
        self._topology["internet"].ip(f"address delete {_GATEWAY}/24 dev home")

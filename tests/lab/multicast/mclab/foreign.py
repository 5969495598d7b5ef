"""Programs and kernel parts that are not ours: bridges that snoop and query, FRR's pimd, smcroute, forced host versions."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from hearthlab.namespace import Namespace
from hearthlab.waiting import until


def force_versions(space: Namespace, *, mld: int = 0, igmp: int = 0, interface: str = "eth0") -> None:
    """Makes a host speak these versions only; 0 leaves the newest. Applies to what it joins afterwards."""
    space.sysctl({f"ipv6/conf/{interface}/force_mld_version": mld, f"ipv4/conf/{interface}/force_igmp_version": igmp})


def forwarding_entries(space: Namespace, bridge: str) -> list[dict[str, Any]]:
    """What a snooping bridge knows: dictionaries with port, grp, src, filter_mode, source_list."""
    shown = json.loads(space.run("bridge", "-d", "-j", "mdb", "show", "dev", bridge))
    return [entry for part in shown for entry in part.get("mdb", [])]


class BridgeQuerier:
    """The Linux bridge as a querier that competes: a bridge of its own in a namespace, with one port to the LAN."""

    def __init__(self, space: Namespace, *, ip4: str, ip6: str, interval: float = 2, interface: str = "eth0") -> None:
        self._space = space
        hundredths = int(interval * 100)
        space.sysctl({"ipv6/conf/default/addr_gen_mode": 1})  # no address of its own making: the given one decides
        space.ip(
            "link add querier type bridge mcast_snooping 1 mcast_igmp_version 3 mcast_mld_version 2"
            f" mcast_query_interval {hundredths} mcast_startup_query_interval 50 mcast_startup_query_count 2"
            " mcast_query_response_interval 50 mcast_query_use_ifaddr 1",
            f"link set {interface} master querier",
            f"link set {interface} up",
            "link set querier up",
            f"address add {ip4}/24 dev querier",
            f"address add {ip6}/64 dev querier nodad",
        )

    def start(self) -> None:
        self._space.ip("link set querier type bridge mcast_querier 1")

    def stop(self) -> None:
        self._space.ip("link set querier type bridge mcast_querier 0")


class Daemon:
    """A foreign program in the foreground, its output in a file."""

    def __init__(self, space: Namespace, command: list[str], log: Path) -> None:
        with open(log, "wb") as out:
            self._process = space.popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        self.log = log

    @property
    def pid(self) -> int:
        return self._process.pid

    def running(self) -> bool:
        return self._process.poll() is None

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Smcroute:
    """smcrouted with the lines of smcroute.conf that are given."""

    def __init__(self, space: Namespace, folder: Path, *lines: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        config, self._socket = folder / "smcroute.conf", folder / "smcroute.sock"
        config.write_text("\n".join(lines) + "\n", encoding="utf-8")
        self._space = space
        self.daemon = Daemon(
            space,
            ["smcrouted", "-n", "-N", "-f", str(config), "-i", "smcroute", "-u", str(self._socket), "-P", str(folder / "pid")],
            folder / "log",
        )
        until(lambda: self.ctl("show", "routes") is not None, f"smcrouted: {self.daemon.log.read_text()}", timeout=20, pause=0.02)

    def ctl(self, *arguments: str) -> str:
        return self._space.run("smcroutectl", "-u", str(self._socket), *arguments)

    def stop(self) -> None:
        self.daemon.stop()


class Frr:
    """zebra and pimd of FRR as an IPv4 multicast router, with PIM on the interfaces `pim` and IGMP too on `igmp`; source-specific groups only."""

    def __init__(self, space: Namespace, folder: Path, *, pim: tuple[str, ...], igmp: tuple[str, ...], version: int = 3, last_member_s: float = 0.2) -> None:
        self._space, self._folder = space, folder
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o777)
        lines = ["hostname edge", "!"]
        for name in pim:
            lines += [f"interface {name}", " ip pim", "!"]
        for name in igmp:
            lines += [
                f"interface {name}", " ip pim", " ip igmp", f" ip igmp version {version}",
                " ip igmp query-max-response-time 10", " ip igmp query-interval 5",
                f" ip igmp last-member-query-interval {round(last_member_s * 10)}", "!",
            ]
        lines += ["ip pim ssm prefix-list ssm", "ip prefix-list ssm permit 232.0.0.0/8 le 32"]
        (folder / "pimd.conf").write_text("\n".join(lines) + "\n", encoding="utf-8")
        (folder / "zebra.conf").write_text("hostname edge\n", encoding="utf-8")
        self._daemons = [self._start("zebra"), self._start("pimd")]
        until(lambda: self.show("ip", "igmp", "interface"), "FRR's pimd", timeout=30)

    def _start(self, name: str) -> Daemon:
        binary = shutil.which(name, path="/usr/lib/frr") or name
        folder = self._folder
        command = [
            binary, "-f", str(folder / f"{name}.conf"), "-i", str(folder / f"{name}.pid"), "-z", str(folder / "zserv.api"),
            "--vty_socket", str(folder), "-P", "0", "--log", "stdout",
        ]
        daemon = Daemon(self._space, command, folder / f"{name}.log")
        until(lambda: (folder / f"{name}.vty").exists(), f"FRR's {name}", timeout=20, pause=0.02)
        return daemon

    def show(self, *words: str) -> dict[str, Any]:
        text = self._space.run("vtysh", "--vty_socket", str(self._folder), "-c", " ".join(("show", *words, "json")))
        return dict(json.loads(text))

    def log(self) -> str:
        return "".join(path.read_text(encoding="utf-8", errors="replace") for path in sorted(self._folder.glob("*.log")))

    def stop(self) -> None:
        for daemon in reversed(self._daemons):
            daemon.stop()

"""A minimal Debian 12 that systemd boots (systemd-nspawn) between two networks: the provider's, and a LAN with a laptop.

It boots in the lab's namespace `box`, with eth0 towards `net` and eth1 towards `lan`. The away client's units run there, too,
but in the network of `lan`, as on a machine of their own.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

from hearthlab.namespace import Spaces
from hearthlab.shell import run
from hearthlab.waiting import until

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ROOT / "build" / "packages"
SERVICES = ("hearthcast-box", "hearthcast-away", "hearthcast-rendezvous")
HELPERS = ("hearthcast-netd", "hearthcast-away-netd")
ENVIRONMENT = ("env", "-i", "HOME=/root", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "DEBIAN_FRONTEND=noninteractive")
ADDRESSES = {"net": "10.21.0.1", "box": "10.21.0.2", "home": "10.22.0.1", "lan": "10.22.0.2"}


class CannotBoot(RuntimeError):
    """This machine lets no systemd be the first process of anything; the text is what was said."""


def packages() -> list[Path]:
    return sorted(path for path in PACKAGES.glob("hearthcast-*.deb") if "dbgsym" not in path.name)


def dependencies() -> list[str]:
    """What the packages depend on, by name: the tree has it from the beginning, as a machine with a network would get it."""
    fields = " ".join("," + run(["dpkg-deb", "-f", str(path), "Depends"]).replace("\n", " ") for path in packages())
    return sorted({re.split(r"[ (|:]", part.strip())[0] for part in fields.split(",") if part.strip()})


class Machine:
    """`folder` is empty and receives the tree."""

    def __init__(self, prefix: str, folder: Path) -> None:
        self.tree = folder / "tree"
        self._tun = folder / "tun"
        self._said = folder / "console"
        self._name = f"{prefix}machine"
        self.spaces = Spaces(prefix, ("net", "box", "lan"))
        self._nspawn: subprocess.Popen[bytes] | None = None
        self.leader = 0

    def make(self) -> None:
        names = ",".join(["systemd", "ca-certificates", "curl", "iproute2", *dependencies()])
        run(["bash", "-c", '. packaging/dev/common.sh; bare_tree "$1" "$2"', "bash", str(self.tree), names], timeout=600)
        run(["mknod", "-m", "0666", str(self._tun), "c", "10", "200"])  # as udev makes it; a container has no udev
        self.spaces.down()
        for space in self.spaces.spaces.values():
            space.create({})
        net, box, lan = (self.spaces[name] for name in ("net", "box", "lan"))
        net.ip(f"link add eth0 type veth peer name eth0 netns {box.full_name}")
        lan.ip(f"link add eth0 type veth peer name eth1 netns {box.full_name}")
        for space, link, address in ((net, "eth0", "net"), (box, "eth0", "box"), (box, "eth1", "home"), (lan, "eth0", "lan")):
            space.ip(f"address add {ADDRESSES[address]}/24 dev {link}", f"link set {link} up")
        box.ip(f"route add default via {ADDRESSES['net']}")
        lan.ip(f"route add default via {ADDRESSES['home']}")

    def boot(self) -> None:
        """Raises CannotBoot."""
        with open(self._said, "wb") as said:
            self._nspawn = subprocess.Popen(
                ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", f"--directory={self.tree}", f"--machine={self._name}", "--boot",
                 f"--network-namespace-path=/run/netns/{self.spaces['box'].full_name}", "--capability=CAP_NET_ADMIN",
                 f"--bind={self._tun}:/dev/net/tun", f"--bind=/run/netns/{self.spaces['lan'].full_name}:/mnt/laptop"],
                stdin=subprocess.DEVNULL, stdout=said, stderr=said,
                env={"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1", "SYSTEMD_NSPAWN_API_VFS_WRITABLE": "network"},  # the sysctls of `box`
            )
        try:
            until(self._booted, "a booted system", 90)
        except TimeoutError as error:
            raise CannotBoot(f"{error}; {self._said.read_text(errors='replace')[-2000:]}") from error

    def _booted(self) -> bool:
        assert self._nspawn is not None
        pids = run(["ip", "netns", "pids", self.spaces["box"].full_name]).split()
        self.leader = min((int(pid) for pid in pids), default=0)
        if self._nspawn.poll() is not None or self.leader == 0:
            return False
        return self.inside("systemctl", "is-system-running", check=False).strip() in ("running", "degraded")

    def reboot(self) -> None:
        assert self._nspawn is not None
        self.inside("systemctl", "reboot", check=False)
        self._nspawn.wait(90)  # it leaves starting anew to whoever started it
        self.boot()

    def halt(self) -> None:
        """As when its power button is pressed; by force after a while."""
        if self._nspawn is not None:
            self._nspawn.send_signal(signal.SIGTERM)
            try:
                self._nspawn.wait(60)
            except subprocess.TimeoutExpired:
                self._nspawn.kill()
                self._nspawn.wait()
            self._nspawn = None

    def remove(self) -> None:
        self.halt()
        self.spaces.down()
        shutil.rmtree(self.tree, ignore_errors=True)
        with contextlib.suppress(OSError):
            Path("/run/systemd/nspawn/propagate", self._name).rmdir()  # which nspawn leaves behind

    def inside(self, *command: str, check: bool = True, stdin: str | None = None, timeout: float = 120) -> str:
        """Runs a command in the booted system, as root; what it printed."""
        whole = ["nsenter", f"--target={self.leader}", "--all", "--wd=/", *ENVIRONMENT, *command]
        return run(whole, check=check, stdin=stdin, timeout=timeout)

    def program_at(self, place: str, *command: str) -> list[str]:
        """The command line of a program of the tree in one of the networks, outside of the booted system."""
        return self.spaces[place].command("chroot", str(self.tree), *ENVIRONMENT, *command)

    def at(self, place: str, *command: str) -> str:
        return run(self.program_at(place, *command))

    def show(self, unit: str, name: str) -> str:
        """A property of a unit."""
        return self.inside("systemctl", "show", "--value", "-p", name, unit).strip()

    def ask(self, program: str, *command: str) -> dict[str, Any]:
        """A subcommand's answer."""
        return dict(json.loads(self.inside(f"hearthcast-{program}", *command, "--json")))

    def write(self, path: str, text: str) -> None:
        file = self.tree / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def read(self, path: str) -> str:
        return (self.tree / path.lstrip("/")).read_text(encoding="utf-8")

    def set(self, file: str, section: str, key: str, value: str) -> None:
        """Changes a line of an installed settings file."""
        path, now, lines = f"/etc/hearthcast/{file}", "", []
        for line in self.read(path).splitlines():
            now = line.strip("[]") if line.startswith("[") else now
            lines.append(f"{key} = {value}" if now == section and line.startswith(f"{key} = ") else line)
        self.write(path, "\n".join(lines) + "\n")

    def failed(self) -> list[str]:
        return self.inside("systemctl", "--failed", "--no-legend", "--plain").splitlines()

    def helpers(self, unit: str) -> list[str]:
        """Instances of a socket's service that run."""
        return self.inside("systemctl", "list-units", "--no-legend", "--plain", "--state=running", f"{unit}@*.service").splitlines()

    def journal(self, *options: str) -> list[str]:
        return self.inside("journalctl", "--no-pager", "-o", "cat", *options).splitlines()

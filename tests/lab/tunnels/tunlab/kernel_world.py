"""A world whose peers are the tunnel interfaces of one whole Linux kernel, and what such an interface has to show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hearthlab import channels
from hearthlab.comparison import compare
from hearthlab.topology import SYSCTLS

from .linux_kernel import Boot, LinuxKernel
from .plans import BOX, Plan
from .world import PICTURE, PeerWorld

CHANNELS = {6: channels.ONE, 4: channels.TWO}


@dataclass(frozen=True)
class Kernels:
    """One interface of the kernel, as `ip link add` makes it between its address and the box's."""

    plan: Plan
    interface: str
    kind: str
    options: str = ""
    inner: tuple[int, ...] = (6, 4)

    @property
    def command(self) -> str:
        return (f"link add {self.interface} type {self.kind} local {self.plan.address} remote {BOX[self.plan.outer]} "
                f"{'ttl' if self.plan.outer == 4 else 'hoplimit'} 64 {self.options}").strip()


class KernelWorld(PeerWorld):
    """The peers' machine is a kernel of its own at the other end of the cable. `first` is what `ip` is told before the interfaces."""

    def __init__(self, name_prefix: str, boot: Boot, tunnels: Sequence[Kernels], first: Sequence[str] = ()) -> None:
        super().__init__(name_prefix, [tunnel.plan for tunnel in tunnels])
        self.tunnels = tunnels
        self.first = first
        self.boot = boot
        self.kernel: LinuxKernel

    def _lay_cable(self) -> None:
        # box wan === eth0 bridge tap0 === the kernel's card. A TAP interface keeps a second of the picture while a machine is busy.
        box, between = self.topology["box"], self.peers_space
        between.create(SYSCTLS | {"ipv6/conf/default/disable_ipv6": 1})
        box.ip(
            f"link add wan type veth peer name eth0 netns {between.full_name}",
            f"address add {BOX[4]}/24 dev wan", f"address add {BOX[6]}/64 dev wan nodad", "link set wan up",
        )
        between.ip("link add bridge type bridge mcast_snooping 0", "link set bridge up", "tuntap add tap0 mode tap",
                   *(f"link set {port} master bridge up" for port in ("eth0", "tap0")))
        # Frames with whole checksums and one packet in each, as on a cable: either end leaves both to the card otherwise.
        for space, port in ((box, "wan"), (between, "eth0")):
            space.run("ethtool", "-K", port, "tx", "off", "gso", "off", "tso", "off", check=False)
        self.kernel = self.boot(between, "tap0", self.folder / "kernel")
        self.kernel.card_up(*(f"{t.plan.address}/{'64' if t.plan.outer == 6 else '24'}" for t in self.tunnels))
        self.kernel.run("sysctl", "-qw", "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.default.rp_filter=0")
        self.kernel.ip(*self.first)
        for tunnel in self.tunnels:
            self.kernel.ip(tunnel.command, f"link set {tunnel.interface} up multicast on")
            if 4 in tunnel.inner:
                self.kernel.ip(f"address add 172.31.{tunnel.plan.number}.2/30 dev {tunnel.interface}")

    def down(self) -> None:
        if hasattr(self, "kernel"):
            self.kernel.close()
        super().down()


def cells(tunnels: Sequence[Kernels]) -> list[object]:
    return [pytest.param(t, inner, id=f"{t.plan.name}-carries-{inner}") for t in tunnels for inner in t.inner]


def expect_the_picture_whole(world: KernelWorld, tunnel: Kernels, inner: int) -> None:
    """The kernel joins by itself, gets every octet, and its leave is understood, too."""
    channel = CHANNELS[inner]
    try:
        data = world.kernel.listen(tunnel.interface, channel.group, channel.source or "", channel.port, PICTURE)
    except RuntimeError as error:
        raise AssertionError(f"{error}\nthe box: {world.shown(tunnel.plan)}") from error
    seen = compare(world.service.film(channel), data)
    assert seen.bytes_equal, seen
    assert seen.continuity_errors == 0
    told = world.shown(tunnel.plan)
    assert told["sealed"] is False
    assert not told.get("trouble")
    world.wait_until_quiet(tunnel.plan)


def expect_nothing_refused(world: KernelWorld) -> None:
    """Wrong checksums, sequence numbers or keys would be errors of the kernel's interfaces."""
    for tunnel in world.tunnels:
        statistics = world.kernel.run("ip", "-s", "link", "show", tunnel.interface).splitlines()
        received = statistics[statistics.index(next(line for line in statistics if "RX:" in line)) + 1].split()
        _, packets, errors = (int(number) for number in received[:3])
        assert packets >= PICTURE, (tunnel.interface, statistics)
        assert errors == 0, (tunnel.interface, statistics)

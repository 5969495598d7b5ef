"""A real kernel's own tunnels as foreign peers: Linux joins by its gre, ip6gre and sit interfaces, and gets the picture whole.

Needs Debian's user-mode-linux, whose kernel has these modules; the kernel of this machine may have none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from conftest import shown
from hearthlab import channels
from hearthlab.comparison import compare
from hearthlab.namespace import prefix
from hearthlab.topology import SYSCTLS
from tunlab.forms import IPPROTO_GRE, IPPROTO_IPV6, Gre, SixInFour
from tunlab.linux_kernel import DoesNotRun, LinuxKernel
from tunlab.plans import BOX, KEY, Plan
from tunlab.world import PICTURE, PeerWorld

CHANNELS = {6: channels.ONE, 4: channels.TWO}
AGREED = {"key": str(KEY), "sequence": True, "checksum": True}


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
                f"{'hoplimit' if self.kind == 'ip6gre' else 'ttl'} 64 {self.options}").strip()


TUNNELS = [
    Kernels(Plan("linux-gre", 1, 4, "gre", Gre, protocol=IPPROTO_GRE), "gre1", "gre"),
    Kernels(Plan("linux-gre-agreed", 2, 4, "gre", Gre, protocol=IPPROTO_GRE, settings=AGREED), "gre2", "gre", f"key {KEY} seq csum"),
    Kernels(Plan("linux-ip6gre", 3, 6, "gre", Gre, protocol=IPPROTO_GRE), "gre3", "ip6gre"),
    Kernels(Plan("linux-sit", 4, 4, "6in4", SixInFour, protocol=IPPROTO_IPV6), "sit4", "sit", inner=(6,)),
]
CELLS = [(tunnel, inner) for tunnel in TUNNELS for inner in tunnel.inner]


class KernelWorld(PeerWorld):
    """The peers' machine is a kernel of its own at the other end of the cable."""

    def __init__(self, name_prefix: str) -> None:
        super().__init__(name_prefix, [tunnel.plan for tunnel in TUNNELS])
        self.kernel: LinuxKernel

    def _lay_cable(self) -> None:
        self.peers_space.create(SYSCTLS | {"ipv6/conf/default/disable_ipv6": 1})
        self.topology["box"].ip(
            f"link add wan type veth peer name eth0 netns {self.peers_space.full_name}",
            f"address add {BOX[4]}/24 dev wan", f"address add {BOX[6]}/64 dev wan nodad", "link set wan up",
        )
        # Frames with whole checksums and one packet in each, as on a cable: either end leaves both to the card otherwise.
        for space, port in ((self.topology["box"], "wan"), (self.peers_space, "eth0")):
            space.run("ethtool", "-K", port, "tx", "off", "gso", "off", "tso", "off", check=False)
        self.peers_space.ip("link set eth0 up promisc on")
        self.kernel = LinuxKernel(self.peers_space, "eth0", self.folder / "kernel")
        self.kernel.card_up(*(f"{t.plan.address}/{'64' if t.plan.outer == 6 else '24'}" for t in TUNNELS))
        self.kernel.run("sysctl", "-qw", "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.default.rp_filter=0")
        for tunnel in TUNNELS:
            self.kernel.ip(tunnel.command, f"link set {tunnel.interface} up multicast on")
            if 4 in tunnel.inner:
                self.kernel.ip(f"address add 172.31.{tunnel.plan.number}.2/30 dev {tunnel.interface}")

    def down(self) -> None:
        if hasattr(self, "kernel"):
            self.kernel.close()
        super().down()


@pytest.fixture(scope="module")
def world() -> Iterator[KernelWorld]:
    one = KernelWorld(prefix("hct-") + "k")
    try:
        one.up()
    except DoesNotRun as why:
        one.down()
        pytest.skip(str(why))
    with shown(one):
        yield one


@pytest.mark.parametrize(("tunnel", "inner"), CELLS, ids=[f"{t.plan.name}-carries-{inner}" for t, inner in CELLS])
def test_the_picture_arrives_whole(world: KernelWorld, tunnel: Kernels, inner: int) -> None:
    channel = CHANNELS[inner]
    try:
        data = world.kernel.listen(tunnel.interface, channel.group, channel.source or "", channel.port, PICTURE)
    except RuntimeError as error:
        raise AssertionError(f"{error}\nthe box: {world.shown(tunnel.plan)}") from error
    seen = compare(world.service.film(channel), data)
    assert seen.bytes_equal, seen
    assert seen.continuity_errors == 0
    shown = world.shown(tunnel.plan)
    assert shown["sealed"] is False
    assert not shown.get("trouble")
    world.wait_until_quiet(tunnel.plan)  # its kernel's leave was understood, too


def test_the_kernel_refuses_nothing_of_it(world: KernelWorld) -> None:
    """Wrong checksums, sequence numbers or keys would be errors of its interfaces."""
    for tunnel in TUNNELS:
        statistics = world.kernel.run("ip", "-s", "link", "show", tunnel.interface).splitlines()
        received = statistics[statistics.index(next(line for line in statistics if "RX:" in line)) + 1].split()
        octets, packets, errors = (int(number) for number in received[:3])
        assert packets >= PICTURE, (tunnel.interface, statistics)
        assert errors == 0, (tunnel.interface, statistics)

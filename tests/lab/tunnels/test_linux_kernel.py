"""A real kernel's own tunnels as foreign peers: Linux joins by its gre, ip6gre and sit interfaces, and gets the picture whole.

Needs Debian's user-mode-linux, whose kernel has these modules; the kernel of this machine may have none.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from conftest import raised
from hearthlab.namespace import prefix
from tunlab import uml_kernel
from tunlab.forms import IPPROTO_GRE, IPPROTO_IPV6, Gre, SixInFour
from tunlab.kernel_world import Kernels, KernelWorld, cells, expect_nothing_refused, expect_the_picture_whole
from tunlab.plans import KEY, Plan

AGREED = {"key": str(KEY), "sequence": True, "checksum": True}

TUNNELS = [
    Kernels(Plan("linux-gre", 1, 4, "gre", Gre, protocol=IPPROTO_GRE), "gre1", "gre"),
    Kernels(Plan("linux-gre-agreed", 2, 4, "gre", Gre, protocol=IPPROTO_GRE, settings=AGREED), "gre2", "gre", f"key {KEY} seq csum"),
    Kernels(Plan("linux-ip6gre", 3, 6, "gre", Gre, protocol=IPPROTO_GRE), "gre3", "ip6gre"),
    Kernels(Plan("linux-sit", 4, 4, "6in4", SixInFour, protocol=IPPROTO_IPV6), "sit4", "sit", inner=(6,)),
]


@pytest.fixture(scope="module")
def world() -> Iterator[KernelWorld]:
    with raised(KernelWorld(prefix("hct-") + "k", uml_kernel.boot, TUNNELS)) as one:
        yield one


@pytest.mark.parametrize(("tunnel", "inner"), cells(TUNNELS))
def test_the_picture_arrives_whole(world: KernelWorld, tunnel: Kernels, inner: int) -> None:
    expect_the_picture_whole(world, tunnel, inner)


def test_the_kernel_refuses_nothing_of_it(world: KernelWorld) -> None:
    expect_nothing_refused(world)

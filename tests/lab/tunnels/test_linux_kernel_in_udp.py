"""A real kernel's own tunnels in UDP, FOU and GUE, as the pages of docs/tunnels tell a peer's owner to make them.

Needs Debian's kernel and qemu: see tunlab/qemu_kernel.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from conftest import raised
from hearthlab.namespace import prefix
from tunlab import qemu_kernel
from tunlab.forms import Gre, Gue, SixInFour
from tunlab.kernel_world import Kernels, KernelWorld, cells, expect_nothing_refused, expect_the_picture_whole
from tunlab.plans import KEY, Plan, over_udp

FORMS = {"6in4-udp": SixInFour, "6in4-gue": lambda: Gue(SixInFour()), "gre-udp": Gre, "gre-gue": lambda: Gue(Gre())}
PORTS = {"6in4-udp": 5555, "6in4-gue": 6081, "gre-udp": 4754, "gre-gue": 6080}
LISTEN = [
    f"{family}fou add port {PORTS[form]} {what}"
    for family in ("", "-6 ")
    for form, what in (("6in4-udp", "ipproto 41"), ("6in4-gue", "gue"), ("gre-udp", "ipproto 47"), ("gre-gue", "gue"))
]


def tunnel(number: int, outer: int, form: str, kind: str, options: str = "", source_port: str = "auto", **settings: Any) -> Kernels:
    """The kernel chooses the source port for each flow unless one is given."""
    port = PORTS[form]
    encap = "gue" if form.endswith("gue") else "fou"
    name = f"linux-{kind}-{encap}{'-agreed' if settings else ''}"
    plan = Plan(name, number, outer, form, FORMS[form], port=port, settings={"port": port, **settings}, endpoint=over_udp(str(port)))
    whole = f"{options} encap {encap} encap-sport {source_port} encap-dport {port}".strip()
    return Kernels(plan, f"{kind}{number}", kind, whole, (6,) if form.startswith("6in4") else (6, 4))


TUNNELS = [
    tunnel(1, 4, "6in4-udp", "sit", source_port="5555"),
    tunnel(2, 4, "6in4-gue", "sit"),
    tunnel(3, 4, "gre-udp", "gre"),
    tunnel(4, 4, "gre-udp", "gre", f"key {KEY} seq csum", "4754", key=str(KEY), sequence=True, checksum=True),
    tunnel(5, 4, "gre-gue", "gre"),
    tunnel(6, 6, "gre-udp", "ip6gre"),
    tunnel(7, 6, "gre-gue", "ip6gre"),
    tunnel(8, 6, "6in4-udp", "ip6tnl", "mode ip6ip6"),
    tunnel(9, 6, "6in4-gue", "ip6tnl", "mode ip6ip6"),
]


@pytest.fixture(scope="module")
def world() -> Iterator[KernelWorld]:
    with raised(KernelWorld(prefix("hct-") + "q", qemu_kernel.boot, TUNNELS, LISTEN)) as one:
        yield one


@pytest.mark.parametrize(("tunnel", "inner"), cells(TUNNELS))
def test_the_picture_arrives_whole(world: KernelWorld, tunnel: Kernels, inner: int) -> None:
    expect_the_picture_whole(world, tunnel, inner)


def test_the_kernel_refuses_nothing_of_it(world: KernelWorld) -> None:
    expect_nothing_refused(world)

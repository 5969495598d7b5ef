"""A box without any right of its own forwards through the helper that a service manager starts, as the packages set it up."""

from __future__ import annotations

import contextlib
from pathlib import Path

from hearthlab.namespace import Namespace
from hearthlab.shell import run
from hearthlab.waiting import until
from mclab.box import tv
from mclab.groups import ALL, sources, wanted_sources
from mclab.rights import like_the_units
from mclab.traffic import doubled, missing
from mclab.world import MulticastWorld

def capabilities(pid: int) -> dict[str, int]:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return {key: int(value, 16) for key, _, value in (line.partition(":") for line in lines) if key.startswith("Cap")}


def helpers(space: Namespace) -> list[int]:
    found = []
    for pid in run(["ip", "netns", "pids", space.full_name]).split():
        with contextlib.suppress(OSError):  # it has ended meanwhile
            if Path(f"/proc/{pid}/comm").read_text(encoding="ascii").startswith("hearthcast-netd"):
                found.append(int(pid))
    return found


def test_unprivileged_box_forwards_through_the_socket_of_the_units(world: MulticastWorld) -> None:
    for group in ALL:
        world.stream(group, sources(group)[0])
    box = world.box(tv(), wrapper=like_the_units(world.binary("hearthcast-netd")))
    pid = box.program.supervisor.pid
    assert all(capabilities(pid)[kind] == 0 for kind in ("CapPrm", "CapEff", "CapInh", "CapAmb"))
    helper, = until(lambda: helpers(world["box"]), "the helper")
    assert capabilities(helper)["CapPrm"] == 0x3000, "CAP_NET_ADMIN and CAP_NET_RAW"
    assert box.show()["trouble"] == []
    listeners = [world.listener("tv1", group, *wanted_sources(group)) for group in ALL]
    for listener in listeners:
        datagrams = listener.wait_for(30)
        assert (missing(datagrams), doubled(datagrams)) == (0, 0), listener.group
    box.stop()
    until(lambda: not helpers(world["box"]), "the helper gone with its box")
    assert "239." not in world["box"].run("ip", "mroute", "show", "table", "all")


def test_without_the_helper_the_box_says_what_it_needs(world: MulticastWorld) -> None:
    box = world.box(tv(), serving=False, wrapper=("env",))
    troubles = until(lambda: " ".join(box.show()["trouble"]) + box.interface("lan0").get("why", ""), "the trouble told")
    assert "hearthcast-netd" in troubles

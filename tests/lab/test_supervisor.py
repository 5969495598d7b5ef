"""A killed program comes back, and a stopped one does not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hearthlab.supervisor import Supervisor
from hearthlab.topology import Topology


def test_killed_program_is_started_again(topology: Topology, tmp_path: Path) -> None:
    supervisor = Supervisor(topology["box"], ["sleep", "600"], tmp_path / "log")
    supervisor.start()
    first = supervisor.pid
    supervisor.kill()
    supervisor.wait_for_starts(2)
    second = supervisor.pid
    assert second != first
    supervisor.stop()
    assert supervisor.starts == 2
    with pytest.raises(ProcessLookupError):
        os.kill(second, 0)


def test_lab_comes_up_over_its_own_remains(topology: Topology) -> None:
    """What a crash leaves behind, namespaces with programs in them, is replaced by the next `up`."""
    crashed = Topology("hcx-")
    crashed.up()
    left = crashed["box"].popen(["sleep", "600"])
    again = Topology("hcx-")
    again.up()
    assert left.wait(10) != 0
    assert again.is_up()
    again.down()
    again.down()
    assert not again.is_up()

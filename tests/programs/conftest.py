"""The three programs as a user has them: built for release, unprivileged, each with a folder of its own."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "lab"))
sys.path.insert(0, str(Path(__file__).parent))

from command import FINE, Command  # noqa: E402
from hearthlab.program import USER, binaries  # noqa: E402
from hearthlab.waiting import until  # noqa: E402

PROGRAMS = ("box", "away", "rendezvous")


@pytest.fixture(scope="session")
def built() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="hearthcast-programs-") as folder:
        os.chmod(folder, 0o755)
        yield binaries(ROOT, Path(folder))


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the program's user may write in, wherever pytest keeps its own."""
    path = Path(tempfile.mkdtemp(prefix="hearthcast-state-"))
    path.chmod(0o755)
    if os.geteuid() == 0:
        shutil.chown(path, USER)
    yield path
    shutil.rmtree(path)


@pytest.fixture(params=PROGRAMS)
def program(request: pytest.FixtureRequest, built: Path, folder: Path) -> Iterator[Command]:
    command = Command(built, request.param, folder)
    yield command
    command.kill_all()


@pytest.fixture
def box(built: Path, folder: Path) -> Iterator[Command]:
    command = Command(built, "box", folder)
    yield command
    command.kill_all()


@pytest.fixture
def away(built: Path, folder: Path) -> Iterator[Command]:
    command = Command(built, "away", folder)
    yield command
    command.kill_all()


@pytest.fixture
def rendezvous(built: Path, folder: Path) -> Iterator[Command]:
    command = Command(built, "rendezvous", folder)
    yield command
    command.kill_all()


@pytest.fixture
def connected_box(rendezvous: Command) -> Iterator[Command]:
    """A box that is known at the rendezvous; both run."""
    serving = rendezvous.started()
    command = rendezvous.beside("box")
    command.write(command.sane() | {"rendezvous.url": f"wss://127.0.0.1:{rendezvous.port}/v1",
                                    "rendezvous.pin": rendezvous.ask("pin").out.strip()})
    running = command.started()
    until(lambda: rendezvous.status()["boxes"] == 1, "the box to be there")
    yield command
    assert running.end() == FINE
    assert serving.end() == FINE

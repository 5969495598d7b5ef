"""A box that moves to another machine: exported, restored elsewhere, and found by its devices without pairing again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hearthlab.channels import ONE, TWO
from hearthlab.program import Program, Refused
from hearthlab.waiting import until
from hearthlab.world import Away, World

PASSPHRASE = "correct horse battery\n"
LIMIT = 90


def exported(world: World, name: str = "box.hearthcast") -> Path:
    file = world.folder / name
    world.box.call("export", str(file), stdin=PASSPHRASE)
    return file


def identity(box: Program) -> str:
    line = next(line for line in box.log().splitlines() if " info started " in line)
    return line.rsplit("box=", 1)[1].strip()


@pytest.fixture(scope="module")
def device(world: World) -> int:
    number = world.pair(world.new_away("away"))
    world.approve(number, granted=(ONE,))
    world.aways["away"].playing(ONE).close()
    return number


def test_the_file_shows_nothing_and_is_the_owners_alone(world: World, device: int) -> None:
    file = exported(world, "first.hearthcast")
    assert file.stat().st_mode & 0o777 == 0o600
    octets = file.read_bytes()
    assert octets.startswith(b"HEARTHCAST SEALED 1\n")
    for secret in (b"PRIVATE KEY", b"SQLite format", ONE.name.encode()):
        assert secret not in octets
    with pytest.raises(Refused, match="--force"):
        world.box.call("export", str(file), stdin=PASSPHRASE)
    with pytest.raises(Refused, match="at least 10 characters"):
        world.box.call("export", str(world.folder / "short"), stdin="short\n")
    assert not (world.folder / "short").exists()


def test_a_restored_box_is_the_same_to_its_devices(world: World, device: int) -> None:
    laptop = world.aways["away"]
    file = exported(world)
    with pytest.raises(Refused, match="stop it first"):
        world.box.call("restore", str(file), "--force", stdin=PASSPHRASE)
    world.box.stop()

    moved = world.new_box("moved")
    with pytest.raises(Refused, match="passphrase is another one"):
        moved.call("restore", str(file), stdin="correct horse batterie\n")
    assert not list(moved.state.iterdir())
    said = moved.call("restore", str(file), stdin=PASSPHRASE)
    assert "with 1 devices" in said
    with pytest.raises(Refused, match="holds a box already"):
        moved.call("restore", str(file), stdin=PASSPHRASE)
    moved.start()
    world.wait_for_rendezvous(moved, LIMIT)
    assert identity(moved) == identity(world.box)
    listed: list[dict[str, Any]] = moved.ask("devices")["devices"]
    assert [(entry["id"], entry["state"]) for entry in listed] == [(device, "approved")]
    laptop.playing(ONE, timeout=LIMIT).close()
    assert TWO.name not in laptop.playlist(), "grants came along"

    moved.stop()
    world.box.start()
    world.wait_for_rendezvous(world.box, LIMIT)


def test_two_boxes_of_one_identity_are_told_so(world: World, device: int) -> None:
    """The rendezvous lets the newer one in and says so to the other."""
    file = exported(world, "second.hearthcast")
    twin = world.new_box("twin", place="homepc")
    twin.call("restore", str(file), stdin=PASSPHRASE)
    twin.start()
    world.wait_for_rendezvous(twin, LIMIT)
    until(lambda: "replaced" in world.box.log() or "another" in world.box.ask("status")["rendezvous"]["text"],
          "the first box to hear of its twin", LIMIT)
    twin.stop()
    world.box.stop()
    world.box.start()
    world.wait_for_rendezvous(world.box, LIMIT)

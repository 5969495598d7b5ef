"""A full disk, the year 1970, settings that are wrong: each has its own box, for each leaves it in a bad way."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hearthlab import channels
from hearthlab.channels import ONE
from hearthlab.comparison import compare
from hearthlab.program import Program, Refused
from hearthlab.service import ROOT
from hearthlab.waiting import until
from hearthlab.world import Away, World


@pytest.fixture
def small_disk(world: World) -> Iterator[Program]:
    """A second box, at the PC's place, whose state lies on a disk of its own."""
    box = world.new_box("small-disk", "homepc")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m,mode=0777", "tmpfs", str(box.state)], check=True)
    box.start()
    until(lambda: box.ask("status"), "the box on the small disk")
    yield box
    box.stop()
    subprocess.run(["umount", "-l", str(box.state)], check=True)


def test_full_disk_streams_on_and_recovers(world: World, small_disk: Program) -> None:
    known, world.box = world.box, small_disk
    try:
        world.import_playlist(channels.playlist())
        laptop = world.new_away("full-disk", port=8892)
        world.approve(world.pair(laptop))
        player = laptop.playing(ONE)
        before = small_disk.ask("channels")["channels"]
        ballast = small_disk.state / "ballast"
        with open(ballast, "wb", buffering=0) as file:
            with pytest.raises(OSError):
                while True:
                    file.write(bytes(4096))
        lines = [f"#EXTINF:-1,Many {n}\nudp://@239.2.{n // 250}.{n % 250 + 1}:5000" for n in range(8000)]
        (world.folder / "many.m3u").write_text("\n".join(["#EXTM3U", *lines]), encoding="utf-8")
        with pytest.raises(Refused) as refusal:
            small_disk.call("import", str(world.folder / "many.m3u"))
        assert "full" in refusal.value.text.lower() or "space" in refusal.value.text.lower()
        assert small_disk.ask("channels")["channels"] != []
        assert [c["id"] for c in small_disk.ask("channels")["channels"]] == [c["id"] for c in before]
        player.wait_for_more(2_000_000)
        assert compare(world.service.film(ONE), player.data()).bytes_equal
        player.close()
        ballast.unlink()
        few = world.folder / "few.m3u"
        few.write_text("#EXTM3U\n#EXTINF:-1,After\nudp://@239.2.2.2:5000\n", encoding="utf-8")
        assert small_disk.ask("import", str(few))["added"] == 1
        assert small_disk.supervisor.starts == 1
    finally:
        world.box = known


def test_box_that_boots_in_1970(world: World) -> None:
    """No clock on board: everything works, since nothing depends on the time of day."""
    clock = world.folder / "clock_of_1970.so"
    source = ROOT / "tests" / "lab" / "clock_of_1970.c"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", str(clock), str(source)], check=True, timeout=60)
    box = world.new_box("in-1970", "homepc", wrapper=("env", f"LD_PRELOAD={clock}"))
    known, world.box = world.box, box
    try:
        box.start()
        until(lambda: box.ask("status"), "the box of 1970")
        assert "1970-01-01T" in box.log()
        world.wait_for_rendezvous(box)
        world.import_playlist(channels.playlist())
        laptop = world.new_away("meets-1970", port=8893)
        world.approve(world.pair(laptop))
        player = laptop.playing(ONE)
        player.wait_for_more(1_000_000)
        assert compare(world.service.film(ONE), player.data()).bytes_equal
        player.close()
    finally:
        world.box = known
        box.stop()


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("colour = 'red'\n", "colour"),
        ("[network]\ntunnel_port = 'many'\n", "tunnel_port"),
        ("[network]\ntunnel_port = 70000\n", "tunnel_port"),
        ("name = \n", "settings"),
    ],
)
@pytest.mark.parametrize("kind", ["box", "away"])
def test_wrong_settings_are_named(world: World, tmp_path: Path, kind: str, text: str, names: str) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text(text, encoding="utf-8")
    done = subprocess.run(
        world.topology["internet"].command(
            str(world.bin / f"hearthcast-{kind}"), "--config", str(settings), "--state-dir", str(tmp_path / "state"),
            "--control-socket", str(tmp_path / "socket"), "run",
        ),
        capture_output=True, text=True, timeout=60, check=False,
    )
    assert done.returncode == 2, done.stderr
    assert names in done.stderr


def test_rendezvous_that_swaps_its_key_is_refused(world: World) -> None:
    """A rendezvous with another certificate than the pinned one gets no hello; the box says so in words."""
    pin, world.pin = world.pin, "a" * len(world.pin)
    box = world.new_box("distrustful", "homepc")
    world.pin = pin
    box.start()
    try:
        state = until(
            lambda: (lambda found: found if found["state"] == "failed" else None)(box.ask("status")["rendezvous"]),
            "the box to refuse the rendezvous",
        )
        assert any(word in state["text"].lower() for word in ("key", "pin", "certificate")), state
    finally:
        box.stop()


def test_commands_without_a_running_program(world: World, away: Away) -> None:
    idle = world.new_box("idle", "homepc")
    with pytest.raises(Refused) as refusal:
        idle.call("status")
    assert refusal.value.status == 3
    assert "running" in refusal.value.text.lower()

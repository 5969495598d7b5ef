"""What a program finds on its disk is not always what it left there."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
from pathlib import Path

import pytest
from command import FAILED, FINE, STARTED, Command
from conftest import ROOT

IDENTITY = {"box": "identity.pem", "away": "identity.pem", "rendezvous": "rendezvous.key"}
DATABASE = {"box": "box.sqlite", "rendezvous": "rendezvous.db"}


def test_an_identity_that_is_damaged_is_not_replaced(program: Command) -> None:
    """A new one would be another box: every device would have to pair again."""
    assert program.started().end() == FINE
    identity = program.state / IDENTITY[program.name]
    whole = identity.read_bytes()
    for damaged in (b"", whole[: len(whole) // 2], b"-----BEGIN PRIVATE KEY-----\n", os.urandom(300)):
        identity.write_bytes(damaged)
        running = program.start()
        assert running.process.wait(60) == FAILED
        assert str(identity) in running.log()
        assert identity.read_bytes() == damaged
    identity.write_bytes(whole)
    assert program.started().end() == FINE


def test_a_folder_that_cannot_be_used_is_named(program: Command) -> None:
    program.state.write_text("a file where the folder should be")
    ended = program.ask("run")
    assert ended.code == FAILED
    assert str(program.state) in ended.err


@pytest.mark.parametrize("damage", ["garbage", "half", "empty", "header only"])
@pytest.mark.parametrize("name", sorted(DATABASE))
def test_a_damaged_database_is_moved_aside_and_said(built: Path, folder: Path, name: str, damage: str) -> None:
    program = Command(built, name, folder)
    assert program.started().end() == FINE
    database = program.state / DATABASE[name]
    whole = database.read_bytes()
    for beside in program.state.glob(f"{database.name}-*"):
        beside.unlink()
    database.write_bytes({"garbage": os.urandom(8192), "half": whole[: len(whole) // 2 | 1], "empty": b"",
                          "header only": whole[:100]}[damage])
    running = program.start()
    running.wait_for(STARTED[name])
    assert program.ask("status").code == FINE
    assert running.end() == FINE
    if damage in ("garbage", "header only"):
        assert re.search(r"database_(recovered|lost)", running.log()), running.log()


def test_a_database_of_a_later_version_is_not_touched(box: Command) -> None:
    assert box.started().end() == FINE
    database = box.state / "box.sqlite"
    with sqlite3.connect(database) as later:
        later.execute("PRAGMA user_version = 9999")
    shutil.chown(database, *_owner(box.state))
    running = box.start()
    assert running.process.wait(60) == FAILED
    assert "newer" in running.log() or "later" in running.log()
    with sqlite3.connect(database) as later:
        assert later.execute("PRAGMA user_version").fetchone() == (9999,)


@pytest.mark.parametrize("version", [1, 2, 3, 4])
def test_a_database_of_an_earlier_version_is_taken_along(box: Command, version: int) -> None:
    """Whatever step the file was left at: it becomes a present one, and what it holds stays."""
    source = (ROOT / "appliance" / "store" / "schema.cpp").read_text(encoding="utf-8")
    steps = dict(re.findall(r'\{(\d+), R"\((.*?)\)"\}', source, re.DOTALL))
    assert len(steps) >= 4
    assert box.started().end() == FINE
    database = box.state / "box.sqlite"
    for file in box.state.glob("box.sqlite*"):
        file.unlink()
    with sqlite3.connect(database) as earlier:
        for step in range(1, version + 1):
            earlier.executescript(steps[str(step)])
        earlier.execute(f"PRAGMA user_version = {version}")
        earlier.execute("INSERT INTO setting VALUES ('setup_code', 'ABCD-EFGH'), ('next_channel_id', '8')")
        if version >= 2:
            earlier.execute("INSERT INTO channel VALUES (7, 0, 'Seven', '', '239.1.1.7', 5000, 0)")
            earlier.execute("INSERT INTO channel_attribute VALUES (7, 'group-title', 'News')")
        if version >= 3:
            earlier.execute("INSERT INTO device VALUES (3, zeroblob(32), x'00', 'Old one', 'revoked', 0, 5)")
    shutil.chown(database, *_owner(box.state))
    running = box.started()
    assert box.ask("setup-code").out == "ABCD-EFGH\n"
    assert ("Seven" in box.ask("channels").out) == (version >= 2)
    assert ("Old one" in box.ask("devices").out) == (version >= 3)
    assert box.ask("import", "-", stdin="udp://@239.1.1.8:5000\n").code == FINE
    assert running.end() == FINE
    with sqlite3.connect(database) as present:
        assert present.execute("PRAGMA user_version").fetchone()[0] == len(steps)
        assert present.execute("SELECT id FROM channel WHERE multicast_group = '239.1.1.8'").fetchone() == (8,)
        assert present.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def _owner(path: Path) -> tuple[int, int]:
    facts = path.stat()
    return facts.st_uid, facts.st_gid


@pytest.mark.parametrize(
    ("name", "text"),
    [("memory.json", "{"), ("memory.json", '{"port":99999}'), ("channels.json", "\x00\x01"), ("channels.json", "[]")],
)
def test_a_client_without_its_memory_just_starts(away: Command, name: str, text: str) -> None:
    assert away.started().end() == FINE
    (away.state / name).write_text(text)
    running = away.started()
    if name == "memory.json":
        assert str(away.state / name) in running.log()
    assert running.end() == FINE


def test_a_client_that_cannot_read_its_box_says_so(away: Command) -> None:
    """It must not go on as if it had never been paired."""
    assert away.started().end() == FINE
    (away.state / "box.json").write_text('{"public_key":"AAAA","name":"Home"}')
    running = away.start()
    assert running.process.wait(60) == FAILED
    assert "box.json is damaged" in running.log()

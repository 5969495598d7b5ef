"""What a program finds on its disk is not always what it left there."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
from pathlib import Path

import pytest
from command import FAILED, FINE, STARTED, Command

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

"""What a program that was started as root still may, once it runs."""

from __future__ import annotations

import os
import pwd
import shutil

import pytest
from command import FINE, Command, STARTED, Running

KEPT = {"box": 0, "away": 0, "rendezvous": 1 << 10}  # CAP_NET_BIND_SERVICE of capabilities(7)


def started_as_root(program: Command, run_as: str) -> Running:
    program.write(program.sane() | {"run_as": run_as})
    program.state.mkdir(mode=0o700)
    program.folder.chmod(0o755)
    shutil.chown(program.folder, run_as or "root")  # where it makes its control socket
    running = Running([str(program.binary), "--config", str(program.settings)], program.folder / "log of root")
    try:
        running.wait_for(STARTED[program.name])
    except AssertionError:
        running.end()
        raise
    return running


def facts(running: Running) -> dict[str, str]:
    with open(f"/proc/{running.process.pid}/status", encoding="ascii") as status:
        return dict(line.rstrip("\n").split(":\t", 1) for line in status if ":\t" in line)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to give up")
def test_root_is_given_up_for_the_user_of_the_settings(program: Command) -> None:
    running = started_as_root(program, "daemon")
    try:
        seen = facts(running)
        assert seen["Uid"].split() == [str(pwd.getpwnam("daemon").pw_uid)] * 4
        assert seen["Gid"].split() == [str(pwd.getpwnam("daemon").pw_gid)] * 4
        assert int(seen["CapEff"], 16) == int(seen["CapPrm"], 16) == KEPT[program.name]
        assert seen["NoNewPrivs"] == "1"
        assert program.state.stat().st_uid == pwd.getpwnam("daemon").pw_uid
    finally:
        assert running.end() == FINE


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to keep")
def test_without_a_user_it_stays_what_it_is(program: Command) -> None:
    running = started_as_root(program, "")
    try:
        assert facts(running)["Uid"].split() == ["0"] * 4
    finally:
        assert running.end() == FINE


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to give up")
def test_a_user_who_is_not_there_is_named(program: Command) -> None:
    program.write(program.sane() | {"run_as": "no-such-user-here"})
    running = Running([str(program.binary), "--config", str(program.settings)], program.folder / "log of root")
    assert running.process.wait(60) == 1
    assert "there is no user no-such-user-here" in running.log()

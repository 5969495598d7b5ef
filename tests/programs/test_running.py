"""A program's life: start, log, control socket, orderly end, and a second one beside it."""

from __future__ import annotations

import json
import re
import signal
import socket
import stat

import pytest
from command import FAILED, FINE, NOT_RUNNING, REFUSED, STARTED, Command, Running
from hearthlab import control
from hearthlab.program import READING
from hearthlab.waiting import until

LINE = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (debug|info|warning|error) [a-z0-9_]+"
    r"( [a-z0-9_]+=([^\s\"=\\]+|\"([^\"\\]|\\.)*\"))*"
)


def test_starts_answers_and_ends_orderly(program: Command) -> None:
    running = program.started()
    assert stat.S_IMODE(program.socket.stat().st_mode) == 0o660
    assert stat.S_IMODE(program.state.stat().st_mode) == 0o700
    said = program.ask("status")
    assert said.code == FINE
    assert said.out.strip()
    assert isinstance(json.loads(program.ask("status", "--json").out), dict)
    assert running.end() == FINE
    assert not program.socket.exists()
    assert program.ask("status").code == NOT_RUNNING


def test_what_only_reads_prints_what_the_control_socket_answers(program: Command) -> None:
    """Other tests ask there, so as not to start a program for each question."""
    running = program.started()
    for command, path in READING[program.binary.name].items():
        said, answered = json.loads(program.ask(command, "--json").out), control.ask(program.socket, "GET", path)
        assert said | {"uptime_s": 0} == answered | {"uptime_s": 0}, command
    assert running.end() == FINE


def test_who_may_not_use_the_socket_is_told_how(program: Command) -> None:
    """The packaged programs run as users of the moment: nobody else but root may speak to them."""
    running = program.started()
    program.socket.chmod(0)
    said = program.ask("status")
    assert said.code == NOT_RUNNING
    assert "sudo" in said.err
    assert running.end() == FINE


def test_every_line_of_the_log_is_an_event(program: Command) -> None:
    program.write(program.sane() | {"log.level": "debug"})
    running = program.started("run")
    program.ask("status")
    assert running.end(signal.SIGINT) == FINE
    lines = running.log().splitlines()
    assert any(f" info {STARTED[program.name]} " in line for line in lines)
    assert lines[-1].endswith(" info stopping reason=SIGINT"), lines[-1]
    for line in lines:
        assert LINE.fullmatch(line), line
    assert running.out.read_text() == "", "standard output is for answers"


def test_errors_only_is_quiet(program: Command) -> None:
    program.write(program.sane() | {"log.level": "error"})
    running = program.start()
    until(lambda: program.ask("status").code == FINE, "an answer")
    assert running.end() == FINE
    assert running.log() == ""


def test_a_second_one_is_told_that_there_is_one(program: Command) -> None:
    first = program.started()
    # With another port, so that the control socket is what they meet at.
    other = Command(program.binary.parent, program.name, program.folder)
    other.write(other.sane() | {"state_dir": str(program.folder / "other")})
    other.state = program.folder / "other"
    second = other.start()
    assert second.process.wait(60) == FAILED
    assert "another instance" in second.log()
    assert program.ask("status").code == FINE, "the first one is as it was"
    assert first.end() == FINE


def test_two_boxes_do_not_share_a_folder(box: Command) -> None:
    first = box.started()
    export = box.folder / "box.hearthcast"
    assert box.ask("export", str(export), stdin="a long passphrase\n").code == FINE
    other = Command(box.binary.parent, "box", box.folder)
    # Another control socket and other ports: nothing but the folder is the same.
    other.write(other.sane() | {"control_socket": str(box.folder / "other.sock")})
    second = other.start()
    assert second.process.wait(60) == FAILED
    assert f"another instance is running and uses {box.state}" in second.log()
    refused = other.ask("restore", str(export), "--force", stdin="a long passphrase\n")
    assert refused.code == REFUSED
    assert "stop it first" in refused.err
    assert first.process.poll() is None, "the first one is as it was"
    assert first.end() == FINE
    assert other.ask("restore", str(export), "--force", stdin="a long passphrase\n").code == FINE


def test_a_port_in_use_is_named(program: Command) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        key = {"box": "https.listen", "away": "http.listen", "rendezvous": "listen.wss"}[program.name]
        program.write(program.sane() | {key: f"127.0.0.1:{port}"})
        running = program.start()
        assert running.process.wait(60) == FAILED
        assert f"127.0.0.1:{port}" in running.log()
        assert "another program uses this port" in running.log()


def test_killed_and_started_again_it_is_who_it_was(program: Command) -> None:
    def identity(running: Running) -> str:
        if program.name == "away":
            return str(json.loads(program.ask("status", "--json").out)["device"]["id"])
        found = re.search(r" (?:box|pin)=([0-9a-f]{64})", running.wait_for(STARTED[program.name]))
        assert found
        return found.group(1)

    running = program.started()
    first = identity(running)
    assert running.end(signal.SIGKILL) == -signal.SIGKILL
    assert program.socket.exists(), "what a dead program leaves behind"
    again = program.started()
    assert identity(again) == first
    assert again.end() == FINE


def test_the_client_keeps_its_port(away: Command) -> None:
    ports = []
    for _ in range(2):
        running = away.started()
        found = re.search(r" port=(\d+)", running.wait_for("started"))
        assert found
        ports.append(found.group(1))
        assert running.end() == FINE
    assert ports[0] == ports[1]


def test_the_boxs_first_day_on_its_command_line(box: Command) -> None:
    running = box.started()
    assert "setup-code" in box.ask("status").out
    assert re.fullmatch(r"[0-9A-Z]{4}-[0-9A-Z]{4}\n", box.ask("setup-code").out)
    assert box.ask("password", stdin="short\n").code == REFUSED
    assert box.ask("password", stdin="correct horse battery\n").code == FINE
    assert "setup-code" not in box.ask("status").out
    refused = box.ask("setup-code")
    assert refused.code == REFUSED
    assert "set up already" in refused.err
    playlist = "#EXTM3U\n#EXTINF:-1,One\nudp://@239.1.1.1:5000\nhttp://no.channel/\n"
    imported = box.ask("import", "-", stdin=playlist)
    assert imported.code == FINE
    assert imported.out.startswith("line 4: ")
    assert imported.out.endswith("1 added, 0 updated, 0 unchanged, 1 failed\n")
    assert box.ask("import", "-", stdin="").code == REFUSED
    assert "One" in box.ask("channels").out
    paired = box.ask("pair")
    assert "hearthcast://pair#" in paired.out
    assert "hearthcast://pair#" in box.ask("pairings").out
    assert "let nobody in" in box.ask("close-pairings").out
    assert "not waiting" in box.ask("pairings").out
    assert box.ask("close-pairings").out == "None is open.\n"
    assert box.ask("viewers").out == "Nobody watches.\n"
    for arguments in (["approve", "1"], ["grant", "1", "all"], ["revoke", "1"], ["rename", "1", "Desk"], ["forget", "1"]):
        refused = box.ask(*arguments)
        assert refused.code == REFUSED
        assert "no such device" in refused.err
    assert running.end() == FINE
    again = box.started()
    assert "One" in box.ask("channels").out
    assert box.ask("rename-channel", "1", "Two").code == FINE
    assert "Two" in box.ask("channels").out
    assert box.ask("remove-channel", "1").code == FINE
    assert "no channels yet" in box.ask("channels").out
    assert "no such channel" in box.ask("remove-channel", "1").err
    assert "not waiting" in box.ask("pairings").out, "a pairing does not outlive the program"
    assert again.end() == FINE


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["pair", "hearthcast://pair#AAAA"], "neither a pairing link"),
        (["pair", "http://pair"], "neither a pairing link"),
        (["pair", "--code", "7K2M0-12345"], "neither a pairing link"),
        (["pair", "--code", "7K2M0-12345-6789A-BCDEF"], "--rendezvous"),
        (["pair", "--code", "7K2M0-12345-6789A-BCDEF", "--rendezvous", "http://r"], "wss://"),
        (["pair", "--code", "7K2M0-12345-6789A-BCDEF", "--rendezvous", "wss://r/v1", "--pin", "12"], "64 hexadecimal"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_a_wrong_invitation_is_refused_in_words(away: Command, arguments: list[str], words: str) -> None:
    running = away.started()
    said = away.ask(*arguments)
    assert said.code == REFUSED
    assert words in said.err
    assert running.end() == FINE


def test_an_unpaired_client_says_what_to_do(away: Command) -> None:
    running = away.started()
    assert "hearthcast-away pair LINK" in away.ask("status").out
    assert "No channels yet" in away.ask("channels").out
    assert running.end() == FINE


def test_the_rendezvous_prints_the_pin_that_it_logs(rendezvous: Command) -> None:
    running = rendezvous.started()
    pin = rendezvous.ask("pin").out.strip()
    assert re.fullmatch(r"[0-9a-f]{64}", pin)
    assert f"pin={pin}" in running.log()
    assert f"Key pin:        {pin}" in rendezvous.ask("status").out
    assert running.end() == FINE

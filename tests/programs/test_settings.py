"""Settings files: the documented one is taken, and everything else is named with its file, line, key and form."""

from __future__ import annotations

import os
import re

import pytest
from command import FINE, NOT_RUNNING, WRONG_USAGE, Command


def sample(program: Command) -> str:
    said = program.run("sample-settings")
    assert said.code == FINE
    return said.out


def keys(text: str) -> list[tuple[int, str, str]]:
    """(line number, full key, value) of each setting."""
    table, found = "", []
    for number, line in enumerate(text.splitlines(), 1):
        if heading := re.fullmatch(r"\[([\w.]+)\]", line):
            table = heading.group(1) + "."
        elif setting := re.fullmatch(r"(\w+) = (.*)", line):
            found.append((number, table + setting.group(1), setting.group(2)))
    return found


def refused(program: Command, text: str) -> str:
    program.settings.write_text(text)
    said = program.ask("status")
    assert said.code == WRONG_USAGE, said.err
    assert said.out == ""
    return said.err


def test_the_sample_is_taken_and_says_what_each_key_is(program: Command) -> None:
    text = sample(program)
    program.settings.write_text(text)
    said = program.run("--config", str(program.settings), "--control-socket", str(program.socket), "status")
    assert said.code == NOT_RUNNING, said.err
    lines = text.splitlines()
    assert len(keys(text)) >= 6
    for number, key, _ in keys(text):
        assert lines[number - 2].startswith("# "), f"{key} is not explained"
        assert len(lines[number - 2]) > 12, key


def test_each_key_of_the_wrong_kind_is_named_with_its_line(program: Command) -> None:
    text = sample(program)
    lines = text.splitlines()
    for number, key, value in keys(text):
        wrong = [*lines]
        wrong[number - 1] = f"{key.rsplit('.', 1)[-1]} = [{value}]"
        told = refused(program, "\n".join(wrong) + "\n")
        assert f"{program.settings}:{number}: {key} = " in told
        assert "it takes " in told


def test_a_misspelt_key_is_named_together_with_those_there_are(program: Command) -> None:
    text = sample(program)
    for number, key, _ in keys(text):
        lines = text.splitlines()
        lines[number - 1] = "x" + lines[number - 1]
        told = refused(program, "\n".join(lines) + "\n")
        name = key.rsplit(".", 1)
        assert f"{program.settings}:{number}: unknown key {'.'.join([*name[:-1], 'x' + name[-1]])}" in told
        assert key in told


@pytest.mark.parametrize(
    "text",
    ["state_dir", "state_dir = ", "= 1", "[", "[[x]]\n", "a = 1\na = 2\n", "state_dir = \"unterminated\n", "\x00", "a.b = 1\n[a]\n",
     "name = 'x' trailing", "\ufeffname"],
    ids=repr,
)
def test_what_is_no_toml_is_told_with_its_line(program: Command, text: str) -> None:
    told = refused(program, text)
    assert str(program.settings) in told


def test_a_file_that_was_asked_for_has_to_be_there(program: Command) -> None:
    for path in (program.folder / "absent.toml", program.folder):
        said = program.run("--config", str(path), "status")
        assert said.code == WRONG_USAGE
        assert str(path) in said.err
        assert "--config" in said.err


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a file that another user may not read")
def test_a_file_that_may_not_be_read_is_told(program: Command) -> None:
    program.settings.chmod(0o600)
    said = program.ask("status")
    assert said.code == WRONG_USAGE
    assert str(program.settings) in said.err


def test_options_go_before_settings(program: Command) -> None:
    program.write(program.sane() | {"control_socket": "/nonexistent/elsewhere.sock"})
    said = program.ask("--control-socket", str(program.socket), "status")
    assert said.code == NOT_RUNNING
    assert str(program.socket) in said.err
    assert "elsewhere" not in said.err
    assert "elsewhere" in program.ask("status").err


@pytest.mark.parametrize(
    "settings",
    [{"rendezvous.url": "https://r.example/v1"}, {"rendezvous.url": "wss://"},
     {"rendezvous.url": "wss://r.example/v1", "rendezvous.pin": "abc"},
     {"rendezvous.url": "wss://r.example/v1", "rendezvous.pin": ""}],
    ids=str,
)
def test_a_box_with_a_meaningless_rendezvous_does_not_start(box: Command, settings: dict[str, str]) -> None:
    box.write(box.sane() | settings)
    running = box.start()
    assert running.process.wait(60) == WRONG_USAGE
    assert "rendezvous.pin" in running.log()


def test_a_box_needs_a_name_that_devices_take(box: Command) -> None:
    for name in ("", "x" * 65, "a\nb"):
        box.write(box.sane() | {"name": name})
        assert "1 to 64 characters" in refused(box, box.settings.read_text())

"""What each program says to somebody who has never seen it, and to somebody who mistypes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from command import FINE, NOT_RUNNING, WRONG_USAGE, Command

ROOT = Path(__file__).resolve().parents[2]

SUBCOMMANDS = {
    "box": ("run", "sample-settings", "status", "setup-code", "password", "channels", "rename-channel", "remove-channel", "import", "pair",
            "pairings", "close-pairings", "devices", "approve", "grant", "rename", "revoke", "forget", "home-hosts", "lan-link", "viewers", "peers", "multicast", "reload", "export", "restore"),
    "away": ("run", "sample-settings", "status", "channels", "pair", "reach", "rendezvous"),
    "rendezvous": ("run", "sample-settings", "status", "pin", "box", "owner", "token", "drain", "resume", "backup", "restore"),
}
# What stands below the operator's subcommands, each with arguments that it takes.
OPERATORS = [["box", "list"], ["box", "name", "abcdef", "Attic"], ["box", "move", "Attic", "Household"], ["box", "close", "Attic", "why"],
             ["box", "open", "Attic"], ["box", "forget", "Attic"], ["owner", "list"], ["owner", "add", "Household"],
             ["owner", "remove", "Household"], ["token", "list"], ["token", "add", "--uses", "1", "--days", "7"], ["token", "revoke", "1"],
             ["drain"], ["drain", "--over", "0", "--retry", "0", "--no-wait"], ["resume"]]


def version() -> str:
    found = re.search(r"project\(\s*hearthcast\s+VERSION\s+([\d.]+)", (ROOT / "CMakeLists.txt").read_text(), re.IGNORECASE)
    assert found
    return found.group(1)


def test_help_names_every_subcommand_and_option(program: Command) -> None:
    said = program.run("--help")
    assert said.code == FINE
    assert said.err == ""
    for word in (*SUBCOMMANDS[program.name], "--config", "--state-dir", "--control-socket", "--version", "--help"):
        assert word in said.out, word
    listed = re.findall(r"^  ([a-z-]+)  ", said.out.split("Subcommands:")[1], re.MULTILINE)
    assert sorted(listed) == sorted(SUBCOMMANDS[program.name]), "a subcommand that no test knows"


def test_each_subcommand_explains_itself(program: Command) -> None:
    for subcommand in SUBCOMMANDS[program.name]:
        said = program.run(subcommand, "--help")
        assert said.code == FINE, subcommand
        assert len(said.out.splitlines()[0]) > 10, subcommand


def test_version_is_that_of_the_project(program: Command) -> None:
    said = program.run("--version")
    assert (said.code, said.out, said.err) == (FINE, f"hearthcast-{program.name} {version()}\n", "")


@pytest.mark.parametrize(
    "arguments",
    [["--no-such-option"], ["no-such-command"], ["status", "channels"], ["status", "--no-such-option"],
     ["--config"], ["--state-dir"], ["status", "surplus"], ["sample-settings", "--json"], ["-x"], [""]],
    ids=" ".join,
)
def test_wrong_usage_is_two_and_says_how_to_ask(program: Command, arguments: list[str]) -> None:
    said = program.run(*arguments)
    assert said.code == WRONG_USAGE
    assert said.out == ""
    assert said.err.strip()


@pytest.mark.parametrize(
    "arguments",
    [["import"], ["approve"], ["approve", "one"], ["approve", "1.5"], ["grant"], ["grant", "1"], ["grant", "x", "all"], ["home-hosts"], ["home-hosts", "1"],
     ["revoke"], ["revoke", "1", "2"], ["forget"], ["rename", "1"], ["rename-channel", "one", "Two"], ["remove-channel", "0"], ["grant", "1", "1,,2"], ["approve", "1", "--channels", "some"],
     ["import", "/nonexistent/list.m3u"], ["export"], ["restore"], ["restore", "/nonexistent/box"], ["restore", "a", "b"], ["approve", "99999999999999999999"], ["revoke", "0"], ["revoke", "-1"]],
    ids=" ".join,
)
def test_wrong_arguments_of_the_boxs_subcommands(box: Command, arguments: list[str]) -> None:
    said = box.ask(*arguments)
    assert said.code == WRONG_USAGE, said.err
    assert said.out == ""
    assert said.err.strip()


@pytest.mark.parametrize(
    "arguments", [["pair"], ["pair", "hearthcast://pair#x", "--code", "7K2M"], ["pair", "a", "b"], ["rendezvous"],
                  ["reach", "home", "--forget"]], ids=" ".join
)
def test_wrong_arguments_of_the_clients_subcommands(away: Command, arguments: list[str]) -> None:
    said = away.ask(*arguments)
    assert said.code == WRONG_USAGE
    assert said.err.strip()


@pytest.mark.parametrize(
    "arguments",
    [["box"], ["box", "paint"], ["box", "name", "Attic"], ["box", "close", "Attic"], ["owner", "add"], ["token", "revoke"],
     ["token", "revoke", "one"], ["token", "revoke", "-1"], ["token", "add", "--uses", "0"], ["token", "add", "--days", "9999"],
     ["drain", "--over", "3601"], ["drain", "--retry", "-1"], ["backup"], ["restore"], ["restore", "a", "b"]],
    ids=" ".join,
)
def test_wrong_arguments_of_the_operators_subcommands(rendezvous: Command, arguments: list[str]) -> None:
    said = rendezvous.ask(*arguments)
    assert said.code == WRONG_USAGE, said.err
    assert said.out == ""
    assert said.err.strip()


@pytest.mark.parametrize("arguments", OPERATORS, ids=" ".join)
def test_without_the_rendezvous_the_operators_subcommands_are_three(rendezvous: Command, arguments: list[str]) -> None:
    said = rendezvous.ask(*arguments)
    assert said.code == NOT_RUNNING, said.err
    assert str(rendezvous.socket) in said.err
    assert said.out == ""


@pytest.mark.parametrize("arguments", [line for line in OPERATORS if len(line) > 1 and line[0] != "drain"], ids=" ".join)
def test_the_operators_subcommands_explain_themselves(rendezvous: Command, arguments: list[str]) -> None:
    said = rendezvous.run(*arguments[:2], "--help")
    assert said.code == FINE
    assert len(said.out.splitlines()[0]) > 10


def test_a_password_has_to_be_given(box: Command) -> None:
    said = box.ask("password", stdin="")
    assert said.code == WRONG_USAGE
    assert "standard input" in said.err


def test_without_the_program_each_subcommand_is_three(program: Command) -> None:
    extra = {"import": [str(program.settings)], "approve": ["1"], "grant": ["1", "all"], "revoke": ["1"],
             "forget": ["1"], "rename": ["1", "Desk"], "rename-channel": ["1", "Two"], "remove-channel": ["1"], "home-hosts": ["1", "none"], "lan-link": ["1"], "backup": [str(program.folder / "copy")], "export": [str(program.folder / "box")]}
    if program.name == "away":
        extra |= {"pair": ["hearthcast://pair#AQ"], "rendezvous": ["wss://rendezvous.example/v1"]}
    for subcommand in SUBCOMMANDS[program.name]:
        if subcommand in ("run", "sample-settings", "box", "owner", "token", "restore"):
            continue  # they need no program, or are more than one
        said = program.ask(subcommand, *extra.get(subcommand, []), stdin="a long password\n")
        assert said.code == NOT_RUNNING, f"{subcommand}: {said.err}"
        assert str(program.socket) in said.err, subcommand
        assert said.out == ""

"""All three programs at one machine: pairing through the rendezvous, and what each says when another is missing."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from command import FINE, REFUSED, Command
from hearthlab.waiting import until


@pytest.fixture
def laptop(rendezvous: Command) -> Iterator[Command]:
    """An away client that runs, paired with nobody."""
    command = rendezvous.beside("away")
    command.write(command.sane() | {"name": "Käthes Laptop"})
    running = command.started()
    yield command
    assert running.end() == FINE


def window(box: Command) -> tuple[str, str]:
    found = re.search(r"^Link  (\S+)\nCode  (\S+)$", box.ask("pair").out, re.MULTILINE)
    assert found
    return found.group(1), found.group(2)


def invitation(box: Command, rendezvous: Command, way: str) -> list[str]:
    link, code = window(box)
    if way == "link":
        return [link]
    return ["--code", code, "--rendezvous", f"wss://127.0.0.1:{rendezvous.port}/v1", "--pin", rendezvous.ask("pin").out.strip()]


@pytest.mark.parametrize("way", ["link", "code"])
def test_a_device_is_paired(rendezvous: Command, connected_box: Command, laptop: Command, way: str) -> None:
    arguments = invitation(connected_box, rendezvous, way)
    paired = laptop.ask("pair", *arguments)
    assert paired.code == FINE, paired.err
    sign = re.search(r"the same sign: ([0-9A-Z]{4})\n", paired.out)
    assert sign
    assert re.search(rf"1 +Käthes Laptop +{sign.group(1)} +pending", connected_box.ask("devices").out)
    assert laptop.status()["box"]["name"] == "Home"
    until(lambda: rendezvous.status()["devices"] == 1, "the client to be at the rendezvous too")
    assert connected_box.ask("approve", "1").code == FINE
    assert "approved" in connected_box.ask("devices").out
    # The window is used up, and says so to the next one.
    again = laptop.ask("pair", *arguments)
    assert again.code != FINE
    assert again.err.strip()


def test_a_wrong_code_costs_a_try_and_is_told(rendezvous: Command, connected_box: Command, laptop: Command) -> None:
    arguments = invitation(connected_box, rendezvous, "code")
    good = arguments[1]
    arguments[1] = good[:-1] + ("0" if good[-1] != "0" else "1")
    said = laptop.ask("pair", *arguments)
    assert said.code == REFUSED
    assert "4 tries" in connected_box.ask("pairings").out
    assert laptop.status()["state"] == "unpaired"
    arguments[1] = good.lower().replace("-", " ")
    assert laptop.ask("pair", *arguments).code == FINE, "as people type it"


def test_an_unknown_code_is_told(rendezvous: Command, connected_box: Command, laptop: Command) -> None:
    arguments = invitation(connected_box, rendezvous, "code")
    assert connected_box.ask("status").code == FINE
    arguments[1] = ("0000" if not arguments[1].startswith("0000") else "1111") + arguments[1][4:]
    said = laptop.ask("pair", *arguments)
    assert said.code != FINE
    assert "no box waits" in said.err

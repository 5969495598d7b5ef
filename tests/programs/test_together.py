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
    assert re.search(r"1 +Desk ", connected_box.ask("rename", "1", "Desk").out)
    # The window is used up, and says so to the next one.
    again = laptop.ask("pair", *arguments)
    assert again.code != FINE
    assert again.err.strip()
    assert "forgotten" in connected_box.ask("forget", "1").out
    assert "No device is paired" in connected_box.ask("devices").out


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


def test_a_rendezvous_with_another_key_is_not_spoken_to(rendezvous: Command) -> None:
    serving = rendezvous.started()
    box = rendezvous.beside("box")
    box.write(box.sane() | {"rendezvous.url": f"wss://127.0.0.1:{rendezvous.port}/v1", "rendezvous.pin": "0" * 64})
    running = box.started()
    said = until(lambda: re.search("^rendezvous +Not connected: .*another key.*$", box.ask("status").out, re.MULTILINE), "the reason")
    assert said
    assert rendezvous.status()["boxes"] == 0
    assert rendezvous.status()["counters"]["hellos"] == 0
    assert running.end() == FINE
    assert serving.end() == FINE


def test_a_rendezvous_that_comes_back_is_found(rendezvous: Command, connected_box: Command, laptop: Command) -> None:
    assert laptop.ask("pair", *invitation(connected_box, rendezvous, "link")).code == FINE
    until(lambda: rendezvous.status()["devices"] == 1, "the client to be there")
    first = rendezvous.running()
    assert first.end() == FINE
    until(lambda: re.search(r"Not connected: .*\. The box tries again", connected_box.ask("status").out), "the box to notice")
    again = rendezvous.started()
    until(lambda: (rendezvous.status()["boxes"], rendezvous.status()["devices"]) == (1, 1), "both to be back")
    assert rendezvous.status()["known_boxes"] == 1, "the list of devices outlived it"
    assert "Connected." in connected_box.ask("status").out
    assert again.end() == FINE

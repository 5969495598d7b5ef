"""A box and a device whose rendezvous has turned against them: it gains no session, and the owner is told in words.

Three networks: the box's, the device's, and the rendezvous' between them, which routes. The only way for the two to
find each other is the rendezvous, so each session there is came of what it said.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from command import FINE, Command, Running, free_port
from hearthlab.namespace import Spaces, prefix
from hearthlab.waiting import until as until_in_time
from hostile import Message, Rendezvous
from protocol import Identity, b64, unb64

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can make networks")

BOX, AWAY, BETWEEN = "192.168.71.1", "192.168.72.1", "203.0.113.1"
VICTIM = "198.51.100.66"


def until(condition: Callable[[], Any], what: str, timeout: float = 180) -> Any:
    """With the patience that several programs need on a machine that is busy with other things."""
    return until_in_time(condition, what, timeout)


class Placed(Command):
    """A program in one of the networks."""

    def __init__(self, space: Any, binaries: Path, name: str, folder: Path) -> None:
        self._space = space
        super().__init__(binaries, name, folder)

    def lowered(self, *arguments: str) -> list[str]:
        return list(self._space.command(*super().lowered(*arguments)))


class Household:
    def __init__(self, built: Path, folder: Path) -> None:
        self.spaces = Spaces(prefix() + "lie-", ("home", "out", "mid"))
        self.spaces.down()
        for name in ("home", "out", "mid"):
            self.spaces[name].create({"ipv4/ip_forward": 1} if name == "mid" else {})
        mid = self.spaces["mid"]
        mid.ip(f"address add {BETWEEN}/32 dev lo", f"address add {VICTIM}/32 dev lo")
        for name, own, router in (("home", BOX, "192.168.71.254"), ("out", AWAY, "192.168.72.254")):
            mid.ip(f"link add {name} type veth peer name eth0 netns {self.spaces[name].full_name}",
                   f"address add {router}/24 dev {name}", f"link set {name} up")
            self.spaces[name].ip(f"address add {own}/24 dev eth0", "link set eth0 up", f"route add default via {router}")
        with mid.entered():
            listening = socket.create_server((BETWEEN, 0))
            presence = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            presence.bind((BETWEEN, 0))
            self.victim = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.victim.bind((VICTIM, 0))
        self.server = Rendezvous(listening, presence, folder)
        self.url = f"wss://{BETWEEN}:{self.server.port}/v1"
        self.box = self._command("home", built, "box", folder)
        # Nobody outside reaches its pages: the rendezvous is the only way to pair, too.
        self.box.write(self.box.sane() | {"network.upstream_interface": "eth0", "https.listen": f"127.0.0.1:{free_port()}",
                                          "rendezvous.url": self.url, "rendezvous.pin": self.server.pin})
        self.away = self._command("out", built, "away", folder)
        self.running: dict[str, Running] = {}

    def _command(self, place: str, built: Path, name: str, folder: Path) -> Placed:
        own = folder / name
        own.mkdir()
        own.chmod(0o755)
        os.chown(own, 65534, 65534)
        return Placed(self.spaces[place], built, name, own)

    def pair(self) -> None:
        """While the rendezvous is still honest."""
        self.running["box"] = self.box.started()
        until(lambda: self.server.is_here("box"), "the box at the rendezvous")
        self.running["away"] = self.away.started()
        link = re.search(r"^Link  (\S+)$", self.box.ask("pair").out, re.MULTILINE)
        assert link
        # The box says its window to the rendezvous in the same breath as it prints the link.
        until(lambda: any(message["type"] == "pairing" for _, message in self.server.heard), "the window")
        said = self.away.ask("pair", link.group(1))
        assert said.code == FINE, said.err
        assert self.box.ask("approve", "1").code == FINE
        # It leaves when it has paired, and comes back as itself.
        self.device = until(lambda: next(guest.id for guest in self.server.guests if guest.role == "device"), "the device")

    def forget_paths(self) -> None:
        """The device starts anew, knows no address of its box, and is where its box does not look: it has to ask."""
        assert self.running["away"].end() == FINE
        memory = self.away.state / "memory.json"
        if memory.exists():
            known = json.loads(memory.read_text())
            memory.write_text(json.dumps(known | {"endpoints": [], "candidates": [], "told": [], "port": free_port(socket.SOCK_DGRAM)}))
        self.server.heard.clear()
        self.server.refusals.clear()
        until(lambda: not self.server.is_here("device"), "the device to have left")
        self.running["away"] = self.away.started()

    def is_connected(self) -> bool:
        return bool(self.away.status()["state"] == "connected")

    def told_by_box(self) -> str:
        found = re.search(r"^rendezvous +(.*)$", self.box.ask("status").out, re.MULTILINE)
        assert found
        return found.group(1)

    def told_by_away(self) -> str:
        return str(self.away.status()["rendezvous"])

    def close(self) -> None:
        self.box.kill_all()
        self.away.kill_all()
        self.server.close()
        self.victim.close()
        self.spaces.down()


@pytest.fixture(scope="module")
def household(built: Path) -> Iterator[Household]:
    with tempfile.TemporaryDirectory(prefix="hearthcast-hostile-") as folder:
        os.chmod(folder, 0o755)
        home = Household(built, Path(folder))
        try:
            home.pair()
            yield home
        finally:
            home.close()


@pytest.fixture(autouse=True)
def both_are_well(household: Household) -> Iterator[None]:
    """After each lie the rendezvous is honest again, and then the two find each other: nothing was broken for good."""
    yield
    household.server.be_honest()
    for name in ("box", "away"):
        assert household.running[name].process.poll() is None, household.running[name].log()


def no_session_after(household: Household, asked: int = 2) -> None:
    """The device has asked so often, and came to nothing."""
    until(lambda: household.server.introductions() >= asked, "the device to ask")
    until(lambda: not household.is_connected(), "the look at its state")
    time.sleep(0.5)  # what the last answer could still have brought about
    assert not household.is_connected(), household.away.status()


def test_an_honest_one_brings_them_together(household: Household) -> None:
    """What the others are measured by: here a session comes about, by this way alone."""
    household.forget_paths()
    until(household.is_connected, "a session")
    assert household.server.introductions() >= 1
    assert "Connected" in household.told_by_box()


def test_one_that_withholds_is_told(household: Household) -> None:
    household.server.offer = lambda message: None
    household.forget_paths()
    no_session_after(household)
    until(lambda: "no answer" in household.told_by_away(), "the words")


def test_one_that_denies_the_box_is_told(household: Household) -> None:
    def deny(message: Message) -> None:
        household.server.device().say("error", id=household.server.heard[-1][1]["id"], code="not_present",
                                      text="the box is not connected to this rendezvous")

    household.server.offer = deny
    household.forget_paths()
    no_session_after(household)
    assert "not connected to this rendezvous" in household.told_by_away()


def test_a_swapped_key_is_refused_by_the_box(household: Household) -> None:
    """The rendezvous signs with a key of its own what a known device is said to have asked."""
    thief = Identity()

    def swap(message: Message) -> Message:
        payload = payload_of(message)
        return message | {"public_key": b64(thief.public),
                          "signature": b64(thief.sign(b"hearthcast introduction 1\0" + payload))}

    household.server.offer = swap
    before = len(household.server.answers)
    household.forget_paths()
    no_session_after(household)
    assert len(household.server.answers) == before, "the box answered a forged question"
    assert "bad signature" in household.told_by_box()
    assert "do not trust this rendezvous" in household.told_by_box()


def test_an_invented_device_gets_nothing(household: Household) -> None:
    """Neither an answer, nor a check towards it, nor a place in the list."""
    thief = Identity()
    listed = household.box.ask("devices").out
    counted = doubts(household)
    with household.spaces["mid"].entered():
        lair = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        lair.bind((VICTIM, 0))
    lair.setblocking(False)
    payload = json.dumps({"from": thief.id.hex(), "to": household.server.box().id.hex(), "nonce": b64(os.urandom(16)),
                          "counter": 1, "generation": 1,
                          "candidates": [{"type": "srflx", "endpoint": f"{VICTIM}:{lair.getsockname()[1]}"}]}).encode()
    before = (len(household.server.answers), len(household.server.refusals))
    household.server.box().say("introduce", id=household.server.new_id(), device=thief.id.hex(), public_key=b64(thief.public),
                               payload=b64(payload), signature=b64(thief.sign(b"hearthcast introduction 1\0" + payload)),
                               observed=[f"{VICTIM}:{lair.getsockname()[1]}"])
    until(lambda: doubts(household) > counted, "the box to say so")
    assert "not paired" in household.told_by_box()
    assert (len(household.server.answers), len(household.server.refusals)) == before
    with pytest.raises(BlockingIOError):
        lair.recv(1)
    lair.close()
    assert household.box.ask("devices").out.count("\n") == listed.count("\n")


def test_an_old_introduction_is_not_taken_again(household: Household) -> None:
    """Said again with a new number, and as the answer to every new question."""
    household.forget_paths()
    until(household.is_connected, "a session")
    old = next(offer for offer in reversed(household.server.offers) if offer["type"] == "introduce")
    household.server.offer = lambda message: message | {key: old[key] for key in ("payload", "signature")}
    counted = doubts(household)
    household.forget_paths()
    no_session_after(household)
    assert doubts(household) > counted
    assert "replayed" in household.told_by_box()
    assert household.server.refusals, "and a device that had lost its numbers would learn which come next"


def test_an_old_answer_is_not_taken_again(household: Household) -> None:
    household.server.offer = lambda message: message
    household.forget_paths()
    until(household.is_connected, "a session")
    old = next(answer for answer in reversed(household.server.answers) if answer["type"] == "answer")
    household.server.offer = answered_by_itself(household, lambda: (old["payload"], old["signature"]))
    household.forget_paths()
    no_session_after(household)
    assert "was not asked" in household.told_by_away()


def test_an_answer_by_another_box_is_not_taken(household: Household) -> None:
    """With the addresses of who would be in between."""
    thief = Identity()

    def forged() -> tuple[str, str]:
        asked = json.loads(payload_of(household.server.offers[-1]))
        payload = json.dumps({"from": asked["to"], "to": asked["from"], "answers": asked["nonce"], "nonce": b64(os.urandom(16)),
                              "generation": 99, "counter": 1,
                              "candidates": [{"type": "srflx", "endpoint": f"{VICTIM}:{household.victim.getsockname()[1]}"}]}).encode()
        return b64(payload), b64(thief.sign(b"hearthcast introduction 1\0" + payload))

    household.server.offer = answered_by_itself(household, forged)
    household.forget_paths()
    no_session_after(household)
    assert "not signed by the paired box" in household.told_by_away()
    household.victim.setblocking(False)
    with pytest.raises(BlockingIOError):
        household.victim.recv(1)


def test_the_box_hammers_no_victim(household: Household) -> None:
    """What the rendezvous claims to have observed is tried, but a few small checks are all that a victim gets of it.

    The device that asked is gone at once, so that no path is found and the box tries as long as it ever does."""
    household.victim.setblocking(False)
    target = f"{VICTIM}:{household.victim.getsockname()[1]}"

    def lie(message: Message) -> Message:
        household.running["away"].process.kill()
        return message | {"observed": [target] * 3}

    household.server.offer = lie
    household.forget_paths()
    until(lambda: household.server.introductions() == 1, "the device to ask")
    household.running["away"].process.wait(60)
    got: list[bytes] = []

    def silent() -> bool:
        """Nothing for three seconds."""
        before = len(got)
        time.sleep(3)
        with contextlib.suppress(BlockingIOError):
            while True:
                got.append(household.victim.recv(2000))
        return len(got) == before > 0

    until(silent, "the box to leave it alone")
    assert len(got) <= 60, f"{len(got)} packets"
    assert sum(map(len, got)) < 6000, "and small ones"
    household.running["away"] = household.away.started()


def test_a_flood_of_inventions_harms_neither_disk_nor_memory(household: Household) -> None:
    """The box reads a thousand lies, says so in few lines, and serves its owner meanwhile."""
    lines = household.running["box"].log().count("introduction_refused")
    resident = memory(household)
    counted = doubts(household)
    box = household.server.box()
    for number in range(1000):
        thief = os.urandom(32)
        box.say("introduce", id=household.server.new_id(), device=thief.hex(), public_key=b64(os.urandom(91)),
                payload=b64(b"{}" + number.to_bytes(4, "big")), signature=b64(os.urandom(70)), observed=[])
    until(lambda: doubts(household) >= counted + 1000, "all of them to be read")
    assert household.running["box"].log().count("introduction_refused") < lines + 30
    assert memory(household) < resident + (24 << 20)


@pytest.mark.parametrize(
    ("refusal", "words"),
    [({"code": "not_enrolled", "text": "pay first"}, "pay first"), ({"code": "closed", "text": "you are out"}, "you are out"),
     ({"code": "draining", "text": "a restart", "retry_s": 3600}, "a restart"),
     ({"code": "replaced", "text": "there is another"}, "there is another"),
     ({"code": "closed", "text": "\x1b[2Jhidden\x07"}, "hidden")],
    ids=lambda value: value.get("code") if isinstance(value, dict) else None,
)
def test_what_it_says_in_refusing_is_shown_as_its_words(household: Household, refusal: Message, words: str) -> None:
    """It can refuse service; the owner sees that, and no control character of it reaches a terminal."""
    household.server.greeting = lambda guest: refusal if guest.role == "box" else None
    household.server.box().close()
    until(lambda: words in household.told_by_box(), "the words")
    told = household.box.ask("status").out
    assert "\x1b" not in told
    assert "\x07" not in told
    assert json.loads(household.box.ask("status", "--json").out)["rendezvous"]["state"] == "failed"
    # The next test finds the box again: a restart asks at once.
    household.server.be_honest()
    assert household.running["box"].end() == FINE
    household.running["box"] = household.box.started()
    until(lambda: household.server.is_here("box"), "the box at the rendezvous")


def test_a_list_of_the_future_costs_the_box_no_numbers(household: Household) -> None:
    """It says that it keeps a list which the box cannot have made: the owner is told, and the numbers stay as they are."""
    until(lambda: "Connected" in household.told_by_box(), "the box to have joined")
    for _ in range(100):
        household.server.box().say("error", code="bad_message", text="old", revision=2**64 - 1)
    until(lambda: "cannot have made" in household.told_by_box(), "the words")
    log = household.running["box"].log()
    assert log.count("list_refused") == 1
    assert "list_outdated" not in log


def answered_by_itself(household: Household, answer: Callable[[], tuple[str, str]]) -> Callable[[Message], None]:
    """The box hears nothing of the question; the device gets this."""

    def offer(message: Message) -> None:
        payload, signature = answer()
        household.server.device().say("answer", id=household.server.heard[-1][1]["id"], payload=payload, signature=signature, observed=[])

    return offer


def payload_of(message: Message) -> bytes:
    return unb64(message["payload"])


def doubts(household: Household) -> int:
    found = re.search(r"passed on (\d+) introduction", household.told_by_box())
    return int(found.group(1)) if found else 0


def memory(household: Household) -> int:
    """Resident octets of the box itself, which runs below `ip netns exec`."""
    return int(Path(f"/proc/{household.running['box'].process.pid}/statm").read_text().split()[1]) * 4096

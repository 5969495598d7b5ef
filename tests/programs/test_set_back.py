"""A box whose state was set back, by a copy of its disk or an old machine: the rendezvous knows a later list of its devices."""

from __future__ import annotations

import json
import os
import re
import shutil

from command import FINE, Command
from hearthlab.program import GROUP, USER
from hearthlab.waiting import until
from owner import Owner
from protocol import Client, Identity, Pairing, b64, read_link, sha256, unb64


class Device:
    def __init__(self, box: Command, rendezvous: Command) -> None:
        self._rendezvous = rendezvous
        self._identity = Identity()
        self._asked = 0
        link = re.search(r"^Link  (\S+)$", box.ask("pair").out, re.MULTILINE)
        assert link
        pairing = Pairing(self._identity, "Laptop", read_link(link.group(1)).secret)
        answer = Owner(box.port).ask("POST", "/pair", pairing.message).json
        assert pairing.is_proven(answer)
        self._box = sha256(unb64(answer["public_key"]))

    def asks(self) -> str:
        """For an introduction; what came of it."""
        self._asked += 1
        client = Client(self._rendezvous.port, "device", self._identity)
        client.join()
        payload = {"from": self._identity.id.hex(), "to": self._box.hex(), "nonce": b64(os.urandom(16)), "generation": 1,
                   "counter": self._asked, "candidates": []}
        client.say("introduce", id=self._asked, box=self._box.hex(), **client.sealed(json.dumps(payload).encode()))
        try:
            while True:
                opcode, octets = client.socket.read()
                message = json.loads(octets) if opcode == 1 else {"type": ""}
                if message["type"] in ("answer", "refuse", "error"):
                    return str(message.get("code", message["type"]))
        finally:
            client.socket.close()

    def is_introduced(self) -> None:
        until(lambda: self.asks() == "answer", "an introduction", pause=1)


def test_its_new_devices_are_introduced(rendezvous: Command, connected_box: Command) -> None:
    box = connected_box
    Device(box, rendezvous).is_introduced()
    assert box.running().end() == FINE
    before = box.folder / "before"
    shutil.copytree(box.state, before)
    running = box.started()
    for _ in range(3):
        Device(box, rendezvous).is_introduced()
    assert running.end() == FINE

    shutil.rmtree(box.state)
    shutil.copytree(before, box.state)
    if os.geteuid() == 0:
        for path in (box.state, *box.state.rglob("*")):
            shutil.chown(path, USER, GROUP)
    running = box.started()
    until(lambda: box.status()["rendezvous"]["state"] == "connected", "the rendezvous")
    Device(box, rendezvous).is_introduced()
    assert running.log().count("list_outdated") == 1
    assert running.end() == FINE

"""Standing ICE credentials with a running program: as a device that paired with the box, or as the box of an away client."""

from __future__ import annotations

import json
import re

from command import FINE, Command
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from owner import Owner
from protocol import Credentials, Identity, Pairing, b64, read_link, unb64


def pair_with(box: Command) -> Credentials:
    """A new device's; the box runs."""
    link = re.search(r"^Link  (\S+)$", box.ask("pair").out, re.MULTILINE)
    assert link
    identity = Identity()
    pairing = Pairing(identity, "Laptop", read_link(link.group(1)).secret)
    answer = Owner(box.port).ask("POST", "/pair", pairing.message).json
    assert pairing.is_proven(answer)
    return Credentials.at_device(identity, unb64(answer["public_key"]))


def be_the_box_of(away: Command, endpoint: str, port: int) -> Credentials:
    """The client, which does not run now, will know itself paired with a box of ours."""
    assert away.started().end() == FINE  # it makes its identity
    key = load_pem_private_key((away.state / "identity.pem").read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    device = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    box = Identity()
    _write(away, "box.json", {"public_key": b64(box.public), "name": "A foreign box", "addresses": []})
    remember(away, endpoint, port)
    return Credentials.at_box(box, device)


def remember(away: Command, endpoint: str, port: int) -> None:
    """Of the client, which does not run now: its own UDP port, and where it reached the box last."""
    none = {"generation": 1, "counter": 1}
    _write(away, "memory.json", {"port": port, "endpoints": [endpoint], "candidates": [], "own": none, "box": none})


def _write(away: Command, name: str, content: object) -> None:
    (away.state / name).write_text(json.dumps(content), encoding="utf-8")

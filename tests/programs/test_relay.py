"""Credentials for relays, from the rendezvous to a real coturn, and whom that coturn lets nobody reach."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command import FAILED, FINE, WRONG_USAGE, Command
from hearthlab.program import USER
from protocol import Client, Identity
from turn import CONFIGURATION, Coturn, Session

SECRET = "0123456789abcdef0123456789abcdef"
URL = "turn:relay.example.org:3479"
DAY = 24 * 3600


@pytest.fixture(scope="module")
def coturn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Coturn]:
    running = Coturn(tmp_path_factory.mktemp("coturn"), SECRET)
    yield running
    running.close()


def credentials(secret: str, end: float, who: str = "tester") -> tuple[str, str]:
    username = f"{int(end)}:{who}"
    return username, base64.b64encode(hmac.digest(secret.encode(), username.encode(), "sha1")).decode()


@pytest.fixture(scope="module")
def session(coturn: Coturn) -> Iterator[Session]:
    """With an allocation."""
    client = Session(coturn.port, *credentials(SECRET, time.time() + DAY))
    assert client.allocate() == 0
    yield client
    client.close()


# One address at each end of every range, and those that matter by name.
DENIED = (
    "0.0.0.1", "0.255.255.255", "127.0.0.1", "127.255.255.254", "10.0.0.0", "10.255.255.255", "172.16.0.0",
    "172.31.255.255", "192.168.0.0", "192.168.1.1", "192.168.255.255", "100.64.0.0", "100.127.255.255",
    "169.254.0.1", "169.254.169.254", "169.254.255.255", "100.100.100.200", "192.0.0.0", "192.0.0.192", "192.0.0.255",
    "192.88.99.1", "198.18.0.0", "198.19.255.255", "224.0.0.1", "232.1.1.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
)
# Their neighbours outside.
ALLOWED = (
    "1.0.0.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.1", "169.253.255.255",
    "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0",
    "198.51.100.7", "203.0.113.7", "223.255.255.255",
)


@pytest.mark.parametrize("address", DENIED)
def test_coturn_forbids(session: Session, address: str) -> None:
    assert session.permit(address) == 403


@pytest.mark.parametrize("address", ALLOWED)
def test_coturn_allows(session: Session, address: str) -> None:
    assert session.permit(address) == 0


DENIED6 = (
    "::1", "::ffff:10.0.0.1", "::127.0.0.1", "64:ff9b::a00:1", "64:ff9b:1::1", "64:ff9b:1:ffff::1", "100::1", "2001:0:1::1",
    "2002:a00:1::1", "2002:ffff::1", "fc00::1", "fd00:ec2::254", "fdff:ffff::1", "fe80::1", "febf::1", "fec0::1", "feff::1", "ff02::1", "ff0e::1",
)
ALLOWED6 = ("64:ff9a::1", "64:ff9b:2::1", "100:1::1", "2001:db8::1", "2001:1::1", "2003::1", "2a00:1450::1", "fbff::1")


@pytest.fixture(scope="module")
def session6(coturn: Coturn) -> Iterator[Session]:
    """With an IPv6 allocation."""
    client = Session(coturn.port, *credentials(SECRET, time.time() + DAY, "tester6"))
    assert client.allocate(6) == 0
    yield client
    client.close()


def test_coturn_gives_an_address_of_each_family_to_who_asks_for_both(coturn: Coturn) -> None:
    client = Session(coturn.port, *credentials(SECRET, time.time() + DAY, "tester46"))
    try:
        assert client.allocate_both() == [1, 2]
        assert (client.permit("198.51.100.7"), client.permit("2001:db8::7")) == (0, 0)
        assert (client.permit("10.0.0.1"), client.permit("fd00::7")) == (403, 403)
    finally:
        client.close()


@pytest.mark.parametrize("address", DENIED6)
def test_coturn_forbids_in_ipv6(session6: Session, address: str) -> None:
    assert session6.permit(address) == 403


@pytest.mark.parametrize("address", ALLOWED6)
def test_coturn_allows_in_ipv6(session6: Session, address: str) -> None:
    assert session6.permit(address) == 0


@pytest.mark.parametrize("case", ["ended", "another secret", "another name", "nobody"])
def test_coturn_refuses_credentials(coturn: Coturn, case: str) -> None:
    username, password = {
        "ended": credentials(SECRET, time.time() - 60),
        "another secret": credentials("x" * 32, time.time() + DAY),
        "another name": (f"{int(time.time() + DAY)}:other", credentials(SECRET, time.time() + DAY)[1]),
        "nobody": ("", ""),
    }[case]
    client = Session(coturn.port, username, password)
    assert client.allocate() == 401
    client.close()


def with_relay(rendezvous: Command, **changed: Any) -> Path:
    secret = rendezvous.folder / "secret"
    secret.write_text(SECRET + "\n")
    secret.chmod(0o644)  # until it belongs to the program's user
    settings = rendezvous.sane() | {"turn.urls": [URL], "turn.secret_file": str(secret)} | changed
    rendezvous.write(settings)
    own(secret)
    return secret


def own(path: Path) -> None:
    path.chmod(0o600)
    if os.geteuid() == 0:
        shutil.chown(path, USER)


@pytest.mark.parametrize("role", ["box", "device"])
def test_the_rendezvous_gives_what_coturn_takes(rendezvous: Command, coturn: Coturn, role: str) -> None:
    with_relay(rendezvous)
    running = rendezvous.started()
    client = Client(rendezvous.port, role)
    client.join()
    relay = client.next("relay")
    assert relay["urls"] == [URL]
    assert relay["lifetime_s"] >= 2 * DAY
    end, who = relay["username"].split(":")
    assert abs(int(end) - time.time() - relay["lifetime_s"]) < 60
    assert who == client.identity.id.hex()[:16]
    session = Session(coturn.port, relay["username"], relay["password"])
    assert session.allocate() == 0
    assert session.permit("192.0.2.1") == 0
    session.close()
    assert running.end() == FINE
    for secret in (SECRET, relay["password"]):
        assert secret not in running.log()


def test_who_comes_again_gets_the_same(rendezvous: Command) -> None:
    with_relay(rendezvous)
    running = rendezvous.started()
    identity = Identity()
    given = []
    for _ in range(2):
        client = Client(rendezvous.port, "device", identity)
        client.join()
        given.append(client.next("relay")["password"])
        client.socket.close()
    other = Client(rendezvous.port, "device")
    other.join()
    assert other.next("relay")["password"] not in given
    if int(time.time()) % (6 * 3600) > 60:  # else the six hours may have changed in between
        assert given[0] == given[1]
    assert running.end() == FINE


def test_without_relays_nothing_is_said_of_them(rendezvous: Command) -> None:
    running = rendezvous.started()
    client = Client(rendezvous.port, "device")
    client.join()
    client.say("pair", id=7, locator="7K2M", payload="{}")
    client.next("error")
    assert not any(message["type"] == "relay" for message in client._unread)
    assert running.end() == FINE


def test_a_secret_that_is_missing_open_or_short_is_told(rendezvous: Command) -> None:
    secret = with_relay(rendezvous)
    secret.chmod(0o644)
    assert "open to everybody" in failed(rendezvous)
    own(secret)
    secret.write_text("short\n")
    assert "too short" in failed(rendezvous)
    secret.unlink()
    assert "cannot be read" in failed(rendezvous)
    with_relay(rendezvous, **{"turn.secret_file": ""})
    assert "turn.secret_file" in failed(rendezvous)


def failed(rendezvous: Command) -> str:
    ended = rendezvous.ask("run")
    assert ended.code == FAILED
    assert SECRET not in ended.err
    return ended.err


@pytest.mark.parametrize("url", ["stun:relay.example.org", "turn:", "turn:a:0", "turn:a?transport=sctp", "turns:a?transport=udp"])
def test_an_address_that_is_none_is_told(rendezvous: Command, url: str) -> None:
    with_relay(rendezvous, **{"turn.urls": [url]})
    ended = rendezvous.ask("run")
    assert ended.code == WRONG_USAGE
    assert "turn.urls" in ended.err


def test_the_secret_of_the_sample_is_no_secret() -> None:
    text = CONFIGURATION.read_text()
    assert "static-auth-secret=CHANGE-ME\n" in text
    assert hashlib.sha256(SECRET.encode()).hexdigest() not in text
    assert "\nno-cli\n" in text, "nothing else listens"

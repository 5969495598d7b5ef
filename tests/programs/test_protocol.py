"""The programs speak what the documents say: the other side here was written from the documents alone."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import ssl
from collections.abc import Iterator
from typing import Any

import pytest
from abuse import connect
from command import FINE, Command
from hearthlab.waiting import until
from protocol import (
    SUCCESS,
    Client,
    Identity,
    Pairing,
    Stun,
    WebSocket,
    b64,
    is_signed,
    key_of,
    presence_request,
    read_code,
    read_link,
    sha256,
    unb64,
)

# --- pairing, straight with the box ---


@pytest.fixture
def home(box: Command) -> Iterator[Command]:
    running = box.started()
    yield box
    assert running.end() == FINE


def open_window(home: Command) -> tuple[str, str]:
    """The link and the code that the box shows."""
    shown = home.ask("pair").out
    found = re.search(r"^Link  (\S+)\nCode  (\S+)$", shown, re.MULTILINE)
    assert found, shown
    return found.group(1), found.group(2)


def post(home: Command, message: Any) -> dict[str, Any]:
    body = json.dumps(message).encode()
    with connect(home.port, tls=True) as connection:
        connection.sendall(f"POST /api/v1/pair HTTP/1.1\r\nHost: 127.0.0.1:{home.port}\r\nX-Hearthcast: 1\r\n"
                           f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
                           "Connection: close\r\n\r\n".encode() + body)
        answer = b""
        while part := connection.recv(65536):
            answer += part
    head, _, said = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), answer
    return dict(json.loads(said))


def test_the_link_names_the_box_that_answers(home: Command) -> None:
    link = read_link(open_window(home)[0])
    with connect(home.port, tls=True) as connection:
        assert sha256(key_of(connection)) == link.box  # type: ignore[arg-type]
    assert link.url == ""
    assert link.pin is None


@pytest.mark.parametrize("way", ["link", "code"])
def test_a_device_pairs(home: Command, way: str) -> None:
    link, code = open_window(home)
    secret = read_link(link).secret if way == "link" else read_code(code)[1]
    device = Identity()
    pairing = Pairing(device, "Käthes Notebook", secret)
    answer = post(home, pairing.message)
    assert pairing.is_proven(answer), answer
    assert sha256(unb64(answer["public_key"])) == read_link(link).box
    devices = home.ask("devices").out
    assert "Käthes Notebook" in devices
    assert pairing.fingerprint(unb64(answer["public_key"])) in devices
    assert "pending" in devices
    for member, other in (("name", "Other"), ("addresses", ["192.0.2.1:8871"]), ("rendezvous", {"url": "wss://x/v1", "pin": ""})):
        assert not pairing.is_proven({**answer, member: other}), f"{member} is covered by the mac"


def test_a_message_that_is_repeated_gets_the_same_answer(home: Command) -> None:
    pairing = Pairing(Identity(), "Laptop", read_link(open_window(home)[0]).secret)
    first = post(home, pairing.message)
    assert post(home, pairing.message) == first
    assert home.ask("devices").out.count("Laptop") == 1
    other = Pairing(Identity(), "Thief", read_link(open_window(home)[0]).secret[::-1])
    assert post(home, other.message)["error"]["code"] == "wrong_code"


def test_five_wrong_secrets_end_the_window(home: Command) -> None:
    secret = read_link(open_window(home)[0]).secret
    codes = [post(home, Pairing(Identity(), "Guesser", bytes(16)).message)["error"]["code"] for _ in range(5)]
    assert codes[:4] == ["wrong_code"] * 4
    assert codes[4] in ("wrong_code", "too_many_tries")
    late = until(lambda: post(home, Pairing(Identity(), "Late", secret).message), "the next try to be allowed")
    assert late["error"]["code"] == "too_many_tries"
    assert "mac" not in late
    assert "No device" in home.ask("devices").out


def test_a_window_is_good_for_one_device(home: Command) -> None:
    secret = read_link(open_window(home)[0]).secret
    assert "mac" in post(home, Pairing(Identity(), "First", secret).message)
    assert post(home, Pairing(Identity(), "Second", secret).message)["error"]["code"] == "used"


def test_without_a_window_nobody_pairs(home: Command) -> None:
    assert post(home, Pairing(Identity(), "Early", bytes(16)).message)["error"]["code"] == "no_window"


@pytest.mark.parametrize("member", ["public_key", "name", "nonce", "mac"])
def test_another_member_breaks_the_mac(home: Command, member: str) -> None:
    secret = read_link(open_window(home)[0]).secret
    message = Pairing(Identity(), "Laptop", secret).message
    other = Pairing(Identity(), "Other", secret).message
    assert post(home, {**message, member: other[member]})["error"]["code"] == "wrong_code"


# --- the rendezvous ---


@pytest.fixture
def server(rendezvous: Command) -> Iterator[Command]:
    running = rendezvous.started()
    yield rendezvous
    assert running.end() == FINE


def test_the_pin_is_the_hash_of_its_key(server: Command) -> None:
    assert sha256(key_of(Client(server.port, "box").socket.tls)).hex() == server.ask("pin").out.strip()


def test_an_introduction_goes_there_and_back(server: Command) -> None:
    box, device = Client(server.port, "box"), Client(server.port, "device")
    box.join()
    box.allow([device.identity.id, Identity().id], 1)
    welcome = device.join()
    assert welcome["observed"].startswith("127.0.0.1:")
    assert welcome["presence"]["interval_s"] == 20
    question = json.dumps({"from": device.identity.id.hex()}).encode()
    until(lambda: server.status()["known_boxes"] == 1, "the list to be known")
    device.say("introduce", id=41, box=box.identity.id.hex(), **device.sealed(question))
    offer = box.next("introduce")
    assert bytes.fromhex(offer["device"]) == device.identity.id
    assert unb64(offer["payload"]) == question
    assert is_signed(unb64(offer["public_key"]), b"hearthcast introduction 1\0" + question, unb64(offer["signature"]))
    box.say("answer", id=offer["id"], **box.sealed(b"yes"))
    answer = device.next("answer")
    assert answer["id"] == 41
    assert unb64(answer["payload"]) == b"yes"
    device.say("introduce", id=42, box=box.identity.id.hex(), **device.sealed(question))
    box.say("refuse", id=box.next("introduce")["id"], **box.sealed(b"no"))
    assert device.next("refuse")["id"] == 42


def test_presence_tells_both_sides_the_mapping(server: Command) -> None:
    box = Client(server.port, "box")
    access = box.join()["presence"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as data:
        data.settimeout(30)
        data.connect(("127.0.0.1", access["port"]))
        request = presence_request(access["username"], access["password"])
        data.send(request)
        answer = data.recv(2000)
        assert len(answer) <= len(request)
        own = data.getsockname()
        assert Stun.decode(answer, access["password"]).mapped() == own
        assert box.next("mapping")["endpoint"] == f"{own[0]}:{own[1]}"
        # Who cannot prove it gets nothing: the next good answer is the first to come.
        data.send(presence_request(access["username"], "guess"))
        data.send(presence_request("nobody", access["password"]))
        again = presence_request(access["username"], access["password"])
        data.send(again)
        answer = Stun.decode(data.recv(2000), access["password"])
        assert answer.transaction == again[8:20]
        assert answer.kind == SUCCESS


def test_a_device_pairs_through_the_rendezvous(server: Command) -> None:
    box, device = Client(server.port, "box"), Client(server.port, "device")
    box.join()
    device.join()
    device.say("pair", id=1, locator="7K2M", payload="{}")
    assert device.next("error")["code"] == "no_pairing"
    box.say("pairing", locator="7K2M", seconds=600)
    box.say("allow", devices=[], revision=0, signature=b64(b"x"))  # answered, so the window is known
    assert box.next("error")["code"] == "bad_signature"
    again = Client(server.port, "box", box.identity)
    again.join()
    again.say("pairing", locator="7K2M", seconds=600)
    again.allow([], 1)
    until(lambda: server.status()["known_boxes"] == 1, "what was said to be heard")
    for number, to in enumerate(({"locator": "7K2M"}, {"box": box.identity.id.hex()}), 2):
        device.say("pair", id=number, payload='{"a":1}', **to)
        offer = again.next("pair")
        assert offer["payload"] == '{"a":1}'
        again.say("pair_answer", id=offer["id"], payload='{"b":2}')
        answer = device.next("pair_answer")
        assert (answer["id"], answer["payload"]) == (number, '{"b":2}')


def test_the_real_box_pairs_through_the_real_rendezvous(rendezvous: Command, connected_box: Command) -> None:
    text, code = open_window(connected_box)
    link = read_link(text)
    assert link.url == f"wss://127.0.0.1:{rendezvous.port}/v1"
    assert link.pin == bytes.fromhex(rendezvous.ask("pin").out)
    locator, secret = read_code(code)
    device = Client(rendezvous.port, "device")
    device.join()
    pairing = Pairing(device.identity, "Laptop", secret)

    def asked() -> dict[str, Any] | None:
        device.say("pair", id=1, locator=locator, payload=json.dumps(pairing.message))
        opcode, payload = device.socket.read()
        said = json.loads(payload) if opcode == 1 else {}
        return said if said.get("type") == "pair_answer" else None

    answer = json.loads(until(asked, "the window to be known there")["payload"])
    assert pairing.is_proven(answer)
    assert answer["rendezvous"]["url"] == link.url
    assert "Laptop" in connected_box.ask("devices").out


@pytest.mark.parametrize(
    "changed",
    [
        {"signature": b64(b"\x30\x06\x02\x01\x01\x02\x01\x01")},
        {"public_key": b64(Identity().public)},
        {"public_key": b64(b"no key")},
        {"signature": b64(Identity().sign(b"something else"))},
    ],
)
def test_a_hello_that_proves_nothing_is_refused(server: Command, changed: dict[str, str]) -> None:
    client = Client(server.port, "box")
    client.hello(**changed)
    assert client.next("error")["code"] == "bad_signature"
    assert client.socket.close_code() is not None


def test_a_replayed_hello_is_refused(server: Command) -> None:
    first, second = Client(server.port, "device"), Client(server.port, "device")
    first.hello()
    second.identity, own = first.identity, second.nonce
    second.nonce = first.nonce
    second.hello()
    assert second.next("error")["code"] == "bad_signature"
    assert own != first.nonce


def test_a_second_box_replaces_the_first(server: Command) -> None:
    first = Client(server.port, "box")
    first.join()
    second = Client(server.port, "box", first.identity)
    second.join()
    assert first.next("error")["code"] == "replaced"
    assert first.socket.close_code() is not None


# --- WebSocket (RFC 6455) ---


def test_compression_is_not_agreed_on(server: Command) -> None:
    opened = WebSocket(server.port)
    assert opened.upgraded
    assert b"permessage-deflate" not in opened.head.lower()


def test_only_one_path_is_a_websocket(server: Command) -> None:
    for path in ("/", "/v2", "/v1/", "/v1x", "//v1"):
        assert not WebSocket(server.port, path).upgraded, path


def test_fragments_and_pings_are_understood(server: Command) -> None:
    client = Client(server.port, "box")
    client.socket.frame(9, b"are you there")
    assert client.socket.read() == (10, b"are you there")
    hello = {"type": "hello", "role": "box", "public_key": b64(client.identity.public), "software": "",
             "signature": b64(client.identity.sign(
                 b"hearthcast rendezvous 1\0" + client.nonce + sha256(key_of(client.socket.tls))))}
    text = json.dumps(hello).encode()
    client.socket.frame(1, text[:10], final=False)
    client.socket.frame(9, b"in between")
    client.socket.frame(0, text[10:50], final=False)
    client.socket.frame(0, text[50:])
    assert client.socket.read() == (10, b"in between")
    assert client.next("welcome")


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ({"opcode": 1, "payload": b"x", "masked": False}, 1002),
        ({"opcode": 3, "payload": b"x"}, 1002),
        ({"opcode": 0, "payload": b"continues nothing"}, 1002),
        ({"opcode": 1, "payload": b"x", "reserved": 4}, 1002),
        ({"opcode": 9, "payload": bytes(126)}, 1002),
        ({"opcode": 9, "payload": b"x", "final": False}, 1002),
        ({"opcode": 1, "payload": b"\xff\xfe"}, 1007),
        ({"opcode": 1, "payload": bytes(65 * 1024)}, 1009),
        ({"opcode": 8, "payload": b"\x03\xe8"}, 1000),
    ],
    ids=lambda value: None if isinstance(value, int) else "-".join(f"{k}{str(v)[:9]}" for k, v in value.items()),
)
def test_what_breaks_the_rules_ends_the_connection(server: Command, frame: dict[str, Any], code: int) -> None:
    client = Client(server.port, "box")
    with contextlib.suppress(ConnectionError, ssl.SSLError):  # too much is not even read to its end
        client.socket.frame(**frame)
    ended = client.socket.close_code()
    assert ended == code or (ended is None and code == 1009), "what was not read may take the last word along"
    other = Client(server.port, "box")
    assert other.join(), "others go on"


@pytest.mark.parametrize(
    "text",
    ["", "{", "null", "[]", '{"type":7}', '{"type":"hello"}', '{"type":"welcome"}', "[" * 60_000, '{"type":"allow"}'],
)
def test_messages_that_are_none_end_the_session(server: Command, text: str) -> None:
    client = Client(server.port, "box")
    client.socket.frame(1, text.encode())
    assert client.next("error")["code"] == "bad_message"
    assert client.socket.close_code() is not None


def test_what_a_later_version_says_is_passed_over(server: Command) -> None:
    client = Client(server.port, "device")
    client.say("a message of the future", with_members=[1, 2])
    assert client.join()

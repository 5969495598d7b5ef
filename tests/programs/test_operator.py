"""The rendezvous as its operator runs it: who may come, whose boxes they are, health, draining, certificates, backup."""

from __future__ import annotations

import contextlib
import datetime
import http.client
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command import FAILED, FINE, REFUSED, WRONG_USAGE, Command, Ended, free_port
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hearthlab.program import GROUP, USER
from hearthlab.waiting import until
from protocol import Client, key_of, sha256
from standing import pair_with


@pytest.fixture
def server(rendezvous: Command) -> Command:
    """Not started yet."""
    rendezvous.write(rendezvous.sane() | {"health.listen": f"127.0.0.1:{free_port()}"})
    return rendezvous


def box_of(server: Command, **settings: Any) -> Command:
    box = server.beside("box")
    box.write(box.sane() | {"rendezvous.url": f"wss://127.0.0.1:{server.port}/v1",
                            "rendezvous.pin": server.ask("pin").out.strip()} | {f"rendezvous.{k}": v for k, v in settings.items()})
    return box


def told(box: Command) -> str:
    found = re.search(r"^rendezvous +(.*)$", box.ask("status").out, re.MULTILINE)
    return found.group(1) if found else ""


def health(server: Command, path: str) -> tuple[int, str]:
    address = re.search(r'^health.listen = "127.0.0.1:(\d+)"$', server.settings.read_text(), re.MULTILINE)
    assert address
    connection = http.client.HTTPConnection("127.0.0.1", int(address.group(1)), timeout=30)
    connection.request("GET", path)
    answer = connection.getresponse()
    said = answer.read().decode()
    connection.close()
    return answer.status, said


def listed(server: Command, what: str) -> list[dict[str, Any]]:
    names = {"box": "boxes", "owner": "owners", "token": "tokens"}
    return list(json.loads(server.ask(what, "list", "--json").out)[names[what]])


def done(ended: Ended) -> Ended:
    assert ended.code == FINE, ended.err
    return ended


# --- who may come ---


def test_a_box_without_a_token_learns_what_to_do_and_with_it_comes_in(server: Command) -> None:
    server.write(server.sane() | {"enrolment.policy": "token", "enrolment.contact": "mail ops@example.org"})
    serving = server.started()
    box = box_of(server)
    running = box.started()
    until(lambda: "Refused" in told(box), "the refusal")
    assert "rendezvous.token" in told(box)
    assert "mail ops@example.org" in told(box)
    assert "five minutes" in told(box)
    assert re.search(r"WARN\w* rendezvous_refused .*code=not_enrolled", running.log(), re.IGNORECASE), running.log()
    assert server.status()["counters"]["not_enrolled"] >= 1
    assert running.end() == FINE

    made = done(server.ask("token", "add", "--uses", "1", "--note", "attic"))
    token = made.out.strip()
    assert re.fullmatch(r"[0-9A-Z]{26}", token)
    assert "Shown this once" in made.err
    box.write(box.sane() | {"rendezvous.url": f"wss://127.0.0.1:{server.port}/v1",
                            "rendezvous.pin": server.ask("pin").out.strip(), "rendezvous.token": token})
    running = box.started()
    until(lambda: "Connected" in told(box), "the box to be let in")
    assert token not in running.log()
    assert token not in serving.log()
    assert token.encode() not in b"".join(file.read_bytes() for file in server.state.iterdir() if file.is_file())
    assert listed(server, "token")[0]["state"] == "used up"
    assert running.end() == FINE

    # Enrolled is enrolled: without the token, after a restart of both, and when nobody new may come.
    assert serving.end() == FINE
    server.write(server.sane() | {"enrolment.policy": "closed"})
    serving = server.started()
    box.write(box.sane() | {"rendezvous.url": f"wss://127.0.0.1:{server.port}/v1",
                            "rendezvous.pin": server.ask("pin").out.strip()})
    running = box.started()
    until(lambda: "Connected" in told(box), "the box to be back")
    stranger = Client(server.port, "box")
    stranger.hello()
    assert stranger.next("error")["code"] == "not_enrolled"
    assert running.end() == FINE
    assert serving.end() == FINE


def test_the_pairing_link_does_not_give_the_token_away(server: Command) -> None:
    server.write(server.sane() | {"enrolment.policy": "token"})
    serving = server.started()
    token = done(server.ask("token", "add")).out.strip()
    box = box_of(server, token=token)
    running = box.started()
    until(lambda: "Connected" in told(box), "the box to be let in")
    assert token not in box.ask("pair").out
    assert token not in box.ask("status", "--json").out
    assert running.end() == FINE
    assert serving.end() == FINE


def test_tokens_are_listed_with_their_ends_and_revoked(server: Command) -> None:
    serving = server.started()
    assert "No tokens" in done(server.ask("token", "list")).out
    done(server.ask("owner", "add", "Household"))
    done(server.ask("token", "add", "--days", "7", "--owner", "Household", "--note", "a note"))
    done(server.ask("token", "add", "--uses", "3", "--json"))
    shown = done(server.ask("token", "list")).out
    in_a_week = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=7)).strftime("%Y-%m-%d")
    assert re.search(rf"^1 +good +any +{in_a_week} +Household +a note$", shown, re.MULTILINE), shown
    assert re.search(r"^2 +good +3 +never +- +-$", shown, re.MULTILINE), shown
    assert "No tokens" not in done(server.ask("token", "list", "--owner", "Household")).out
    done(server.ask("token", "revoke", "1"))
    gone = server.ask("token", "revoke", "1")
    assert gone.code == REFUSED
    assert "no token 1" in gone.err
    assert [token["id"] for token in listed(server, "token")] == [2]
    assert serving.end() == FINE


# --- owners and boxes ---


def test_a_household_is_kept_in_order(server: Command) -> None:
    serving = server.started()
    box = box_of(server)
    running = box.started()
    pair_with(box)  # with its first list of devices a box is enrolled
    until(lambda: server.status()["enrolled_boxes"] == 1, "the box to be enrolled")
    identity = listed(server, "box")[0]["box"]
    assert "No boxes" in done(server.ask("box", "list", "--owner", "Household")).out
    done(server.ask("owner", "add", "Household"))
    done(server.ask("box", "name", identity[:8], "the old attic"))
    done(server.ask("box", "move", "the old attic", "Household"))
    shown = done(server.ask("box", "list", "--owner", "Household")).out
    assert re.search(rf"^{identity[:12]} +the old attic +Household +connected$", shown, re.MULTILINE), shown
    assert re.search(r"^Household +1$", done(server.ask("owner", "list")).out, re.MULTILINE)

    done(server.ask("box", "close", "the old attic", "unpaid since May"))
    until(lambda: "unpaid since May" in told(box), "the box to be told")
    assert listed(server, "box")[0]["state"] == "closed"
    assert server.status()["boxes"] == 0
    done(server.ask("box", "open", "the old attic"))
    assert running.end() == FINE
    running = box.started()  # at once, instead of in five minutes
    until(lambda: "Connected" in told(box), "the box to be back")

    done(server.ask("box", "move", "the old attic", ""))
    done(server.ask("owner", "remove", "Household"))
    done(server.ask("box", "name", "the old attic", ""))
    assert listed(server, "box")[0] | {"enrolled_at": 0} == {"box": identity, "name": "", "owner": None, "state": "connected",
                                                             "reason": None, "enrolled_at": 0}
    for arguments, words in ((["box", "open", "nobody"], "no box is called nobody"), (["owner", "remove", "Bert"], "no owner"),
                             (["box", "move", identity, "Bert"], "no owner is called Bert"), (["owner", "add", "a\nb"], "control"),
                             (["box", "close", identity, ""], "say why")):
        refused = server.ask(*arguments)
        assert refused.code == REFUSED, arguments
        assert words in refused.err
    assert running.end() == FINE
    assert serving.end() == FINE


def test_what_an_operator_did_survives_a_kill(server: Command) -> None:
    """An acknowledged change is on the disk."""
    serving = server.started()
    for number in range(10):
        done(server.ask("owner", "add", f"Owner {number}"))
    assert serving.end(signal.SIGKILL) == -signal.SIGKILL
    serving = server.started()
    assert len(listed(server, "owner")) == 10
    assert serving.end() == FINE


# --- health and draining ---


def test_health_tells_each_state(server: Command) -> None:
    serving = server.started()
    assert health(server, "/healthz") == (200, "alive\n")
    assert health(server, "/readyz") == (200, "ready\n")
    status, text = health(server, "/metrics")
    assert status == 200
    assert "hearthcast_rendezvous_ready 1\n" in text
    for line in text.splitlines():
        assert line.startswith("#") or re.fullmatch(r'[a-z_]+(\{[a-z_]+="[^"]*"\})? \d+', line), line
    assert health(server, "/boxes")[0] == 404
    assert health(server, "/status")[0] == 404
    assert serving.end() == FINE


def test_without_the_setting_no_further_port_is_open(rendezvous: Command) -> None:
    serving = rendezvous.started()
    listening = Path(f"/proc/{serving.process.pid}/net/tcp").read_text()
    inodes = {os.readlink(fd) for fd in Path(f"/proc/{serving.process.pid}/fd").iterdir() if fd.is_symlink()}
    own = [line.split() for line in listening.splitlines()[1:] if f"socket:[{line.split()[9]}]" in inodes and line.split()[3] == "0A"]
    assert [int(fields[1].split(":")[1], 16) for fields in own] == [rendezvous.port]
    assert serving.end() == FINE


def test_draining_sends_the_real_box_away_and_it_comes_back(server: Command) -> None:
    serving = server.started()
    box = box_of(server)
    running = box.started()
    until(lambda: "Connected" in told(box), "the box")
    others = [Client(server.port, "device") for _ in range(5)]
    for other in others:
        other.join()
    drained = done(server.ask("drain", "--over", "2", "--retry", "1"))
    assert "No client is left" in drained.out
    assert server.status()["boxes"] + server.status()["devices"] == 0
    assert health(server, "/readyz")[0] == 503
    assert "drained" in health(server, "/readyz")[1]
    assert "not ready" in server.ask("status").out
    for other in others:
        said = other.next("error")
        assert (said["code"], said["retry_s"]) == ("draining", 1)
        assert other.socket.close_code() is not None
    with pytest.raises(AssertionError):  # ended, instead of a challenge
        Client(server.port, "device")
    assert serving.end() == FINE
    again = server.started()
    until(lambda: server.status()["boxes"] == 1, "the box to be back")
    assert again.end() == FINE
    assert running.end() == FINE


def test_a_drain_that_is_taken_back(server: Command) -> None:
    serving = server.started()
    done(server.ask("drain", "--over", "60", "--no-wait"))
    assert health(server, "/readyz")[0] == 503
    done(server.ask("resume"))
    assert health(server, "/readyz")[0] == 200
    Client(server.port, "device").join()
    assert serving.end() == FINE


# --- certificates ---


def write_certificate(server: Command, *, broken: bool = False) -> str:
    """New files in place of the old ones, moved as tools do; the pin of the key."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime(2020, 1, 1)
    certificate = (x509.CertificateBuilder().subject_name(x509.Name([])).issuer_name(x509.Name([])).public_key(key.public_key())
                   .serial_number(1).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=36500))
                   .sign(key, hashes.SHA256()))
    chain = b"-----BEGIN CERTIFICATE-----\nbroken\n" if broken else certificate.public_bytes(Encoding.PEM)
    for name, content in (("key.pem", key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())), ("chain.pem", chain)):
        draft = server.folder / f"{name}.new"
        draft.write_bytes(content)
        if os.geteuid() == 0:
            shutil.chown(draft, USER, GROUP)
        draft.rename(server.folder / name)
    return sha256(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hex()


@pytest.fixture
def certified(server: Command) -> Iterator[Command]:
    server.write(server.sane() | {"tls.certificate": str(server.folder / "chain.pem"), "tls.key": str(server.folder / "key.pem")})
    yield server


def test_a_renewed_certificate_is_taken_and_no_session_is_lost(certified: Command) -> None:
    first = write_certificate(certified)
    serving = certified.started()
    assert certified.ask("pin").out.strip() == first
    old = Client(certified.port, "box")
    old.join()
    second = write_certificate(certified)
    serving.process.send_signal(signal.SIGHUP)
    serving.wait_for("certificate_reloaded")
    new = Client(certified.port, "device")
    assert sha256(key_of(new.socket.tls)).hex() == second
    assert new.join()
    assert certified.ask("pin").out.strip() == second
    assert certified.status()["boxes"] == 1
    old.socket.frame(9, b"still here?")
    assert old.socket.read() == (10, b"still here?")

    write_certificate(certified, broken=True)
    serving.process.send_signal(signal.SIGHUP)
    assert "chain.pem" in serving.wait_for("certificate_not_reloaded")
    assert sha256(key_of(Client(certified.port, "device").socket.tls)).hex() == second
    third = write_certificate(certified)
    until(lambda: certified.ask("pin").out.strip() == third, "the change to be seen without a signal", 60)
    assert serving.end() == FINE


# --- backup ---


def test_a_backup_brings_everything_back(server: Command) -> None:
    serving = server.started()
    pin = server.ask("pin").out.strip()
    done(server.ask("owner", "add", "Household"))
    box, device = Client(server.port, "box"), Client(server.port, "device")
    box.join()
    device.join()
    box.allow([device.identity.id], 1)
    until(lambda: server.status()["known_boxes"] == 1, "the list to be known")
    copy = server.folder / "copy"
    said = done(server.ask("backup", str(copy)))
    assert str(copy) in said.out
    assert copy.stat().st_mode & 0o777 == 0o700
    for file in ("rendezvous.db", "rendezvous.key"):
        assert (copy / file).stat().st_mode & 0o777 == 0o600
    assert server.ask("backup", str(copy)).code == WRONG_USAGE, "it overwrites nothing"

    done(server.ask("owner", "add", "Bert"))
    refused = server.ask("restore", str(copy))
    assert refused.code == REFUSED
    assert "running" in refused.err
    assert len(listed(server, "owner")) == 2
    assert serving.end() == FINE

    key = (server.state / "rendezvous.key").read_bytes()
    (server.state / "rendezvous.key").write_bytes(b"lost")
    done(server.ask("restore", str(copy)))
    assert (server.state / "rendezvous.key").read_bytes() == key
    assert (server.state / "rendezvous.key.before-restore").read_bytes() == b"lost"
    assert (server.state / "rendezvous.db.before-restore").exists()
    serving = server.started()
    assert server.ask("pin").out.strip() == pin
    assert [owner["name"] for owner in listed(server, "owner")] == ["Household"]
    assert (server.status()["known_boxes"], server.status()["enrolled_boxes"]) == (1, 1)
    assert "database_" not in serving.log(), "it is taken for what it is"
    assert serving.end() == FINE


def restore_in_vain(server: Command, copy: Path) -> None:
    """It fails, says so, and leaves every file as it was."""
    before = {file.name: file.read_bytes() for file in server.state.iterdir() if file.is_file()}
    refused = server.ask("restore", str(copy))
    assert refused.code == FAILED
    assert "nothing was restored" in refused.err
    assert {file.name: file.read_bytes() for file in server.state.iterdir() if file.is_file()} == before


@pytest.mark.parametrize("damage", ["absent", "garbage", "half", "another program's", "a later version's", "the key"])
def test_a_bad_backup_changes_nothing(server: Command, damage: str) -> None:
    serving = server.started()
    done(server.ask("owner", "add", "Household"))
    copy = server.folder / "copy"
    done(server.ask("backup", str(copy)))
    assert serving.end() == FINE
    database = copy / "rendezvous.db"
    if damage == "absent":
        database.unlink()
    elif damage == "garbage":
        database.write_bytes(os.urandom(20000))
    elif damage == "half":
        database.write_bytes(database.read_bytes()[: database.stat().st_size // 2])
    elif damage == "another program's":
        database.unlink()
        with sqlite3.connect(database) as other:
            other.execute("CREATE TABLE x (y)")
            other.execute("PRAGMA user_version = 1")
    elif damage == "a later version's":
        with sqlite3.connect(database) as later:
            later.execute("PRAGMA user_version = 9999")
    else:
        (copy / "rendezvous.key").write_bytes(b"no key")
    for file in copy.iterdir():
        if os.geteuid() == 0:
            shutil.chown(file, USER, GROUP)
    restore_in_vain(server, copy)
    serving = server.started()
    assert len(listed(server, "owner")) == 1
    assert serving.end() == FINE


def test_a_restore_that_fails_halfway_takes_back_what_it_did(server: Command) -> None:
    serving = server.started()
    done(server.ask("owner", "add", "Household"))
    copy = server.folder / "copy"
    done(server.ask("backup", str(copy)))
    done(server.ask("owner", "add", "Bert"))
    assert serving.end() == FINE
    (server.state / "rendezvous.key.before-restore").mkdir()  # in the way of the key, when the database is in place
    restore_in_vain(server, copy)
    serving = server.started()
    assert len(listed(server, "owner")) == 2
    assert serving.end() == FINE


@pytest.mark.skipif(os.geteuid() != 0, reason="only root restores for another user")
def test_a_restore_by_root_leaves_files_that_the_program_can_use(server: Command) -> None:
    serving = server.started()
    done(server.ask("owner", "add", "Household"))
    copy = server.folder / "copy"
    done(server.ask("backup", str(copy)))
    assert serving.end() == FINE
    subprocess.run([str(server.binary), "--config", str(server.settings), "restore", str(copy)], check=True, timeout=60,
                   capture_output=True)
    owner = (server.state.stat().st_uid, server.state.stat().st_gid)
    assert {(file.stat().st_uid, file.stat().st_gid) for file in server.state.glob("rendezvous.*")} == {owner}
    serving = server.started()
    assert len(listed(server, "owner")) == 1
    assert serving.end() == FINE


def test_two_do_not_share_a_folder(server: Command) -> None:
    serving = server.started()
    other = server.beside("rendezvous")
    other.write(other.sane() | {"state_dir": str(server.state)})
    running = other.start()
    assert running.process.wait(60) == FAILED
    assert "another instance is running" in running.log()
    assert str(server.state) in running.log()
    assert server.ask("status").code == FINE
    assert serving.end() == FINE


# --- limits that are set ---


def test_limits_are_those_of_the_settings(rendezvous: Command) -> None:
    rendezvous.write(rendezvous.sane() | {"limits.hello_timeout_s": 1, "limits.pairings_per_minute": 1, "limits.introductions_per_minute": 1,
                                          "limits.messages_per_minute": 6, "limits.new_boxes_per_hour": 1, "limits.hellos_per_minute": 4})
    serving = rendezvous.started()
    silent = Client(rendezvous.port, "box")
    assert silent.socket.close_code() is not None, "it did not say hello in a second"
    box, device = Client(rendezvous.port, "box"), Client(rendezvous.port, "device")
    box.join()
    device.join()
    box.allow([device.identity.id], 1)
    until(lambda: rendezvous.status()["known_boxes"] == 1, "the list to be known")
    device.say("introduce", id=1, box=box.identity.id.hex(), **device.sealed(b"x"))
    assert box.next("introduce")
    device.say("introduce", id=2, box=box.identity.id.hex(), **device.sealed(b"x"))
    assert device.next("error") == {"type": "error", "id": 2, "code": "rate", "text": "too many introductions; wait a minute"}
    device.say("pair", id=3, locator="7K2M", payload="{}")
    assert device.next("error")["code"] == "no_pairing"
    device.say("pair", id=4, locator="7K2M", payload="{}")
    assert device.next("error")["code"] == "rate"
    with contextlib.suppress(OSError):
        for number in range(100):
            device.say("pair", id=5 + number, locator="7K2M", payload="{}")
    assert device.socket.close_code() is not None, "too many messages"
    second = Client(rendezvous.port, "box")
    second.join()
    second.allow([], 1)
    assert second.next("error")["code"] == "rate"
    with pytest.raises(AssertionError):  # ended, instead of a challenge
        for _ in range(20):
            Client(rendezvous.port, "box")
    assert rendezvous.status()["counters"]["limited"] >= 4
    assert serving.end() == FINE

"""What the web page does, done by hand on the box's HTTPS port; every answer is checked against openapi.yaml."""

from __future__ import annotations

import gzip
import re
import signal
import socket
from collections.abc import Iterator

import pytest
from command import FINE, Command, free_port
from hearthlab.waiting import until
from owner import CONTRACT, Owner
from protocol import Identity, Pairing, read_link, unb64

HERE = socket.gethostname().lower()
PASSWORD = "correct horse battery"
PLAYLIST = b'#EXTM3U\n#EXTINF:-1 group-title="News",One\nudp://@239.1.1.1:5000\n#EXTINF:-1,Two\nrtp://@239.1.1.2:5000\n'


@pytest.fixture
def home(box: Command) -> Iterator[Command]:
    running = box.started()
    yield box
    assert running.end() == FINE


@pytest.fixture
def owner(home: Command) -> Owner:
    """Signed in at a box with two channels."""
    signed_in = Owner(home.port)
    assert signed_in.set_up(home.ask("setup-code").out.strip(), PASSWORD).status == 201
    assert signed_in.ask("POST", "/playlist", PLAYLIST, Content_Type="text/plain").json["added"] == 2
    return signed_in


def paired(owner: Owner, name: str) -> int:
    """The id of a device that has just paired."""
    window = owner.ask("POST", "/pairings")
    assert window.status == 201
    device = Identity()
    pairing = Pairing(device, name, read_link(window.json["link"]).secret)
    answer = owner.ask("POST", "/pair", pairing.message)
    assert pairing.is_proven(answer.json)
    known = {entry["name"]: entry for entry in owner.ask("GET", "/devices").json["devices"]}
    assert known[name]["fingerprint"] == pairing.fingerprint(unb64(answer.json["public_key"]))
    return int(known[name]["id"])


def test_the_first_start(home: Command) -> None:
    browser = Owner(home.port)
    status = browser.ask("GET", "/status").json
    assert status.keys() == {"name", "version", "setup_needed"}
    assert status["setup_needed"]
    assert not browser.is_signed_in()
    assert browser.sign_in(PASSWORD).code == "setup_needed"
    assert browser.ask("GET", "/setup/code").code == "not_found"
    code = home.ask("setup-code").out.strip()
    assert browser.set_up("0000-0000", PASSWORD).code == "wrong_setup_code"
    assert browser.set_up(code, "123456789").code == "weak_password"
    assert browser.set_up(code, "ä" * 9).code == "weak_password", "characters count, not octets"
    assert browser.set_up(code, "x" * 257).code == "invalid_field"
    assert not browser.is_signed_in()
    done = browser.set_up(f" {code.lower().replace('-', ' ')} ", "ä" * 10)
    assert done.status == 201
    cookie = done.headers["Set-Cookie"]
    assert re.match(r"__Host-hearthcast=[\w-]{20,};", cookie)
    assert {"Secure", "HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
    assert browser.is_signed_in()
    assert browser.set_up(code, PASSWORD).code == "already_set_up"
    other = Owner(home.port)
    assert other.sign_in("a" * 10).code == "wrong_password"
    assert other.sign_in("ä" * 10).status == 200


def test_channels(owner: Owner) -> None:
    listed = owner.ask("GET", "/channels").json
    one, two = listed["channels"]
    assert (one["name"], one["flow"], one["rtp"]) == ("One", {"group": "239.1.1.1", "port": 5000}, False)
    assert one["attributes"] == {"group-title": "News"}
    assert two["rtp"]
    assert one["live"]["state"] == "idle"
    renamed = owner.ask("PATCH", f"/channels/{one['id']}", {"name": "Eins"})
    assert renamed.json["name"] == "Eins"
    assert owner.ask("GET", "/channels").json["revision"] > listed["revision"]
    for bad in ("", " ", "\n"):
        assert owner.ask("PATCH", f"/channels/{one['id']}", {"name": bad}).code == "invalid_field"
    assert owner.ask("DELETE", f"/channels/{one['id']}").status == 204
    assert owner.ask("DELETE", f"/channels/{one['id']}").code == "not_found"
    again = owner.ask("POST", "/playlist", PLAYLIST, Content_Type="audio/x-mpegurl").json
    assert (again["added"], again["unchanged"]) == (1, 1)
    assert max(entry["id"] for entry in owner.ask("GET", "/channels").json["channels"]) > two["id"], "ids are not reused"


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        (b"", "text/plain", "empty_playlist"),
        (b"#EXTM3U\n# nothing\n", "text/plain", "empty_playlist"),
        (PLAYLIST, "application/json", "unsupported_media_type"),
        (PLAYLIST, "", "unsupported_media_type"),
    ],
    ids=["nothing", "comments", "as JSON", "as nothing"],
)
def test_playlists_that_are_none(owner: Owner, body: bytes, kind: str, code: str) -> None:
    assert owner.ask("POST", "/playlist", body, Content_Type=kind).code == code


def test_a_devices_way(owner: Owner) -> None:
    number = paired(owner, "Laptop")
    at = f"/devices/{number}"
    one, two = (entry["id"] for entry in owner.ask("GET", "/channels").json["channels"])
    changed = owner.ask("PATCH", at, {"name": "Käthe", "state": "approved", "channels": [two]}).json
    assert (changed["name"], changed["state"], changed["channels"], changed["connected"]) == ("Käthe", "approved", [two], False)
    for bad in ({"channels": [two, 999]}, {"channels": "none"}, {"channels": [str(two)]}, {"state": "pending"},
                {"state": ""}, {"name": ""}, {"name": 7}, {"channels": [one, one, 1.5]}):
        assert owner.ask("PATCH", at, {"name": "not this", **bad}).code == "invalid_field", bad
        assert owner.ask("GET", "/devices").json["devices"][0]["name"] == "Käthe", "all or nothing"
    assert owner.ask("PATCH", at, {"channels": "all"}).json["channels"] == "all"
    assert owner.ask("PATCH", at, {"state": "revoked"}).json["state"] == "revoked"
    assert owner.ask("GET", "/viewers").json == {"viewers": []}
    assert owner.ask("DELETE", at).status == 204
    assert owner.ask("PATCH", at, {"state": "approved"}).code == "not_found"
    assert paired(owner, "Laptop") > number, "ids are not reused"


def test_pairing_windows(owner: Owner) -> None:
    assert owner.ask("GET", "/pairings").json == {"pairings": []}
    first = owner.ask("POST", "/pairings").json
    assert 590 <= first["expires_in_s"] <= 600
    assert first["tries_left"] == 5
    assert first["qr_svg"].startswith("<svg")
    second = owner.ask("POST", "/pairings").json
    assert [window["id"] for window in owner.ask("GET", "/pairings").json["pairings"]] == [second["id"]]
    assert first["link"] != second["link"]
    assert owner.ask("DELETE", f"/pairings/{first['id']}").code == "not_found"
    assert owner.ask("DELETE", f"/pairings/{second['id']}").status == 204
    assert owner.ask("GET", "/pairings").json == {"pairings": []}
    codes = [owner.ask("POST", "/pairings") for _ in range(19)]
    assert codes[-1].code == "too_many_windows"


def test_events_show_each_change(owner: Owner) -> None:
    events = owner.events()
    first = {name for name, _ in (next(events) for _ in range(5))}
    assert first == {"status", "channels", "devices", "viewers", "pairing"}

    def awaited(wanted: str) -> dict[str, object]:
        return next(data for name, data in events if name == wanted)

    owner.ask("POST", "/pairings")
    assert awaited("pairing")["state"] == "open"
    number = paired(owner, "Laptop")
    while (pairing := awaited("pairing"))["state"] != "used":
        pass
    assert pairing["device_id"] == number
    before = owner.ask("GET", "/channels").json["revision"]
    owner.ask("DELETE", f"/channels/{owner.ask('GET', '/channels').json['channels'][0]['id']}")
    while awaited("channels")["revision"] <= before:  # type: ignore[operator]
        pass
    owner.ask("DELETE", "/session")
    assert len(list(events)) < 10, "the stream ends with the session"


def test_sessions_end(home: Command, owner: Owner) -> None:
    other = Owner(home.port)
    assert other.sign_in(PASSWORD).status == 200
    stolen = other.cookie
    assert other.ask("DELETE", "/session").status == 204
    other.cookie = stolen
    assert other.ask("GET", "/channels").code == "not_signed_in"

    assert other.sign_in(PASSWORD).status == 200
    assert owner.ask("PUT", "/password", {"current_password": "wrong", "new_password": "another password"}).code == "wrong_password"
    assert owner.ask("PUT", "/password", {"current_password": PASSWORD, "new_password": "short"}).code == "weak_password"
    assert other.is_signed_in()
    assert owner.ask("PUT", "/password", {"current_password": PASSWORD, "new_password": "another password"}).status == 204
    assert owner.is_signed_in()
    assert not other.is_signed_in(), "every other session ends"
    assert other.sign_in(PASSWORD).code == "wrong_password"
    assert other.sign_in("another password").status == 200

    assert home.ask("password", stdin="the third password\n").code == FINE
    assert not owner.is_signed_in()
    assert not other.is_signed_in()


def test_a_restart_signs_nobody_out_and_nobody_in(box: Command) -> None:
    first = box.started()
    stays, leaves = Owner(box.port), Owner(box.port)
    assert stays.set_up(box.ask("setup-code").out.strip(), PASSWORD).status == 201
    assert leaves.sign_in(PASSWORD).status == 200
    gone = leaves.cookie
    assert leaves.ask("DELETE", "/session").status == 204
    leaves.cookie = gone
    first.end(signal.SIGKILL)
    again = box.started()
    assert stays.is_signed_in()
    assert stays.ask("GET", "/devices").status == 200
    assert not leaves.is_signed_in()
    assert again.end() == FINE


def test_guessing_gets_slow(owner: Owner) -> None:
    thief = Owner(owner.port)
    for _ in range(5):
        assert thief.sign_in("a guess that is long").code == "wrong_password"
    closed = thief.sign_in(PASSWORD)
    assert closed.code == "too_many_attempts", "the right one is not tried either"
    assert closed.headers["Retry-After"] == "1"
    assert owner.is_signed_in(), "who is in stays in"
    assert until(lambda: thief.sign_in(PASSWORD).status == 200, "the second to be over")
    for _ in range(4):
        assert Owner(owner.port).sign_in("a guess that is long").code == "wrong_password", "the right one forgave"


FORGED = [
    ({"X_Hearthcast": ""}, 403, "missing_header"),
    ({"X_Hearthcast": "0"}, 403, "missing_header"),
    ({"Host": "evil.example"}, 421, "unknown_host"),
    ({"Host": "evil.example:8871"}, 421, "unknown_host"),
]


@pytest.mark.parametrize(("headers", "status", "code"), FORGED)
def test_forged_requests_change_nothing(owner: Owner, headers: dict[str, str], status: int, code: str) -> None:
    refused = owner.ask("DELETE", "/channels/1", **headers)
    assert (refused.status, refused.code) == (status, code)
    assert len(owner.ask("GET", "/channels").json["channels"]) == 2


def test_cookies_that_are_not_ours_sign_nobody_in(home: Command, owner: Owner) -> None:
    mine = owner.cookie.split("=", 1)[1]
    for cookie in ("", "__Host-hearthcast=", f"__Host-hearthcast={mine[:-1]}", f"__Host-hearthcast={mine}x",
                   f"hearthcast-lan={mine}", f"__Host-Hearthcast={mine}", f"x__Host-hearthcast={mine}", f"a=b,__Host-hearthcast={mine}"):
        stranger = Owner(home.port)
        stranger.cookie = cookie
        assert stranger.ask("GET", "/channels").code == "not_signed_in", cookie
    several = Owner(home.port)
    several.cookie = f"a=b; {owner.cookie}; c=d"
    assert several.ask("GET", "/channels").status == 200


def test_without_a_session_nothing_but_what_is_public(home: Command) -> None:
    stranger = Owner(home.port)
    for method, path in CONTRACT.operations():
        answer = stranger.ask(method, path.replace("{id}", "1"), b"{}" if method in ("POST", "PUT", "PATCH") else None)
        if not CONTRACT.is_public(method, path):
            assert (answer.status, answer.code) == (401, "not_signed_in"), (method, path)


def test_the_page_brings_everything_that_it_needs(home: Command) -> None:
    browser = Owner(home.port)
    page = browser.send("GET", "/")
    assert page.status == 200
    text = gzip.decompress(page.body).decode() if page.headers.get("Content-Encoding") == "gzip" else page.body.decode()
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy or "default-src 'self'" in policy
    assert "unsafe" not in policy
    parts = re.findall(r'(?:src|href)="(/?[^"]+)"', text)
    assert parts
    for part in parts:
        assert not part.startswith("http"), "nothing comes from elsewhere"
        loaded = browser.send("GET", "/" + part.lstrip("./"))
        assert loaded.status == 200, part
        assert loaded.headers["X-Content-Type-Options"] == "nosniff"
    assert browser.send("HEAD", "/").body == b""
    assert browser.send("GET", "/../etc/passwd").status in (400, 404)
    assert browser.send("POST", "/", b"x").status in (404, 405)


# --- the HTTP port, for a network that one trusts ---


def with_plain_http(box: Command, **settings: object) -> int:
    """Its port; the box is not started yet."""
    port = free_port()
    box.write(box.sane() | {"http.on": True, "http.listen": f"127.0.0.1:{port}", **settings})
    return port


def test_plain_http_is_off_unless_it_was_asked_for(box: Command) -> None:
    port = with_plain_http(box, **{"http.on": False})
    running = box.started()
    with pytest.raises(ConnectionRefusedError):
        Owner(port, plain=True).ask("GET", "/status")
    assert running.end() == FINE


def test_a_session_is_good_only_where_it_was_given(box: Command) -> None:
    port = with_plain_http(box)
    running = box.started()
    plain, safe = Owner(port, plain=True), Owner(box.port)
    done = plain.set_up(box.ask("setup-code").out.strip(), PASSWORD)
    assert done.status == 201
    cookie = done.headers["Set-Cookie"]
    assert cookie.startswith("hearthcast-lan=")
    assert "Secure" not in cookie, "a browser would not send it back"
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
    assert safe.sign_in(PASSWORD).status == 200
    assert plain.is_signed_in()
    assert safe.is_signed_in()
    token = {owner: owner.cookie.split("=", 1)[1] for owner in (plain, safe)}
    for here, there in ((plain, safe), (safe, plain)):
        for name in ("hearthcast-lan", "__Host-hearthcast"):
            stranger = Owner(here.port, plain=here is plain)
            stranger.cookie = f"{name}={token[there]}"
            assert not stranger.is_signed_in(), "what was heard on the one is worth nothing on the other"
    assert plain.ask("DELETE", "/session").status == 204
    assert safe.is_signed_in()
    assert running.end() == FINE


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("127.0.0.1", True), ("localhost", True), (HERE, True), (f"{HERE.upper()}.local", True), (f"{HERE}.local:8872", True),
        ("tv.example", True), ("TV.example.:80", True), ("[::1]:8872", True), ("192.0.2.1", True), ("evil.example", False),
        (f"{HERE}.evil.example", False), (f"x{HERE}", False), (f"{HERE}@evil.example", False), ("127.0.0.1.evil.example", False),
    ],
)
def test_only_its_own_names_are_answered(box: Command, host: str, known: bool) -> None:
    port = with_plain_http(box, **{"http.names": "tv.example, other.example"})
    running = box.started()
    answer = Owner(port, plain=True).ask("GET", "/status", Host=host)
    assert answer.status == (200 if known else 421), host
    assert running.end() == FINE

"""Changes to what a box holds: odd playlists, many at once, and none lost that was acknowledged."""

from __future__ import annotations

import json
import random
import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from command import FINE, Command
from owner import locally

@pytest.fixture
def home(box: Command) -> Iterator[Command]:
    running = box.started()
    yield box
    assert running.process.poll() is None
    assert running.end() == FINE


def load(box: Command, playlist: str | bytes) -> Any:
    return locally(box, "POST", "/playlist", playlist.encode() if isinstance(playlist, str) else playlist, "text/plain")


# Each line with what becomes of it: taken, not taken, or not an address at all.
LINES: list[tuple[bytes, bool | None]] = [
    (b"udp://@239.1.%d.%d:5000", True), (b"rtp://239.2.%d.%d:5004", True), (b"udp://192.0.2.1@232.1.%d.%d:5000", True),
    (b"  udp://@239.3.%d.%d:5000/  ", True), (b"UDP://@239.4.%d.%d:5000?pkt_size=1316", True),
    (b"udp://@[ff3e::%d:%d]:5000", True), (b"rtp://[2001:db8::1]@[ff3e::1:%d:%d]:5000", True),
    (b"udp://@239.5.1.1", False), (b"http://example.net/x", False), (b"udp://@192.0.2.7:5000", False), (b"\xff\xfd", False),
    (b"udp://@239.5.1.1:0", False), (b"x" * 20_000, False), (b"udp://@ff3e::1:5000", False), (b"0", False), (b"@", False),
    (b"", None), (b"#", None), (b"#EXTINF:-1,A name", None), (b"#EXTINF:", None), (b'#EXTINF:-1 a="b,c', None),
    (b"#EXTGRP:News", None), (b"#EXTVLCOPT:x", None), (b"#EXTM3U", None), (b"\t \t", None), (b"#EXTINF:-1,\xe4\xf6", None),
]


@pytest.mark.parametrize("seed", range(8))
def test_any_mixture_of_lines_is_taken_apart_rightly(home: Command, seed: int) -> None:
    chance = random.Random(seed)
    lines, fates, seen = [], [], set()
    for _ in range(300):
        line, fate = chance.choice(LINES)
        if b"%d" in line:
            line = line % (chance.randrange(1, 9), chance.randrange(1, 9))
        if fate:
            address = line.strip().split(b"?")[0].rstrip(b"/").split(b"://")[1]
            fate = address not in seen  # the first of the same address is the channel
            seen.add(address)
        lines.append(line)
        fates.append(fate)
    end = chance.choice([b"\n", b"\r\n", b"\r"])
    playlist = end.join(lines)
    report = load(home, playlist)
    assert [line["line"] for line in report["lines"]] == [n for n, fate in enumerate(fates, 1) if fate is not None]
    for line in report["lines"]:
        assert (line["result"] != "failed") == fates[line["line"] - 1], (line, lines[line["line"] - 1])
        assert line["text"]
    assert report["added"] == len(seen)
    assert report["failed"] == fates.count(False)
    channels = locally(home, "GET", "/channels")["channels"]
    assert len(channels) == len(seen)
    # Once more the same: nothing is added, and what stays as it was is not touched.
    again = load(home, playlist)
    assert (again["added"], again["failed"]) == (0, report["failed"])
    assert [c["id"] for c in locally(home, "GET", "/channels")["channels"]] == [c["id"] for c in channels]


def test_many_change_at_once(home: Command) -> None:
    """Eight owners at the same time: every change is made whole, in some order, and none is refused."""
    load(home, "".join(f"#EXTINF:-1,C{n}\nudp://@239.1.0.{n}:5000\n" for n in range(1, 9)))
    numbers = [channel["id"] for channel in locally(home, "GET", "/channels")["channels"]]
    failures: list[BaseException] = []

    def owner(which: int) -> None:
        try:
            for turn in range(15):
                locally(home, "PATCH", f"/channels/{numbers[which]}", json.dumps({"name": f"{which} at {turn}"}).encode())
                load(home, f"udp://@239.2.{which}.{turn + 1}:5000\n")
                assert len(locally(home, "GET", "/channels")["channels"]) >= 8 + turn + 1
        except BaseException as failure:  # noqa: BLE001: told by the test's own thread
            failures.append(failure)

    owners = [threading.Thread(target=owner, args=(which,)) for which in range(8)]
    for thread in owners:
        thread.start()
    for thread in owners:
        thread.join()
    assert not failures, failures
    channels = {channel["id"]: channel["name"] for channel in locally(home, "GET", "/channels")["channels"]}
    assert len(channels) == 8 + 8 * 15
    assert [channels[number] for number in numbers] == [f"{which} at 14" for which in range(8)]


@pytest.mark.parametrize("kill_after", [1, 7, 23])
def test_what_was_acknowledged_survives_a_kill(box: Command, kill_after: int) -> None:
    running = box.started()
    acknowledged: list[int] = []

    def change() -> None:
        try:
            for number in range(1, 250):
                report = load(box, f"#EXTINF:-1,Number {number}\nudp://@239.1.1.{number}:5000\n")
                acknowledged.append(report["lines"][0]["channel_id"])
                if len(acknowledged) == kill_after:
                    running.process.send_signal(signal.SIGKILL)
        except (OSError, AssertionError, ValueError):
            pass  # it is dead

    changing = threading.Thread(target=change)
    changing.start()
    changing.join()
    assert running.end() == -signal.SIGKILL
    assert len(acknowledged) >= kill_after
    again = box.started()
    present = [channel["id"] for channel in locally(box, "GET", "/channels")["channels"]]
    assert present[: len(acknowledged)] == acknowledged
    assert len(present) <= len(acknowledged) + 1, "at most what was not yet acknowledged"
    assert again.end() == FINE


def test_ten_thousand_channels(home: Command) -> None:
    playlist = "#EXTM3U\n" + "".join(
        f'#EXTINF:-1 tvg-id="{n}" group-title="Group {n % 20}",Channel {n}\nudp://@239.{n >> 16}.{n >> 8 & 255}.{n & 255}:5000\n'
        for n in range(256, 10_256))
    assert load(home, playlist)["added"] == 10_000
    channels = locally(home, "GET", "/channels")["channels"]
    assert len(channels) == 10_000
    assert channels[9999]["name"] == "Channel 10255"
    locally(home, "DELETE", f"/channels/{channels[0]['id']}")
    assert load(home, playlist)["added"] == 1
    assert home.ask("channels").out.count("\n") == 10_000

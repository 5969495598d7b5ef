"""What comes from outside and is wrong gets an error or a count; nothing crashes and nothing is lost."""

from __future__ import annotations

import contextlib
import random
import shutil
import socket
import subprocess

import pytest
from hearthlab import channels
from hearthlab.channels import ONE
from hearthlab.comparison import compare
from hearthlab.program import Program
from hearthlab.topology import BOX_IP4, LAPTOP_IP4, RENDEZVOUS_IP4
from hearthlab.waiting import until
from hearthlab.world import Away, World

BROKEN_PLAYLIST = """#EXTM3U
#EXTINF:-1,No address follows
#EXTINF:-1,A web page
https://tv.example/live.m3u8
#EXTINF:-1,No port
udp://@239.1.1.1
#EXTINF:-1,Not a group
udp://@192.168.1.1:5000
#EXTINF:-1,Port too large
udp://@239.1.1.1:70000
#EXTINF:-1,Link scope
udp://@[ff02::1]:5000
#EXTINF:-1,Good one
udp://@239.1.1.77:5000
\x00\xff\xfe nonsense
"""


def datagrams() -> list[bytes]:
    """Empty, tiny, huge, random, and the first octets of everything that the ports know."""
    chance = random.Random(4755)
    cookie = bytes.fromhex("2112a442")
    heads = [
        b"", b"\0", b"\x16", b"\xff" * 1400, bytes(1472),
        b"\0\1\0\0" + cookie, b"\0\1\xff\xfc" + cookie + bytes(12), b"\0\1\0\4" + cookie + bytes(12) + b"\0\6\xff\xff",
        bytes.fromhex("16fefd0000000000000000ffff"), bytes.fromhex("17fefd0001000000000000000401020304"),
        bytes.fromhex("16feff000000000000000000100100000400000000000000040102030405"),
        b"\x20\0\x88\xb5", b"\x30\0\x86\xdd" + bytes(8), b"\x41" + bytes(40),
    ]
    return heads + [chance.randbytes(chance.randrange(1, 1400)) for _ in range(300)]


def pelt(world: World, place: str, target: tuple[str, int]) -> None:
    with contextlib.closing(world.topology[place].socket(socket.AF_INET, socket.SOCK_DGRAM)) as sender:
        for datagram in datagrams():
            with contextlib.suppress(ConnectionRefusedError):
                sender.sendto(datagram, target)


def test_malformed_datagrams_on_every_port(world: World, away: Away) -> None:
    player = away.playing(ONE)
    starts = [program.supervisor.starts for program in (world.box, world.rendezvous, away.program)]
    try:
        tunnel_port = _udp_port(away)
        pelt(world, "homepc", (BOX_IP4, 4755))
        pelt(world, "laptop", (LAPTOP_IP4, tunnel_port))
        pelt(world, "internet", (RENDEZVOUS_IP4, 3478))
        player.wait_for_more(2_000_000)
        result = compare(world.service.film(ONE), player.data())
        assert result.bytes_equal, result
    finally:
        player.close()
    assert [program.supervisor.starts for program in (world.box, world.rendezvous, away.program)] == starts


def _udp_port(away: Away) -> int:
    """The port of the client's tunnel socket, as the kernel lists it."""
    listing = away.space.run("ss", "-Hunlp")
    ports = [int(line.split()[3].rsplit(":", 1)[1]) for line in listing.splitlines() if "hearthcast-away" in line]
    assert ports, listing
    return ports[0]


@pytest.mark.parametrize(
    ("place", "address", "port"),
    [
        ("homepc", BOX_IP4, 8871), ("homepc", BOX_IP4, 8872),
        ("internet", RENDEZVOUS_IP4, 443), ("laptop", "127.0.0.1", 8870),
    ],
)
def test_malformed_connections_on_every_port(world: World, away: Away, place: str, address: str, port: int) -> None:
    programs = (world.box, world.rendezvous, away.program)
    starts = [program.supervisor.starts for program in programs]
    for octets in [b"", b"\0" * 100, b"GET", b"GET / HTTP/9.9\r\n\r\n", b"A" * 100_000, *datagrams()[-20:]]:
        with contextlib.closing(world.topology[place].socket(socket.AF_INET, socket.SOCK_STREAM)) as connection:
            connection.settimeout(5)
            with contextlib.suppress(OSError):
                connection.connect((address, port))
                connection.sendall(octets)
                connection.shutdown(socket.SHUT_WR)
                connection.recv(65536)
    assert [program.supervisor.starts for program in programs] == starts
    assert away.get("/playlist.m3u").status == 200
    world.box.ask("status")
    world.rendezvous.call("status")


def test_broken_lines_stop_no_good_ones(world: World) -> None:
    path = world.folder / "broken.m3u"
    path.write_bytes(BROKEN_PLAYLIST.encode("latin-1"))
    report = world.box.ask("import", str(path))
    assert report["added"] == 1
    assert report["failed"] >= 5
    failed = [line for line in report["lines"] if line["result"] == "failed"]
    assert all(line["text"].strip() for line in failed)
    names = [channel["name"] for channel in world.box.ask("channels")["channels"]]
    assert "Good one" in names
    assert {channel.name for channel in channels.ALL} <= set(names)


def test_second_box_with_the_same_identity(world: World, away: Away) -> None:
    """A copied state folder: people are told, and who watches keeps watching."""
    player = away.playing(ONE)
    copy = world.new_box("copy", "homepc")
    shutil.rmtree(copy.state)
    subprocess.run(["cp", "-a", str(world.box.state), str(copy.state)], check=True)
    copy.start()
    try:
        told = until(lambda: _speaks_of_another(world.box, copy), "one of the two to say that there is another", 60)
        assert told
        player.wait_for_more(2_000_000)
        assert compare(world.service.film(ONE), player.data()).bytes_equal
    finally:
        copy.stop()
        player.close()
    world.box.supervisor.kill()
    world.wait_for_rendezvous(world.box)


def _speaks_of_another(*boxes: Program) -> str | None:
    for box in boxes:
        with contextlib.suppress(Exception):
            text = str(box.ask("status")["rendezvous"]["text"])
            if any(word in text.lower() for word in ("another", "replaced", "same identity")):
                return text
    return None

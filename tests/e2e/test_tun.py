"""hearthcast-away --tun: any multicast program on the laptop works as at home, and nothing else is touched."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hearthlab.channels import ALL, FOUR, ONE, THREE, TWO, Channel
from hearthlab.comparison import compare
from hearthlab.film import DATAGRAM
from hearthlab.listener import Listener
from hearthlab.namespace import Namespace
from hearthlab.program import Program
from hearthlab.waiting import until
from hearthlab.world import Away, World

DEVICE = "hearthcast0"
WANTED = 3000  # datagrams


@pytest.fixture(scope="module")
def laptop(world: World) -> Iterator[Away]:
    """A client with an interface of its own, which may watch all but the last channel. Programs find it by its routes."""
    client = world.new_away("laptop", tun=True)
    world.approve(world.pair(client), (ONE, TWO, THREE))
    until(lambda: len(tun(client)["addresses"]) == 3, "the addresses that the box gives")
    until(lambda: len(client.playlist()) == 3, "the channels")
    yield client
    client.program.stop()


def tun(client: Away) -> dict[str, Any]:
    return dict(client.program.ask("status")["tun"])


def interface(space: Namespace) -> dict[str, Any] | None:
    """The interface as `ip` shows it, with its addresses."""
    for item in json.loads(space.run("ip", "-j", "-d", "address", "show")):
        if item.get("ifname") == DEVICE:
            return dict(item)
    return None


class Plain(Listener):
    """Joins as most programs do: without naming an interface. The kernel chooses by its routes."""

    def _join(self, index: int) -> None:
        super()._join(0)


def state_of(client: Away, channel: Channel) -> dict[str, Any]:
    for group in tun(client)["groups"]:
        if group["group"] == channel.group and group.get("source") == channel.source:
            return dict(group)
    raise LookupError(channel.name)


@pytest.mark.parametrize("channel", (ONE, TWO, THREE), ids=lambda channel: channel.name)
def test_a_plain_program_gets_the_providers_octets(world: World, laptop: Away, channel: Channel) -> None:
    listener = Plain(laptop.space, channel)
    try:
        listener.wait_for(WANTED, timeout=60)
        assert state_of(laptop, channel)["state"] == "receiving"
        until(lambda: tun(laptop)["counters"]["packets"] >= WANTED, "the counters", 20)
        counters = tun(laptop)["counters"]
        assert counters["dropped"] == 0
    finally:
        listener.close()
    result = compare(world.service.film(channel), listener.data())
    assert result.bytes_equal, result
    assert result.continuity_errors == 0


def test_the_interface_itself_is_no_new_network(laptop: Away) -> None:
    """Its addresses came: what leads to the rendezvous stays up. The pairing link is followed by the lasting one."""
    assert "the network changed" not in laptop.program.log()


def test_a_leave_stops_the_flow(world: World, laptop: Away) -> None:
    listener = Plain(laptop.space, TWO)
    listener.wait_for(200, timeout=60)
    listener.close()
    until(lambda: not tun(laptop)["groups"], "the wish is gone", 20)
    until(lambda: not [one for one in world.box.ask("channels")["channels"] if one["live"]["viewers"]], "nobody watches", 20)
    sent = len(world.service.sent_ns(TWO))
    time.sleep(1)  # what was on its way has come
    before = world.observer.packets(TWO)
    until(lambda: len(world.service.sent_ns(TWO)) > sent + 1500, "the provider goes on")
    assert world.observer.packets(TWO) == before


def test_a_program_and_a_player_cost_one_copy(world: World, laptop: Away) -> None:
    listener = Plain(laptop.space, ONE)
    listener.wait_for(500, timeout=60)
    player = laptop.playing(ONE)
    try:
        before = _received(laptop.space)
        mark = player.octets()
        player.wait_for_more(4_000_000)
        carried = _received(laptop.space) - before
        played = player.octets() - mark
        assert carried < 1.5 * played, f"{carried} octets in the tunnel for {played} played"
        # The program leaves; the player goes on.
        listener.close()
        until(lambda: not tun(laptop)["groups"], "the program's wish is gone", 20)
        player.wait_for_more(2_000_000)
    finally:
        player.close()
    assert compare(world.service.film(ONE), listener.data()).bytes_equal
    assert compare(world.service.film(ONE), player.data()).bytes_equal


def _received(space: Namespace) -> int:
    listing = json.loads(space.run("ip", "-j", "-s", "link", "show", "dev", "eth0"))
    return int(listing[0]["stats64"]["rx"]["bytes"])


@pytest.mark.parametrize("family", ("ipv4", "ipv6"))
def test_an_older_kernel_is_served(world: World, laptop: Away, family: str) -> None:
    """The kernel speaks IGMPv2 or MLDv1, as it does after an older querier or when it is told to."""
    name, old, channel = ("force_igmp_version", 2, TWO) if family == "ipv4" else ("force_mld_version", 1, ONE)
    path = f"{family}/conf/{DEVICE}/{name}"
    laptop.space.sysctl({path: old})
    try:
        listener = Plain(laptop.space, _without_source(channel))
        listener.wait_for(WANTED, timeout=60)
        listener.close()
        assert compare(world.service.film(channel), listener.data()).bytes_equal
        until(lambda: not tun(laptop)["groups"], "the leave", 30)
    finally:
        laptop.space.sysctl({path: 0})


def _without_source(channel: Channel) -> Channel:
    return Channel(channel.name, channel.group, channel.port, None, channel.rtp)


def test_ffmpeg_plays_from_the_interface(world: World, laptop: Away) -> None:
    command = ["ffprobe", "-v", "error", "-show_streams", "-show_programs", "-of", "json", "-analyzeduration", "4000000",
               f"udp://@{TWO.group}:{TWO.port}?timeout=30000000"]
    found = json.loads(laptop.space.run(*command, timeout=120))
    codecs = {stream["codec_type"]: stream["codec_name"] for stream in found["streams"]}
    assert codecs == {"video": "h264", "audio": "aac"}
    assert found["programs"][0]["tags"]["service_name"] == TWO.name


def test_the_box_answers_at_its_addresses(laptop: Away) -> None:
    box = tun(laptop)["box"]
    assert len(box) == 3
    for address in box:
        target = f"{address}%{DEVICE}" if address.startswith("fe80") else address
        said = laptop.space.run("ping", "-n", "-c", "3", "-i", "0.2", "-W", "10", "-s", "1000", target)
        assert " 0% packet loss" in said, said


def test_what_the_box_does_not_serve_is_refused_at_once(laptop: Away) -> None:
    for address in tun(laptop)["box"][1:]:
        probe = laptop.space.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
        probe.settimeout(20)
        with contextlib.closing(probe), pytest.raises(ConnectionRefusedError):
            probe.connect((address, 22))


def test_a_channel_that_is_not_granted_is_refused_and_told(world: World, laptop: Away) -> None:
    before = world.observer.packets(FOUR)
    listener = Plain(laptop.space, FOUR)
    try:
        until(lambda: state_of(laptop, FOUR)["state"] == "refused", "the refusal", 30)
        assert state_of(laptop, FOUR)["code"] in ("not_granted", "unknown_channel")
        said = laptop.program.call("status")
        assert FOUR.group in said and "refused" in said, said
        assert "tun_refused" in laptop.program.log()
        time.sleep(1.5)
        assert not listener.arrived
        assert world.observer.packets(FOUR) == before
    finally:
        listener.close()


def stands_still(listener: Listener) -> bool:
    count = len(listener.arrived)
    time.sleep(1)
    return len(listener.arrived) == count


def test_a_grant_that_comes_later_needs_no_new_join(world: World, laptop: Away) -> None:
    number = next(device["id"] for device in world.box.ask("devices")["devices"] if device["connected"])
    listener = Plain(laptop.space, FOUR)
    try:
        until(lambda: state_of(laptop, FOUR)["state"] == "refused", "the refusal", 30)
        world.box.call("grant", str(number), ",".join(str(world.channel_id(channel)) for channel in ALL))
        listener.wait_for(500, timeout=30)
        world.box.call("grant", str(number), ",".join(str(world.channel_id(channel)) for channel in (ONE, TWO, THREE)))
        until(lambda: state_of(laptop, FOUR)["state"] == "refused", "the refusal again", 30)
        until(lambda: stands_still(listener), "the end of what was on its way when the grant was taken back", 30)
    finally:
        listener.close()


def test_the_laptops_own_network_is_left_alone(world: World, laptop: Away) -> None:
    """Names and services of the hotel's network, and who multicasts there, are where they were."""
    space = laptop.space
    for group in ("224.0.0.251", "239.255.255.250", "224.0.0.252", "239.10.10.99", "8.8.8.8"):
        assert DEVICE not in space.run("ip", "route", "get", group), group
    for group in ("ff02::fb", "ff05::c", "ff02::1:3", "ff0e::fb"):
        assert DEVICE not in space.run("ip", "route", "get", group, "oif", "eth0"), group
    other = world.topology["awaynat"]
    for group in ("224.0.0.251", "239.255.255.250"):
        neighbour = Listener(other, Channel("mDNS", group, 5353), interface="lan")
        try:
            sender = space.socket(socket.AF_INET, socket.SOCK_DGRAM)
            with contextlib.closing(sender):
                until(lambda: sender.sendto(b"who is there?", (group, 5353)) and bool(neighbour.arrived), f"{group} at the neighbour", 20)
        finally:
            neighbour.close()
    listener = Plain(space, Channel("SSDP", "239.255.255.250", 1900))
    time.sleep(1)
    listener.close()
    assert not tun(laptop)["groups"]


def test_only_what_belongs_there_crosses(laptop: Away) -> None:
    """A program that sends into the interface reaches nobody: neither groups nor strangers."""
    before = tun(laptop)["counters"]
    sender = laptop.space.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with contextlib.closing(sender):
        for _ in range(20):
            sender.sendto(b"x" * 100, ("232.9.9.9", 1234))
            with contextlib.suppress(OSError):
                sender.sendto(b"x" * 100, (tun(laptop)["box"][2], 1234))
    until(lambda: tun(laptop)["counters"]["kept_here"] >= before["kept_here"] + 20, "what was kept here", 20)
    assert tun(laptop)["counters"]["to_box"] == before["to_box"]


def test_the_program_has_no_privilege_left(laptop: Away) -> None:
    status = open(f"/proc/{_pid(laptop.program)}/status", encoding="ascii").read()
    facts = dict(line.split(":", 1) for line in status.splitlines())
    assert set(facts["Uid"].split()) == {"65534"}
    assert int(facts["CapEff"], 16) == int(facts["CapPrm"], 16) == 0


def _pid(program: Program) -> int:
    """Of the program itself; the supervisor's is that of the same process."""
    return program.supervisor.pid


def begin_anew(world: World, laptop: Away, mtu: int) -> None:
    """The client begins again, on a path of that size."""
    laptop.program.stop()
    world.topology["internet"].ip(f"link set away mtu {mtu}")
    world.topology["awaynat"].ip(f"link set wan mtu {mtu}")
    laptop.program.start()
    until(lambda: len(tun(laptop)["addresses"]) == 3, "the addresses that the box gives")
    until(lambda: len(laptop.playlist()) == 3, "the channels")


def form_at_box(world: World) -> str:
    devices = [device for device in world.box.ask("devices")["devices"] if device["connected"]]
    return str(until(lambda: devices[0].get("form") or world.device(devices[0]["id"]).get("form"), "the form", 30))


def test_a_narrow_path_brings_the_same_datagrams(world: World, laptop: Away) -> None:
    """What comes without its IP header, or in pieces, is written into the interface as the provider sent it."""
    try:
        begin_anew(world, laptop, 1280)
        for channel in (ONE, TWO, THREE):
            listener = Plain(laptop.space, channel)
            listener.wait_for(1000, timeout=60)
            assert form_at_box(world) == "fragments"
            listener.close()
            assert {len(payload) for _, payload in listener.arrived} == {DATAGRAM + (12 if channel.rtp else 0)}
            assert compare(world.service.film(channel), listener.data()).bytes_equal
        said = laptop.space.run("ping", "-n", "-c", "3", "-i", "0.2", "-W", "10", "-s", "1000", tun(laptop)["box"][1])
        assert " 0% packet loss" in said, said
    finally:
        begin_anew(world, laptop, 1500)


# From here on the client does not survive.


def test_a_killed_client_leaves_nothing_and_comes_back(world: World, laptop: Away) -> None:
    before = interface(laptop.space)
    assert before is not None
    starts = laptop.program.supervisor.starts
    laptop.program.supervisor.kill()
    until(lambda: (interface(laptop.space) or {}).get("ifindex") != before["ifindex"], "the interface is gone", 20)
    laptop.program.supervisor.wait_for_starts(starts + 1)
    until(lambda: len(tun(laptop)["addresses"]) == 3, "the new interface's addresses")
    listener = Plain(laptop.space, THREE)
    listener.wait_for(500, timeout=60)
    listener.close()


def test_a_client_that_ends_takes_everything_with_it(world: World, laptop: Away) -> None:
    assert interface(laptop.space) is not None
    laptop.program.stop()
    until(lambda: interface(laptop.space) is None, "the interface is gone", 20)
    routes = laptop.space.run("ip", "route", "show", "table", "all") + laptop.space.run("ip", "-6", "route", "show", "table", "all")
    assert DEVICE not in routes
    assert "232.0.0.0/8" not in routes


def test_a_user_without_rights_is_told_what_to_do(world: World) -> None:
    program = Program(
        world.topology["laptop"], world.bin / "hearthcast-away", world.folder / "rightless",
        {"http": {"listen": "127.0.0.1:8899"}, "tun": {"on": True}}, unprivileged=True,
    )
    done = subprocess.run(
        world.topology["laptop"].command(*program._command("run")), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1
    assert "--tun" in done.stderr and "hearthcast-netd" in done.stderr and "root" in done.stderr, done.stderr

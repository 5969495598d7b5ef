"""The box at its address inside the tunnel: the laptop's own kernel pings it and opens its web page, and reaches nothing else."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from hearthlab.channels import ONE, TWO
from hearthlab.namespace import Namespace
from hearthlab.program import Refused
from hearthlab.waiting import until
from hearthlab.world import Away, World

DEVICE = "hearthcast0"
HTTPS, HTTP = 8871, 8872


@pytest.fixture(scope="module")
def laptop(world: World) -> Iterator[Away]:
    client = world.new_away("laptop", tun=True)
    world.approve(world.pair(client), (ONE, TWO))
    wait_for_web(world, client)
    yield client
    client.program.stop()


def box_addresses(client: Away) -> list[str]:
    """Of the box, inside the tunnel: the link-local one, IPv6, IPv4."""
    return [str(one) for one in client.program.ask("status")["tun"]["box"]]


def own_addresses(client: Away) -> list[str]:
    return [str(one).split("/")[0] for one in client.program.ask("status")["tun"]["addresses"]]


def wait_for_web(world: World, client: Away) -> None:
    until(lambda: len(box_addresses(client)) == 3, "the addresses that the box gives")
    until(lambda: inside(world)["state"] == "up", "the box's interface")


def inside(world: World) -> dict[str, Any]:
    return dict(world.box.ask("status")["tunnel_interface"])


def interface(space: Namespace) -> dict[str, Any] | None:
    for item in json.loads(space.run("ip", "-j", "-d", "address", "show")):
        if item.get("ifname") == DEVICE:
            return dict(item)
    return None


def addresses_of(space: Namespace) -> set[str]:
    found = interface(space)
    return {f"{one['local']}/{one['prefixlen']}" for one in found["addr_info"]} if found else set()


def host(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def curl(space: Namespace, url: str, *options: str) -> str:
    return space.run("curl", "-sS", "--noproxy", "*", "--insecure", "--compressed", "--max-time", "60", *options, url, timeout=90)


def refused_at_once(space: Namespace, address: str, port: int) -> bool:
    with contextlib.closing(space.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)) as probe:
        probe.settimeout(20)
        try:
            probe.connect((address, port))
        except ConnectionRefusedError:
            return True
        return False


def test_ping_answers_in_both_families(laptop: Away) -> None:
    for address in box_addresses(laptop)[1:]:
        said = laptop.space.run("ping", "-n", "-c", "3", "-i", "0.2", "-W", "10", "-s", "1000", address)
        assert " 0% packet loss" in said, said


@pytest.mark.parametrize("scheme", ("https", "http"))
@pytest.mark.parametrize("family", (1, 2), ids=("ipv6", "ipv4"))
def test_the_web_page_opens(world: World, laptop: Away, scheme: str, family: int) -> None:
    address = box_addresses(laptop)[family]
    before = inside(world)
    page = curl(laptop.space, f"{scheme}://{host(address)}:{HTTPS if scheme == 'https' else HTTP}/")
    at_home = curl(world.topology["box"], f"https://127.0.0.1:{HTTPS}/")
    assert page == at_home and "<html" in page
    until(lambda: inside(world)["packets_in"] > before["packets_in"], "the packets counted", 20)
    assert inside(world)["packets_out"] > before["packets_out"]


def test_the_page_asks_for_the_password_as_anywhere(laptop: Away) -> None:
    address = box_addresses(laptop)[1]
    status = json.loads(curl(laptop.space, f"https://{host(address)}:{HTTPS}/api/v1/status"))
    assert "name" in status and "uptime_s" not in status, "no more than anybody gets"
    code = curl(laptop.space, f"https://{host(address)}:{HTTPS}/api/v1/devices", "-o", "/dev/null", "-w", "%{http_code}")
    assert code == "401"


def test_much_comes_whole(world: World, laptop: Away) -> None:
    """The largest thing that the page loads, several times at once and while a channel plays."""
    address = box_addresses(laptop)[1]
    largest = f"https://{host(address)}:{HTTPS}/api/v1/openapi.yaml"
    expected = curl(world.topology["box"], f"https://127.0.0.1:{HTTPS}/api/v1/openapi.yaml")
    player = laptop.playing(ONE)
    try:
        for _ in range(5):
            assert curl(laptop.space, largest) == expected
    finally:
        player.close()
    assert len(expected) > 20_000


def test_a_narrow_path_brings_the_page_whole(world: World, laptop: Away) -> None:
    """TCP's segments fit the narrowest path by themselves: nothing waits for an error that a tunnel cannot send."""
    try:
        narrow(world, laptop, 1280)
        for address in box_addresses(laptop)[1:]:
            page = curl(laptop.space, f"https://{host(address)}:{HTTPS}/api/v1/openapi.yaml")
            assert page == curl(world.topology["box"], f"https://127.0.0.1:{HTTPS}/api/v1/openapi.yaml")
    finally:
        narrow(world, laptop, 1500)


def narrow(world: World, laptop: Away, mtu: int) -> None:
    laptop.program.stop()
    world.topology["internet"].ip(f"link set away mtu {mtu}")
    world.topology["awaynat"].ip(f"link set wan mtu {mtu}")
    laptop.program.start()
    wait_for_web(world, laptop)


def test_nothing_else_of_the_box_is_reached(world: World, laptop: Away) -> None:
    """Whatever else listens on the box, on all its addresses: it hears nothing."""
    box = world.topology["box"]
    listener = box.socket(socket.AF_INET6, socket.SOCK_STREAM)
    datagrams = box.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    with contextlib.closing(listener), contextlib.closing(datagrams):
        listener.bind(("::", 2222))
        listener.listen()
        listener.settimeout(0.5)
        datagrams.bind(("::", 2222))
        datagrams.setblocking(False)
        # The lab itself would let it in:
        with contextlib.closing(box.socket(socket.AF_INET, socket.SOCK_STREAM)) as own:
            own.connect((box_addresses(laptop)[2], 2222))
            listener.accept()[0].close()
        before = inside(world)["drops"]["refused"]
        for address in box_addresses(laptop)[1:]:
            assert refused_at_once(laptop.space, address, 2222)
            sender = laptop.space.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
            with contextlib.closing(sender), contextlib.suppress(OSError):
                sender.sendto(b"x", (address, 2222))
        with pytest.raises(TimeoutError):
            listener.accept()
        with pytest.raises(BlockingIOError):
            datagrams.recv(10)
        until(lambda: inside(world)["drops"]["refused"] >= before + 2, "the refusals counted", 20)


def test_the_box_does_not_reach_the_laptop(world: World, laptop: Away) -> None:
    """The way is for answers only: a program of the box cannot call a service of the laptop."""
    listener = laptop.space.socket(socket.AF_INET, socket.SOCK_STREAM)
    with contextlib.closing(listener):
        listener.bind(("0.0.0.0", 2223))
        listener.listen()
        listener.settimeout(1)
        own = next(one for one in own_addresses(laptop) if one.startswith("10."))
        before = inside(world)["drops"]["kept_here"]
        caller = world.topology["box"].socket(socket.AF_INET, socket.SOCK_STREAM)
        caller.setblocking(False)
        with contextlib.closing(caller), contextlib.suppress(BlockingIOError):
            caller.connect((own, 2223))
        until(lambda: inside(world)["drops"]["kept_here"] > before, "the call stayed on the box", 20)
        with pytest.raises(TimeoutError):
            listener.accept()


def test_the_interface_is_no_network_of_the_box(world: World, laptop: Away) -> None:
    """It is not where the box is to be found, nor a link of the home."""
    inner = set(box_addresses(laptop))
    link = world.box.ask("pair")
    assert "10.203." not in json.dumps(link)
    told = (laptop.program.state / "memory.json").read_text(encoding="utf-8")
    assert not [one for one in inner if f'"{one}' in told or f"[{one}]" in told], told
    found = interface(world.topology["box"])
    assert found is not None
    assert {one["scope"] for one in found["addr_info"]} == {"global"}, "no address of its own invention"


def test_a_lan_link_does_not_work_through_the_tunnel(laptop: Away) -> None:
    address = box_addresses(laptop)[2]
    said = curl(laptop.space, f"http://{address}:{HTTP}/lan/{'a' * 22}/playlist.m3u", "-w", "%{http_code}")
    assert said.endswith("403") and "home" in said, said


def test_whom_the_owner_turns_away_is_cut_off_at_once(world: World, laptop: Away) -> None:
    address = box_addresses(laptop)[2]
    number = next(device["id"] for device in world.box.ask("devices")["devices"] if device["connected"])
    waiting = laptop.space.socket(socket.AF_INET, socket.SOCK_STREAM)
    with contextlib.closing(waiting):
        waiting.settimeout(30)
        waiting.connect((address, HTTP))
        assert addresses_of(world.topology["box"])
        world.box.call("revoke", str(number))
        until(lambda: not addresses_of(world.topology["box"]), "the box's addresses are gone", 20)
        assert inside(world)["devices"] == 0
        waiting.settimeout(2)
        with pytest.raises((TimeoutError, OSError)):
            waiting.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            if waiting.recv(10):
                pytest.fail("an answer came")
            raise OSError("closed")
    world.box.call("approve", str(number), "--channels", str(world.channel_id(ONE)))
    wait_for_web(world, laptop)
    assert "<html" in curl(laptop.space, f"http://{address}:{HTTP}/")


# From here on the box does not survive.


def test_a_killed_box_leaves_nothing_and_comes_back(world: World, laptop: Away) -> None:
    space = world.topology["box"]
    before = interface(space)
    assert before is not None
    starts = world.box.supervisor.starts
    world.box.supervisor.kill()
    until(lambda: (interface(space) or {}).get("ifindex") != before["ifindex"], "the interface is gone", 20)
    world.box.supervisor.wait_for_starts(starts + 1)
    until(lambda: _status(world), "the box again")
    until(lambda: _status(world).get("tunnel_interface", {}).get("state") == "up", "the laptop again", 120)
    address = box_addresses(laptop)[1]
    assert "<html" in curl(laptop.space, f"https://{host(address)}:{HTTPS}/")


def _status(world: World) -> dict[str, Any]:
    try:
        return world.box.ask("status")
    except Refused:
        return {}


def test_without_a_device_there_is_no_address_and_without_the_setting_no_interface(world: World, laptop: Away) -> None:
    space = world.topology["box"]
    laptop.program.stop()
    until(lambda: not addresses_of(space), "the addresses went with the laptop", 60)
    assert inside(world)["state"] == "idle"
    world.box.stop()
    until(lambda: interface(space) is None, "the interface is gone", 20)
    world.box.write_settings({**world.box.settings, "network": {**world.box.settings["network"], "web_in_tunnel": False}})
    world.box.start()
    until(lambda: _status(world), "the box again")
    laptop.program.start()
    until(lambda: len(box_addresses(laptop)) == 3, "the addresses that the box gives", 120)
    address = box_addresses(laptop)[1]
    assert " 0% packet loss" in laptop.space.run("ping", "-n", "-c", "1", "-W", "10", address)
    assert refused_at_once(laptop.space, address, HTTPS)
    assert interface(space) is None
    assert inside(world)["state"] == "off"
    assert "in tunnels" not in world.box.call("status")

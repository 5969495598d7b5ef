"""What only a boot shows of the packages and their units: from the first installation to the last trace."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import subprocess
import time
from collections.abc import Iterator

import pytest
from hearthlab.shell import run
from hearthlab.waiting import until
from machine import ADDRESSES, HELPERS, SERVICES, Machine

GROUP = "239.1.2.3:5000"
PASSWORD = "correct horse battery"
WEB = f"https://{ADDRESSES['home']}:8871"
LINE = re.compile(r'\d{4}-\d\d-\d\dT[\d:.]+Z (debug|info|warning|error) [a-z0-9_]+( [a-z0-9_]+=("([^"\\]|\\.)*"|[^ "]+))*')


def running(machine: Machine) -> bool:
    units = [f"{name}.service" for name in SERVICES] + [f"{name}.socket" for name in HELPERS]
    return all(machine.show(unit, "ActiveState") == "active" for unit in units) and machine.failed() == []


def restarts(machine: Machine, service: str) -> int:
    return int(machine.show(service, "NRestarts"))


@contextlib.contextmanager
def provider(machine: Machine) -> Iterator[None]:
    """Sends to the group from its side of the box."""
    command = machine.program_at("net", "hearthcast-mcast", "send", GROUP, "--interface", "eth0", "--rate", "200", "--seconds", "0")
    sender = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        sender.terminate()
        sender.wait()


def receives(machine: Machine, interface: str) -> bool:
    """Whether a program on the laptop that knows only multicast gets the group."""
    command = ("hearthcast-mcast", "receive", GROUP, "--interface", interface, "--count", "50", "--seconds", "20", "--json")
    said = run(machine.program_at("lan", *command), check=False)
    return int(json.loads(said)["packets"]) >= 50


def identities(machine: Machine) -> dict[str, object]:
    """What has to survive everything but a purge."""
    return {
        "pin": machine.inside("hearthcast-rendezvous", "pin"),
        "devices": [(device["id"], device["fingerprint"], device["state"]) for device in machine.ask("box", "devices")["devices"]],
        "channels": [channel["name"] for channel in machine.ask("box", "channels")["channels"]],
        "set up": not machine.ask("box", "status")["setup_needed"],
    }


def drop_in(machine: Machine, name: str) -> None:
    """Of the rendezvous' unit, as the package's examples hold it."""
    folder = "/etc/systemd/system/hearthcast-rendezvous.service.d"
    machine.inside("install", "-m", "644", f"/usr/share/doc/hearthcast-rendezvous/examples/{name}", folder)


def connected(machine: Machine) -> bool:
    return machine.ask("box", "status")["rendezvous"]["state"] == "connected" and machine.ask("away", "status")["state"] == "connected"


@pytest.fixture(scope="session")
def before(machine: Machine) -> set[str]:
    return files(machine)


def files(machine: Machine) -> set[str]:
    """But for what apt, dpkg and systemd keep of everything."""
    kept = ("/proc", "/sys", "/dev", "/tmp", "/var/log", "/var/lib/dpkg", "/var/cache", "/srv", "/run/systemd", "/run/log", "/etc/systemd/system")
    prune = [word for path in kept for word in ("-path", path, "-prune", "-o")]
    return set(machine.inside("find", "/", *prune, "-print").splitlines())


def test_the_packages_start_what_they_install(machine: Machine, before: set[str]) -> None:
    assert machine.failed() == []
    machine.inside("bash", "-c", "dpkg -i /srv/*.deb")
    until(lambda: running(machine), "everything to run", 20)
    assert [restarts(machine, name) for name in SERVICES] == [0, 0, 0]
    assert machine.inside("cat", "/proc/sys/net/ipv4/igmp_max_memberships").strip() == "256"


def test_the_web_page_answers_and_the_set_up_code_lets_its_owner_in(machine: Machine) -> None:
    assert "<title>" in machine.at("lan", "curl", "-sfk", "--compressed", WEB + "/")
    code = machine.inside("hearthcast-box", "setup-code").strip()
    body = json.dumps({"setup_code": code, "password": PASSWORD})
    machine.at("lan", "curl", "-sfk", "--compressed", "-H", "X-Hearthcast: 1", "--json", body, WEB + "/api/v1/setup")
    assert machine.ask("box", "status")["setup_needed"] is False


def test_no_program_is_root_or_keeps_a_right_that_it_does_not_need(machine: Machine) -> None:
    kept = {"hearthcast-box": 0, "hearthcast-away": 0, "hearthcast-rendezvous": 1 << 10}  # CAP_NET_BIND_SERVICE
    for service, rights in kept.items():
        status = machine.inside("cat", f"/proc/{machine.show(service, 'MainPID')}/status")
        assert int(re.findall(r"CapEff:\s+(\w+)", status)[0], 16) == rights, service
        assert int(re.findall(r"Uid:\s+(\d+)", status)[0]) >= 61184, service  # systemd's users of the moment
        assert "Seccomp:\t2" in status, service


def test_the_box_forwards_multicast_through_its_helper(machine: Machine) -> None:
    until(lambda: len(machine.helpers("hearthcast-netd")) == 1, "the box's helper")
    instance = '\n[[multicast]]\nname = "tv"\nupstream = ["eth0"]\ndownstream = ["eth1"]\n'
    machine.write("/etc/hearthcast/box.toml", machine.read("/etc/hearthcast/box.toml") + instance)
    machine.inside("hearthcast-box", "reload")
    with provider(machine):
        assert receives(machine, "eth0")


def test_a_device_is_paired_through_the_rendezvous(machine: Machine) -> None:
    pin = machine.inside("hearthcast-rendezvous", "pin").split()[-1]
    machine.set("box.toml", "rendezvous", "url", f"'wss://{ADDRESSES['home']}/v1'")
    machine.set("box.toml", "rendezvous", "pin", f"'{pin}'")
    machine.inside("systemctl", "restart", "hearthcast-box")
    until(lambda: machine.ask("box", "status")["rendezvous"]["state"] == "connected", "the box at the rendezvous")
    machine.inside("hearthcast-box", "import", "-", stdin=f"#EXTM3U\n#EXTINF:-1,Test\nudp://@{GROUP}\n")
    machine.inside("hearthcast-away", "pair", machine.ask("box", "pair")["link"])
    machine.inside("hearthcast-box", "approve", "1", "--channels", "all")
    until(lambda: connected(machine), "the client at its box")
    assert "Test" in machine.at("lan", "curl", "-sf", "http://127.0.0.1:8870/playlist.m3u")


def test_the_away_client_makes_its_interface_through_its_helper(machine: Machine) -> None:
    machine.set("away.toml", "tun", "on", "true")
    machine.inside("systemctl", "restart", "hearthcast-away")
    until(lambda: len(machine.ask("away", "status")["tun"]["addresses"]) == 3, "the addresses of the interface")
    assert len(machine.helpers("hearthcast-away-netd")) == 1
    with provider(machine):
        assert receives(machine, "hearthcast0")
    inside = machine.ask("away", "status")["tun"]["box"]
    until(lambda: machine.ask("box", "status")["tunnel_interface"]["state"] == "up", "the box's interface")
    for address in inside:
        if not address.startswith("fe80"):
            host = f"[{address}]" if ":" in address else address
            assert "<title>" in machine.at("lan", "curl", "-sfk", "--compressed", f"https://{host}:8871/")


def test_what_stops_leaves_no_interface_and_no_helper(machine: Machine) -> None:
    machine.inside("systemctl", "stop", "hearthcast-away", "hearthcast-box")
    assert [machine.show(name, "Result") for name in SERVICES] == ["success"] * 3
    until(lambda: machine.helpers("hearthcast-away-netd") == [] == machine.helpers("hearthcast-netd"), "the helpers to end", 10)
    for place in ("lan", "box"):
        assert "hearthcast0" not in machine.spaces[place].run("ip", "link")
        assert "4755" not in machine.spaces[place].run("ip", "mrule") + machine.spaces[place].run("ip", "-6", "mrule")
    machine.inside("systemctl", "start", "hearthcast-away", "hearthcast-box")
    until(lambda: running(machine) and connected(machine), "everything to run again")


@pytest.mark.parametrize("service", SERVICES)
def test_what_is_killed_comes_back_however_often(machine: Machine, service: str) -> None:
    known, count = identities(machine), restarts(machine, service)
    for times in range(1, 9):  # faster than systemd's own limit on starts bears
        machine.inside("systemctl", "kill", "--signal=KILL", service)
        until(lambda: restarts(machine, service) >= count + times and machine.show(service, "ActiveState") == "active", f"restart {times}", 10)
    until(lambda: running(machine) and connected(machine), "everything to run again")
    assert identities(machine) == known
    with provider(machine):
        assert receives(machine, "eth0")
        until(lambda: receives(machine, "hearthcast0"), "the channel away", 30)


def test_what_hangs_is_ended_by_the_watchdog(machine: Machine) -> None:
    counts = {service: restarts(machine, service) for service in SERVICES}
    machine.inside("systemctl", "kill", "--signal=STOP", *SERVICES)
    until(lambda: all(restarts(machine, service) > counts[service] for service in SERVICES), "the watchdogs", 60, 1)
    until(lambda: running(machine) and connected(machine), "everything to run again")


def test_wrong_settings_are_named_and_not_tried_again(machine: Machine) -> None:
    for service in SERVICES:
        path = f"/etc/hearthcast/{service.removeprefix('hearthcast-')}.toml"
        good = machine.read(path)
        machine.write(path, "no_such_key = 1\n" + good)
        machine.inside("systemctl", "restart", service, check=False)
        time.sleep(3)  # in which it would be started twice
        assert (machine.show(service, "ActiveState"), machine.show(service, "ExecMainStatus")) == ("failed", "2")
        assert any("no_such_key" in line for line in machine.journal("-u", service, "-n", "10"))
        machine.write(path, good)
        machine.inside("systemctl", "start", service)
    until(lambda: running(machine) and connected(machine), "everything to run again")


def test_a_port_that_is_taken_is_waited_for(machine: Machine) -> None:
    machine.inside("systemctl", "stop", "hearthcast-box")
    with machine.spaces["box"].socket(socket.AF_INET, socket.SOCK_STREAM) as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("", 8871))
        taken.listen()
        machine.inside("systemctl", "start", "--no-block", "hearthcast-box")
        until(lambda: restarts(machine, "hearthcast-box") > 6, "it to try", 30)
    until(lambda: running(machine) and connected(machine), "the box to run")


def test_backups_are_made_and_brought_back_by_root(machine: Machine) -> None:
    known = identities(machine)
    machine.inside("hearthcast-box", "export", "/srv/box.exported", stdin="a passphrase\n")
    machine.inside("hearthcast-rendezvous", "backup", "/srv/rendezvous")
    machine.inside("systemctl", "stop", "hearthcast-box", "hearthcast-rendezvous")
    machine.inside("hearthcast-box", "restore", "--force", "/srv/box.exported", stdin="a passphrase\n")
    machine.inside("hearthcast-rendezvous", "restore", "/srv/rendezvous")
    machine.inside("systemctl", "start", "hearthcast-box", "hearthcast-rendezvous")
    until(lambda: running(machine) and connected(machine), "everything to run again")
    assert identities(machine) == known


def test_files_that_only_root_may_read_are_handed_over_by_systemd(machine: Machine) -> None:
    """To users of the moment, as docs/rendezvous.md and docs/tunnels/ayiya.md have it."""
    machine.inside("bash", "-c", "umask 077; for name in turn cabin; do openssl rand -hex 32 > /etc/hearthcast/$name.secret; done")
    drop_in(machine, "relay.conf")
    machine.set("rendezvous.toml", "turn", "urls", "['turn:relay.example.org:3479']")
    machine.set("rendezvous.toml", "turn", "secret_file", "'/run/credentials/hearthcast-rendezvous.service/turn.secret'")
    secrets = "/etc/systemd/system/hearthcast-box.service.d/secrets.conf"
    machine.write(secrets, "[Service]\nLoadCredential=cabin.secret:/etc/hearthcast/cabin.secret\n")
    peer = """
[[peer]]
name = "cabin"
encapsulation = "ayiya"
seal = "none"
local_address = "2001:db8::1"
peer_address = "2001:db8::2"
secret_file = "/run/credentials/hearthcast-box.service/cabin.secret"
"""
    machine.write("/etc/hearthcast/box.toml", machine.read("/etc/hearthcast/box.toml") + peer)
    machine.inside("systemctl", "daemon-reload")
    machine.inside("systemctl", "restart", "hearthcast-rendezvous", "hearthcast-box")
    until(lambda: running(machine) and connected(machine), "everything to run again")
    assert machine.ask("box", "status")["unsealed_peers"] == ["cabin"]


def test_the_rendezvous_reads_a_certificate_by_its_group(machine: Machine) -> None:
    """As a tool that renews certificates leaves it; made of the server's own key, so that the box's pin holds."""
    folder = "/etc/hearthcast/tls"
    machine.inside("bash", "-ec", f"""
groupadd --system ssl-cert
install -d -m 750 -g ssl-cert {folder}
cd {folder}
install -m 640 -g ssl-cert /var/lib/hearthcast/rendezvous/rendezvous.key key.pem
openssl req -x509 -key key.pem -subj /CN=rendezvous -days 30 -out certificate.pem
chgrp ssl-cert certificate.pem
chmod 640 certificate.pem
""")
    drop_in(machine, "certificate.conf")
    machine.set("rendezvous.toml", "tls", "certificate", f"'{folder}/certificate.pem'")
    machine.set("rendezvous.toml", "tls", "key", f"'{folder}/key.pem'")
    machine.inside("systemctl", "daemon-reload")
    machine.inside("systemctl", "restart", "hearthcast-rendezvous")
    until(lambda: running(machine) and connected(machine), "everything to run again")
    assert "CN = rendezvous" in machine.inside("bash", "-c", "openssl s_client -connect 127.0.0.1:443 < /dev/null 2> /dev/null")


def test_an_upgrade_keeps_state_and_settings(machine: Machine) -> None:
    known, settings = identities(machine), machine.read("/etc/hearthcast/box.toml")
    processes = [machine.show(service, "MainPID") for service in SERVICES]
    for service in SERVICES:
        (deb,) = machine.tree.glob(f"srv/{service}_*.deb")
        unpacked = machine.tree / "srv" / "unpacked"
        run(["dpkg-deb", "-R", str(deb), str(unpacked)])
        control = unpacked / "DEBIAN" / "control"
        control.write_text(re.sub(r"(?m)^Version: .*", r"\g<0>+next", control.read_text()))
        run(["dpkg-deb", "-b", "-Zgzip", "-z1", "--root-owner-group", str(unpacked), str(machine.tree / "srv" / f"next-{service}.deb")])
        run(["rm", "-r", str(unpacked)])
    machine.inside("bash", "-c", "dpkg -i /srv/next-*.deb")
    until(lambda: running(machine) and connected(machine), "everything to run again")
    assert not set(processes) & {machine.show(service, "MainPID") for service in SERVICES}
    assert machine.read("/etc/hearthcast/box.toml") == settings
    assert identities(machine) == known


def test_all_is_back_after_a_reboot(machine: Machine) -> None:
    known = identities(machine)
    machine.reboot()
    until(lambda: running(machine) and connected(machine), "everything to run again")
    assert identities(machine) == known
    with provider(machine):
        assert receives(machine, "eth0")
        until(lambda: receives(machine, "hearthcast0"), "the channel away", 30)


def test_the_journal_has_lines_of_events_and_no_complaint(machine: Machine) -> None:
    units = [word for unit in (*SERVICES, *(f"{helper}@*" for helper in HELPERS)) for word in ("-u", unit)]
    lines = machine.journal("_TRANSPORT=stdout", *units)
    assert len(lines) > 20
    strange = [line for line in lines if not LINE.fullmatch(line) and "no_such_key" not in line]
    assert not strange, "\n".join(strange[:40])
    errors = [line for line in lines if " error " in line and "8871" not in line]  # but for the port that was taken
    assert errors == []
    grave = machine.journal("_TRANSPORT=stdout", "-p", "err", *units)
    assert grave and all(" error " in line or "no_such_key" in line for line in grave), "its priority is that of its word"
    assert [line for line in machine.journal("-b", "all") if "status=31/SYS" in line or "2/SYS" in line] == []


def test_a_purge_leaves_nothing(machine: Machine, before: set[str]) -> None:
    # What these tests made themselves.
    machine.inside("bash", "-c", "rm -r /etc/hearthcast/*.secret /etc/hearthcast/tls; rm -r /etc/systemd/system/hearthcast-*.d")
    machine.inside("dpkg", "--purge", *SERVICES)
    assert machine.inside("systemctl", "list-units", "--all", "--no-legend", "--plain", "hearthcast*").splitlines() == []
    left = {path for path in files(machine) - before if "hearthcast" in path}
    assert left == set()
    assert machine.failed() == []

"""The multicast benchmarks' own arithmetic: captures, delays, figures and plots. Needs no network."""

from __future__ import annotations

import json
import socket
import struct
import sys
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / folder) for folder in ("tests/bench", "tests/lab/multicast", "packaging/dev")]

import bench_plot  # noqa: E402
import multicast_bench  # noqa: E402
import relay_bench  # noqa: E402
import thesis_bench  # noqa: E402
from hearthlab.transport_stream import PACKET  # noqa: E402
from mcbench import house, http_relay  # noqa: E402
from mcbench.capture import Frame, delays_us, frames, sequence  # noqa: E402
from mcbench.figures import Figures, percentile, spread  # noqa: E402

HOME = bytes([10, 65, 0, 2])
SIZE = 200


def probe(number: int) -> bytes:
    return b"HCMP" + bytes([1, 0, 0, 0]) + struct.pack("!IQq", 7, number, 0) + bytes(SIZE - 28)


def ethernet6(payload: bytes) -> bytes:
    return bytes(12) + b"\x86\xdd" + bytes(48) + payload


def tunnelled(payload: bytes, source: bytes = HOME) -> bytes:
    """An outer IPv4 and UDP header, and 70 octets of a tunnel's and the inner packet's headers."""
    return bytes(12) + b"\x08\x00" + bytes(12) + source + bytes(4) + bytes(8) + bytes(70) + payload


def frame(time_us: float, octets: bytes, snap: int = 192) -> Frame:
    return Frame(int(time_us * 1000), len(octets), octets[:snap])


def capture_file(order: str, magic: int, captured: list[tuple[int, int, bytes, int]]) -> bytes:
    head = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 192, 1)
    return head + b"".join(
        struct.pack(order + "IIII", seconds, fraction, len(octets), length) + octets for seconds, fraction, octets, length in captured
    )


@pytest.mark.parametrize("order", "<>")
def test_a_capture_is_read_in_both_byte_orders_and_units(order):
    one = [(5, 7, b"abc", 9)]
    assert list(frames(capture_file(order, 0xA1B23C4D, one))) == [Frame(5_000_000_007, 9, b"abc")]
    assert list(frames(capture_file(order, 0xA1B2C3D4, one))) == [Frame(5_000_007_000, 9, b"abc")]


def test_a_capture_that_is_cut_short_gives_what_is_whole():
    whole = capture_file("<", 0xA1B23C4D, [(5, 7, b"abc", 9), (6, 0, b"defg", 9)])
    assert len(list(frames(whole[:-1]))) == 1
    assert len(list(frames(whole[:-5]))) == 1
    with pytest.raises(ValueError, match="not a capture"):
        list(frames(b"\0" * 40))


def test_a_test_packet_is_found_behind_any_headers():
    assert sequence(frame(0, ethernet6(probe(3))), SIZE) == 3
    assert sequence(frame(0, tunnelled(probe(4))), SIZE) == 4
    assert sequence(frame(0, ethernet6(bytes(SIZE))), SIZE) is None
    assert sequence(frame(0, b"short"), SIZE) is None
    assert sequence(frame(0, ethernet6(probe(3)), snap=80), SIZE) is None, "its number was not kept"


def test_delays_of_a_clear_tunnel_go_by_number_and_loss_is_seen():
    captured = [
        frame(0, ethernet6(probe(0))), frame(10, ethernet6(probe(1))), frame(20, ethernet6(probe(2))),
        frame(30, tunnelled(probe(2))), frame(40, tunnelled(probe(0))),
    ]
    assert delays_us(captured, SIZE, HOME) == ([40.0, 10.0], 1)


def test_delays_of_a_sealed_tunnel_go_by_order():
    sealed = tunnelled(bytes(SIZE + 37))
    captured = [
        frame(0, ethernet6(probe(0))), frame(5, sealed), frame(10, ethernet6(probe(1))), frame(12, tunnelled(bytes(20))),
        frame(13, tunnelled(bytes(SIZE + 90))), frame(17, sealed),
    ]  # the small and the larger one are the tunnel's own
    assert delays_us(captured, SIZE, HOME) == ([5.0, 7.0], 0)


def test_a_sealed_tunnel_that_lost_some_gives_no_delays():
    captured = [frame(0, ethernet6(probe(0))), frame(1, ethernet6(probe(1))), frame(5, tunnelled(bytes(SIZE + 37)))]
    assert delays_us(captured, SIZE, HOME) == ([], 1)


def test_what_others_send_does_not_leave_the_proxy():
    captured = [frame(0, ethernet6(probe(0))), frame(5, tunnelled(probe(0), source=bytes(4)))]
    assert delays_us(captured, SIZE, HOME) == ([], 1)


def test_percentiles_and_spread():
    values = [float(n) for n in range(100, 0, -1)]
    assert percentile(values, 0.5) == 50
    assert percentile(values, 0.99) == 99
    assert percentile(values, 1) == 100
    assert percentile([7.0], 0.01) == 7
    assert spread([2.0, 3.0, 4.0]) == pytest.approx(2 / 3)
    assert spread([0.0, 0.0]) == 0


def test_goals_have_a_direction_and_are_met_or_missed():
    figures = Figures("x")
    figures.row("slow", [1.0, 5.0, 2.0], "ms", goal=2.0)
    figures.row("fast", [100.0], "kpps", goal=100, floor=True)
    figures.row("as fast as the other, within noise", [92.0], "kpps", goal=100, floor=True, noise=1.1)
    assert figures.all_met()
    figures.row("not fast enough", [99.9], "kpps", goal=100, floor=True)
    assert [row["met"] for row in figures.rows] == [True, True, True, False]
    figures = Figures("y")
    figures.row("a little too slow", [2.0], "ms", goal=1.9)
    assert not figures.all_met()
    assert "MISSED" in figures.text()
    with pytest.raises(ValueError, match="no samples"):
        figures.row("none", [], "ms")


def test_figures_are_written_and_drawn(tmp_path):
    figures = Figures("x")
    figures.row("slow", [1.0, 5.0, 2.0], "ms", goal=1.9)
    figures.never("peer", "ms", "it never stops")
    path = figures.write(tmp_path)
    content = json.loads(path.read_text())
    assert content["rows"][0] == {
        "name": "slow", "value": 2.0, "unit": "ms", "goal": 1.9, "met": False, "spread": 2.0, "samples": 3,
        "least": 1.0, "most": 5.0, "at_least": False,
    }
    bench_plot.main(str(path), str(tmp_path / "x.svg"))
    drawn = (tmp_path / "x.svg").read_text()
    assert "2 ms, goal 1.9" in drawn
    assert "it never stops" in drawn


def test_a_logarithmic_plot_shows_small_beside_large():
    rows = [{"name": name, "value": value, "unit": "us", "goal": None, "met": True} for name, value in (("a", 9), ("b", 999))]
    drawn = bench_plot.draw({"name": "x", "machine": {"cpu": "c", "kernel": "k"}, "rows": [], "plot": {"rows": rows, "logarithmic": True}})
    assert f'width="{bench_plot.BAR / 3:.1f}"' in drawn
    assert f'width="{bench_plot.BAR:.1f}"' in drawn


def test_the_thesis_stands_beside_our_table():
    samples = {("kernel_route", 10): [[20.0, 30.0], [40.0]], ("hearthcast", 10): [[100.0, 300.0]]}
    table = thesis_bench.table(samples, ["kernel_route", "hearthcast", "python_relay"])
    assert "| kernel route (kernel + smcroute) | 0.030 | 0.030 | 0.00010 | 2.11 | 2.27 | 1.70 |" in table
    assert "| hearthcast | 0.200 | 0.200 | 0.02000 | - | - | - |" in table
    assert "python" not in table
    figures = thesis_bench.report(samples, {("kernel_route", 10): 0, ("hearthcast", 10): 2, ("hearthcast", 1000): 5,
                                            ("kernel_route", 1000): 0, ("kernel_route", 10000): 0, ("hearthcast", 10000): 0},
                                  ["kernel_route", "hearthcast"])
    assert next(row for row in figures.rows if row["name"] == "hearthcast_10pps_lost")["value"] == 2
    assert "5 packets lost" in next(row for row in figures.rows if row["name"] == "hearthcast_1000pps_median")["why"]
    assert [row["name"] for row in thesis_bench.plot_rows(figures)][:4] == [
        "thesis 2010, forwarder.py", "thesis 2010, ECMH", "thesis 2010, kernel + smcroute", "kernel_route_10pps_median",
    ]


def ts_packet(*, start: bool, random_access: bool, payload: bytes) -> bytes:
    head = bytes([0x47, 0x40 if start else 0, 0x20, 0x30, 1, 0x40 if random_access else 0])
    return (head + payload).ljust(PACKET, b"\xff")


def test_an_entry_picture_is_whole_when_the_next_one_begins():
    video, sound = b"\0\0\1\xe0", b"\0\0\1\xc0"
    others = [
        ts_packet(start=True, random_access=False, payload=video), ts_packet(start=True, random_access=True, payload=sound),
        ts_packet(start=False, random_access=True, payload=video), bytes([0x47, 0x40, 0x20, 0x10]).ljust(PACKET, b"\0"),
    ]
    entry = ts_packet(start=True, random_access=True, payload=video)
    more = ts_packet(start=False, random_access=False, payload=b"more")
    picture = http_relay.EntryPicture()
    assert not picture.take(b"".join([*others, entry]))
    assert not picture.take(b"".join([more, others[1], others[2]]))
    next_one = bytes([0x47, 0x40, 0x20, 0x10]) + video  # without an adaptation field
    assert picture.take(next_one.ljust(PACKET, b"\xff"))


def test_a_player_that_is_refused_is_no_player():
    with socket.create_server(("127.0.0.1", 0)) as door:
        here = SimpleNamespace(socket=socket.socket)
        relay = http_relay.Relay("busy", here, "127.0.0.1", door.getsockname()[1], "/", nullcontext, "busy 1")  # type: ignore[arg-type]
        with http_relay.Crowd(relay, 1) as crowd:
            player, _ = door.accept()
            player.sendall(b"HTTP/1.1 503 Service Unavailable\r\n\r\nNothing comes from the provider.\n")
            with pytest.raises(RuntimeError, match="503"):
                crowd.settle(0.5)
            player.close()


def relay_run(hearthcast: float, msd_lite: float | None) -> tuple[relay_bench.Run, list[http_relay.Relay]]:
    """A run in which every sample of a relay is the same."""
    run = relay_bench.Run(None, 1)  # type: ignore[arg-type]
    given = {"hearthcast": hearthcast, "floor": 0.4} | ({"msd_lite": msd_lite} if msd_lite is not None else {})
    relays = []
    for name, value in given.items():
        relays.append(http_relay.Relay(name, None, "", 0, "", nullcontext, f"{name} 1", zaps=name != "floor"))  # type: ignore[arg-type]
        for what in [*(f"cpu_s_per_gb_{count}" for count in relay_bench.CROWDS), *relay_bench.ZAPS]:
            run.samples[name, what].append(value)
    return run, relays


def test_the_relays_goals_are_written_figures_until_a_peer_runs_beside_it():
    figures = relay_bench.report(*relay_run(0.8, None))
    assert figures.all_met()
    assert "neither udpxy nor msd_lite" in figures.notes["peers"]
    assert not relay_bench.report(*relay_run(1.5, None)).all_met(), "16 players may cost 0.9 s/GB"
    beside = relay_bench.report(*relay_run(1.5, 1.6))
    assert beside.all_met(), "the peer of the same run costs more"
    assert beside.notes["peers"] == "msd_lite 1"
    goals = {row["name"]: row["goal"] for row in beside.rows}
    assert goals["hearthcast_cpu_s_per_gb_16"] == 1.6
    assert goals["msd_lite_cpu_s_per_gb_16"] is None
    assert "floor_picture_warm_ms" not in goals
    assert next(row for row in beside.rows if row["name"] == "hearthcast_over_floor_16")["value"] == pytest.approx(3.75)


def tunnel_run(tmp_path: Path, join_ms: float, leave_ms: float) -> multicast_bench.TunnelRun:
    run = multicast_bench.TunnelRun("x", tmp_path)
    run.round_trips = [1.0]
    for family in (4, 6):
        run.samples[family, "bare_join_ms"] = [10.0, 12.0, 11.0]
        for what in ("join_cold_ms", "join_flowing_ms", "leave_cold_ms", "leave_flowing_ms"):
            run.samples[family, what] = [leave_ms if "leave" in what else join_ms + (11 if "cold" in what else 0)]
    return run


def test_the_tunnel_is_held_against_the_bare_host_of_the_same_run(tmp_path):
    figures = Figures("x")
    multicast_bench.report_tunnel(tunnel_run(tmp_path, 1.5, 3.0), figures)
    assert figures.all_met()
    rows = {row["name"]: row for row in figures.rows}
    assert rows["tunnel_ipv6_join_cold_ms"]["goal"] == 13
    assert rows["tunnel_ipv4_join_flowing_ms"]["goal"] == 2
    assert rows["tunnel_ipv4_leave_cold_ms"]["goal"] == 6
    assert rows["bare_host_ipv4_join_ms"]["goal"] is None
    for slow in ((4.0, 3.0), (1.5, 9.0)):
        figures = Figures("x")
        multicast_bench.report_tunnel(tunnel_run(tmp_path, *slow), figures)
        assert not figures.all_met()


def test_datagrams_that_found_no_room_are_found_among_the_kernels_counters():
    snmp = ("Ip: Forwarding InReceives\nIp: 1 9\nUdp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors\n"
            "Udp: 10 2 5 7 3 1\nUdpLite: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors\nUdpLite: 0 0 0 0 8 0\n")
    assert house.overflows(snmp) == 3


def test_a_large_house_has_goals_for_memory_processor_and_state():
    good = {what: [0.0] for what in multicast_bench.HOUSE_ROWS}
    figures = Figures("x")
    multicast_bench.report_house(good, figures)
    assert figures.all_met()
    for what, bad in (("memory_over_idle_MB", 30.0), ("steady_percent", 9.0), ("storm_same_reports_lost", 1.0), ("storm_change_reports_lost", 1.0),
                      ("sessions_broken", 1.0)):
        figures = Figures("x")
        multicast_bench.report_house({**good, what: [bad]}, figures)
        assert [row["name"] for row in figures.rows if not row["met"]] == [f"house_{what}"]

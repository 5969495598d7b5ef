"""The film is a legal endless stream, and the comparison tells every kind of damage from none."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest
from hearthlab import film as films
from hearthlab import transport_stream as ts
from hearthlab.comparison import NothingInCommon, compare
from hearthlab.film import Film
from hearthlab.service import CACHE


@pytest.fixture(scope="module")
def film() -> Film:
    return Film(films.make(CACHE, "Hearth One"))


def test_seams_are_legal(film: Film) -> None:
    packets = film.block(0, 3 * film.packets_per_turn)
    assert ts.continuity_errors(packets) == 0
    clocks = ts.pcr_values(packets[ts.has_pcr(packets)])
    assert numpy.diff(clocks).min() > 0
    assert numpy.diff(clocks).max() <= 27_000_000 // 25  # never more than 40 ms apart, as DVB asks


def test_tables_name_picture_and_sound(film: Film) -> None:
    programme = ts.programme_of(film.block(film.packets_per_turn, 2000))
    assert programme is not None
    assert set(programme.streams.values()) == {0x1B, 0x0F}


def test_parts_equal_the_whole_across_the_seam(film: Film) -> None:
    start = film.packets_per_turn - 1000
    whole = film.block(start, 2000)
    parts = numpy.concatenate([film.block(start + at, 100) for at in range(0, 2000, 100)])
    assert (whole == parts).all()


@pytest.mark.parametrize("start", [0, 12345, 127_000, 400_001])
def test_undamaged_stream_is_equal(film: Film, start: int) -> None:
    result = compare(film, film.block(start, 5000).tobytes())
    assert (result.first, result.received, result.lost, result.strange) == (start, 5000, 0, 0)
    assert result.bytes_equal
    assert result.last == start + 4999


def test_repeated_tables_in_front_are_allowed(film: Film) -> None:
    packets = film.block(0, 8000)
    tables = [packets[ts.pids(packets) == pid][0] for pid in (0, 0x1000)]
    result = compare(film, b"".join(table.tobytes() for table in tables) + packets[3000:6000].tobytes())
    assert result.bytes_equal
    assert (result.tables_before, result.first, result.received) == (2, 3000, 3000)


def test_lost_packets_are_counted(film: Film) -> None:
    packets = film.block(20_000, 5000)
    damaged = numpy.concatenate([packets[:1000], packets[1007:3000], packets[3014:]])
    result = compare(film, damaged.tobytes())
    assert (result.lost, result.strange, result.received) == (21, 0, 4979)
    assert result.continuity_errors > 0
    assert not result.bytes_equal


@pytest.mark.parametrize("at", [5, 2500, 4999])
def test_changed_octet_is_found(film: Film, at: int) -> None:
    packets = film.block(20_000, 5000)
    packets[at, 100] ^= 1
    assert not compare(film, packets.tobytes()).bytes_equal


def test_doubled_and_swapped_packets_are_found(film: Film) -> None:
    packets = film.block(20_000, 5000)
    doubled = numpy.concatenate([packets[:2001], packets[2000:]])
    assert not compare(film, doubled.tobytes()).bytes_equal
    swapped = packets.copy()
    swapped[[2000, 2001]] = swapped[[2001, 2000]]
    assert (packets[2000] == packets[2001]).all() or not compare(film, swapped.tobytes()).bytes_equal


def test_another_channel_has_nothing_in_common(film: Film) -> None:
    packets = film.block(0, 5000)
    ts_clocked = packets[~ts.has_pcr(packets)]
    with pytest.raises(NothingInCommon):
        compare(film, ts_clocked.tobytes())


def test_cache_is_used(tmp_path: Path) -> None:
    for name in ("film-1.ts", "film-1-hearth-one.ts"):
        (tmp_path / name).write_bytes(b"kept")
    assert films.make(tmp_path, "Hearth One").read_bytes() == b"kept"

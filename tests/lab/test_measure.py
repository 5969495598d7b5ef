"""Figures and pictures of a viewing, checked against streams whose figures are known."""

from __future__ import annotations

import numpy
import pytest
from hearthlab import film as films
from hearthlab import snapshot
from hearthlab import transport_stream as ts
from hearthlab.comparison import compare
from hearthlab.film import DATAGRAM, PER_DATAGRAM, Film
from hearthlab.measure import delay, first_picture_end
from hearthlab.picture import read_frame_number
from hearthlab.service import CACHE

INTERVAL = 1_316_000


@pytest.fixture(scope="module")
def film() -> Film:
    return Film(films.make(CACHE, "Hearth One"))


def test_delay_of_a_known_stream(film: Film) -> None:
    first, count = 1000, 4000
    sent = numpy.arange(first + count) * INTERVAL
    arrivals = [((at + 1) * DATAGRAM, int(sent[first + at]) + 250_000) for at in range(count)]
    result = delay(compare(film, film.datagrams(first, count)), arrivals, sent)
    assert (result.p50, result.p99) == (250.0, 250.0)


def test_delay_counts_the_late_ones(film: Film) -> None:
    first, count = 1000, 4000
    sent = numpy.arange(first + count) * INTERVAL
    late = [5_000_000 if at % 20 == 0 else 100_000 for at in range(count)]
    arrivals = [((at + 1) * DATAGRAM, int(sent[first + at]) + late[at]) for at in range(count)]
    result = delay(compare(film, film.datagrams(first, count)), arrivals, sent)
    assert (result.p50, result.p99) == (100.0, 5000.0)


def test_delay_of_a_damaged_stream_is_refused(film: Film) -> None:
    data = film.datagrams(0, 100) + film.datagrams(101, 100)
    with pytest.raises(ValueError, match="damaged"):
        delay(compare(film, data), [(len(data), 0)], numpy.arange(300))


def test_first_picture_ends_where_the_next_begins(film: Film) -> None:
    data = film.block(0, 20_000).tobytes()
    end = first_picture_end(data)
    assert end is not None
    packets = ts.packets_of(data[: end + ts.PACKET])
    assert packets[-1][1] & 0x40
    assert first_picture_end(data[:end]) is None


@pytest.mark.parametrize("start", [0, 60_001, 127_500, 640_000])
def test_snapshot_reads_the_frame_number_back(film: Film, start: int) -> None:
    shot = snapshot.take(film, film.block(start, 12_000).tobytes())
    assert shot.number is not None
    assert shot.is_the_providers
    assert shot.number % 12 == 0  # 12 pictures after an entry point, and those are 12 apart


def test_snapshot_of_nothing_is_an_error(film: Film) -> None:
    with pytest.raises(snapshot.NoPicture):
        snapshot.take(film, bytes(DATAGRAM))


def test_torn_or_blank_picture_has_no_number(film: Film) -> None:
    shot = snapshot.take(film, film.block(0, PER_DATAGRAM * 2000).tobytes())
    grey = shot.pixels.mean(axis=2)
    assert read_frame_number(grey) is not None
    assert read_frame_number(numpy.full_like(grey, 255.0)) is None
    assert read_frame_number(numpy.zeros_like(grey)) is None
    flipped = grey.copy()
    flipped[:, 120:160] = 255 - flipped[:, 120:160]
    assert read_frame_number(flipped) is None

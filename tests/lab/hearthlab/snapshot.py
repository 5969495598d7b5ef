"""A picture decoded from a received stream, and the proof that it is the provider's: its frame number, read from its
pixels, is the one that its time stamp says."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy
from PIL import Image

from . import picture
from .film import FRAMES, FRAMES_PER_SECOND, Film

_STAMP = re.compile(r"n:\s*(\d+)\s+pts:\s*(\d+)")


@dataclass(frozen=True)
class Snapshot:
    """`number` is what the pixels say, `expected` what the time stamp says."""

    number: int | None
    expected: int
    pixels: numpy.ndarray

    @property
    def is_the_providers(self) -> bool:
        return self.number == self.expected

    def save(self, path: Path) -> None:
        Image.fromarray(self.pixels).save(path)


class NoPicture(RuntimeError):
    """The decoder found no picture in the stream."""


def take(film: Film, data: bytes, skip: int = 12) -> Snapshot:
    """Decodes the picture after `skip` pictures. What a torn start may leave damaged is behind us by then."""
    done = subprocess.run(
        ["ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "info", "-copyts", "-f", "mpegts", "-i", "pipe:0",
         "-map", "0:v:0", "-vf", f"select=gte(n\\,{skip}),showinfo", "-frames:v", "1", "-f", "rawvideo",
         "-pix_fmt", "rgb24", "pipe:1"],
        input=data, capture_output=True, check=False, timeout=120,
    )
    text = done.stderr.decode("utf-8", errors="replace")
    stamp = _STAMP.search(text)
    size = picture.WIDTH * picture.HEIGHT * 3
    if stamp is None or len(done.stdout) < size:
        raise NoPicture(f"ffmpeg found no picture in {len(data)} octets: {text[-500:]}")
    pixels = numpy.frombuffer(done.stdout, dtype=numpy.uint8, count=size)
    pixels = pixels.reshape(picture.HEIGHT, picture.WIDTH, 3)
    return Snapshot(picture.read_frame_number(pixels.mean(axis=2)), _expected(film, int(stamp.group(2))), pixels)


def _expected(film: Film, stamp: int) -> int:
    within = (stamp - film.first_video_stamp) % film.stamps_per_turn
    return round(within * FRAMES_PER_SECOND / 90_000) % FRAMES

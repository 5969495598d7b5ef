"""The frame number in the picture, as a row of black and white blocks that a program reads without guessing.

The row lies on a black band along the bottom edge, most significant bit first. Its first block is always white and its
second always black, so that a blank or torn picture is not taken for a number; the last block is even parity.
"""

from __future__ import annotations

import numpy

WIDTH = 1280
HEIGHT = 720
BLOCK = 40  # pixels; large against anything that the encoder blurs
BITS = 12
BAND_TOP = HEIGHT - 2 * BLOCK
_FIRST_X = BLOCK


def filters() -> str:
    """The ffmpeg filter chain that draws the band; `n` is the frame's number."""
    parity = "+".join(f"mod(floor(n/{2**bit}),2)" for bit in range(BITS))
    blocks = ["1"]
    blocks += [f"mod(floor(n/{2**bit}),2)" for bit in reversed(range(BITS))]
    blocks += [f"mod({parity},2)"]
    columns = [0, *range(2, 2 + BITS + 1)]
    chain = [f"drawbox=x=0:y={BAND_TOP}:w=iw:h={2 * BLOCK}:color=black:t=fill"]
    for column, lit in zip(columns, blocks):
        x = _FIRST_X + column * BLOCK
        chain.append(
            f"drawbox=x={x}:y={BAND_TOP + BLOCK // 2}:w={BLOCK}:h={BLOCK}:color=white:t=fill:enable='{lit}'"
        )
    return ",".join(chain)


def read_frame_number(luma: numpy.ndarray) -> int | None:
    """The number in a picture given as HEIGHT x WIDTH grey values, or None when the row is not there or not whole."""
    if luma.shape != (HEIGHT, WIDTH):
        return None
    middle = BAND_TOP + BLOCK
    bits: list[int] = []
    for column in range(2 + BITS + 1):
        x = _FIRST_X + column * BLOCK + BLOCK // 2
        grey = float(luma[middle - 8 : middle + 8, x - 8 : x + 8].mean())
        if 80 < grey < 176:
            return None
        bits.append(1 if grey >= 176 else 0)
    if bits[0] != 1 or bits[1] != 0 or sum(bits[2:]) % 2 != 0:
        return None
    return int("".join(str(bit) for bit in bits[2 : 2 + BITS]), 2)

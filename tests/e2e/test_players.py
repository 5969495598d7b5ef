"""Players that are not ours open the away playlist."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy
import pytest
from hearthlab.channels import ONE
from hearthlab.comparison import compare
from hearthlab.picture import read_frame_number
from hearthlab.player import Player
from hearthlab.program import GROUP, USER
from hearthlab.waiting import until
from hearthlab.world import AWAY_PORT, Away, World
from PIL import Image


@pytest.mark.parametrize("player", ["vlc", "mpv"])
def test_player_plays_the_playlist(world: World, away: Away, player: str) -> None:
    """The player decodes pictures, and their frame numbers run on as the provider's do."""
    away.path_of(ONE)
    folder = world.folder / player
    folder.mkdir()
    folder.chmod(0o777)
    # Both save about every 25th picture that they decoded and showed. As an unprivileged user: VLC refuses root.
    commands = {
        "vlc": ["cvlc", "-I", "dummy", "--no-audio", "--vout=dummy", "--video-filter=scene", "--scene-format=png",
                "--scene-ratio=25", f"--scene-path={folder}"],
        "mpv": ["mpv", "--no-config", "--no-audio", "--vf=lavfi=[fps=1]", "--vo=image", "--vo-image-format=png",
                f"--vo-image-outdir={folder}"],
    }
    process = away.space.popen(
        ["setpriv", f"--reuid={USER}", f"--regid={GROUP}", "--clear-groups", "env", f"HOME={folder}",
         *commands[player], f"http://127.0.0.1:{AWAY_PORT}/playlist.m3u"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    try:
        until(lambda: len(list(folder.glob("*.png"))) >= 5, f"five pictures of {player}", 90)
    finally:
        process.kill()
        process.wait()
    numbers = [_number(path) for path in sorted(folder.glob("*.png"))[:4]]
    assert None not in numbers
    steps = [(after - before) % 600 for before, after in zip(numbers, numbers[1:])]  # type: ignore[operator]
    # A player may show its first picture for a while before the clock runs.
    assert all(0 <= step <= 60 for step in steps), numbers
    assert sum(steps) >= 25, numbers


def _number(path: Path) -> int | None:
    grey = Image.open(path).convert("L").resize((1280, 720))
    return read_frame_number(numpy.asarray(grey, dtype=float))


def test_ffmpeg_joins_late_without_complaint(world: World, away: Away) -> None:
    """Who joins a running channel starts at its tables and an entry picture, so there is nothing to complain of."""
    first = away.playing(ONE, octets=2_000_000)
    try:
        done = subprocess.run(
            away.space.command(
                "ffmpeg", "-nostdin", "-v", "warning", "-i", f"http://127.0.0.1:{AWAY_PORT}{away.path_of(ONE)}",
                "-t", "4", "-f", "null", "-",
            ),
            capture_output=True, text=True, timeout=120, check=False,
            env={**os.environ, "AV_LOG_FORCE_NOCOLOR": "1"},
        )
    finally:
        first.close()
    assert done.returncode == 0, done.stderr
    assert "error" not in done.stderr.lower()
    assert "non-existing" not in done.stderr.lower()


def test_player_that_comes_back_at_once_begins_whole(world: World, away: Away) -> None:
    """What of the stream before was still on its way is no part of the next one."""
    path = away.path_of(ONE)
    for turn in range(15):
        player = Player(away.space, "127.0.0.1", away.port, path)
        try:
            player.wait_for_octets(400_000)
            result = compare(world.service.film(ONE), player.data())
        finally:
            player.close()
        assert result.bytes_equal, (turn, result)


def test_playlist_is_one_that_players_read(world: World, away: Away) -> None:
    answer = away.get("/playlist.m3u")
    assert answer.status == 200
    assert answer.headers["content-type"].split(";")[0] in ("audio/x-mpegurl", "application/vnd.apple.mpegurl")
    lines = answer.text.splitlines()
    assert lines[0].startswith("#EXTM3U")
    assert 'group-title="Lab"' in answer.text  # the provider's attributes are kept
    assert len(away.playlist()) == 4

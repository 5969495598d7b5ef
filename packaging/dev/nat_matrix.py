"""nat_matrix.py: writes docs/nat-matrix.md from build/test/nat-matrix.json, which `./hearth test --all` leaves.

A row for each kind of access at home, a column for each kind away.
"""

from __future__ import annotations

import json
from pathlib import Path

SOURCE = Path("build/test/nat-matrix.json")
TARGET = Path("docs/nat-matrix.md")
HEAD = """# Which way from which network to which

Written by `packaging/dev/nat_matrix.py` from a run of `tests/e2e/test_nat_matrix.py` with every kind of access at home (rows) and away (columns), real
programs and a real channel. The figure is the time in milliseconds from the start of the client on the laptop to the first 200 kB of the picture at its
player, box and client having just been restarted. "relayed" goes through a TURN relay beside the rendezvous, which is asked when 400 ms found no direct way.

"""


def cell(row: dict[str, object] | None) -> str:
    if row is None:
        return "none: a box needs UDP"
    return "**failed**" if row["seen"] == "none" else f"{row['seen']}, {row['first_media_ms']}"


def main() -> None:
    rows = json.loads(SOURCE.read_text(encoding="utf-8"))["rows"]
    kinds = list(dict.fromkeys(row["home"] for row in rows))
    by_place = {(row["home"], row["away"]): row for row in rows}
    lines = ["| home \\ away | " + " | ".join(kinds) + " |", "|---" * (len(kinds) + 1) + "|"]
    for home in kinds:
        lines.append(f"| {home} | " + " | ".join(cell(by_place.get((home, away))) for away in kinds) + " |")
    TARGET.write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

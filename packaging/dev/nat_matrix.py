"""nat_matrix.py: writes docs/nat-matrix.md from build/test/nat-matrix.json, which `./hearth test --all` leaves.

A row for each kind of access at home, a column for each kind away. Cells that were not run keep what the document says of them.
"""

from __future__ import annotations

import json
from pathlib import Path

SOURCE = Path("build/test/nat-matrix.json")
TARGET = Path("docs/nat-matrix.md")
HEAD = """# Which way from which network to which

Written by `packaging/dev/nat_matrix.py` from a run of `tests/e2e/test_nat_matrix.py` with every kind of access at home (rows) and away (columns), real
programs and a real channel. The figure is the time in milliseconds from the start of the client on the laptop to the first 200 kB of the picture at its
player, box and client having just been restarted. "relayed" goes through a TURN relay beside the rendezvous, which the client asks when 400 ms found no
direct way. A box whose network blocks UDP is sure of that some eight seconds after its start, and asks the relay then; these come before the figure.

"""

Cells = dict[tuple[str, str], str]


def cell(row: dict[str, object]) -> str:
    return "**failed**" if row["seen"] == "none" else f"{row['seen']}, {row['first_media_ms']}"


def documented() -> Cells:
    """What the document's table says."""
    if not TARGET.exists():
        return {}
    table = [line.strip("|\n").split("|") for line in TARGET.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    kinds = [kind.strip() for kind in table[0][1:]]
    return {(row[0].strip(), kind): text.strip() for row in table[2:] for kind, text in zip(kinds, row[1:], strict=True)}


def main() -> None:
    rows = json.loads(SOURCE.read_text(encoding="utf-8"))["rows"]
    cells = documented() | {(row["home"], row["away"]): cell(row) for row in rows}
    kinds = list(dict.fromkeys(home for home, _ in cells))
    lines = ["| home \\ away | " + " | ".join(kinds) + " |", "|---" * (len(kinds) + 1) + "|"]
    for home in kinds:
        lines.append(f"| {home} | " + " | ".join(cells.get((home, away), "not run") for away in kinds) + " |")
    TARGET.write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

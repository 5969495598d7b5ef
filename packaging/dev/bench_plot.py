"""Draws a benchmark's figures beside their goals: bench_plot.py FIGURES.json PLOT.svg.

A report may say what to draw of it: "plot": {"rows": [...], "logarithmic": true}.
"""

import json
import math
import sys
from html import escape

LINE = 26  # pixels per row
LEFT = 300  # where the bars begin
BAR = 420  # the longest bar


def draw(report: dict) -> str:
    """One bar per row, as long as its share of the largest figure of its unit; a black mark is the goal."""
    chosen = report.get("plot", {})
    rows = chosen.get("rows", report["rows"])
    scale = (lambda value: math.log10(1 + value)) if chosen.get("logarithmic") else (lambda value: value)
    machine = report["machine"]
    title = f"{report['name']}: {machine['cpu']}, Linux {machine['kernel']}"
    parts = [f'<text x="8" y="20" font-weight="bold">{escape(title)}</text>']
    for place, row in enumerate(rows):
        same_unit = [other for other in rows if other["unit"] == row["unit"]]
        largest = max(max(other["value"], other["goal"] or 0) for other in same_unit) or 1
        top = 36 + place * LINE
        width = BAR * scale(row["value"]) / scale(largest)
        colour = "#3b7dd8" if row["met"] else "#c0392b"
        parts.append(f'<text x="{LEFT - 8}" y="{top + 14}" text-anchor="end">{escape(row["name"])}</text>')
        parts.append(f'<rect x="{LEFT}" y="{top}" width="{width:.1f}" height="18" fill="{colour}"/>')
        goal = ""
        if row["goal"] is not None:
            mark = LEFT + BAR * scale(row["goal"]) / scale(largest)
            parts.append(f'<rect x="{mark:.1f}" y="{top - 3}" width="2" height="24"/>')
            goal = f", goal {row['goal']:g}"
        label = f"{row['value']:.3g} {row['unit']}{goal}" if row.get("samples", 1) else row["why"]
        parts.append(f'<text x="{LEFT + BAR + 10}" y="{top + 14}">{escape(label)}</text>')
    height = 46 + len(rows) * LINE
    body = "\n".join(parts)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="960" height="{height}" font-family="sans-serif" '
            f'font-size="13">\n<rect width="960" height="{height}" fill="white"/>\n{body}\n</svg>\n')


def main(source: str, target: str) -> None:
    with open(source, encoding="utf-8") as file:
        report = json.load(file)
    with open(target, "w", encoding="utf-8") as file:
        file.write(draw(report))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])

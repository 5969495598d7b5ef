"""The C++ sources that git knows, by folder, and what they include."""

import re
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOTS = ("tunnelmgr", "appliance", "rendezvous-server")
INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]', re.MULTILINE)


@cache
def tracked() -> tuple[str, ...]:
    """Every file of the project, from its root: git's, or in a tree without git all but what is built."""
    git = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True
    )
    if git.returncode == 0:
        return tuple(line for line in git.stdout.splitlines() if (ROOT / line).is_file())
    skipped = {"build", "node_modules", "dist", ".git"}
    files = (path.relative_to(ROOT) for path in ROOT.rglob("*") if path.is_file())
    return tuple(sorted(str(file) for file in files if not skipped & set(file.parts)))


@cache
def text(file: str) -> str:
    return (ROOT / file).read_text(encoding="utf-8")


def product_sources() -> list[str]:
    return [file for file in tracked() if file.startswith(ROOTS) and file.endswith((".cpp", ".hpp"))]


def folder_of(file: str) -> str:
    return "/".join(file.split("/")[:2])


def includes(file: str) -> list[tuple[str, str]]:
    """Pairs of the opening character and the path."""
    return INCLUDE.findall(text(file))

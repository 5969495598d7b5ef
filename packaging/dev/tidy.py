#!/usr/bin/env python3
"""clang-tidy over the project, remembering by content which files were clean.

What a file's result depends on is hashed: the file and every header of ours that it reaches, the rules (.clang-tidy), the
compile command without the clone's path, the version of clang-tidy, and our plug-in. A clean result is an empty file of that
name below ${XDG_CACHE_HOME:-~/.cache}/hearthcast/tidy, so any clone of the same content finds it; a finding is never
remembered. Headers of the system are not part of it: after an upgrade of libraries, `--fresh` asks again.

The plug-in (packaging/tidy) spares the checks the system's headers: it brings a file from about 20 s to 5 s. The static analyser
walks its shallow way, a third or less of the time of the deep one (a codec's test: 2.4 and 18 s); `--deep` asks for that. What was
clean deeply is clean.
"""

import argparse
import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from functools import cache
from pathlib import Path

INCLUDE = re.compile(rb'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)  # ours are full paths from the root
SHALLOW = [f"--extra-arg={word}" for word in ("-Xclang", "-analyzer-config", "-Xclang", "mode=shallow")]
KEEP_SECONDS = 60 * 24 * 3600  # a result that nobody asked for in this time is forgotten


class Tree:
    """One clone: what its files include, and the name of a file's result."""

    def __init__(self, root: Path, version: str):
        self.root, self.version = root, version

    @cache
    def digest(self, path: str) -> str:
        return hashlib.sha256((self.root / path).read_bytes()).hexdigest()

    @cache
    def included(self, path: str) -> tuple[str, ...]:
        names = (name.decode() for name in INCLUDE.findall((self.root / path).read_bytes()))
        return tuple(name for name in names if (self.root / name).is_file())

    def closure(self, path: str) -> list[str]:
        """The file and every header of the project that it reaches, sorted."""
        reached, waiting = {path}, [path]
        while waiting:
            fresh = set(self.included(waiting.pop())) - reached
            reached |= fresh
            waiting += fresh
        return sorted(reached)

    def rules(self, path: str) -> list[str]:
        """The .clang-tidy files that govern it, from its folder up to the root."""
        return [str(folder / ".clang-tidy") for folder in Path(path).parents if (self.root / folder / ".clang-tidy").is_file()]

    def key(self, path: str, command: list[str]) -> str:
        """Of the result at full depth; `shallow(key)` is that of the other."""
        portable = [word.replace(str(self.root), "ROOT") for word in command]
        parts = [self.version, json.dumps(portable)]
        parts += [f"{name} {self.digest(name)}" for name in self.rules(path) + self.closure(path)]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def shallow(key: str) -> str:
    return hashlib.sha256(f"shallow {key}".encode()).hexdigest()


class Memory:
    """Which results were clean."""

    def __init__(self, folder: Path):
        self.folder = folder

    def knows(self, key: str) -> bool:
        try:
            os.utime(self.folder / key)  # asked for: kept for longer
            return True
        except FileNotFoundError:
            return False

    def remember(self, key: str) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / key).touch()

    def forget_old(self, now: float) -> None:
        for entry in self.folder.glob("*"):
            if now - entry.stat().st_mtime > KEEP_SECONDS:
                entry.unlink(missing_ok=True)


def cache_folder(environment) -> Path:
    home = environment.get("XDG_CACHE_HOME") or Path(environment.get("HOME") or "/var/tmp") / ".cache"
    return Path(home) / "hearthcast" / "tidy"


def commands_of(database: list[dict], root: Path) -> dict[str, list[str]]:
    """The compile command of each file of the project, by its path from the root."""
    commands = {}
    for entry in database:
        path = Path(entry["directory"], entry["file"])
        if path.is_relative_to(root):
            commands[str(path.relative_to(root))] = entry.get("arguments") or shlex.split(entry["command"])
    return commands


@dataclass
class Outcome:
    clean: bool
    seconds: float
    text: str


def check(clang_tidy: str, build: Path, path: Path, profile: str, deep: bool) -> Outcome:
    began = time.monotonic()
    extra = [f"--load={build / 'own_code.so'}", "--checks=hearthcast-own-code"]  # beside those of .clang-tidy
    extra += [] if deep else SHALLOW
    extra += ["--enable-check-profile", f"--store-check-profile={profile}"]
    done = subprocess.run([clang_tidy, "-p", str(build), "--quiet", *extra, str(path)], capture_output=True, text=True)
    clean = done.returncode == 0 and not done.stdout.strip()
    return Outcome(clean, time.monotonic() - began, "" if clean else done.stdout.strip() or done.stderr.strip())


def costs(profiles: list[dict]) -> list[tuple[str, float]]:
    """Seconds of each check over all profiles, the dearest first."""
    sums: dict[str, float] = {}
    for profile in profiles:
        for name, seconds in profile["profile"].items():
            if name.endswith(".wall"):
                check_name = name.removeprefix("time.clang-tidy.").removesuffix(".wall")
                sums[check_name] = sums.get(check_name, 0.0) + seconds
    return sorted(sums.items(), key=lambda item: -item[1])


def arguments(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="clang-tidy over the project; results are remembered by content")
    parser.add_argument("files", nargs="*", help="from the root; without any: all that git knows and the build compiles")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="how many at once (all processors)")
    parser.add_argument("--fresh", action="store_true", help="ask again for what was clean")
    parser.add_argument("--deep", action="store_true", help="the static analyser at its full depth")
    parser.add_argument("--profile", action="store_true", help="tell at the end which checks took longest")
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[2])
    parser.add_argument("--build", type=Path, help="a build folder with compile_commands.json (ROOT/build/tidy)")
    parser.add_argument("--clang-tidy", default="clang-tidy-14")
    return parser.parse_args(words)


def sources(root: Path) -> list[str]:
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "*.cpp"], cwd=root, capture_output=True, text=True, check=True
    )
    return sorted(name for name in listed.stdout.splitlines() if (root / name).is_file())


def main(words: list[str]) -> int:
    options = arguments(words)
    root = options.root.resolve()
    build = options.build or root / "build" / "tidy"
    commands = commands_of(json.loads((build / "compile_commands.json").read_text()), root)
    version = subprocess.run([options.clang_tidy, "--version"], capture_output=True, text=True, check=True).stdout
    version += (root / "packaging" / "tidy" / "own_code.cpp").read_text()
    tree, memory = Tree(root, version), Memory(cache_folder(os.environ))
    memory.forget_old(time.time())

    files = options.files or sources(root)
    failed = [path for path in files if path not in commands]
    for path in failed:
        print(f"{path}: the build in {build} does not compile it, so nobody checks it", flush=True)
    keys = {path: tree.key(path, commands[path]) for path in files if path in commands}
    known = {path for path, key in keys.items() if memory.knows(key) or (not options.deep and memory.knows(shallow(key)))}
    asked = [path for path in keys if options.fresh or path not in known]

    with tempfile.TemporaryDirectory() as profiles, ThreadPoolExecutor(options.jobs) as pool:
        running = {pool.submit(check, options.clang_tidy, build, root / path, profiles, options.deep): path for path in asked}
        for number, finished in enumerate(as_completed(running), 1):
            path, outcome = running[finished], finished.result()
            print(f"[{number}/{len(asked)}] {path} ({outcome.seconds:.1f} s)", flush=True)
            if outcome.clean:
                if Tree(root, version).key(path, commands[path]) == keys[path]:  # or somebody edited it meanwhile
                    memory.remember(keys[path] if options.deep else shallow(keys[path]))
            else:
                failed.append(path)
                print(outcome.text, flush=True)
        if options.profile:
            read = [json.loads(name.read_text()) for name in Path(profiles).glob("*.json")]
            for name, seconds in costs(read)[:12]:
                print(f"  {seconds:8.1f} s  {name}")

    print(f"clang-tidy: {len(files)} files, {len(keys) - len(asked)} known to be clean, {len(asked)} checked, {len(failed)} with findings")
    return 1 if failed or not files else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

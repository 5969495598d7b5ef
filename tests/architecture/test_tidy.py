"""The memory of clang-tidy: what makes a result another one, and what is asked, remembered and told."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from sources import ROOT

sys.path.insert(0, str(ROOT / "packaging" / "dev"))
import tidy  # noqa: E402

# Stands in for clang-tidy: notes what it is asked, finds the word `trap`, and writes a profile as the real one does.
STAND_IN = """#!/bin/sh
if [ "$1" = --version ]; then echo "stand-in $STAND_IN_VERSION"; exit; fi
for word; do case $word in --store-check-profile=*) profile=${word#*=} ;; esac; path=$word; done
name=${path##*/}
echo "$name" >> "$ASKED"
cat > "$profile/$name.json" <<END
{"file": "$path", "profile": {"time.clang-tidy.dear.wall": 2.0, "time.clang-tidy.cheap.wall": 0.5, "time.clang-tidy.cheap.user": 9.0}}
END
if grep -q trap "$path"; then echo "$path:1:1: error: a trap [dear]"; exit 1; fi
"""


@dataclass
class Run:
    returncode: int
    stdout: str


class Clone:
    """A small project under git with a compile database, and the runs of tidy.py in it."""

    def __init__(self, folder: Path, patch, capture):
        self.patch, self.capture = patch, capture
        self.root, self.asked_file = folder / "clone", folder / "asked"
        self.stand_in = folder / "clang-tidy"
        (self.root / "part").mkdir(parents=True)
        (self.root / "packaging" / "tidy").mkdir(parents=True)
        self.stand_in.write_text(STAND_IN)
        self.stand_in.chmod(0o755)
        self.write(".clang-tidy", "Checks: dear")
        self.write(".gitignore", "packaging/")  # the plug-in is no part of what these tests are about
        self.write("packaging/tidy/own_code.cpp", "int plug_in();")
        self.write("part/low.hpp", "int low();")
        self.write("part/middle.hpp", '#include <vector>\n#include "part/low.hpp"\n#include "part/nowhere.hpp"\n')
        self.write("part/one.cpp", '#include "part/middle.hpp"\n')
        self.write("part/two.cpp", "int two();")
        self.compile("part/one.cpp", "part/two.cpp")
        subprocess.run(["git", "init", "-q", str(self.root)], check=True)

    def write(self, name: str, content: str) -> None:
        (self.root / name).write_text(content)

    def compile(self, *names: str, flags: str = "-O0") -> None:
        build = self.root / "build" / "tidy"
        build.mkdir(parents=True, exist_ok=True)
        self.write("build/tidy/.gitignore", "*")
        database = [
            {"directory": str(build), "file": str(self.root / name), "command": f"c++ {flags} -I{self.root} -c {self.root / name}"}
            for name in names
        ]
        (build / "compile_commands.json").write_text(json.dumps(database))

    def run(self, *options: str) -> Run:
        self.asked_file.write_text("")
        self.patch.setenv("ASKED", str(self.asked_file))
        status = tidy.main(["--root", str(self.root), "--jobs", "1", "--clang-tidy", str(self.stand_in), *options])
        return Run(status, self.capture.readouterr().out)

    def asked(self, *options: str) -> list[str]:
        """Which files a run asks clang-tidy about."""
        self.run(*options)
        return sorted(self.asked_file.read_text().split())


@pytest.fixture
def clone(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("STAND_IN_VERSION", "1")
    return Clone(tmp_path, monkeypatch, capsys)


def test_everything_is_asked_once(clone):
    assert clone.asked() == ["one.cpp", "two.cpp"]
    assert clone.asked() == []


def test_the_summary_counts(clone):
    first, second = clone.run(), clone.run()
    assert first.returncode == second.returncode == 0
    assert "[2/2] part/" in first.stdout
    assert first.stdout.endswith("2 files, 0 known to be clean, 2 checked, 0 with findings\n")
    assert second.stdout == "clang-tidy: 2 files, 2 known to be clean, 0 checked, 0 with findings\n"


@pytest.mark.parametrize(
    "name, content, asked",
    [
        ("part/one.cpp", '#include "part/middle.hpp"\n\n', ["one.cpp"]),
        ("part/low.hpp", "int lower();", ["one.cpp"]),
        ("part/nowhere.hpp", "int somewhere();", ["one.cpp"]),
        (".clang-tidy", "Checks: cheap", ["one.cpp", "two.cpp"]),
        ("part/.clang-tidy", "Checks: cheap", ["one.cpp", "two.cpp"]),
        ("part/unrelated.hpp", "int unrelated();", []),
    ],
)
def test_a_change_asks_again_for_what_it_reaches(clone, name, content, asked):
    clone.run()
    clone.write(name, content)
    assert clone.asked() == asked


def test_a_change_taken_back_is_known(clone):
    clone.run()
    clone.write("part/two.cpp", "int changed();")
    assert clone.asked() == ["two.cpp"]
    clone.write("part/two.cpp", "int two();")
    assert clone.asked() == []


def test_other_flags_or_another_version_ask_again(clone, monkeypatch):
    clone.run()
    clone.compile("part/one.cpp", "part/two.cpp", flags="-O2")
    assert clone.asked() == ["one.cpp", "two.cpp"]
    monkeypatch.setenv("STAND_IN_VERSION", "2")
    assert clone.asked() == ["one.cpp", "two.cpp"]


def test_another_plug_in_asks_again(clone):
    clone.run()
    clone.write("packaging/tidy/own_code.cpp", "int other_plug_in();")
    assert clone.asked() == ["one.cpp", "two.cpp"]


def test_the_plug_in_is_loaded(clone):
    clone.stand_in.write_text(STAND_IN + 'echo "$@" >> "$ASKED"\n')
    words = clone.asked("part/two.cpp")
    assert f"--load={clone.root}/build/tidy/own_code.so" in words
    assert "--checks=hearthcast-own-code" in words


def test_fresh_asks_for_everything(clone):
    clone.run()
    assert clone.asked("--fresh") == ["one.cpp", "two.cpp"]


def test_what_was_clean_deeply_is_clean_and_not_the_other_way_round(clone):
    clone.stand_in.write_text(STAND_IN + 'echo "$@" >> "$ASKED"\n')
    assert "--extra-arg=mode=shallow" in clone.asked("part/one.cpp")
    assert "--extra-arg=mode=shallow" not in clone.asked("--deep", "part/one.cpp", "part/two.cpp")
    assert clone.asked("--deep") == clone.asked() == []


def test_named_files_only(clone):
    assert clone.asked("part/two.cpp") == ["two.cpp"]


def test_another_clone_of_the_same_content_knows(clone, tmp_path):
    clone.run()
    (tmp_path / "elsewhere").mkdir()
    other = Clone(tmp_path / "elsewhere", clone.patch, clone.capture)
    assert other.asked() == []


def test_a_finding_fails_is_told_and_is_asked_again(clone):
    clone.write("part/two.cpp", "int trap();")
    for _ in range(2):
        done = clone.run()
        assert done.returncode == 1
        assert "two.cpp:1:1: error: a trap [dear]" in done.stdout
        assert "1 with findings" in done.stdout
    assert clone.asked() == ["two.cpp"], "the clean one is known"


def test_a_clang_tidy_that_ends_badly_is_no_clean_result(clone):
    clone.write("part/two.cpp", "int two();\n")
    clone.stand_in.write_text(STAND_IN + "echo out of memory >&2; exit 134\n")
    done = clone.run()
    assert done.returncode == 1
    assert "out of memory" in done.stdout


def test_a_file_edited_while_it_was_checked_is_asked_again(clone):
    clone.stand_in.write_text(STAND_IN + 'echo "// edited" >> "$path"\n')
    clone.run("part/two.cpp")
    clone.stand_in.write_text(STAND_IN)
    clone.write("part/two.cpp", "int two();")
    assert clone.asked("part/two.cpp") == ["two.cpp"]


def test_a_file_that_no_build_compiles_fails(clone):
    clone.write("part/three.cpp", "int three();")
    done = clone.run()
    assert done.returncode == 1
    assert "part/three.cpp: the build in" in done.stdout
    assert "three.cpp" not in clone.asked_file.read_text()


def test_the_dearest_checks_are_told(clone):
    lines = [line.split() for line in clone.run("--profile").stdout.splitlines() if line.startswith("  ")]
    assert lines == [["4.0", "s", "dear"], ["1.0", "s", "cheap"]]


def test_the_closure_goes_through_headers_and_circles(clone):
    clone.write("part/low.hpp", '#pragma once\n#  include "part/middle.hpp"\n')
    tree = tidy.Tree(clone.root, "1")
    assert tree.closure("part/one.cpp") == ["part/low.hpp", "part/middle.hpp", "part/one.cpp"]
    assert tree.closure("part/two.cpp") == ["part/two.cpp"]


def test_old_results_are_forgotten_and_those_asked_for_are_not(tmp_path):
    memory = tidy.Memory(tmp_path / "tidy")
    memory.remember("old")
    memory.remember("used")
    later = 1e9 + tidy.KEEP_SECONDS
    os.utime(memory.folder / "old", (1e9, 1e9))
    os.utime(memory.folder / "used", (1e9, 1e9))
    assert memory.knows("used") and not memory.knows("never")
    memory.forget_old(later + 1)
    assert not memory.knows("old")
    assert memory.knows("used")


@pytest.mark.parametrize(
    "environment, folder",
    [
        ({"HOME": "/home/somebody"}, "/home/somebody/.cache/hearthcast/tidy"),
        ({"HOME": "/home/somebody", "XDG_CACHE_HOME": "/elsewhere"}, "/elsewhere/hearthcast/tidy"),
        ({"HOME": "/home/somebody", "XDG_CACHE_HOME": ""}, "/home/somebody/.cache/hearthcast/tidy"),
        ({}, "/var/tmp/.cache/hearthcast/tidy"),
    ],
)
def test_the_cache_lies_where_the_user_keeps_caches(environment, folder):
    assert str(tidy.cache_folder(environment)) == folder

"""House rules that a reader relies on: small files, a purpose at the top of each header, no test switched off."""

import re

from sources import product_sources, text, tracked

CODE = (".cpp", ".hpp", ".py", ".sh", ".ts", ".svelte", ".cmake")
MAX_LINES = 500


def code() -> list[str]:
    return [file for file in tracked() if file.endswith(CODE)]


def test_no_file_is_longer_than_a_reader_can_hold():
    long = [f"{file}: {lines} lines" for file in code() if (lines := text(file).count("\n")) > MAX_LINES]
    assert not long


def test_most_files_are_short():
    lengths = sorted(text(file).count("\n") for file in product_sources())
    assert lengths[len(lengths) // 2] <= 120


def test_each_header_begins_with_its_purpose():
    wrong = [file for file in product_sources() if file.endswith(".hpp") and not re.match(r"// \S.*\n", text(file))]
    assert not wrong


def test_each_header_is_guarded():
    wrong = [file for file in product_sources() if file.endswith(".hpp") and "#pragma once" not in text(file)]
    assert not wrong


def test_no_test_is_switched_off():
    words = r"\bDISABLED_|GTEST_SKIP_?\(\)\s*;|pytest\.mark\.(skip|xfail)\b|\b(it|test|describe)\.(skip|todo)\("
    tests = [file for file in code() if file.startswith(("tests/", "webui/")) and not file.startswith("tests/architecture/")]
    wrong = [f"{file}: {match.group()}" for file in tests for match in re.finditer(words, text(file))]
    assert not wrong


def test_nothing_is_left_for_later():
    words = r"\b(TO" r"DO|FIX" r"ME|X" r"XX)\b"
    wrong = [f"{file}: {match.group()}" for file in code() for match in re.finditer(words, text(file))]
    assert not wrong


def test_each_fuzz_target_has_seeds():
    named = re.compile(r"hearthcast_fuzz\((\w+)")
    targets = [m for file in tracked() if re.match(r"tests/fuzz/[^/]+\.(cmake|txt)$", file) for m in named.findall(text(file)) if m != "NAME"]
    assert targets
    seeds = {file.split("/")[3] for file in tracked() if file.startswith("tests/fuzz/corpus/")}
    assert not set(targets) - seeds
    assert not seeds - set(targets), "seeds of a target that is no more"


def test_tests_keep_up_with_the_source():
    """The aim is as much test as source; glue that only the lab can try is why the floor is lower."""

    def lines(files):
        return sum(text(file).count("\n") for file in files)

    page = [f for f in tracked() if f.startswith("webui/src/") and f.endswith((".ts", ".svelte"))]
    tests = [f for f in tracked() if f.startswith(("tests/", "webui/tests/")) and f.endswith((".cpp", ".hpp", ".py", ".ts"))]
    assert lines(tests) >= 0.85 * lines([*product_sources(), *page])

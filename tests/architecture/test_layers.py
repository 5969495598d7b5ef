"""Includes follow the table of layers.py, and docs/architecture.md tells of the same folders."""

import re

import pytest

from layers import ADAPTER, IMPURE_HEADERS, IMPURE_WORDS, LAYERS, OWNED_HEADERS, PROGRAM, PURE
from sources import ROOT, ROOTS, folder_of, includes, product_sources, text, tracked

SOURCES = product_sources()
FOLDERS = sorted({folder_of(file) for file in SOURCES})


def in_folder(folder: str) -> list[str]:
    return [file for file in SOURCES if folder_of(file) == folder]


def test_there_are_sources():
    assert len(SOURCES) > 50


@pytest.mark.parametrize("folder", FOLDERS)
def test_folder_includes_only_what_the_table_allows(folder):
    assert folder in LAYERS, f"{folder} is not in tests/architecture/layers.py"
    allowed = LAYERS[folder].may_include | {folder}
    wrong = [
        f"{file} includes {path}"
        for file in in_folder(folder)
        for mark, path in includes(file)
        if mark == '"' and folder_of(path) not in allowed
    ]
    assert not wrong


@pytest.mark.parametrize("folder", [f for f in FOLDERS if LAYERS.get(f) and LAYERS[f].kind == PURE])
def test_pure_folder_has_no_machine_in_it(folder):
    wrong = []
    for file in in_folder(folder):
        wrong += [f"{file} includes <{path}>" for mark, path in includes(file) if re.match(IMPURE_HEADERS, path)]
        code = re.sub(r"//.*", "", text(file))
        wrong += [f"{file} says {match.group()}" for match in re.finditer(IMPURE_WORDS, code)]
    assert not wrong


@pytest.mark.parametrize("pattern", OWNED_HEADERS)
def test_libraries_have_one_owner(pattern):
    wrong = [
        f"{file} includes <{path}>"
        for file in SOURCES
        for mark, path in includes(file)
        if mark == "<" and re.match(pattern, path) and folder_of(file) not in OWNED_HEADERS[pattern]
    ]
    assert not wrong


def test_includes_are_full_paths():
    wrong = [
        f'{file} includes "{path}"'
        for file in tracked()
        if file.endswith((".cpp", ".hpp"))
        for mark, path in includes(file)
        if mark == '"' and not (ROOT / path).is_file()
    ]
    assert not wrong


def test_arrows_point_down_only():
    levels: dict[str, int] = {}

    def level(folder: str, above: tuple[str, ...] = ()) -> int:
        assert folder not in above, f"{folder} includes itself by {' -> '.join(above)}"
        if folder not in levels:
            levels[folder] = 1 + max((level(f, above + (folder,)) for f in LAYERS[folder].may_include), default=0)
        return levels[folder]

    for folder in LAYERS:
        level(folder)


def test_table_keeps_the_promises_of_the_design():
    for folder, layer in LAYERS.items():
        root = folder.split("/")[0]
        others = {f for f in layer.may_include if f.split("/")[0] != root}
        assert not others if root == "tunnelmgr" else all(f.startswith("tunnelmgr/") for f in others), folder
        if layer.kind == PURE:
            assert all(LAYERS[f].kind == PURE for f in layer.may_include), f"{folder} is pure and sees an adapter"
        assert all(LAYERS[f].kind != PROGRAM for f in layer.may_include), f"{folder} sees a program"
        assert layer.kind in (PURE, ADAPTER, PROGRAM)


def documented_folders() -> dict[str, str]:
    """Folders and their kind in the table of docs/architecture.md."""
    found = {}
    for line in text("docs/architecture.md").splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if len(cells) != 3 or not cells[0].startswith("`"):
            continue
        root = ""
        for name in re.findall(r"`([^`]+)`", cells[0]):
            root, name = name.split("/") if "/" in name else (root, name)
            if root in ROOTS:
                found[f"{root}/{name}"] = cells[2]
    return found


def test_document_has_every_folder():
    assert sorted(documented_folders()) == sorted(LAYERS)


def test_document_says_the_same_of_pure_folders():
    for folder, kind in documented_folders().items():
        assert (kind == "pure") == (LAYERS[folder].kind == PURE), folder


def test_heavy_headers_stay_out_of_our_headers():
    """A header of ours that brings one is a folder's own matter, or everybody who includes it compiles for seconds."""
    heavy = r"nlohmann/json\.hpp|boost/beast|boost/asio\.hpp|spdlog/|toml\+\+/|CLI/"
    ours = {file for file in SOURCES if file.endswith(".hpp") if any(re.match(heavy, path) for _, path in includes(file))}
    wrong = [
        f"{file} includes {path}, which brings a heavy header"
        for file in SOURCES
        for mark, path in includes(file)
        if mark == '"' and path in ours and folder_of(path) != folder_of(file)
    ]
    assert not wrong

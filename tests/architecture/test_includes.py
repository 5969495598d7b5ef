"""What the precompiled header brings along must still be included: packages are built without one, by another compiler.

Only names that one header alone declares, and that a file can be asked for by its words, are looked at. A header of ours
that includes it for us counts.
"""

import re
from functools import cache

import pytest
from sources import ROOT, includes, text, tracked

DECLARES = {
    "algorithm": r"std::(ranges::)?(sort|stable_sort|find|find_if|any_of|all_of|none_of|count_if|copy|copy_n|min_element|max_element|"
    r"lower_bound|upper_bound|equal_range|remove_if|transform|rotate|clamp|adjacent_find|mismatch|includes|search|partition)\(",
    "array": r"std::array<",
    "boost/system/result.hpp": r"boost::system::result<",
    "chrono": r"std::chrono::(?!_)",
    "deque": r"std::deque<",
    "filesystem": r"std::filesystem::",
    "functional": r"std::(move_only_)?function<",
    "map": r"std::(multi)?map<",
    "memory": r"std::(unique_ptr|shared_ptr|weak_ptr|make_unique|make_shared)\b",
    "nlohmann/json.hpp": r"nlohmann::json::(parse|object|array)\b",
    "optional": r"std::(optional<|nullopt|make_optional)",
    "set": r"std::(multi)?set<",
    "span": r"std::(span<|as_bytes)",
    "stdexcept": r"std::(runtime_error|logic_error|invalid_argument|out_of_range|length_error)\b",
    "string": r"std::(string\b|to_string)",
    "string_view": r"std::string_view\b",
    "tuple": r"std::(tuple<|tie\(|make_tuple|forward_as_tuple)",
    "unordered_map": r"std::unordered_map<",
    "variant": r"std::(variant<|visit\(|get_if<|holds_alternative|monostate)",
    "vector": r"std::vector<",
    "gtest/gtest.h": r"^(TEST|TEST_F|TEST_P)\(",
    "gmock/gmock.h": r"\b(EXPECT_THAT|ASSERT_THAT|MOCK_METHOD|ON_CALL|EXPECT_CALL)\(",
}
# Each of these is declared by those that include it as well, by the standard or by the library's own design.
IMPLIED = {
    "string_view": {"string"},
    "string": {"filesystem", "nlohmann/json.hpp", "gtest/gtest.h", "gmock/gmock.h", "stdexcept", "iostream", "sstream", "fstream"},
    "gtest/gtest.h": {"gmock/gmock.h"},
    "vector": {"gtest/gtest.h", "gmock/gmock.h", "nlohmann/json.hpp"},
    "memory": {"gtest/gtest.h", "gmock/gmock.h"},
    "tuple": {"map", "gmock/gmock.h"},
    "array": {"span", "ranges"},
    "span": {"ranges"},
    "stdexcept": {"string", "filesystem"},
    "optional": {"ranges"},
}


@cache
def reached(file: str) -> frozenset[str]:
    """The system's headers that a file and the headers of ours below it include."""
    found, seen, waiting = set(), {file}, [file]
    while waiting:
        for opening, name in includes(waiting.pop()):
            if opening == "<":
                found.add(name)
            elif (ROOT / name).is_file() and name not in seen:
                seen.add(name)
                waiting.append(name)
    return frozenset(found)


def users() -> list[str]:
    return [f for f in tracked() if f.endswith((".cpp", ".hpp")) and not f.startswith("packaging/")]


def code(file: str) -> str:
    return re.sub(r"//.*|\"(\\.|[^\"\\])*\"", "", text(file))


def missing(file: str) -> list[str]:
    has = reached(file)
    return [
        header
        for header, names in DECLARES.items()
        if not has & ({header} | IMPLIED.get(header, set())) and re.search(names, code(file), re.MULTILINE)
    ]


def test_each_file_includes_what_it_names():
    wrong = [f"{file}: <{header}>" for file in users() for header in missing(file)]
    assert not wrong, "these compile only because of a precompiled header; include what is named"


@pytest.mark.parametrize("header", ["product", "tests"])
def test_what_is_precompiled_is_looked_for(header):
    """A header that joins the precompiled ones joins the table, or is one that names no type of its own."""
    general = {"compare", "cstddef", "cstdint", "utility"}
    listed = {name for _, name in includes(f"packaging/cmake/{header}_headers.hpp")}
    assert listed - general <= set(DECLARES)

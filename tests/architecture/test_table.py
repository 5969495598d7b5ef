"""The checks themselves find what they are for: each rule against a source that breaks it."""

import re

import pytest

from layers import IMPURE_HEADERS, IMPURE_WORDS, LAYERS
from sources import INCLUDE, folder_of


def test_an_include_is_found_however_it_is_written():
    assert INCLUDE.findall('#include "tunnelmgr/base/bytes.hpp"\n#  include <thread>\n') == [
        ('"', "tunnelmgr/base/bytes.hpp"),
        ("<", "thread"),
    ]


@pytest.mark.parametrize("header", ["thread", "sys/socket.h", "boost/asio/ip/udp.hpp", "openssl/evp.h", "sqlite3.h", "fstream"])
def test_a_machine_in_a_pure_folder_is_found(header):
    assert re.match(IMPURE_HEADERS, header)


@pytest.mark.parametrize("header", ["array", "chrono", "nlohmann/json.hpp", "boost/system/result.hpp", "string_view", "random"])
def test_values_are_allowed_in_a_pure_folder(header):
    assert not re.match(IMPURE_HEADERS, header)


@pytest.mark.parametrize("code", ["Clock::now()", "std::chrono::steady_clock::now()", "std::random_device d;", "getenv(x)"])
def test_a_clock_in_a_pure_folder_is_found(code):
    assert re.search(IMPURE_WORDS, code)


def test_servers_do_not_see_each_other():
    for folder, layer in LAYERS.items():
        if folder.startswith("rendezvous-server/"):
            assert not any(f.startswith("appliance/") for f in layer.may_include)
        if folder.startswith("appliance/"):
            assert not any(f.startswith("rendezvous-server/") for f in layer.may_include)


def test_a_folder_is_the_first_two_names():
    assert folder_of("tunnelmgr/wire/gre.hpp") == "tunnelmgr/wire"

"""Each program has a manual page that the packages install, and it names every command and option that there is."""

import re
import subprocess

import pytest

from sources import ROOT, text, tracked

PAGES = {
    "hearthcast-box.8": "appliance/app/main.cpp",
    "hearthcast-away.1": "tunnelmgr/away/main.cpp",
    "hearthcast-mcast.1": "tunnelmgr/mcast/main.cpp",
    "hearthcast-rendezvous.8": "rendezvous-server/app/main.cpp",
    "hearthcast-netd.8": "tunnelmgr/netd/main.cpp",
}
# A subcommand or option of CLI11, or a row of the box's table of commands.
COMMANDS = re.compile(r'add_subcommand\(\s*"([a-z-]+)"|^    \{"([a-z-]+)", "', re.MULTILINE)
OPTIONS = re.compile(r'"(?:-h,)?--([a-z-]+)"')


def page(name: str) -> str:
    return text(f"packaging/man/{name}")


@pytest.mark.parametrize("name", PAGES)
def test_the_formatter_has_nothing_to_say(name):
    done = subprocess.run(
        ["groff", "-mdoc", "-ww", "-z", "-Tutf8", str(ROOT / "packaging/man" / name)], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_of_its_program_and_section(name):
    title, section = name.rsplit(".", 1)
    assert f"\n.Dt {title.upper()} {section}\n" in page(name)
    assert f"\n.Nm {title}\n.Nd " in page(name)


@pytest.mark.parametrize("name", PAGES)
def test_every_command_is_explained(name):
    commands = {first or second for first, second in COMMANDS.findall(text(PAGES[name]))}
    assert commands or name == "hearthcast-netd.8"
    missing = [command for command in sorted(commands) if not re.search(rf"^\.It Cm {command}\b", page(name), re.MULTILINE)]
    assert not missing


@pytest.mark.parametrize("name", PAGES)
def test_every_option_is_explained(name):
    options = set(OPTIONS.findall(text(PAGES[name]))) | {"help", "version"}
    missing = [option for option in sorted(options) if not re.search(rf"^\.It .*-{option}\b", page(name), re.MULTILINE)]
    assert not missing


def test_the_packages_install_every_page():
    installed = " ".join(text(file) for file in tracked() if file.endswith(".manpages")).split()
    assert sorted(installed) == sorted(file for file in tracked() if file.startswith("packaging/man/"))
    assert sorted(installed) == sorted(f"packaging/man/{name}" for name in PAGES)


@pytest.mark.parametrize("name", PAGES)
def test_pages_point_at_pages_that_exist(name):
    for program, section in re.findall(r"^\.Xr (\S+) (\d)", page(name), re.MULTILINE):
        assert f"{program}.{section}" in PAGES

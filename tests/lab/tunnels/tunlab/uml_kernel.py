"""Debian's user-mode-linux: boots in seconds, and has gre, ip6gre and sit, but no fou."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from hearthlab.namespace import Namespace

from .linux_kernel import DoesNotRun, LinuxKernel

PROGRAM = "linux.uml"
_BOOT_S = 120  # 4 s on an idle machine
_CARD = "vec0"

# The first process: what a distribution would set up, then the one that does what it is told.
_INIT = """#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t tmpfs tmpfs /run
mount -t hostfs -o {folder} hostfs {folder}
for module in ipv6 ip_gre ip6_gre sit; do modprobe -d {folder} $module; done
stty raw -echo
exec {python} -u {inside}
"""


def boot(space: Namespace, cable: str, folder: Path) -> LinuxKernel:
    if shutil.which(PROGRAM) is None:
        raise DoesNotRun("user-mode-linux is not installed")
    (folder / "lib").mkdir(parents=True)
    (folder / "lib" / "modules").symlink_to("/usr/lib/uml/modules")  # where modprobe looks for them
    init = folder / "init"
    init.write_text(_INIT.format(folder=folder, python=sys.executable, inside=Path(__file__).with_name("inside.py")), encoding="ascii")
    init.chmod(0o755)
    command = [
        PROGRAM, "mem=192M", "rootfstype=hostfs", "rootflags=/", "ro", f"init={init}", f"uml_dir={folder}",
        f"{_CARD}:transport=tap,ifname={cable},depth=128", "con=null", "con0=fd:0,fd:1",
    ]
    try:
        return LinuxKernel(space, command, _CARD, folder, _BOOT_S)
    except TimeoutError as error:
        raise DoesNotRun(str(error)) from error

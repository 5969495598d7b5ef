"""Debian's own kernel in qemu, computed and not virtualised: slower to boot than user-mode-linux, but it has fou.

packaging/dev/kernel.sh leaves that kernel in build/kernel. It gets the modules that it needs in its initial file system, and the
rest from this machine's root (9p).
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from hearthlab.namespace import Namespace
from hearthlab.service import ROOT
from hearthlab.shell import run

from .linux_kernel import DoesNotRun, LinuxKernel

PROGRAM = "qemu-system-x86_64"
KERNEL = ROOT / "build" / "kernel"  # as its package has it: boot/ and lib/modules/
_BOOT_S = 180  # 10 s on an idle machine
_CARD = "eth0"
_MODULES = ("virtio_pci", "virtio_net", "9pnet_virtio", "9p", "ip_gre", "ip6_gre", "sit", "ip6_tunnel", "fou", "fou6")

_INIT = """#!/bin/busybox sh
for module in /modules/*; do busybox insmod $module; done
busybox mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144,ro,cache=loose root /root
busybox mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144 folder /root{folder}
busybox mount -t devtmpfs dev /root/dev
busybox mount -t proc proc /root/proc
busybox mount -t sysfs sysfs /root/sys
busybox mount -t tmpfs tmpfs /root/run
busybox stty -F /root/dev/ttyS0 raw -echo
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
exec busybox chroot /root {python} -u {inside} < /root/dev/ttyS0 > /root/dev/ttyS0
"""


def _modules(version: str) -> list[Path]:
    """The files, each after those that it needs."""
    files: dict[Path, None] = {}
    for name in _MODULES:
        for line in run(["modprobe", "-d", str(KERNEL), "-S", version, "--show-depends", name]).splitlines():
            word, file = line.split()[:2]
            if word == "insmod":
                files[Path(file)] = None
    return list(files)


def _initial_files(version: str, folder: Path) -> Path:
    """The first file system, packed."""
    tree = folder / "initial"
    for name in ("bin", "modules", "root", "dev"):
        (tree / name).mkdir(parents=True)
    shutil.copy2("/bin/busybox", tree / "bin")
    for number, file in enumerate(_modules(version)):
        shutil.copy2(file, tree / "modules" / f"{number:02}-{file.name}")
    init = tree / "init"
    init.write_text(_INIT.format(folder=folder, python=sys.executable, inside=Path(__file__).with_name("inside.py")), encoding="ascii")
    init.chmod(0o755)
    packed = folder / "initial.cpio"
    run(["sh", "-c", f"cd {tree} && find . | cpio --quiet -o -H newc > {packed}"])
    return packed


def boot(space: Namespace, cable: str, folder: Path) -> LinuxKernel:
    missing = [program for program in (PROGRAM, "/bin/busybox", "cpio", "modprobe") if shutil.which(program) is None]
    if missing:
        raise DoesNotRun(f"not installed: {', '.join(missing)}")
    images = sorted(KERNEL.glob("boot/vmlinuz-*"))
    if not images:
        raise DoesNotRun("no kernel in build/kernel: packaging/dev/kernel.sh brings it")
    folder.mkdir(parents=True)
    command = [
        PROGRAM, "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-accel", "tcg", "-m", "256",
        "-kernel", str(images[-1]), "-initrd", str(_initial_files(images[-1].name.removeprefix("vmlinuz-"), folder)),
        "-append", "console=ttyS1 quiet panic=-1 mitigations=off net.ifnames=0",
        "-chardev", "stdio,id=orders,signal=off", "-serial", "chardev:orders", "-serial", f"file:{folder / 'console'}",
        "-netdev", f"tap,id=cable,ifname={cable},script=no,downscript=no,vnet_hdr=off", "-device", "virtio-net-pci,netdev=cable,romfile=",
        "-fsdev", "local,id=root,path=/,security_model=none,readonly=on,multidevs=remap",
        "-device", "virtio-9p-pci,fsdev=root,mount_tag=root",
        "-fsdev", f"local,id=folder,path={folder},security_model=none", "-device", "virtio-9p-pci,fsdev=folder,mount_tag=folder",
    ]
    try:
        return LinuxKernel(space, command, _CARD, folder, _BOOT_S)
    except TimeoutError as error:
        console = folder / "console"
        raise RuntimeError(f"{error}\n{console.read_text(errors='replace')[-4000:] if console.exists() else ''}") from error

#!/usr/bin/env bash
# kernel: leaves Debian's kernel in build/kernel/ for the virtual machine of a test. Unpacked and not installed: that would change
# what this machine boots. A second run does nothing.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
# shellcheck source=packaging/dev/common.sh
. packaging/dev/common.sh

exec 9> build/kernel.lock
flock 9
[ ! -f build/kernel/.whole ] || exit 0
[ "$(dpkg --print-architecture)" = amd64 ] || die "the kernel of that test is Debian's for amd64"
say "bringing Debian's kernel for the virtual machine of a test"
as_root apt-get -q update > /dev/null
package=$(apt-cache depends linux-image-amd64 | awk '/Depends: linux-image-/ {print $2; exit}')
[ -n "$package" ] || die "this machine's package sources have no linux-image-amd64"
rm -rf build/kernel
mkdir -p build/kernel
(cd build/kernel && apt-get -q -o APT::Sandbox::User=root download "$package" > /dev/null)
# Of its modules what a machine without disks, screen and sound may need: a tenth of the whole.
dpkg-deb --fsys-tarfile build/kernel/*.deb | tar -x -C build/kernel --wildcards ./boot/vmlinuz-\* \
  ./lib/modules/\*/{modules.\*,kernel/{lib,net,fs/{9p,fscache,netfs},drivers/{virtio,net/{virtio_net.ko,net_failover.ko}}}}
rm build/kernel/*.deb
/sbin/depmod -b build/kernel "${package#linux-image-}"
touch build/kernel/.whole

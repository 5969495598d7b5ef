#!/usr/bin/env bash
# test-package: builds the packages, installs them in a clean Debian 12 tree, checks the units, and purges them without a trace.
# shellcheck source=packaging/dev/common.sh
. packaging/dev/common.sh
need package
bash packaging/dev/package.sh > /dev/null
step_log=build/test-package.log
tree=$(mktemp -d -t hearthcast-package.XXXXXX)
trap 'as_root umount -R "$tree/proc" 2> /dev/null || true; as_root rm -rf --one-file-system "$tree"' EXIT
inside() { as_root chroot "$tree" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"; }
quiet() { "$@" > build/quiet.log 2>&1; cat build/quiet.log; [ ! -s build/quiet.log ]; } # unknown keys only warn: any word is a failure
files() { (cd "$tree" && find . -xdev -not -path './proc/*' -not -path './var/log/*' -not -path './var/lib/dpkg/*' \
  -not -path './var/cache/*' -not -path './tmp/*' -not -path './var/lib/apt/*' -not -path './var/lib/systemd/*' | sort); }

make_tree() {
  bare_tree "$tree" systemd,ca-certificates &&
    as_root cp -r /etc/apt/apt.conf.d "$tree/etc/apt/" && as_root cp /etc/resolv.conf /etc/hosts "$tree/etc/" &&
    as_root mount -t proc proc "$tree/proc" && as_root cp build/packages/*.deb "$tree/tmp/"
}
programs=(box away rendezvous)
step "a clean Debian 12 tree" make_tree
# What the packages depend on comes first, so that what is left after purging is theirs.
dependencies() {
  local names
  names=$(for deb in build/packages/hearthcast-*.deb; do
    case $deb in *dbgsym*) ;; *) dpkg-deb -f "$deb" Depends ;; esac
  done | tr ',' '\n' | sed 's/(.*//; s/|.*//' | sort -u)
  # shellcheck disable=SC2086
  inside apt-get update && inside apt-get install -y --no-install-recommends $names
}
step "what they depend on" dependencies
files > build/package-before.txt
for program in "${programs[@]}"; do
  step "install hearthcast-$program" inside bash -c "dpkg -i /tmp/hearthcast-${program}_*.deb"
  step "hearthcast-$program --version" inside "hearthcast-$program" --version
  step "hearthcast-$program --help" inside "hearthcast-$program" --help
  step "verify hearthcast-$program.service" quiet as_root systemd-analyze verify --root "$tree" --man=no "hearthcast-$program.service"
  step "exposure of hearthcast-$program.service at most 2.5" as_root systemd-analyze security --offline=true --threshold=25 \
    --root "$tree" "hearthcast-$program.service"
done
for helper in hearthcast-netd hearthcast-away-netd; do
  step "verify $helper.socket" quiet as_root systemd-analyze verify --root "$tree" --man=no "$helper.socket"
  step "exposure of $helper@.service at most 2.5" as_root systemd-analyze security --offline=true --threshold=25 \
    --root "$tree" "$helper@.service"
done
open_to_devices() {
  local units="$tree/lib/systemd/system"
  [ "$(grep -h ^DeviceAllow= "$units"/hearthcast-*.service | sort -u)" = "DeviceAllow=/dev/net/tun rw" ] &&
    [ "$(grep -l ^DeviceAllow= "$units"/hearthcast-*.service | wc -l)" -eq 2 ] &&
    [ "$(grep -L ^PrivateDevices=yes "$units"/hearthcast-*.service | xargs -n1 basename | sort | tr '\n' ' ')" = "hearthcast-away-netd@.service hearthcast-netd@.service " ]
}
step "only the two helpers may open a device, and that is the TUN one" open_to_devices
step "the groups of the helpers' sockets" inside getent group hearthcast-netd hearthcast-tun
step "the away client's own helper" inside /usr/libexec/hearthcast-away/hearthcast-netd --version
run_as_nobody() { # the box starts on the installed settings, but for where it may write
  inside bash -c 'mkdir -p /tmp/state && chmod 777 /tmp/state && cd /tmp && (timeout -s TERM 3 setpriv --reuid 65534 --regid 65534 --clear-groups \
    hearthcast-box run --config /etc/hearthcast/box.toml --state-dir /tmp/state --control-socket /tmp/state/box.sock; [ $? -eq 124 ] || [ $? -eq 0 ])'
}
step "hearthcast-box runs unprivileged on its settings" run_as_nobody
inside rm -rf /tmp/state
for program in "${programs[@]}"; do
  step "purge hearthcast-$program" inside dpkg --purge "hearthcast-$program"
done
nothing_left() { files > build/package-after.txt && diff build/package-before.txt build/package-after.txt; }
step "nothing is left" nothing_left
step "lintian finds no error" lintian --fail-on error --suppress-tags bad-distribution-in-changes-file build/packages/hearthcast-box_*.deb \
  build/packages/hearthcast-away_*.deb build/packages/hearthcast-rendezvous_*.deb
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]

#!/usr/bin/env bash
# test-install: proves in a minimal Debian 12 tree, where nothing is installed, that the project's own install step brings
# all that building and testing need, and that the whole product then builds there.
# shellcheck source=packaging/dev/common.sh
. packaging/dev/common.sh
need package
step_log=build/test-install.log
tree=$(mktemp -d -t hearthcast-install.XXXXXX)
trap 'as_root umount -R "$tree/proc" "$tree/dev" 2> /dev/null || true; as_root rm -rf --one-file-system "$tree"' EXIT
# Debian's npm does not look at the system's certificates by itself.
inside() {
  as_root chroot "$tree" env -i HOME=/tmp PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
    npm_config_cafile=/etc/ssl/certs/ca-certificates.crt NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt "$@"
}

# The same certificates and client settings as this machine, too.
make_tree() {
  bare_tree "$tree" ca-certificates &&
    as_root cp -r /etc/apt/apt.conf.d /etc/apt/sources.list* "$tree/etc/apt/" &&
    { [ ! -f "$HOME/.npmrc" ] || as_root cp "$HOME/.npmrc" "$tree/tmp/.npmrc"; } &&
    as_root cp -r /usr/local/share/ca-certificates "$tree/usr/local/share/" && inside update-ca-certificates &&
    as_root cp /etc/resolv.conf /etc/hosts "$tree/etc/" &&
    as_root mount -t proc proc "$tree/proc" && as_root mount --rbind /dev "$tree/dev" &&
    as_root mount --make-rslave "$tree/dev" # so that unmounting it here leaves the machine's own alone
}
step "a minimal Debian 12 tree" make_tree
as_root mkdir -p "$tree/src"
git ls-files -z | as_root tar --null -T - -cf - | as_root tar -xf - -C "$tree/src"
step "the build's packages, and the programs" inside bash -c 'cd /src && ./hearth build'
step "the web UI, with Debian's own Node" inside bash -c 'cd /src && . packaging/dev/common.sh && bash packaging/dev/webui.sh'
step "the packages of every kind of test" inside bash -c 'cd /src && . packaging/dev/common.sh && need build test lab web'
step "a program of that tree" inside /src/build/bin/hearthcast-box --version
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]

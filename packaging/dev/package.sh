#!/usr/bin/env bash
# package: builds the Debian packages of this tree into build/packages/.
# shellcheck source=packaging/dev/common.sh
. packaging/dev/common.sh
need build package
bash packaging/dev/webui.sh
tree=build/packages/src
rm -rf build/packages && mkdir -p $tree
git ls-files -z | tar --null -T - -cf - | tar -xf - -C $tree
cp -r webui/dist $tree/webui/
cp -r packaging/debian $tree/debian
say "building the packages"
# debhelper gives the build a HOME of its own; the compiler cache stays where it is.
export CCACHE_DIR=${CCACHE_DIR:-$HOME/.cache/ccache}
(cd $tree && DEB_BUILD_OPTIONS="parallel=$(nproc)" dpkg-buildpackage -us -uc -b) > build/package.log 2>&1 ||
  { tail -40 build/package.log >&2; die "building the packages failed; the whole output is in build/package.log"; }
rm -rf $tree
ls build/packages/*.deb

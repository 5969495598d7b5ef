#!/usr/bin/env bash
# demo [--check]: installs what is missing, builds, raises the lab and plays a real channel to a laptop away.
# shellcheck source=packaging/dev/common.sh
. packaging/dev/common.sh
need build lab
bash packaging/dev/build.sh || exit 1
as_root env PYTHONPATH=tests/lab HEARTHCAST_LAB_PREFIX="${HEARTHCAST_LAB_PREFIX:-hcd-}" \
  /usr/bin/python3 -m hearthlab.demo "$@"

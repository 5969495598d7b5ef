#!/usr/bin/env bash
# lab: the network of the demo and the tests, to explore by hand. up, down, list, shell NAME [COMMAND...].
# shellcheck source=packaging/dev/common.sh
. packaging/dev/common.sh
need lab
as_root env PYTHONPATH=tests/lab HEARTHCAST_LAB_PREFIX="${HEARTHCAST_LAB_PREFIX:-hc-}" \
  /usr/bin/python3 -m hearthlab "$@"

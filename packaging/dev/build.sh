#!/usr/bin/env bash
# build: the programs, optimised, in build/bin/. With a preset name: that preset (dev, release, thread, tidy, fuzz).
# shellcheck source=packaging/dev/common.sh
. packaging/dev/common.sh
need build
case ${1:-} in
  dev | benchmark | thread | tidy | fuzz) build_preset "$@" ;;
  release | "")
    [ $# -eq 0 ] || shift
    bash packaging/dev/webui.sh || say "the web page could not be built; building a box without it"
    build_preset release "$@"
    ln -sfn release/bin build/bin
    ;;
  *) die "build takes a preset: dev, release, benchmark, thread, tidy or fuzz" ;;
esac

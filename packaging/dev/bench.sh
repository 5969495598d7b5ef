#!/usr/bin/env bash
# bench NAME: measures with optimised code; writes build/bench/NAME.json and a plot. Fails when a goal is missed.
# shellcheck source=packaging/dev/common.sh
. packaging/dev/common.sh
name=${1:-}
if [ ! -f "tests/bench/${name}_bench.cpp" ]; then
  names=$(find tests/bench -name '*_bench.cpp' -printf '%f ' | sed 's/_bench\.cpp//g')
  die "bench takes one of: $names"
fi
need build bench
build_preset benchmark "${name}_bench" >&2
status=0
"build/benchmark/bin/${name}_bench" build/bench || status=$?
if [ -f "build/bench/$name.json" ]; then
  python3 packaging/dev/bench_plot.py "build/bench/$name.json" "build/bench/$name.svg"
  say "figures: build/bench/$name.json, plot: build/bench/$name.svg"
fi
exit "$status"

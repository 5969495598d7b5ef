#!/usr/bin/env bash
# bench NAME [OPTION...]: measures with optimised code; writes build/bench/NAME.json and a plot. Fails when a goal is
# missed. `multicast` and `thesis` raise networks of their own and need root.
# shellcheck source=packaging/dev/common.sh
. packaging/dev/common.sh
name=${1:-}
[ $# -eq 0 ] || shift
if [ -f "tests/bench/${name}_bench.cpp" ]; then
  need build bench
  build_preset benchmark "${name}_bench" >&2
  measure=("build/benchmark/bin/${name}_bench" build/bench "$@")
elif [ -f "tests/bench/${name}_bench.py" ]; then
  need build lab bench
  build_preset benchmark hearthcast-{mcast,box,away,rendezvous,netd} tunnel_swarm relay_floor >&2
  measure=(as_root env HEARTHCAST_BIN="$PWD/build/benchmark/bin" /usr/bin/python3 "tests/bench/${name}_bench.py" build/bench "$@")
else
  names=$(find tests/bench -name '*_bench.*' -printf '%f ' | sed -E 's/_bench\.(cpp|py)//g')
  die "bench takes one of: $names"
fi
status=0
"${measure[@]}" || status=$?
if [ -f "build/bench/$name.json" ]; then
  python3 packaging/dev/bench_plot.py "build/bench/$name.json" "build/bench/$name.svg"
  say "figures: build/bench/$name.json, plot: build/bench/$name.svg"
fi
exit "$status"

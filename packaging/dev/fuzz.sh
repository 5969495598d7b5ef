#!/usr/bin/env bash
# fuzz [SECONDS [NAME...]]: runs each fuzz target (or those named) for a time, default 60 s. What it finds new is kept in
# build/fuzz/corpus/; an input that breaks a target is left in build/fuzz/found/ and named.
# shellcheck source=packaging/dev/common.sh
. packaging/dev/common.sh
seconds=${1:-60}
[[ $seconds =~ ^[1-9][0-9]*$ ]] || die "fuzz takes a number of seconds and names of targets, not '$seconds'"
shift || true
need build test fuzz

mapfile -t all < <(sed -nE 's/^hearthcast_fuzz\((\w+) .*/\1/p' tests/fuzz/*.cmake | sort)
targets=("${@:-${all[@]}}")
for name in "${targets[@]}"; do
  [[ " ${all[*]} " == *" $name "* ]] || die "there is no fuzz target '$name'; there are: ${all[*]}"
done
say "building ${#targets[@]} fuzz targets"
(build_preset fuzz "${targets[@]/#/fuzz_}") > build/fuzz.log 2>&1 || { tail -30 build/fuzz.log >&2; die "building failed"; }

run_one() { # NAME SECONDS
  local name=$1 found=build/fuzz/found
  mkdir -p "build/fuzz/corpus/$name" $found
  if "build/fuzz/fuzz/fuzz_$name" -max_total_time="$2" -timeout=10 -rss_limit_mb=1024 -artifact_prefix="$found/$name-" \
    "build/fuzz/corpus/$name" "tests/fuzz/corpus/$name" > "build/fuzz/$name.log" 2>&1; then
    echo "ok: $name, $(sed -nE 's/^Done ([0-9]+) runs.*/\1/p' "build/fuzz/$name.log") runs"
  else
    echo "failed: $name; see build/fuzz/$name.log"
    return 1
  fi
}
export -f run_one
say "fuzzing ${#targets[@]} targets for $seconds s each, $(nproc) at a time"
printf '%s\n' "${targets[@]}" | xargs -P "$(nproc)" -I NAME bash -c "run_one NAME $seconds" | tee build/fuzz/summary || true
# Only a target that said so has passed: one that died without a word has not.
passed=$(grep -c '^ok: ' build/fuzz/summary || true)
failed=$((${#targets[@]} - passed))
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]

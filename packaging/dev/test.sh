#!/usr/bin/env bash
# test [NAME...]: installs what is missing, builds once, runs the tests, and ends with `N passed, N failed`.
# shellcheck source=packaging/dev/common.sh
. packaging/dev/common.sh

everyday=(architecture lint unit sim fuzz web programs lab e2e)
# The end-to-end tests that keep a processor busy.
busy=(tests/e2e/test_{attacks,eight_viewers,loss,media,rendezvous_gone,roaming,small_path}.py)
# Where whole files run beside each other, those that take longest begin.
long=(
  tests/programs/test_{hostile_rendezvous,attack,watchdog}.py
  tests/lab/tunnels/test_{combinations,dissection,malformed}.py
  tests/e2e/test_{home_blocks_udp,tun,port_mapping,lan_relay,kills,nat_matrix}.py
)
kinds=()
for argument in "$@"; do
  case $argument in
    --all) kinds=("${everyday[@]}" thread install package boot endurance) && export HEARTHCAST_ALL=1 ;;
    *) kinds+=("$argument") ;;
  esac
done
[ ${#kinds[@]} -gt 0 ] || kinds=("${everyday[@]}")

wants() { # KIND...: is one of them to be run?
  local kind
  for kind in "$@"; do [[ " ${kinds[*]} " == *" $kind "* ]] && return 0; done
  return 1
}

passed=0 failed=0
out=build/test
rm -rf $out && mkdir -p $out

# count KIND FILE...: adds the cases of JUnit or GoogleTest reports to the totals.
count() {
  local kind=$1 ok bad
  shift
  read -r ok bad < <(python3 packaging/dev/count_tests.py "$@")
  passed=$((passed + ok)) failed=$((failed + bad))
  printf '    %-12s %5d passed, %d failed   (%d s)\n' "$kind" "$ok" "$bad" $((SECONDS - started))
}

# A kind that ended badly without a failed case in its report (it crashed, or ran nothing) counts as one failure.
crashed() { failed=$((failed + 1)); echo "    $1: ended badly; see the output above and build/test/"; }

ctest_kind() { # KIND
  local before=$failed status=0
  mkdir -p "$out/$1"
  GTEST_OUTPUT="xml:$PWD/$out/$1/" ctest --test-dir build/dev -L "^$1\$" -j "$(nproc)" --output-on-failure \
    --no-tests=error --output-junit "$PWD/$out/$1.ctest" > "$out/$1.log" 2>&1 || status=$?
  [ $status -eq 0 ] || grep -vE '^ *[0-9]+/[0-9]+ Test .*Passed|^ *Start ' "$out/$1.log"
  # GoogleTest programs report their cases one by one; what is no GoogleTest program counts as one case.
  if compgen -G "$out/$1/*.xml" > /dev/null; then count "$1" "$out/$1"/*.xml; else count "$1" "$out/$1.ctest"; fi
  if [ $status -ne 0 ] && [ "$failed" -eq "$before" ]; then crashed "$1"; fi
}

# How programs run that were built with sanitizers. One that changed its user cannot look into itself for leaks; the
# unit tests do. Little of what it freed is kept back, so that a test can see its memory grow.
checked=()

pytest_kind() { # KIND FOLDER [OPTION...]
  local before=$failed status=0
  as_root env PYTHONDONTWRITEBYTECODE=1 "${checked[@]}" /usr/bin/python3 -m pytest -q -p no:cacheprovider --durations=5 \
    --junitxml "$out/$1.xml" "${@:2}" > "$out/$1.log" 2>&1 || status=$?
  if [ $status -eq 0 ]; then grep -E 'the lab was raised [0-9]+ times|^SKIPPED' "$out/$1.log" || true; else cat "$out/$1.log"; fi
  count "$1" "$out/$1.xml"
  if [ $status -ne 0 ] && [ "$failed" -eq "$before" ]; then crashed "$1"; fi
}

# beside KIND FOLDER WORKERS: its files but for the busy ones, so many beside each other.
beside() {
  local files
  mapfile -t files < <(printf '%s\n' "${long[@]}" "$2"/test_*.py | grep "^$2/" | grep -vxFf <(printf '%s\n' "${busy[@]}") | awk '!seen[$0]++')
  pytest_kind "$1" "${files[@]}" -n "$3" --dist loadfile
}

script_kind() { # KIND COMMAND...: a script that prints `N passed, N failed` as its last line
  local kind=$1 status=0 ok=0 bad=0 line
  shift
  "$@" > "$out/$kind.log" 2>&1 || status=$?
  line=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$out/$kind.log" | tail -1) || true
  [ $status -eq 0 ] || cat "$out/$kind.log"
  read -r ok bad < <(echo "${line:-0 passed, 0 failed}" | tr -dc '0-9 ')
  passed=$((passed + ok)) failed=$((failed + bad))
  printf '    %-12s %5d passed, %d failed   (%d s)\n' "$kind" "$ok" "$bad" $((SECONDS - started))
  if [ $status -ne 0 ] && [ "$bad" -eq 0 ]; then crashed "$kind"; elif [ "$ok" -eq 0 ]; then crashed "$kind"; fi
}

need build test
if wants programs lab e2e architecture lint boot; then need lab; fi
if wants web programs; then need web; fi # both have a browser
if wants lab; then
  need kernel
  bash packaging/dev/kernel.sh || say "without that kernel its tests are skipped"
fi
if wants web programs lab e2e package install; then
  say "building the web UI"
  bash packaging/dev/webui.sh
fi
# One build serves all: what people run is optimised and not checked, and is what demo, bench, install and package build.
if wants unit sim fuzz programs lab e2e web endurance; then
  say "building with ASan and UBSan"
  programs=(hearthcast-{box,away,rendezvous,netd,mcast})
  if wants unit sim fuzz; then build_preset dev; else build_preset dev "${programs[@]}"; fi
  HEARTHCAST_BIN=$PWD/build/dev/bin
  # The lab restarts a program that died, so what the sanitizers found in one is kept apart and counted at the end.
  found=$(mktemp -d /tmp/hearthcast-sanitizers-XXXXXX)
  trap 'rm -rf "$found"' EXIT
  chmod 1777 "$found"
  checked=("HEARTHCAST_BIN=$HEARTHCAST_BIN" "ASAN_OPTIONS=detect_leaks=0:quarantine_size_mb=4:log_path=$found/report"
    "UBSAN_OPTIONS=print_stacktrace=1:log_path=$found/report")
fi

for kind in "${kinds[@]}"; do
  started=$SECONDS
  say "test $kind"
  case $kind in
    unit | sim | fuzz) ctest_kind "$kind" ;;
    architecture) pytest_kind architecture tests/architecture ;;
    lint) script_kind lint bash packaging/dev/lint.sh --quick ;;
    # These, the tunnels and the end-to-end tests that are not busy mostly wait.
    programs) beside programs tests/programs 4 ;;
    lab)
      pytest_kind lab tests/lab --ignore=tests/lab/multicast --ignore=tests/lab/tunnels
      # Each of these has a world of its own, and mostly waits.
      started=$SECONDS
      pytest_kind multicast tests/lab/multicast -n 4
      started=$SECONDS
      beside tunnels tests/lab/tunnels 4
      ;;
    e2e)
      beside e2e tests/e2e 4
      started=$SECONDS
      pytest_kind e2e-busy "${busy[@]}" -n 2 --dist loadfile
      ;;
    endurance) pytest_kind endurance tests/endurance ;;
    # What people install, under a systemd that booted.
    boot) if bash packaging/dev/package.sh > /dev/null; then pytest_kind boot tests/boot -rs; else crashed boot; fi ;;
    web) script_kind web env "${checked[@]}" bash packaging/dev/test-web.sh ;;
    thread | install | package) script_kind "$kind" bash "packaging/dev/test-$kind.sh" ;;
    *) die "there is no kind of test '$kind'; ./hearth help lists them" ;;
  esac
done

if [ -n "${found:-}" ] && compgen -G "$found/*" > /dev/null; then
  cat "$found"/*
  crashed sanitizers
fi

# Each row of the multicast checklist names its tests: they exist, and those of this run passed.
python3 packaging/dev/checklist.py "$out" "${kinds[@]}" || crashed checklist

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]

# shellcheck shell=bash
# What every command of ./hearth shares: installing package groups, building a preset, saying what happens.

say() { printf '\033[1m==> %s\033[0m\n' "$*" >&2; }
die() { echo "hearth: $*" >&2; exit 1; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; elif command -v sudo > /dev/null; then sudo "$@"; else
    die "this step needs root: run it as root or install sudo ($*)"
  fi
}

packages_of() { # GROUP...: their packages, one a line
  for group in "$@"; do
    awk -v group="[$group]" '/^\[/ {on = $0 == group; next} on && !/^#/ && NF {print $1}' packaging/dev/packages.txt
  done
}

# need GROUP...: installs what is missing of these groups. Without missing packages it asks nobody.
need() {
  local missing=() package
  # A machine may bring Node of its own; Debian's is needed only where npm is not there at all.
  while read -r package; do
    case $package in nodejs | npm) command -v npm > /dev/null && continue ;; esac
    dpkg-query -W -f '${Status}' "$package" 2> /dev/null | grep -q 'ok installed' || missing+=("$package")
  done < <(packages_of "$@")
  [ ${#missing[@]} -gt 0 ] || return 0
  say "installing ${#missing[@]} packages: ${missing[*]}"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q update > /dev/null
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends \
    -o DPkg::Lock::Timeout=600 "${missing[@]}" > build/install.log 2>&1 ||
    { tail -20 build/install.log >&2; die "installing packages failed; the whole output is in build/install.log"; }
}

# build_preset PRESET [TARGET...]: configures when needed and builds; ends the script when that fails.
build_preset() {
  local preset=$1
  shift
  if [ ! -f "build/$preset/build.ninja" ] || [ CMakePresets.json -nt "build/$preset/build.ninja" ]; then
    cmake --preset "$preset" > "build/configure-$preset.log" 2>&1 ||
      { tail -30 "build/configure-$preset.log" >&2; die "configuring failed"; }
  fi
  cmake --build "build/$preset" -j "$(nproc)" ${1:+--target "$@"} || die "building $preset failed"
}

# For scripts that go step by step: step NAME COMMAND... counts in passed and failed; what a failed one said is in
# $step_log, and its end is shown.
passed=0 failed=0 step_log=build/step.log
step() {
  local name=$1
  shift
  if "$@" > "$step_log" 2>&1; then passed=$((passed + 1)) && echo "ok: $name"; else
    failed=$((failed + 1)) && echo "failed: $name" && tail -30 "$step_log"
  fi
}

# bare_tree FOLDER PACKAGE,...: a minimal Debian 12 with these packages, from this machine's sources: a mirror or a proxy is the
# machine's matter.
bare_tree() {
  local apt_sources=() file
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*; do
    if [ -s "$file" ]; then apt_sources+=("$file"); fi
  done
  as_root mmdebstrap --variant=minbase "--include=$2" bookworm "$1" "${apt_sources[@]}"
}

mkdir -p build

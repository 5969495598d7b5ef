#!/usr/bin/env bash
# lint [--quick | OPTION...]: formatting of C++, shell scripts, Python that compiles; without --quick clang-tidy over
# everything that is not known to be clean. Options are those of tidy.py: --jobs N, --fresh, --deep, --profile, files.
# shellcheck source=packaging/dev/common.sh
. packaging/dev/common.sh
need test
passed=0 failed=0

check() { # NAME COMMAND...
  local name=$1
  shift
  if "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)) && echo "lint: $name found something"; fi
}

sources() { git ls-files '*.cpp' '*.hpp'; }
formatted() { sources | xargs clang-format-14 --dry-run -Werror; }
scripts() { git ls-files hearth '*.sh' | xargs shellcheck -x -e SC1091; }
python() { git ls-files '*.py' | xargs -r python3 -c 'import ast, sys
for path in sys.argv[1:]: ast.parse(open(path).read(), path)'; }
# The project speaks of itself alone: no path of one machine, no address of a package registry.
own_words() { ! git grep -nIE '/w''ork/|\.\./sh''ared|https?://(deb|registry)\.' -- . ':!*package-lock.json'; }

check formatting formatted
check scripts scripts
check python python
check words own_words

if [ "${1:-}" != --quick ]; then
  need build lint
  # Configured each time, a few seconds: a file added since would have no compile command.
  cmake --preset tidy > build/configure-tidy.log 2>&1 || { tail -30 build/configure-tidy.log >&2; die "configuring failed"; }
  cmake --build build/tidy --target own_code > build/tidy-plugin.log 2>&1 || { tail -30 build/tidy-plugin.log >&2; die "building failed"; }
  say "clang-tidy, a line for each file that has changed since it was clean"
  check clang-tidy python3 packaging/dev/tidy.py "$@"
fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]

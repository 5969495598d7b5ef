#!/usr/bin/env bash
# test-web: the web page's types, its pure parts, and the page in Chromium against the real box.
set -uo pipefail
# shellcheck source=packaging/dev/common.sh
. packaging/dev/common.sh
# shellcheck source=packaging/dev/web_tools.sh
. packaging/dev/web_tools.sh

out=build/web
mkdir -p $out
rm -f $out/*.xml
web_install && web_types || exit 1
passed=0 failed=0

check() { if "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi; }

# vitest_kind NAME CONFIG: its cases count one by one; ending badly without a failed case counts as one.
vitest_kind() {
  local status=0 ok bad
  web_tool vitest run --config "$2" --reporter=default --reporter=junit --outputFile.junit="../$out/$1.xml" || status=$?
  read -r ok bad < <(python3 packaging/dev/count_tests.py "$out/$1.xml")
  if [ $status -ne 0 ] && [ "$bad" -eq 0 ]; then bad=1; fi
  passed=$((passed + ok)) failed=$((failed + bad))
}

check web_tool svelte-check --tsconfig ./tsconfig.json --fail-on-warnings --output human
vitest_kind unit vite.config.ts
# Pictures of every screen stay in build/web/.
if [ -x "${HEARTHCAST_BIN:-build/bin}/hearthcast-box" ]; then
  vitest_kind browser tests/browser/vitest.config.ts
else
  failed=$((failed + 1)) && echo "test-web: build/bin/hearthcast-box is missing; ./hearth build makes it"
fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]

#!/usr/bin/env bash
# test-thread: the tests of code that runs on more than one thread, under ThreadSanitizer.
# shellcheck source=packaging/dev/common.sh
. packaging/dev/common.sh
need build test
# Both programs' data threads and the parts that they are made of, servers and helpers on threads of their own; an
# architecture test compares it with the tests that start threads.
threaded=(linux_test datapath_test forward_test away_test loopback_test runtime_test secure_test http_test netd_test
  box_program_test mcast_test)
out=build/test/thread
rm -rf $out && mkdir -p $out
say "building ${#threaded[@]} tests with ThreadSanitizer"
build_preset thread "${threaded[@]}"
for test in "${threaded[@]}"; do
  say "$test"
  # A report of a race ends the program with a code of its own, also when every case passed.
  TSAN_OPTIONS="halt_on_error=1 exitcode=66" GTEST_OUTPUT="xml:$out/$test.xml" "build/thread/tests/$test" --gtest_brief=1 ||
    crashed="${crashed:-}$test "
done
read -r passed failed < <(python3 packaging/dev/count_tests.py $out/*.xml)
[ -z "${crashed:-}" ] || [ "$failed" -gt 0 ] || { echo "ended badly: $crashed" && failed=1; }
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]

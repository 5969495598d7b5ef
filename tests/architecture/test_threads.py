"""Every test that starts a thread is run under ThreadSanitizer, too."""

import re

from sources import text, tracked

STARTS = re.compile(r"std::j?thread\b|\b(runtime::)?Worker\b|\bDataPlane\b|\bThreadedServer\b|\bServiceManager\b")


def test_tests_with_threads_are_run_under_thread_sanitizer():
    listed = re.search(r"threaded=\(([^)]*)\)", text("packaging/dev/test-thread.sh"))
    assert listed
    tests = [file for file in tracked() if re.match(r"tests/unit/\w+/\w+\.[ch]pp$", file) and STARTS.search(text(file))]
    folders = {file.split("/")[2] for file in tests}
    assert folders, "the pattern finds what it is for"
    assert {f"{folder}_test" for folder in folders} == set(listed.group(1).split())

"""Prints `PASSED FAILED`: the cases in JUnit reports (GoogleTest, CTest and pytest all write them)."""

import sys
import xml.etree.ElementTree as ElementTree


def main(paths: list[str]) -> None:
    passed = failed = 0
    for path in paths:
        try:
            root = ElementTree.parse(path).getroot()
        except (OSError, ElementTree.ParseError) as error:
            print(f"{path}: {error}", file=sys.stderr)
            failed += 1
            continue
        for case in root.iter("testcase"):
            if case.find("failure") is not None or case.find("error") is not None:
                failed += 1
            elif case.find("skipped") is None and case.get("status", "run") in ("run", "passed"):
                passed += 1
    print(passed, failed)


main(sys.argv[1:])

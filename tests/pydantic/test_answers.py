"""Validation in generation 3 against pydantic 2: values, errors, places and words for generated values and bodies.

ANSWERS_BIN names the program built from answers.c (default build-asan/pydantic_answers). What the reference answered is
kept in expected.jsonl.xz; `python tests/pydantic/test_answers.py` records it anew. With ORION_TEST_FULL=1 more are
generated and the reference is asked, if ORION_TEST_PYTHON3 names the Python of its virtual environment."""
import json
import lzma
import os
import random
from collections import Counter
from pathlib import Path

import pytest

from tests.pydantic.cases import cases
from tests.pydantic.comparison import ask, difference, packed, read_ours, unpacked

HERE = Path(__file__).parent
PROGRAM = os.environ.get("ANSWERS_BIN", HERE.parent.parent / "build-asan/pydantic_answers")
PYTHON = os.environ.get("ORION_TEST_PYTHON3", "")
RECORDED = HERE / "expected.jsonl.xz"
FULL = os.environ.get("ORION_TEST_FULL") == "1"
FULL_COUNT = 200_000


def oracle(chosen):
    """What the reference answers, packed."""
    return [packed(case, line) for case, line in zip(chosen, ask([PYTHON, HERE / "oracle.py"], chosen), strict=True)]


def compare(chosen, theirs, tolerated=0):
    """Fails with the first differences, by kind; returns how many there were of the known ones."""
    seen, shown = Counter(), []
    ours = ask([PROGRAM], chosen)
    assert len(ours) == len(theirs) == len(chosen)
    for case, one, other in zip(chosen, ours, theirs):
        other = unpacked(case, other)
        what = difference(read_ours(one), other)
        seen[what] += 1
        if what == "other" and len(shown) < 10:
            shown.append(f"{case['kind']} {case['json']}\n  reference: {json.dumps(other)}\n  ours:      {one}")
    assert seen["other"] <= tolerated, f"{seen['other']} differ:\n" + "\n".join(shown)
    return seen


def test_recorded_answers():
    with lzma.open(RECORDED, "rt") as lines:
        theirs = lines.read().split("\n")[:-1]
    chosen = list(cases())
    assert len(chosen) >= 20_000
    seen = compare(chosen, theirs)
    assert seen["alone"] < 0.1 * len(chosen) and seen["text"] < 0.01 * len(chosen), seen


@pytest.mark.skipif(not (FULL and PYTHON), reason="needs ORION_TEST_FULL=1 and the reference's Python")
def test_live_answers():
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chosen = list(cases(FULL_COUNT, seed))
    # One in 5,000, among mutilated numbers and dates: "0-0_1", "T01", "2020-01-01T10:00.00".
    print(compare(chosen, oracle(chosen), tolerated=FULL_COUNT // 5_000))


if __name__ == "__main__":
    with lzma.open(RECORDED, "wt", preset=9) as out:
        out.write("".join(line + "\n" for line in oracle(list(cases()))))

"""Every request of cases.py, against what the reference answered when it was recorded: status, headers and body, byte
by byte."""
import pytest

from tests.lib.differences import expected_answer
from .answers import ask, key, recorded, recorded_on_postgres


ON_POSTGRES = recorded_on_postgres()


def name(case):
    return f"{case['method']} {case['path']} {(case['content'] or '')[:60]}".encode(
        "ascii", "backslashreplace").decode()


@pytest.mark.parametrize("case", recorded(), ids=name)
def test_answer(api, case):
    if api.engine == "postgresql":
        case = {**case, "answer": ON_POSTGRES.get(key(case), case["answer"])}
    actual = ask(api, case)
    assert actual == expected_answer(api.kind, case, actual)

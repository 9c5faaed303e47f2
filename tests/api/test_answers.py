"""Every request of cases.py, against what the reference answered when it was recorded: status, headers and body, byte by byte."""
import pytest

from answers import ask, recorded
from differences import expected_answer


def name(case):
    return f"{case['method']} {case['path']} {(case['content'] or '')[:60]}".encode("ascii", "backslashreplace").decode()


@pytest.mark.parametrize("case", recorded(), ids=name)
def test_answer(api, case):
    actual = ask(api, case)
    assert actual == expected_answer(api.kind, case, actual)

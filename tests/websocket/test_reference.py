"""Handshakes, frames, goodbyes and auth messages, compared with what Prefect 3.8.3 answered to the same bytes."""
import json
import re

import pytest

from tests.websocket.cases import AUTH, CASES, ask
from tests.websocket.conftest import ASAN_SERVER, Server
from tests.websocket.record import ANSWERS

RECORDED = json.loads(ANSWERS.read_text())

# Where ours differs: what it answers, and why.
PLAIN = "what has no WebSocket is requested as though none had been asked for, as from the server of 2.7"
NO_CLOSE = "the reference fails, and breaks the connection off without saying why"
DIFFERENT = {
    "version 8": ({"status": 426}, "RFC 6455 wants 426, with the version that is spoken"),
    "version 14": ({"status": 426}, "the same"),
    "by POST": ({"status": 405}, "the reference never answers"),
    "by HTTP/1.0": ({"status": 400}, "RFC 6455 wants HTTP/1.1; the reference accepts it, but not a word after that"),
    "permessage-deflate": ({"status": 101, "came": ["close 1000"]}, "declined"),
    "a path that has no socket": ({"status": 404}, PLAIN),
    "a path that is not there": ({"status": 404}, PLAIN),
    "a binary message": ({"status": 101, "came": ["close 1003 Only text is taken here"]}, NO_CLOSE),
    **{f"auth that is {what}": ({"status": 101, "protocol": "prefect", "came": ["close 1008 Expected 'auth' message"]},
                                NO_CLOSE) for what in ("a list", "no JSON", "binary")},
    "no subprotocol where there is a password": (
        {"status": 101, "came": ["close 1008 'prefect' subprotocol required when auth is configured"]},
        "so that a client before 3.6.14 is told why"),
}


def without_reasons(answer):
    """Where the reference's reason has numbers of its own, or names Python's error, the code alone counts."""
    came = [re.sub(r"^(close 1009|close 1007) .*", r"\1", one) for one in answer.get("came", [])]
    return answer | ({"came": came} if came else {})


@pytest.fixture(scope="module")
def with_auth(tmp_path_factory):
    one = Server(ASAN_SERVER, tmp_path_factory.mktemp("auth"), {}, {"ORION_AUTH_STRING": AUTH})
    yield one
    one.stop()


def test_the_recorded_answers_are_those_of_the_cases():
    assert list(RECORDED) == [case.name for case in CASES]
    assert set(DIFFERENT) <= set(RECORDED)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_an_answer_is_the_references(case, sockets, with_auth):
    wanted = DIFFERENT.get(case.name, (RECORDED[case.name],))[0]
    given = ask((with_auth if case.with_auth else sockets).port, "/api/echo", case)
    assert without_reasons(given) == without_reasons(wanted)


def test_every_difference_is_one():
    for name, (answer, _) in DIFFERENT.items():
        assert without_reasons(RECORDED[name]) != answer

"""Values in well-formed bodies that could cost far more than they are long: the server answers at once, and stays
small."""
import time

import pytest

from tests.lib.load import Client, memory

QUICK = 2  # seconds, with a sanitizer in the build too
SMALL = 300  # MB, likewise


def schedule(server, text):
    client = Client(server)
    flow = client.flow()
    begun = time.monotonic()
    answer = client.post("/deployments/", {"name": "d", "flow_id": flow["id"], "schedule": {"rrule": text}})
    assert time.monotonic() - begun < QUICK
    return answer


@pytest.mark.parametrize("line", ["EXDATE:20230102T000000", "EXDATE;TZID=Zone{}:20230102T000000",
                                  "RDATE:20230102T000000", "RRULE:FREQ=DAILY;COUNT=3"])
def test_a_rule_of_very_many_lines_costs_little(orion, line):
    text = "\n".join(["DTSTART:20230101T000000", "RRULE:FREQ=DAILY",
                      *(line.format(number) for number in range(30_000))])
    answer = schedule(orion, text)
    assert answer.status == 422
    assert f"Max length is 6500, got {len(text)}" in str(answer.value)
    assert memory(orion, "VmHWM") < SMALL


def test_as_many_excluded_dates_as_fit_are_taken(orion):
    days = [f"202301{day:02}" for day in range(2, 30)]
    lines = [f"EXDATE:{days[number % len(days)]},{days[number % 7]}" for number in range(240)]
    text = "\n".join(["DTSTART:20230101T000000", "RRULE:FREQ=DAILY", *lines])
    assert len(text) < 6500
    answer = schedule(orion, text)
    assert answer.status == 201
    assert answer.value["schedule"]["rrule"] == text


@pytest.mark.parametrize(("path", "filters"), [
    ("/flows/filter", {"flows": {"name": {"like_": "x" * 50_000}}}),
    ("/flow_runs/count", {"work_pool_queues": {"name": {"startswith_": ["q", "é" * 25_000]}}}),
])
def test_a_pattern_that_sqlite_cannot_search_for_is_refused(orion, path, filters):
    answer = Client(orion).post(path, filters)
    assert answer.status == 422
    assert "too long to search for" in answer.value["exception_detail"][0]["msg"]


@pytest.mark.parametrize(("path", "filters"), [
    ("/flows/filter", {"flows": {"name": {"like_": "%a" * 24_000}}}),
    ("/work_queues/filter", {"work_queues": {"name": {"startswith_": ["q" * 49_000] * 100}}}),
])
def test_long_patterns_are_searched_for(orion, path, filters):
    client = Client(orion)
    client.flow()
    assert client.post("/work_queues/", {"name": "a" * 100_000}).status in (201, 409)
    begun = time.monotonic()
    assert client.post(path, filters).status == 200
    assert time.monotonic() - begun < QUICK

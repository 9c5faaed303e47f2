"""The dates of generated schedules, ours against the reference's own classes: instants and offsets, one by one.

DATES_BIN names the program built from dates.c (default build-asan/schedule_dates). ORION_TEST_FULL=1 compares more of them."""
import json
import os
import signal
import subprocess
from pathlib import Path

import pendulum
import pydantic
import pytest
from prefect.orion.schemas import schedules

from generate import ZONES, Generator

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAM = os.environ.get("DATES_BIN", ROOT / "build-asan/schedule_dates")
FULL = os.environ.get("ORION_TEST_FULL") == "1"
COUNT = 2500 if FULL else 500
DATES = 100
PATIENCE = 5  # seconds: the reference walks some rules for minutes, and some for ever
HORIZON = pendulum.datetime(2037, 1, 1)  # pytz and dateutil know no summer time later on


class TooLong(Exception):
    pass


def stop(*_):
    raise TooLong


def parse(text):
    return pendulum.parse(text) if text else None


def expected_dates(schedule, request):
    """Those that come before the reference fails, which it does where there are no more; None where it takes too long."""
    found = []
    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, PATIENCE)
    try:
        for date in schedule._get_dates_generator(n=request["n"], start=parse(request["start"]), end=parse(request["end"])):
            found.append(date.isoformat())
    except TooLong:
        return None
    except Exception:
        pass
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return found


class Body(pydantic.BaseModel):
    schedule: schedules.SCHEDULE_TYPES = None


def expected(request):
    try:
        schedule = Body(schedule=request["schedule"]).schedule
    except pydantic.ValidationError as error:
        return {"invalid": [{**item, "loc": list(item["loc"])[1:]} for item in error.errors()]}
    return {"stored": json.loads(schedule.json()), "dates": expected_dates(schedule, request)}


def before_horizon(dates):
    return [date for date in dates if pendulum.parse(date) < HORIZON]


class Program:
    def __init__(self):
        self.process = subprocess.Popen([PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        assert self.process.wait(60) == 0


@pytest.fixture(scope="module")
def program():
    running = Program()
    yield running
    running.close()


def difference(request, ours):
    """None where there is none."""
    theirs = expected(request)
    if "invalid" in theirs or "invalid" in ours:
        return None if theirs.get("invalid") == ours.get("invalid") else (request, theirs, ours)
    if theirs["stored"] != ours["stored"]:
        return request, theirs["stored"], ours["stored"]
    if theirs["dates"] is None:
        return None
    one, two = before_horizon(theirs["dates"]), before_horizon(ours["dates"])
    return None if one == two else (request, one, two)


@pytest.mark.parametrize("kind", ["interval", "cron", "rrule"])
def test_no_difference(program, kind):
    generator = Generator(f"{kind} 1")
    compared = dated = 0
    zones = set()
    for _ in range(COUNT):
        request = generator.request(kind, DATES)
        ours = program.ask(request)
        found = difference(request, ours)
        assert found is None, "\n".join(map(str, found))
        compared += "stored" in ours
        dated += bool(ours.get("dates"))
        zones.add(request["schedule"].get("timezone"))
    assert compared > COUNT * 0.8 and dated > COUNT * 0.6 and zones > set(ZONES)

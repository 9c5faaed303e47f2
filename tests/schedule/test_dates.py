"""The dates of generated schedules, ours against the reference's own classes: instants and offsets, one by one.

DATES_BIN names the program built from dates.c (default build-asan/schedule_dates). ORION_TEST_FULL=1 compares more of
them."""
import datetime
import json
import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pendulum
import pydantic
import pytest
from prefect.orion.schemas import schedules

from .generator import ZONES, Generator

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAM = os.environ.get("DATES_BIN", ROOT / "build-asan/schedule_dates")
FULL = os.environ.get("ORION_TEST_FULL") == "1"
COUNTS = {"interval": 1500, "cron": 2500, "rrule": 1500} if FULL else {"interval": 300, "cron": 700, "rrule": 500}
DATES = 100
PATIENCE = 0.5  # seconds: the reference walks some rules for minutes, and some for ever
HORIZON = pendulum.datetime(2037, 1, 1)  # pytz and dateutil know no summer time later on


class TooLong(BaseException):
    """The reference's time is up. No Exception, which a library might take for its own."""


def stop(_, frame):
    """While what the reference leaves is cleaned up, which may last, there is nothing to stop any more."""
    if frame.f_code is not expected_dates.__code__:
        raise TooLong


def parse(text):
    return pendulum.parse(text) if text else None


def expected_dates(schedule, request, patience):
    """Those that come before the reference fails, which it does where there are no more; and whether these are all, or
    its time was up."""
    found, complete = [], True
    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, patience, patience)  # again: one may go off where exceptions are ignored
    try:
        for date in schedule._get_dates_generator(n=request["n"], start=parse(request["start"]),
                                                  end=parse(request["end"])):
            found.append(date.isoformat())
    except TooLong:
        complete = False
    except Exception:
        pass
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return found, complete


class Body(pydantic.BaseModel):
    schedule: schedules.SCHEDULE_TYPES = None


def expected(request, patience=PATIENCE):
    try:
        schedule = Body(schedule=request["schedule"]).schedule
    except pydantic.ValidationError as error:
        return {"invalid": [{**item, "loc": list(item["loc"])[1:]} for item in error.errors()]}
    if isinstance(schedule, schedules.IntervalSchedule) \
            and (has_clock_changes(schedule.timezone or "UTC") or schedule.interval.microseconds):
        dates, complete = interval_dates(schedule, request), True
    else:
        dates, complete = expected_dates(schedule, request, patience)
    return {"stored": json.loads(schedule.json()), "dates": dates, "complete": complete}


def interval_dates(schedule, request):
    """What the reference means and loses at changes of the clock: the k-th date is k times the interval's whole days
    after the anchor on the wall clock, and k times the rest in real time."""
    start, end = parse(request["start"]), parse(request["end"])
    zone, interval = schedule.timezone or "UTC", schedule.interval
    anchor = schedule.anchor_date.in_tz(zone)
    rest = datetime.timedelta(seconds=interval.seconds, microseconds=interval.microseconds)

    def date(k):
        days = anchor.add(days=k * interval.days) if k and interval.days else anchor
        return pendulum.instance(days.in_tz("UTC") + k * rest).in_tz(zone)

    seconds = (start - anchor.in_tz("UTC")).total_seconds() - (2 * 86400 if interval.days else 1)
    k, found = int(seconds // interval.total_seconds()), []
    while len(found) < request["n"] and (end is None or date(k) <= end) and len(found) <= 1001:
        if date(k) >= start and (not found or date(k) != pendulum.parse(found[-1])):
            found.append(date(k).isoformat())
        k += 1
    return found


def has_clock_changes(zone):
    offsets = {pendulum.datetime(year, month, 1).in_tz(zone).offset for year in range(2015, 2040)
               for month in range(1, 13)}
    return len(offsets) > 1


def before_horizon(dates):
    return [date for date in dates if pendulum.parse(date) < HORIZON]


class Program:
    def __init__(self, **environment):
        self.process = subprocess.Popen([PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env={**os.environ, **environment})

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


def difference(request, ours, patience=PATIENCE):
    """None where there is none. Ours must have all dates before the horizon; the reference those that it came to."""
    theirs = expected(request, patience)
    if "invalid" in theirs or "invalid" in ours:
        return None if theirs.get("invalid") == ours.get("invalid") else (request, theirs, ours)
    if theirs["stored"] != ours["stored"]:
        return request, theirs["stored"], ours["stored"]
    one, two = before_horizon(theirs["dates"]), before_horizon(ours["dates"])
    if not theirs["complete"]:
        two = two[:len(one)]
    return None if one == two else (request, one, two)


@pytest.mark.parametrize("kind", COUNTS)
def test_no_difference(program, kind):
    generator, count = Generator(f"{kind} 1"), COUNTS[kind]
    compared = dated = 0
    zones = set()
    for _ in range(count):
        request = generator.request(kind, DATES)
        ours = program.ask(request)
        found = difference(request, ours)
        assert found is None, "\n".join(map(str, found))
        compared += "stored" in ours
        dated += bool(ours.get("dates"))
        zones.add(request["schedule"].get("timezone"))
    assert compared > count * 0.8 and dated > count * 0.6 and zones > set(ZONES)


# ---- one set of dates, whenever one looks ----


def looks(dates, chance):
    """Instants to look again at: at a date, a microsecond beside it, and anywhere."""
    chosen = pendulum.parse(chance.choice(dates[:-1]))
    between = chance.randint(0, max(1, int((pendulum.parse(dates[-2]) - pendulum.parse(dates[0])).total_seconds())))
    step = datetime.timedelta(microseconds=1)
    return [chosen, chosen - step, chosen + step, pendulum.parse(dates[0]) + datetime.timedelta(seconds=between)]


@pytest.mark.parametrize("kind", COUNTS)
def test_a_later_look_finds_the_same_dates(program, kind):
    generator, chance, compared = Generator(f"looks {kind}"), random.Random(f"looks {kind}"), 0
    for _ in range(COUNTS[kind]):
        request = generator.request(kind, DATES)
        dates = program.ask(request).get("dates", [])
        if len(dates) < 3:
            continue
        for start in looks(dates, chance):
            later = program.ask({**request, "start": start.isoformat()})["dates"]
            expected = [date for date in dates if pendulum.parse(date) >= start]
            assert set(expected) <= set(later) \
                and not {date for date in later if pendulum.parse(date) < pendulum.parse(dates[-1])} - set(dates), \
                (request, start.isoformat())
            compared += 1
    assert compared > COUNTS[kind]


# ---- what is taken and what is refused ----

BODIES = [
    {"interval": 3600, "anchor_date": "2020-01-01T00:00:00-05:00"},
    {"interval": "PT1.5S", "anchor_date": "2020-01-01T00:00:00.5Z", "timezone": ""},
    {"interval": 0.1, "anchor_date": "2020-01-01", "timezone": "Europe/Paris"},
    {"interval": 34581600.5, "anchor_date": "2020-01-01T00:00:00+05:30", "timezone": None}, {"interval": -1},
    {"interval": 0}, {"interval": 60, "timezone": "x", "foo": 1}, {"interval": 60, "timezone": 5},
    {"interval": 60, "timezone": "utc"}, {"interval": 60, "anchor_date": 5}, {"interval": 60, "anchor_date": "garbage"},
    {"interval": None}, {"interval": "abc"}, {"interval": 60, "cron": "* * * * *"},
    {"interval": 60, "timezone": "../../etc/passwd"}, {"cron": "* * * * *"},
    {"cron": "* * * * *", "timezone": None, "day_or": "no"}, {"cron": "* * * * *", "timezone": ""},
    {"cron": "* * * * *", "day_or": None}, {"cron": 5}, {"cron": None}, {"cron": "R * * * *"}, {"cron": "H * * * *"},
    {"cron": "h(1-5) * * * *"}, {"cron": "* * * * r"}, {"cron": "R(5-1) * * * *"}, {"cron": "R/0 * * * *"},
    {"cron": "R(1-5) * * * *"}, {"cron": "x y"}, {"cron": "@DAILY"}, {"cron": " @daily"}, {"cron": "@reboot"},
    {"cron": "* * * *"}, {"cron": "* * * * * * * *"}, {"cron": "* * * * *", "timezone": "Etc/Unknown"},
    {"cron": "0 0 * * 1,2#3"}, {"cron": "0 0 l-3 * *"}, {"cron": "0 0 5-l * *"}, {"cron": "0 0 1,15w * *"},
    {"cron": "60 * * * *"}, {"cron": "* * 0 * *"}, {"cron": "* * * * 8"}, {"cron": "*/0 * * * *"},
    {"cron": "-1 * * * *"}, {"cron": "* * * * * * 1969"}, {"cron": "* * * * ? *"}, {"cron": "? * * * *"},
    {"cron": "* * 1?  * *"}, {"cron": "\u00a0* * * * *"}, {"cron": "1,,2 * * * *"}, {"cron": "* * * * mon#6"},
    {"cron": "* * * * *#1"}, {"rrule": "FREQ=DAILY"}, {"rrule": "freq=daily;byday=mo", "timezone": None},
    {"rrule": "FREQ=DAILY", "timezone": "Europe/Kiev"}, {"rrule": "FREQ=DAILY", "timezone": "x"},
    {"rrule": "FREQ=DAILY", "timezone": ""}, {"rrule": "DAILY"}, {"rrule": "INTERVAL=3"}, {"rrule": ""},
    {"rrule": "  "}, {"rrule": "A:B:C"}, {"rrule": "RRULE:A:B"}, {"rrule": "FREQ=DAILY;X=3"}, {"rrule": "FREQ=DAILY;"},
    {"rrule": "FREQ=FOO"}, {"rrule": "foo=bar=baz"}, {"rrule": "FREQ=DAILY:X"}, {"rrule": "RRULE:RRULE:FREQ=DAILY"},
    {"rrule": "X:FREQ=DAILY FREQ=DAILY"}, {"rrule": None}, {"rrule": 5}, {"rrule": "FREQ=DAILY;BYHOUR=25"},
    {"rrule": "FREQ=DAILY;BYHOUR=-1"}, {"rrule": "FREQ=DAILY;BYMINUTE=70;BYSECOND=61"},
    {"rrule": "FREQ=DAILY;BYSECOND=60"}, {"rrule": "FREQ=HOURLY;BYMINUTE=70"}, {"rrule": "FREQ=DAILY;BYSETPOS=0"},
    {"rrule": "FREQ=DAILY;BYSETPOS=367"}, {"rrule": "FREQ=YEARLY;BYDAY=0MO"}, {"rrule": "FREQ=YEARLY;BYDAY="},
    {"rrule": "FREQ=YEARLY;BYDAY=3"}, {"rrule": "FREQ=YEARLY;BYDAY=XX"},
    {"rrule": "FREQ=YEARLY;BYDAY=MO(+1)"}, {"rrule": "FREQ=YEARLY;BYDAY=MO(0)"}, {"rrule": "FREQ=DAILY;COUNT=x"},
    {"rrule": "FREQ=DAILY;COUNT=1_0"}, {"rrule": "FREQ=DAILY;WKST=XX"}, {"rrule": "FREQ=DAILY;INT=3"},
    {"rrule": "FREQ=DAILY;UNTIL=foo"}, {"rrule": "FREQ=DAILY;UNTIL=20201301"},
    {"rrule": "DTSTART:20200101T000000Z\nRRULE:FREQ=DAILY;UNTIL=20200105T000000"},
    {"rrule": "DTSTART:20200101T000000\nRRULE:FREQ=DAILY;UNTIL=20200105T000000Z"},
    {"rrule": "DTSTART;TZID=Europe/Paris:20200101T000000\nRRULE:FREQ=DAILY;UNTIL=20200105"},
    {"rrule": "DTSTART;TZID=No/Where:20200101T000000\nRRULE:FREQ=DAILY;UNTIL=20200105"},
    {"rrule": "DTSTART;TZID=Europe/Paris:20200101T000000Z\nFREQ=DAILY"}, {"rrule": "DTSTART:garbage\nRRULE:FREQ=DAILY"},
    {"rrule": "DTSTART:20201301\nFREQ=DAILY"}, {"rrule": "DTSTART:20200230\nFREQ=DAILY"},
    {"rrule": "DTSTART:20200101T250000\nFREQ=DAILY"}, {"rrule": "DTSTART:20200101T006000\nFREQ=DAILY"},
    {"rrule": "DTSTART:\nFREQ=DAILY"}, {"rrule": "DTSTART:202001011230\nFREQ=DAILY"},
    {"rrule": "DTSTART:2020-01-01T12:30\nFREQ=DAILY"}, {"rrule": "DTSTART:20200101,20200102\nFREQ=DAILY"},
    {"rrule": "DTSTART;X=1:20200101\nFREQ=DAILY"}, {"rrule": "DTSTART;VALUE=DATE;VALUE=DATE:20200101\nFREQ=DAILY"},
    {"rrule": "DTSTART:20200101T000000\nFREQ=HOURLY;INTERVAL=2;BYHOUR=1"},
    {"rrule": "DTSTART:20200101T000000\nFREQ=HOURLY;INTERVAL=2;BYHOUR=1,2"}, {"rrule": "RDATE:20200101"},
    {"rrule": "RDATE;X=1:20200101"}, {"rrule": "RDATE:20200101,x"},
    {"rrule": "EXDATE:x"}, {"rrule": "EXDATE;X=1:20200101"}, {"rrule": "EXRULE;X=1:FREQ=DAILY"},
    {"rrule": "RRULE;X=1:FREQ=DAILY"}, {"rrule": "RRULE:FREQ=DAILY RRULE:FREQ=WEEKLY"}, {"rrule": "\u00e9"},
    {"rrule": "A=\u00c9"}, {"rrule": "FREQ=DAILY" + ";BYDAY=MO" * 720}, {"rrule": "FREQ=DAILY;BYMONTH=13"},
    {"rrule": "FREQ=DAILY;BYHOUR=3;" + "BYDAY=MO;" * 900}, {}, [], "", 5, "abc", [["cron", "* * * * *"]],
]


@pytest.mark.parametrize("body", BODIES, ids=str)
def test_taken_or_refused(program, body):
    request = {"schedule": body, "n": 1, "start": "2026-01-01T00:00:00Z", "end": "2026-01-02T00:00:00Z"}
    ours, theirs = program.ask(request), expected(request)
    assert ours.get("invalid") == theirs.get("invalid")
    assert ours.get("stored") == theirs.get("stored")


ANCHOR = "DTSTART:20200101T000000\n"  # DEFAULT_ANCHOR_DATE of 2.20.25
WITHOUT_START = ["RRULE:FREQ=WEEKLY;BYDAY=SA", "FREQ=DAILY", "FREQ=DAILY;INTERVAL=3;BYHOUR=9", "FREQ=HOURLY;INTERVAL=7",
                 "FREQ=MONTHLY", "FREQ=YEARLY", "FREQ=SECONDLY;INTERVAL=50021", "FREQ=DAILY;UNTIL=20300101T000000",
                 "RRULE:FREQ=DAILY\nEXRULE:FREQ=DAILY;INTERVAL=2\nRDATE:20261124T013000", "FREQ=MINUTELY;INTERVAL=722"]


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Kolkata"])
@pytest.mark.parametrize("rule", WITHOUT_START)
def test_rules_without_start_have_a_fixed_one(program, rule, zone):
    """2.7.12 begins them at the present, so that each look plans other runs."""
    request = {"schedule": {"rrule": rule, "timezone": zone}, "n": DATES, "start": "2026-11-23T12:00:01Z", "end": None}
    ours = program.ask(request)["dates"]
    request["schedule"] = {"rrule": ANCHOR + rule, "timezone": zone}
    theirs, complete = expected_dates(Body(schedule=request["schedule"]).schedule, request, 60)
    assert complete and ours == theirs and len(ours) > 5


@pytest.mark.parametrize("zone, first",
                         [("UTC", "2026-11-23T12:00:01+00:00"), ("Asia/Kolkata", "2026-11-23T17:30:01+05:30")])
def test_rules_with_count_begin_with_their_deployment(program, zone, first):
    request = {"schedule": {"rrule": "FREQ=DAILY;COUNT=3", "timezone": zone}, "n": DATES, "end": None,
               "created": "2026-11-23T12:00:01.25Z"}
    ours = [program.ask({**request, "start": start})["dates"]
            for start in ("2026-11-23T12:00:01Z", "2026-11-24T12:00:01Z", "2026-11-25T12:00:02Z")]
    assert ours[0][0] == first and ours == [ours[0], ours[0][1:], []]
    assert [len(dates) for dates in ours] == [3, 2, 0]


@pytest.mark.parametrize("rule, taken", [("FREQ=MINUTELY;INTERVAL=2;BYMINUTE=15", False),
                                         ("FREQ=MINUTELY;INTERVAL=2;BYMINUTE=16", True),
                                         ("FREQ=MINUTELY;INTERVAL=2;BYMINUTE=15;COUNT=2", True)])
def test_rules_without_start_are_judged_by_the_fixed_one(program, rule, taken):
    """The reference judges by the present minute. With COUNT it is not known here when the rule begins."""
    ours = program.ask({"schedule": {"rrule": rule}, "n": 1, "start": "2026-11-23T12:00:00Z", "end": None})
    assert ("stored" in ours) == taken
    assert taken \
        or expected({"schedule": {"rrule": ANCHOR + rule}})["invalid"][2]["msg"].rpartition(": ")[2] in json.dumps(ours)


@pytest.mark.parametrize("body", [{"interval": 60}, {"interval": 60, "anchor_date": None}], ids=str)
def test_anchor_is_now(program, body):
    ours = program.ask({"schedule": body, "n": 1, "start": "2026-11-23T12:00:00Z", "end": None,
                        "created": "2026-11-23T12:00:00.5Z"})
    assert ours["stored"] == {"interval": 60.0, "anchor_date": "2026-11-23T12:00:00.500000+00:00", "timezone": "UTC"}
    assert ours["dates"] == ["2026-11-23T12:00:00.500000+00:00"]


MUTANTS = 3000 if FULL else 1000


def test_mutated_cron(program):
    """Expressions with a few characters changed: the same ones are taken, for the same dates."""
    generator = Generator("mutants 1")
    taken = 0
    for _ in range(MUTANTS):
        request = generator.request("cron", 10)
        request["schedule"]["cron"] = generator.mutate(request["schedule"]["cron"])
        ours = program.ask(request)
        if "r(" in request["schedule"]["cron"].lower() or "r/" in request["schedule"]["cron"].lower():
            continue  # random dates
        found = difference(request, ours)
        assert found is None, "\n".join(map(str, found))
        taken += "stored" in ours
    assert 0 < taken < MUTANTS / 2


# ---- rules without dates, which both walk to the end of all years ----

NEVER = "RRULE:FREQ=MONTHLY;BYDAY=FR(-1),MO,TU"  # a Monday that is the last Friday
BESIDE_NEVER = [
    "RRULE:FREQ=MONTHLY;BYDAY=FR;BYWEEKNO=-1,10,53;BYHOUR=19;BYMONTHDAY=-30,-28,-23,-8;BYMINUTE=15,20,50\n" + NEVER
    + ";BYMINUTE=0,5,50", "RRULE:FREQ=YEARLY;BYEASTER=-2;BYMONTH=12\nRRULE:FREQ=WEEKLY;BYWEEKNO=53",
    "RRULE:FREQ=YEARLY;BYEASTER=-2;BYMONTH=12\nRDATE:20310101T010203,20330303",
    "RRULE:FREQ=YEARLY;BYYEARDAY=366;BYWEEKNO=20\nRRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30\n"
    "RRULE:FREQ=MONTHLY;INTERVAL=5;BYDAY=-1SU"]


@pytest.mark.parametrize("rules", BESIDE_NEVER)
def test_dates_beside_a_rule_without_dates(program, rules):
    """The reference finds its first date after seconds; it is waited for."""
    request = {"schedule": {"rrule": "DTSTART:20300323T123348\n" + rules}, "n": DATES, "start": "2029-10-03T05:30:00Z",
               "end": None}
    ours = program.ask(request)
    assert before_horizon(ours["dates"])
    found = difference(request, ours, patience=120)
    assert found is None, "\n".join(map(str, found))


@pytest.mark.parametrize("frequency", ["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY"])
def test_dates_beside_many_rules_without_dates(program, frequency):
    request = {"schedule": {"rrule": "DTSTART:20300323T123348\nRRULE:FREQ=MONTHLY"}, "n": DATES,
               "start": "2029-10-03T05:30:00Z", "end": None}
    alone = program.ask(request)["dates"]
    request["schedule"]["rrule"] += f"\nRRULE:FREQ={frequency};BYMONTH=2;BYMONTHDAY=30" * 100
    assert len(alone) == DATES and program.ask(request)["dates"] == alone


EDGES = [
    "DTSTART:20260315T000000\nFREQ=MONTHLY;BYDAY=50MO,2TU",
    "DTSTART:20260115T000000\nFREQ=MONTHLY;INTERVAL=12;BYDAY=50MO,2TU",
    "DTSTART:20260215T000000\nFREQ=MONTHLY;BYDAY=50MO,2TU;BYMONTH=1",
    "DTSTART:20260115T000000\nFREQ=MONTHLY;BYDAY=-52MO", "DTSTART:20260115T000000\nFREQ=YEARLY;BYDAY=56MO,2TU",
    "DTSTART:20260115T000000\nFREQ=YEARLY;BYMONTH=1,12;BYDAY=7MO,1TU",
    "DTSTART:20260115T000000\nFREQ=WEEKLY;BYWEEKNO=1;BYMONTH=12",
    "DTSTART:20260115T000000\nFREQ=WEEKLY;BYYEARDAY=1;WKST=TH",
    "DTSTART:20260115T000000\nFREQ=WEEKLY;INTERVAL=3;BYYEARDAY=-1,1,2;WKST=SU",
    "DTSTART:20260115T000000\nFREQ=WEEKLY;INTERVAL=2;BYWEEKNO=53,1;BYDAY=MO,SU",
    "DTSTART:20260115T000000\nFREQ=DAILY;INTERVAL=5;BYYEARDAY=-1,366",
    "DTSTART:20260115T000000\nFREQ=HOURLY;INTERVAL=7;BYYEARDAY=-1,1", "DTSTART:20240229T000000\nFREQ=YEARLY;INTERVAL=3",
    "DTSTART:20240229T000000\nFREQ=MONTHLY;INTERVAL=11", "DTSTART:20260115T000000\nFREQ=YEARLY;BYEASTER=-300",
    "DTSTART:20260115T000000\nFREQ=YEARLY;BYEASTER=-500", "DTSTART:20260115T000000\nFREQ=WEEKLY;BYEASTER=-100;BYDAY=FR",
    "DTSTART:20260115T000000\nFREQ=DAILY;INTERVAL=2;BYEASTER=0,1"]


@pytest.mark.parametrize("rule", EDGES)
def test_edges_of_years(program, rule):
    """Weeks over the end of a year, periods that only few years have, and where dateutil fails."""
    request = {"schedule": {"rrule": rule}, "n": DATES, "start": "2026-01-01T00:00:00Z", "end": "2037-01-01T00:00:00Z"}
    found = difference(request, program.ask(request))
    assert found is None, "\n".join(map(str, found))


# ---- bounded work ----

SLOW = [
    "FREQ=MINUTELY;BYDAY=MO;BYSETPOS=2", "FREQ=DAILY;INTERVAL=0", "FREQ=HOURLY;INTERVAL=0;BYMONTH=3",
    "FREQ=MINUTELY;INTERVAL=-1", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
    "FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=30", "FREQ=SECONDLY;COUNT=1000000000", "FREQ=MINUTELY;COUNT=1000000000",
    "FREQ=SECONDLY;INTERVAL=1000003;BYHOUR=3", "FREQ=WEEKLY;BYWEEKNO=53;BYMONTH=6",
    "FREQ=MONTHLY;BYSETPOS=366;BYDAY=MO", "FREQ=DAILY\nEXRULE:FREQ=DAILY", "FREQ=SECONDLY\nEXRULE:FREQ=SECONDLY",
    "\n".join(["FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"] * 130), "\n".join(["FREQ=YEARLY;BYEASTER=250;BYDAY=MO"] * 180),
    "\n".join(["FREQ=DAILY;INTERVAL=366;BYMONTH=12;BYDAY=MO;BYMONTHDAY=40"] * 110),
    "FREQ=YEARLY;BYMONTH=2;BYYEARDAY=" + "400," * 1500 + "400", "FREQ=DAILY;INTERVAL=7;BYDAY=SU",
    "FREQ=MINUTELY;INTERVAL=120;BYHOUR=3", "FREQ=DAILY;BYHOUR=0,1;BYSETPOS=" + "2," * 2000 + "1\nEXRULE:FREQ=HOURLY"]


@pytest.mark.parametrize("rule", SLOW, ids=lambda rule: rule[:60])
@pytest.mark.parametrize("start", ["DTSTART:20000101T000000\n"])
def test_work_is_bounded(program, start, rule):
    """They come to an end, with no date where there is none (dateutil counts hours for most of them)."""
    began = time.monotonic()
    ours = program.ask({"schedule": {"rrule": start + rule}, "n": DATES, "start": "2026-11-23T12:00:00Z", "end": None})
    assert time.monotonic() - began < 5  # under the sanitizers; a fifth of a second without
    assert ours["error"] is None
    if "1000003" not in rule:
        assert ours["dates"] == []


def test_fine_rules_are_entered_late(program):
    """A rule of seconds that began decades ago costs no more than one that begins now."""
    ours = program.ask({"schedule": {"rrule": "DTSTART:19900101T000000\nFREQ=SECONDLY"}, "n": DATES,
                        "start": "2026-11-23T12:00:00Z", "end": None})
    assert len(ours["dates"]) == DATES and ours["dates"][0] == "2026-11-23T12:00:00+00:00"
    assert ours["us"] < 100000


@pytest.mark.parametrize("exclusion",
                         ["FREQ=MONTHLY;BYMONTH=3,8;BYWEEKNO=-2,52,53", "FREQ=MINUTELY;BYMONTH=2;BYMONTHDAY=30"])
def test_exclusions_of_nothing(program, exclusion):
    """That a rule excludes nothing shows at the end of all years only; the near dates are sure long before."""
    rule = f"DTSTART:20190102T232700\nRRULE:FREQ=DAILY\nEXRULE:{exclusion}"
    ours = program.ask({"schedule": {"rrule": rule}, "n": DATES, "start": "2026-11-23T12:00:00Z", "end": None})
    assert len(ours["dates"]) == DATES and ours["dates"][0] == "2026-11-23T23:27:00+00:00"


def test_random_cron_is_settled(program):
    """croniter draws such dates anew whenever it is asked; ours stay, so that each look plans the same runs."""
    request = {"schedule": {"cron": "r(10-20) r/6 * * *"}, "n": DATES, "start": "2026-11-23T12:00:00Z", "end": None}
    first, second = program.ask(request), program.ask(request)
    assert first["dates"] == second["dates"]
    assert len(first["dates"]) == DATES and all(10 <= pendulum.parse(date).minute <= 20 for date in first["dates"])

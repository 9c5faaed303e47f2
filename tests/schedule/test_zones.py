"""The names of time zones: all of today's against those of the reference's pendulum, and systems that lack some zones,
or all of them."""
import datetime
import zoneinfo
from pathlib import Path

import pendulum
import pytest
import pytz

from .test_dates import Program, expected

SYSTEM = Path("/usr/share/zoneinfo")
KNOWN = set(pendulum.tz.timezones)
STORED_AS = {"Europe/Kyiv": "Europe/Kiev", "Pacific/Kanton": "Pacific/Enderbury"}
NEW = {"America/Ciudad_Juarez", "America/Coyhaique"}  # places that had no clocks of their own in 2020
NO_ZONES = {"Factory", "localtime"}                   # files beside the zones
NEVER_OTHER_THAN_UTC = {"UTC", "UCT", "Universal", "Zulu", "GMT", "GMT+0", "GMT-0", "GMT0", "Greenwich"}
SPAN = {"start": "2026-01-01T00:00:00Z", "end": "2036-01-01T00:00:00Z", "n": 1000}
BODIES = [{"interval": 86400 * 5, "anchor_date": "2026-01-01T00:00:00Z"}, {"cron": "0 12 1,15 * *"},
          {"rrule": "DTSTART:20260101T120000\nFREQ=WEEKLY"}]


def listed(name, column):
    """The names in one of the lists that come with the zones."""
    lines = (SYSTEM / name).read_text().splitlines()
    return {line.split("\t")[column] for line in lines if not line.startswith("#")}


def compiled(kind):
    """In the source of all zones: those of their own, or those that are other names, each with what it is another name
    of."""
    lines = [line.split() for line in (SYSTEM / "tzdata.zi").read_text().splitlines()]
    return {line[2 if kind == "L" else 1]: line[1] for line in lines if line[0] == kind}


TODAY = zoneinfo.available_timezones() | pytz.all_timezones_set | listed("zone.tab", 2) | listed("zone1970.tab", 2) \
    | set(compiled("Z")) | set(compiled("L")) | NO_ZONES


def folder_of(path, names):
    """A folder that has these zones only."""
    for name in names:
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).symlink_to(SYSTEM / name)
    return str(path)


@pytest.fixture(scope="module")
def program():
    running = Program()
    yield running
    running.close()


@pytest.fixture(scope="module")
def without_files(tmp_path_factory):
    running = Program(TZDIR=str(tmp_path_factory.mktemp("empty")))
    yield running
    running.close()


@pytest.fixture(scope="module")
def without_legacy(tmp_path_factory):
    """As on Debian 13 without tzdata-legacy: the names of places as they are today, and Etc."""
    names = listed("zone.tab", 2) | {name for name in compiled("Z") if name.startswith("Etc/")}
    running = Program(TZDIR=folder_of(tmp_path_factory.mktemp("today"), names))
    yield running
    running.close()


@pytest.fixture(scope="module")
def without_newest(tmp_path_factory):
    """As on a system of 2020."""
    running = Program(TZDIR=folder_of(tmp_path_factory.mktemp("older"), KNOWN))
    yield running
    running.close()


def the_error(answer):
    """What is wrong with the zone, said once."""
    [error] = answer["invalid"]
    assert error["loc"] == ["timezone"] and error["type"] == "value_error"
    return error["msg"]


def test_the_lists_are_whole():
    assert len(KNOWN) > 590 and len(TODAY) > 590
    assert TODAY - KNOWN == set(STORED_AS) | NEW | NO_ZONES, \
        "there are new zones: are they in the table of src/schedule/zone_names.c?"


@pytest.mark.parametrize("body", BODIES, ids=lambda body: next(iter(body)))
def test_every_zone_of_today(program, body):
    """Stored under a name that the reference knows, or refused."""
    stored, refused = {}, set()
    for name in sorted(TODAY | KNOWN):
        answer = program.ask({"schedule": {**body, "timezone": name}, **SPAN})
        if "stored" in answer:
            stored[name] = answer["stored"]["timezone"]
        else:
            refused.add(name)
    assert refused == NEW | NO_ZONES
    assert stored == {**{name: name for name in KNOWN}, **STORED_AS}


@pytest.mark.parametrize("name", STORED_AS)
@pytest.mark.parametrize("body", BODIES, ids=lambda body: next(iter(body)))
def test_dates_under_the_older_name(program, body, name):
    """They are the reference's under that name, and on the clocks that Python has for today's."""
    ours = program.ask({"schedule": {**body, "timezone": name}, **SPAN})
    theirs = expected({"schedule": {**body, "timezone": STORED_AS[name]}, **SPAN}, patience=60)
    assert len(ours["dates"]) > 200 and ours["dates"] == theirs["dates"]
    assert ours["stored"] == theirs["stored"]
    times = [datetime.datetime.fromisoformat(date) for date in ours["dates"]]
    assert [time.utcoffset() for time in times] == [time.astimezone(zoneinfo.ZoneInfo(name)).utcoffset()
                                                    for time in times]


@pytest.mark.parametrize("name", sorted(NEW))
def test_zones_without_an_older_name(program, name):
    assert the_error(program.ask({"schedule": {"cron": "* * * * *", "timezone": name}, **SPAN})) == (
        f'Invalid timezone: "{name}". Prefect 2.7.12 knows no zone of this name, nor an older name of it')
    assert program.ask({"stored": {"cron": "0 0 * * *", "timezone": name}, **SPAN})["dates"], \
        "what another program stored is planned all the same"


def test_an_older_name_without_its_file(program, without_legacy):
    """Each is planned by today's name, on the same days at the same hours, and keeps its own in the database."""
    for name in sorted(KNOWN):
        request = {"schedule": {"cron": "0 12 1,15 * *", "timezone": name}, **SPAN}
        one, two = program.ask(request), without_legacy.ask(request)
        assert one.get("dates") and two.get("dates") == one["dates"], name
        assert two["stored"] == one["stored"], name


def test_a_new_name_without_its_file(program, without_newest):
    for name, older in STORED_AS.items():
        for kind in "schedule", "stored":
            request = {kind: {"cron": "0 12 1,15 * *", "timezone": name, "day_or": True}, **SPAN}
            one, two = program.ask(request), without_newest.ask(request)
            assert one["dates"] and two["dates"] == one["dates"], (name, kind)
            assert two["stored"]["timezone"] == (older if kind == "schedule" else name)


def test_no_files_at_all(without_files):
    """What is asked for is told from what there is nowhere, and every zone of the reference's that differs from UTC is
    missing."""
    body = {"cron": "0 12 1,15 * *"}
    taken = set()
    for name in sorted(KNOWN):
        answer = without_files.ask({"schedule": {**body, "timezone": name}, **SPAN})
        if "stored" in answer:
            taken.add(name)
            continue
        message = the_error(answer)
        assert f'"{name}"' in message and "package tzdata" in message
    assert taken == NEVER_OTHER_THAN_UTC | {f"Etc/{name}" for name in NEVER_OTHER_THAN_UTC}
    nowhere = {"schedule": {**body, "timezone": "No/Where"}, **SPAN}
    assert without_files.ask(nowhere)["invalid"] == expected(nowhere)["invalid"]


def test_stored_zones_without_files(without_files):
    for name in "Europe/Berlin", "Europe/Kyiv", "America/Coyhaique":
        answer = without_files.ask({"stored": {"cron": "* * * * *", "timezone": name, "day_or": True}, **SPAN})
        assert f'"{name}"' in answer["error"] and "package tzdata" in answer["error"] and answer["dates"] == []


def test_rules_name_zones_without_files(program, without_files):
    """Whether a rule is valid does not depend on the files: its TZID counts as dateutil's own copy of the zones has
    it."""
    rule = "DTSTART;TZID=Europe/Paris:20260101T000000\nRRULE:FREQ=DAILY;UNTIL=20260105"
    request = {"schedule": {"rrule": rule}, **SPAN}
    assert program.ask(request)["invalid"] == without_files.ask(request)["invalid"] == expected(request)["invalid"]


def test_an_empty_variable():
    """An empty TZDIR names no folder, as for the C library."""
    running = Program(TZDIR="")
    assert running.ask({"schedule": {"cron": "0 0 * * *", "timezone": "Europe/Paris"}, **SPAN})["dates"]
    running.close()

"""The unit tests that use threads under ThreadSanitizer; with ORION_TEST_FULL=1 all of them."""
import os
import re
import subprocess

import pytest

from tests.lib import postgres, servers
from .conftest import PROGRAMS

FULL = os.environ.get("ORION_TEST_FULL") == "1"
# Of test_http what does not measure time.
SOME = [("test_access", "*"), ("test_db", "*"), ("test_http", "a_client_*"), ("test_http", "draining_*"),
        ("test_postgres", "*"), ("test_postgres_faults", "*")]
SOURCES = {path.stem: path for path in sorted((servers.ROOT / "tests/unit").glob("test_*.c"))}
# Which send much in few seconds, and take ThreadSanitizer several times as long.
TOO_FAST = ["replies_that_nobody_takes_are_given_up", "bodies_that_linger_make_room_for_others"]
OF_HTTP = re.findall(r"cmocka_unit_test\((\w+)\)", SOURCES["test_http"].read_text())
ALL = [(name, "*") for name in SOURCES if name != "test_http"] + \
      [("test_http", test) for test in OF_HTTP if test not in TOO_FAST]
CHOSEN = ALL if FULL else SOME
ON_BOTH = [name for name, _ in CHOSEN if re.search(r'#include "(engine|world)\.h"', SOURCES[name].read_text())]
TIMEOUT = 900


@pytest.fixture(scope="module")
def database():
    with postgres.running(fsync="off") as cluster:
        yield cluster.create_database("threads")


def run(program, **environment):
    done = subprocess.run([PROGRAMS / program], env={**os.environ, **environment}, timeout=TIMEOUT, errors="replace",
                          cwd=servers.ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


def assert_passes(program, tests, **environment):
    status, output = run(program, T=tests, **environment)
    assert status == 0, output
    assert int(re.findall(r"\[  PASSED  \] (\d+) test", output)[-1]) > 0


@pytest.mark.parametrize("program, tests", CHOSEN)
def test_program(database, program, tests):
    assert_passes(program, tests, ORION_TEST_POSTGRES_URL=database)


@pytest.mark.parametrize("program", ON_BOTH)
def test_program_on_postgresql(database, program):
    assert_passes(program, "*", ORION_TEST_DATABASE_URL=database)


def test_a_race_is_found(reports):
    status, output = run("race")
    found = reports.take()
    assert status == 66 and "data race" in found and "race.c" in found, (status, output, found)

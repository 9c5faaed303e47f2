"""Whole suites with the server of build-tsan, with ORION_TEST_FULL=1 only: they take half an hour."""
import os
import subprocess
import sys

import pytest

from tests.lib import servers
from .conftest import PROGRAMS

# What cannot be asked of a server under ThreadSanitizer, and why.
LEFT_OUT = {
    "test_clock.py": "libfaketime and ThreadSanitizer replace the same functions",
    "test_hardening.py": "looks into the program as it is released",
    "test_memory.py": "measures memory",
    "test_client_data.py": "measures time",
    "test_polled_queues.py": "measures time",
    "test_start_time.py": "measures time",
    "test_other_processes.py::test_a_read_that_takes_too_long_is_answered_503": "gives the database 50 ms to start",
    "test_hostile_bodies.py::test_long_patterns_are_searched_for": "measures time",
    "test_connections.py::test_thousands_that_wait_cost_little_and_delay_nobody": "measures both",
    "test_long_answers.py::test_four_long_lists_at_once_take_little_memory": "measures memory",
    "test_limits.py::test_others_are_served_while_a_large_body_is_checked": "measures time",
}


@pytest.mark.parametrize("suite", ["server", "histories"])
def test_suite(suite):
    command = [sys.executable, "-m", "pytest", "-q", f"tests/{suite}"]
    command += [f"--deselect=tests/{suite}/{name}" for name in LEFT_OUT]
    done = subprocess.run(command, cwd=servers.ROOT, env={**os.environ, "ORION_BIN": str(PROGRAMS / "orion")},
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout

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
    "test_memory.py": "measures memory, of which ThreadSanitizer takes several times as much",
}


@pytest.mark.parametrize("suite", ["server", "histories"])
def test_suite(suite):
    command = [sys.executable, "-m", "pytest", "-q", f"tests/{suite}"]
    command += [f"--ignore=tests/{suite}/{file}" for file in LEFT_OUT]
    done = subprocess.run(command, cwd=servers.ROOT, env={**os.environ, "ORION_BIN": str(PROGRAMS / "orion")},
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout

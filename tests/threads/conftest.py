"""Runs the programs of build-tsan (`make tsan`), in which ThreadSanitizer watches every access of our code. Each report
of it, of whatever process a test starts, fails that test: they are collected in a folder. Nothing is suppressed."""
import ctypes
import os
import subprocess
from pathlib import Path

import pytest

from tests.lib import servers

PROGRAMS = servers.ROOT / "build-tsan"
QUERY, ADDR_NO_RANDOMIZE = 0xFFFFFFFF, 0x0040000  # of personality(2)
TRIES = 10

collect_ignore = [] if os.environ.get("ORION_TEST_FULL") == "1" else ["test_suites.py"]


@pytest.fixture(scope="session", autouse=True)
def fixed_addresses():
    """ThreadSanitizer 14 cannot live with addresses as random as newer kernels make them (vm.mmap_rnd_bits over 28), so
    they are kept fixed in all that is started from here. Some containers forbid that; then luck decides."""
    personality = ctypes.CDLL(None).personality
    before = personality(QUERY)
    personality(before | ADDR_NO_RANDOMIZE)
    for _ in range(TRIES):
        tried = subprocess.run([PROGRAMS / "orion", "version"], stdin=subprocess.DEVNULL, capture_output=True,
                               text=True, timeout=60)
        if "unexpected memory mapping" in tried.stderr:
            pytest.skip("the kernel puts memory where ThreadSanitizer cannot use it, and setarch -R is forbidden here")
        assert tried.returncode == 0, tried.stderr
    yield
    personality(before)


class Reports:
    """What ThreadSanitizer has found in the programs that a test started."""

    def __init__(self, folder):
        self.folder = folder
        self.options = f"log_path={folder}/report exitcode=66 history_size=4 second_deadlock_stack=1"

    def take(self):
        """Their text; they are forgotten here."""
        found = sorted(self.folder.glob("report.*"))
        text = "\n".join(path.read_text(errors="replace") for path in found)
        for path in found:
            path.unlink()
        return text


@pytest.fixture(autouse=True)
def reports(tmp_path_factory, monkeypatch):
    """The test's programs are those of build-tsan; what they report fails it."""
    reports = Reports(Path(tmp_path_factory.mktemp("reports")))
    monkeypatch.setenv("TSAN_OPTIONS", reports.options)
    monkeypatch.setattr(servers, "ORION_BIN", PROGRAMS / "orion")
    yield reports
    if found := reports.take():
        pytest.fail(found, pytrace=False)

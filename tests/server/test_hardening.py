"""What makes the program hard to misuse where something in it were wrong: how the file is built, read by binutils; and
that a running server leaves no core dump with secrets in it."""
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.lib import servers

ENDBR64 = b"\xf3\x0f\x1e\xfa"


def readelf(*options):
    return subprocess.run(["readelf", "-W", *options, servers.ORION_BIN], check=True, capture_output=True,
                          text=True).stdout


def is_for_x86_64():
    return "X86-64" in readelf("-h")


# ---- the file ----

def test_the_program_may_be_loaded_anywhere():
    assert re.search(r"^\s+Type:\s+DYN ", readelf("-h"), re.M)
    assert re.search(r"\(FLAGS_1\).*\bPIE\b", readelf("-d"))


def test_tables_of_addresses_are_read_only_before_it_runs():
    assert re.search(r"^\s+GNU_RELRO\s", readelf("-l"), re.M)
    assert re.search(r"\(FLAGS\).*\bBIND_NOW\b", readelf("-d"))
    assert re.search(r"\(FLAGS_1\).*\bNOW\b", readelf("-d"))


def test_no_memory_is_both_written_and_run():
    segments = re.findall(r"^\s+(\w+)(?:\s+0x[0-9a-f]+){5} ([R ][W ][E ]) ", readelf("-l"), re.M)
    assert ("GNU_STACK", "RW ") in segments and ("LOAD", "R E") in segments
    assert [segment for segment in segments if "W" in segment[1] and "E" in segment[1]] == []


def test_overruns_of_the_stack_and_of_buffers_are_found():
    imported = set(re.findall(r"UND (\w+)", readelf("--dyn-syms")))
    assert "__stack_chk_fail" in imported
    assert {"__snprintf_chk", "__vsnprintf_chk"} <= imported


def functions_in_tables(program):
    """The addresses in the program's own data that lie in its code: those of functions that are called through
    them."""
    code = re.search(r"\] \.text\s+PROGBITS\s+(\w+) (\w+) (\w+)", readelf("-S"))
    start, offset, size = (int(number, 16) for number in code.groups())
    text = program[offset:offset + size]
    pointers = {int(address, 16) for address in re.findall(r"R_X86_64_RELATIVE\s+([0-9a-f]+)", readelf("-r"))}
    return {pointer: text[pointer - start:][:4] for pointer in pointers if start <= pointer < start + size}


@pytest.mark.skipif(not is_for_x86_64(), reason="other processors have other means")
def test_every_function_that_a_pointer_leads_to_begins_with_a_mark():
    found = functions_in_tables(Path(servers.ORION_BIN).read_bytes())
    assert len(found) > 200
    assert {hex(address) for address, code in found.items() if code != ENDBR64} == set()


# ---- the process ----

@pytest.fixture
def as_nobody():
    """Starts the program as a user without rights, and the end it came to. Who owns a process's memory in /proc tells
    whether it may be dumped; of root's own processes it does not."""
    folder = Path(tempfile.mkdtemp(prefix="orion-test-nobody-"))
    program = shutil.copy(servers.ORION_BIN, folder / "orion")
    nobody = pwd.getpwnam("nobody")
    is_root = os.getuid() == 0
    (home := folder / "home").mkdir()
    if is_root:
        os.chown(home, nobody.pw_uid, nobody.pw_gid)
        folder.chmod(0o755)
    started = []

    def start(**settings):
        port = servers.free_port()
        command = [program, "start", "--host", "127.0.0.1", "--port", str(port)]
        user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []} if is_root else {}
        process = subprocess.Popen(command, env=servers.server_environment(home, **settings), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, text=True, cwd=home, **user)
        started.append(process)
        assert "Orion is ready" in process.stdout.readline()
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
    shutil.rmtree(folder)


def memory_belongs_to_its_user(process):
    return os.stat(f"/proc/{process.pid}/mem").st_uid == os.stat(f"/proc/{process.pid}").st_uid != 0


@pytest.mark.skipif(os.getuid() == 0 and "CapEff:\t0000000000000000" in Path("/proc/self/status").read_text(),
                    reason="this root may not become another user")
@pytest.mark.parametrize(("settings", "is_open"), [({}, False), ({"ORION_CORE_DUMPS": "false"}, False),
                                                   ({"ORION_CORE_DUMPS": "true"}, True)],
                         ids=["by default", "off", "on"])
def test_nobody_reads_a_servers_memory_unless_asked_for(as_nobody, settings, is_open):
    assert memory_belongs_to_its_user(as_nobody(**settings)) == is_open

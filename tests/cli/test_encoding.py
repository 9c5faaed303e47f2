"""Bytes that are not UTF-8 in settings, files, arguments and the environment are refused, with the place named; none
come out again."""
import json
import os
import sqlite3
import subprocess
import urllib.request

import pytest

from tests.lib import servers


@pytest.mark.parametrize("env, text, part", [
    ({"PREFECT_API_URL": b"a\xff"}, b"", b"PREFECT_API_URL\n  value is not UTF-8"),
    ({"PREFECT_HOME": b"/tmp/\xff"}, b"", b"PREFECT_HOME\n  value is not UTF-8"),
    ({}, b'[profiles.default]\nPREFECT_API_URL = "\xff"\n', b"profiles.toml is not UTF-8"),
])
def test_refused(tmp_path, env, text, part):
    (tmp_path / "profiles.toml").write_bytes(text)
    done = subprocess.run([str(servers.ORION_BIN), "config", "view"],
                          env={"PATH": os.environ["PATH"], "PREFECT_HOME": str(tmp_path), **env},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 1 and part in done.stdout and b"\xff" not in done.stdout


def run(folder, words, **environment):
    done = subprocess.run(
        [str(servers.ORION_BIN), *words], env={"PATH": os.environ["PATH"], "PREFECT_HOME": str(folder), **environment},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=folder, timeout=60)
    return done.returncode, done.stdout


@pytest.mark.parametrize("words, status", [
    (["start", "--port", "0", "--ui-dir", b"\xff"], 2), (["start", b"--\xff"], 2), (["start", "--host", b"a\xff"], 2),
    ([b"\xff"], 2), (["-p", b"\xff", "config", "view"], 2), (["profile", "create", b"a\xff"], 2),
    (["profile", "use", b"\xc0\xaf"], 2), (["config", "set", b"PREFECT_API_URL=a\xff"], 2),
    (["block", "import", b"\xff.json"], 2),
    (["database", "copy", "--from", b"sqlite:///\xff", "--to", "sqlite:///b"], 2),
])
def test_arguments(tmp_path, words, status):
    assert run(tmp_path, words) == (status, b"An argument is not UTF-8.\n")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("environment, status, part", [
    ({"PREFECT_PROFILE": b"a\xff"}, 1, b"in PREFECT_PROFILE is not UTF-8"),
    ({"HOME": b"/tmp/\xff", "PREFECT_HOME": "~/x"}, 1, b"HOME is not UTF-8"),
    ({b"PREFECT_\xff\xfe_X": "1"}, 0, b"are kept but not used: PREFECT_??_X"),
])
def test_environment(tmp_path, environment, status, part):
    given = {"PREFECT_HOME": str(tmp_path)}
    given.update(environment)
    done = subprocess.run([str(servers.ORION_BIN), "config", "view"], env=given, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, cwd=tmp_path)
    assert done.returncode == status and part in done.stdout
    done.stdout.decode()


def test_a_file_of_block_types(tmp_path):
    (tmp_path / "types.json").write_bytes(b'{"a": "\xff"}')
    status, out = run(tmp_path, ["block", "import", "types.json"])
    assert status == 1 and b"Invalid UTF-8" in out and b"\xff" not in out


def test_texts_that_another_program_stored():
    with servers.running("orion") as server:
        database = sqlite3.connect(server.store.path)
        database.execute("INSERT INTO flow (name) VALUES (CAST(x'61ff62c328' AS TEXT))")
        database.commit()
        database.close()
        request = urllib.request.Request(f"{server.url}/flows/filter", b"{}", {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert json.load(answer) == []
        assert "name of the row" in server.log() and "\xff" not in server.log()


def test_a_row_in_a_message(tmp_path):
    assert run(tmp_path, ["database", "upgrade", "-y"])[0] == 0
    database = sqlite3.connect(tmp_path / "orion.db")
    database.execute("INSERT INTO artifact (id, flow_run_id) VALUES (CAST(x'61ff' AS TEXT), 'none')")
    database.commit()
    database.close()
    status, out = run(tmp_path, ["database", "copy", "--from", "sqlite:///orion.db", "--to", "sqlite:///b.db"])
    assert status == 1 and b"row a?" in out, out

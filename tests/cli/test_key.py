"""`orion key`: what it prints, what it writes, and what it refuses. Ours only: the reference has no keys."""
import hashlib
import os
import re
import subprocess
import time
import tomllib
from datetime import datetime

import pytest

from tests.lib import servers

KEY = re.compile(r"orion_[A-Za-z0-9_-]{43}")


def run(home, *words, answer=None, **environment):
    """A command; its exit status, standard output and standard error."""
    done = subprocess.run([servers.ORION_BIN, "key", *words], env=servers.server_environment(home, **environment),
                          input=answer, stdin=subprocess.DEVNULL if answer is None else None, capture_output=True,
                          text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


def stored(home, name="keys.toml"):
    return tomllib.loads((home / name).read_text())["keys"]


def test_a_key_is_printed_once_and_stored_as_its_digest(tmp_path):
    status, out, err = run(tmp_path, "create", "ci")
    assert status == 0
    key = out.removesuffix("\n")
    assert KEY.fullmatch(key), "nothing else on standard output"
    assert "PREFECT_API_KEY" in err and key not in err and "for the dashboard set ORION_AUTH_STRING" in err
    path = tmp_path / "keys.toml"
    assert path.stat().st_mode & 0o7777 == 0o600
    assert key[14:] not in path.read_text()
    row = stored(tmp_path)["ci"]
    assert row["sha256"] == hashlib.sha256(key.encode()).hexdigest() and row["start"] == key[:14]
    assert row["scope"] == "full" and "expires" not in row
    assert key not in "".join(run(tmp_path, "list")[1:])
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["keys.toml"]


def test_scope_and_end(tmp_path):
    assert run(tmp_path, "create", "a", "--read-only", "--expires", "90d")[0] == 0
    assert run(tmp_path, "create", "b", "--expires", "12h")[0] == 0
    row = stored(tmp_path)["a"]
    assert row["scope"] == "read-only"
    created, expires = (datetime.fromisoformat(row[name]) for name in ("created", "expires"))
    assert (expires - created).total_seconds() == 90 * 86400


def test_the_list_shows_how_each_begins(tmp_path):
    assert run(tmp_path, "list")[:2] == (0, "There are no keys.\n")
    first = run(tmp_path, "create", "ci")[1]
    second = run(tmp_path, "create", "old", "--read-only", "--expires", "1s")[1]
    time.sleep(1.1)
    lines = run(tmp_path, "list")[1].splitlines()
    assert re.fullmatch(r"NAME +KEY +SCOPE +CREATED \(UTC\) +EXPIRES \(UTC\)", lines[0])
    assert re.fullmatch(rf"ci +{first[:14]}\.\.\. +full +\d{{4}}-\d\d-\d\dT\d\d:\d\d +never", lines[1])
    assert re.fullmatch(rf"old +{second[:14]}\.\.\. +read-only +[\dT:-]+ +[\dT:-]+, expired", lines[2])


def test_a_revoked_key_is_gone(tmp_path):
    run(tmp_path, "create", "one")
    run(tmp_path, "create", "two")
    assert run(tmp_path, "revoke", "one")[0] == 0
    assert list(stored(tmp_path)) == ["two"]
    status, out, err = run(tmp_path, "revoke", "one")
    assert (status, out, err) == (1, "", "There is no key 'one'.\n")


def test_the_last_key_is_revoked_on_purpose(tmp_path):
    """Without it everybody may do everything."""
    run(tmp_path, "create", "one")
    status, out, _ = run(tmp_path, "revoke", "one", answer="n\n")
    assert status == 1 and "the last key" in out and list(stored(tmp_path)) == ["one"]
    assert run(tmp_path, "revoke", "one")[0] == 1
    assert run(tmp_path, "revoke", "one", ORION_AUTH_STRING="a:b")[0] == 1  # the server's may differ
    (tmp_path / "orion.toml").write_text('ORION_AUTH_STRING = "a:b"\n')
    assert run(tmp_path, "revoke", "one")[0] == 0
    (tmp_path / "orion.toml").unlink()
    run(tmp_path, "create", "one")
    assert run(tmp_path, "revoke", "one", "--yes")[0] == 0
    assert tomllib.loads((tmp_path / "keys.toml").read_text()) == {"no_keys": True}  # which is meant, not a cut file


def test_a_key_that_cannot_be_printed_is_not_made(tmp_path):
    run(tmp_path, "create", "there")
    with open("/dev/full", "w") as full:
        done = subprocess.run([servers.ORION_BIN, "key", "create", "lost"], stdin=subprocess.DEVNULL, stdout=full,
                              env=servers.server_environment(tmp_path), stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1 and "cannot be printed" in done.stderr
    assert list(stored(tmp_path)) == ["there"]


def test_a_key_in_place_of_a_name_is_shown_by_no_message(tmp_path):
    key = run(tmp_path, "create", "there")[1].strip()
    for words, message in [(("revoke", key), "the key there itself"), (("create", key), "does not begin with"),
                           (("revoke", "orion_other"), "no key 'orion_...'")]:
        status, out, err = run(tmp_path, *words)
        assert status == 1 and not out and message in err and key[14:] not in err


@pytest.mark.parametrize("words, message", [
    (("create", "a b"), "A key's name has"), (("create", ""), "A key's name has"),
    (("create", "a", "--expires", "90"), "'90' is not a number with s, m, h, d or w"),
    (("create", "a", "--expires", "soon"), "'soon' is not"), (("create", "a", "--expires", "0s"), "'0s' is not"),
    (("create", "a", "--expires", "-1d"), "'-1d' is not"), (("create", "a", "--expires", "9000000w"), "is not"),
    (("create", "a", "--expires", "1MB"), "'1MB' is not"),
    (("create",), "Missing argument"), (("create", "a", "b"), "unexpected extra argument"), (("revoke",), "Missing"),
    (("create", "there"), "already a key there")])
def test_what_is_refused(tmp_path, words, message):
    run(tmp_path, "create", "there")
    before = (tmp_path / "keys.toml").read_text()
    status, out, err = run(tmp_path, *words)
    assert status in (1, 2) and not out and message in err
    assert (tmp_path / "keys.toml").read_text() == before


def test_a_file_that_is_wrong_is_left_alone(tmp_path):
    (tmp_path / "keys.toml").write_text("[keys.ci]\nscope = ")
    for words in [("create", "x"), ("revoke", "ci"), ("list",)]:
        status, out, err = run(tmp_path, *words)
        assert status == 1 and not out and f"{tmp_path}/keys.toml: line 2" in err
    assert (tmp_path / "keys.toml").read_text() == "[keys.ci]\nscope = "


def test_another_file(tmp_path):
    assert run(tmp_path, "create", "ci", ORION_KEYS_FILE=str(tmp_path / "other.toml"))[0] == 0
    assert list(stored(tmp_path, "other.toml")) == ["ci"] and not (tmp_path / "keys.toml").exists()
    status, _, err = run(tmp_path, "create", "ci", ORION_KEYS_FILE=str(tmp_path / "no" / "other.toml"))
    assert status == 1 and "folder does not exist" in err


def test_keys_made_at_once_are_all_kept(tmp_path):
    environment = servers.server_environment(tmp_path)
    made = [subprocess.Popen([servers.ORION_BIN, "key", "create", f"k{i}"], env=environment, stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL) for i in range(12)]
    assert [process.wait(60) for process in made] == [0] * 12
    assert sorted(stored(tmp_path)) == sorted(f"k{i}" for i in range(12))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can write for somebody else")
def test_a_key_that_root_makes_belongs_to_the_owner_of_the_folder(tmp_path):
    os.chown(tmp_path, 65534, 65534)
    run(tmp_path, "create", "one")
    run(tmp_path, "create", "two")
    found = (tmp_path / "keys.toml").stat()
    assert (found.st_uid, found.st_gid, found.st_mode & 0o7777) == (65534, 65534, 0o600)

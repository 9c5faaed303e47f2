"""The settings of Prefect 3 where generation 3 is chosen: its files, profiles and `config`, against what 3.8.3 says in
the same folders, as recorded (prefect3.py); in the long form the record against the reference, if it is there."""
import json
import os
import re
import tomllib

import pytest

from tests.lib import servers
from . import prefect3

FULL = os.environ.get("ORION_TEST_FULL") == "1"
RECORD = json.loads(prefect3.RECORD.read_text())
# Ours shows what it does itself where that is not what the reference does.
OWN_DEFAULTS = {"PREFECT_API_SSL_CERT_FILE", "PREFECT_SERVER_METRICS_ENABLED",
                "PREFECT_SERVER_API_CORS_ALLOWED_ORIGINS", "PREFECT_SERVER_DATABASE_SQLALCHEMY_POOL_SIZE",
                "PREFECT_SERVER_DATABASE_MIGRATION_TIMEOUT"}


BUILT_IN = "PREFECT_SERVER_EPHEMERAL_ENABLED"  # in the profile of which there is no file
HIDDEN = ("WARNING:", "ORION_", "PREFECT_ORION_DATABASE_PASSWORD is set but not included")


def play(case):
    return prefect3.play(servers.ORION_BIN, case, ORION_GENERATION="3")


def setting_name(line):
    return line.partition("=")[0]


def lines(text, hidden=()):
    """What is to be the same: not warnings, our own settings, nor blank lines."""
    return [line for line in map(str.strip, text.splitlines()) if line and not line.startswith(HIDDEN)
            and not (setting_name(line) in hidden and line.endswith("(from defaults)"))]


def as_json(text):
    text = text[text.index("{"):]
    found = json.loads(text)
    found["settings"] = [one for one in found["settings"] if not one["name"].startswith("ORION_")]
    return found


def named(profiles):
    """The profiles with their settings by their newest names, as text."""
    if profiles is None:
        return None
    found = tomllib.loads(profiles)
    newest = RECORD["names"]
    return {"active": found["active"], "profiles": {
        name: {newest.get(key, [key])[0]: str(value) for key, value in settings.items()}
        for name, settings in found["profiles"].items()}}


@pytest.mark.parametrize("name", prefect3.CASES)
def test_case(name):
    ours, reference = play(prefect3.CASES[name]), RECORD["cases"][name]
    for words, (status, out), (expected_status, expected) in zip(
            prefect3.CASES[name][2], ours["answers"], reference["answers"], strict=True):
        assert status == expected_status, (words, out)
        if expected.startswith("{"):
            assert as_json(out) == as_json(expected)
        elif name == "no toml":  # what stands in the brackets is the parser's
            assert lines(out)[0].partition("(")[0] == lines(expected)[0].partition("(")[0] and "prefect.toml:1:" in out
        else:
            assert lines(out, OWN_DEFAULTS) == lines(expected, OWN_DEFAULTS), words
    assert named(ours["profiles"]) == named(reference["profiles"])


@pytest.mark.parametrize("number", range(len(RECORD["rounds"])))
def test_every_name_in_the_environment(number):
    case = ({}, prefect3.rounds(RECORD["names"])[number], [["config", "view", "--show-secrets"]])
    (status, out), (_, expected) = play(case)["answers"][0], RECORD["rounds"][number]["answers"][0]
    assert status == 0 and lines(out) == lines(expected)


def test_every_name_is_set_and_unset(tmp_path):
    """By each name, to be found in the profile by the newest one, once."""
    prefect3.place(tmp_path, {})
    for name, (newest, value) in RECORD["names"].items():
        if newest in ("PREFECT_HOME", "PREFECT_PROFILES_PATH"):
            continue
        for words, kept in ((["set", f"{name}={value}"], [newest]), (["unset", name], [])):
            status, out = prefect3.call(servers.ORION_BIN, tmp_path, ["config", *words], {"ORION_GENERATION": "3"})
            assert status == 0, out
            stored = tomllib.loads((tmp_path / "home/.prefect/profiles.toml").read_text())["profiles"]["ephemeral"]
            assert [one for one in stored if one != BUILT_IN] == [one for one in kept if one != BUILT_IN], name


def view(folder, files, *words, **env):
    prefect3.place(folder, files)
    status, out = prefect3.call(servers.ORION_BIN, folder, ["config", "view", *words], env)
    assert status == 0, out
    return dict(re.findall(r"^(\w+)='(.*?)'", out, re.M)), out


def test_files_are_not_read_at_2_7(tmp_path):
    shown, out = view(tmp_path, {**prefect3.FILES, **prefect3.PROFILES})
    assert "prefect.toml" not in out and "http://ui" not in out and ".env" not in out
    assert shown["PREFECT_ORION_API_PORT"] == "4303"


def test_generation_of_orion_toml(tmp_path):
    """In the file that --config names, before or after the command, or in the home folder."""
    prefect3.place(tmp_path, {"prefect.toml": "server.api.port = 4301\n", "o.toml": "ORION_GENERATION = 3\n"})
    for words in (["config", "view", "--config", "o.toml"], ["--config=o.toml", "config", "view"],
                  ["config", "view", "--config=o.toml"]):
        assert "PREFECT_SERVER_API_PORT='4301' (from prefect.toml)" in \
            prefect3.call(servers.ORION_BIN, tmp_path, words, {})[1]
    assert "4301" not in prefect3.call(servers.ORION_BIN, tmp_path, ["config", "view"], {})[1]
    for name in ("validate", "check"):
        assert prefect3.call(servers.ORION_BIN, tmp_path, ["config", name], {})[0] == (2 if name == "validate" else 0)


def test_nested_tables_in_a_profile(tmp_path):
    """The reference leaves them out, with a warning; a profile that has them keeps them by name once it is changed."""
    files = {"home/.prefect/profiles.toml": 'active = "n"\n[profiles.n]\n"server.api.host" = "h"\n'
             '[profiles.n.server.api]\nport = 4305\n[profiles.n.client.custom_headers]\na = "b"\n'
             "[profiles.n.not]\nthere = 1\n"}
    shown, out = view(tmp_path, files, ORION_GENERATION="3")
    assert shown["PREFECT_SERVER_API_PORT"] == "4305" and shown["PREFECT_SERVER_API_HOST"] == "h"
    assert "not used: not.there" in out
    prefect3.call(servers.ORION_BIN, tmp_path, ["config", "set", "PREFECT_SERVER_UI_ENABLED=0"],
                  {"ORION_GENERATION": "3"})
    assert tomllib.loads((tmp_path / "home/.prefect/profiles.toml").read_text())["profiles"]["n"] == {
        "PREFECT_SERVER_API_PORT": 4305, "PREFECT_SERVER_API_HOST": "h", "PREFECT_CLIENT_CUSTOM_HEADERS": {"a": "b"},
        "not.there": 1, "PREFECT_SERVER_UI_ENABLED": "0"}


def test_orion_toml_stands_between_environment_and_files(tmp_path):
    files = {".env": "PREFECT_SERVER_API_PORT=1\nPREFECT_SERVER_API_HOST=dotenv\nORION_METRICS=0\n",
             "home/.prefect/orion.toml": 'ORION_GENERATION = 3\nPREFECT_SERVER_API_HOST = "own"\n'
                                         "PREFECT_SERVER_API_DEFAULT_LIMIT = 3\n"}
    shown, out = view(tmp_path, files, PREFECT_ORION_API_DEFAULT_LIMIT="9")
    assert "PREFECT_SERVER_API_HOST='own' (from orion.toml)" in out and "ORION_METRICS" not in out
    assert "PREFECT_SERVER_API_DEFAULT_LIMIT='9' (from env)" in out and "METRICS" not in out
    assert shown["PREFECT_SERVER_API_PORT"] == "1" and shown["ORION_GENERATION"] == "3"


@pytest.mark.parametrize("name, text, said", [
    ("prefect.toml", "[server.api]\n\nport = \"x\"\n", "prefect.toml:3: PREFECT_SERVER_API_PORT: value is not a valid"),
    (".env", "\nPREFECT_SERVER_UI_ENABLED=perhaps\n", ".env:2: PREFECT_SERVER_UI_ENABLED: value could not be parsed"),
    ("pyproject.toml", "[tool.prefect.server]\nlogging_level = \"loud\"\n", "pyproject.toml:2: PREFECT_SERVER_LOGGING"),
    ("pyproject.toml", "[[a]\n", "invalid TOML (pyproject.toml:1: "),
    ("pyproject.toml", "a = 1\n[[a]]\n", "invalid TOML (pyproject.toml:2: "),
    ("prefect.toml", "a = \"\xff\"\n", "prefect.toml is not UTF-8 (line 1)")])
def test_mistakes_are_located(tmp_path, name, text, said):
    prefect3.place(tmp_path, {})
    (tmp_path / name).write_text(text, encoding="latin-1")
    for words in (["config", "view"], ["start"]):
        status, out = prefect3.call(servers.ORION_BIN, tmp_path, words, {"ORION_GENERATION": "3"})
        assert status == 1 and said in out, out


def test_unset_asks_on_a_terminal(tmp_path):
    import pty
    prefect3.place(tmp_path, prefect3.PROFILES)
    for answer, kept in ((b"n\n", True), (b"y\n", False)):
        leader, follower = pty.openpty()
        os.write(leader, answer)
        pid = os.posix_spawn(str(servers.ORION_BIN), ["orion", "config", "unset", "PREFECT_SERVER_API_PORT"],
                             {"ORION_GENERATION": "3", "HOME": str(tmp_path / "home")},
                             file_actions=[(os.POSIX_SPAWN_DUP2, follower, n) for n in (0, 1, 2)])
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == int(kept)
        text = os.read(leader, 4096).decode()
        assert "Are you sure you want to unset the following setting(s): 'PREFECT_SERVER_API_PORT'?" in text
        stored = tomllib.loads((tmp_path / "home/.prefect/profiles.toml").read_text())["profiles"]["n"]
        assert ("PREFECT_SERVER_API_PORT" in stored) is kept
        os.close(leader)
        os.close(follower)


@pytest.mark.skipif(not FULL or not prefect3.REFERENCE_3_BIN.exists(), reason="part of make test-full, with 3.8.3")
def test_the_record_is_the_references():
    assert json.loads(json.dumps(prefect3.ask(prefect3.REFERENCE_3_BIN))) == RECORD

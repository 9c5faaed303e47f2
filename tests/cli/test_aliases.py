"""Settings under the names of later Prefect releases (2.20.25, 3.8.3), and names that nobody knows: ours only, since
the reference refuses every command when a profile holds one, and ignores them in the environment."""
import os
import re
import subprocess

import pytest

from tests.lib import servers

ALIASES = re.findall(r'\{ "(\w+)", "(\w+)" \}', (servers.ROOT / "src/config/setting_aliases.c").read_text())
VALUES = {"URL": "sqlite+aiosqlite:////x/y.db", "PASSWORD": "hush", "LEVEL": "ERROR", "HOST": "h", "ECHO": "True",
          "START": "False", "ENABLED": "False", "METRICS": "False"}


@pytest.fixture
def home(tmp_path):
    return tmp_path


def run(home, *words, **env):
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "PREFECT_HOME": str(home), **env}
    done = subprocess.run([str(servers.ORION_BIN), *words], env=environment, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=60)
    return done.returncode, done.stdout.splitlines(), done.stderr


def values(lines):
    return {match[1]: (match[2], match[3])
            for line in lines if (match := re.fullmatch(r"(\w+)='(.*)' \(from (\w+)\)", line))}


def test_every_alias(home):
    """Each in the environment and in a profile; all of the first release's names at once, then each that is left."""
    assert len(ALIASES) > 50
    rounds = [dict((name, alias) for alias, name in ALIASES), dict((name, alias) for alias, name in reversed(ALIASES))]
    for names in rounds:
        given = {alias: next((v for end, v in VALUES.items() if name.endswith(end)), "17")
                 for name, alias in names.items()}
        status, lines, errors = run(home, "config", "view", "--show-secrets", PREFECT_HOME=str(home / "none"), **given)
        assert status == 0 and "not know" not in errors, errors
        shown = values(lines)
        text = "[profiles.default]\n" + "".join(f'{alias} = "{value}"\n' for alias, value in given.items())
        (home / "profiles.toml").write_text(text)
        status, lines, errors = run(home, "config", "view", "--show-secrets")
        assert status == 0 and "not know" not in errors, errors
        for name, alias in names.items():
            assert shown[name][1] == "env" and given[alias] in shown[name][0]
            assert values(lines)[name] == (shown[name][0], "profile")


def test_source_decides_first(home):
    (home / "profiles.toml").write_text(
        '[profiles.default]\nPREFECT_ORION_API_HOST = "own"\nPREFECT_SERVER_API_PORT = 5\n')
    _, lines, errors = run(home, "config", "view", PREFECT_SERVER_API_HOST="later")
    assert values(lines)["PREFECT_ORION_API_HOST"] == ("later", "env") and not errors
    assert values(lines)["PREFECT_ORION_API_PORT"] == ("5", "profile")
    _, lines, errors = run(home, "-p", "default", "config", "view", PREFECT_SERVER_API_HOST="later")
    assert values(lines)["PREFECT_ORION_API_HOST"] == ("own", "profile")


def test_own_name_wins_within_a_source(home):
    env = {"PREFECT_SERVER_API_HOST": "later", "PREFECT_ORION_API_HOST": "own"}
    _, lines, errors = run(home, "config", "view", **env)
    assert values(lines)["PREFECT_ORION_API_HOST"] == ("own", "env")
    assert errors.count(
        "PREFECT_SERVER_API_HOST is another name for PREFECT_ORION_API_HOST, which is also set in the environment") == 1
    (home / "profiles.toml").write_text("[profiles.default]\n" + "".join(f'{k} = "{v}"\n' for k, v in env.items()))
    _, lines, errors = run(home, "config", "view")
    assert values(lines)["PREFECT_ORION_API_HOST"] == ("own", "profile") \
        and errors.count("also set in the profile") == 1


def test_template_of_a_later_release(home):
    status, lines, errors = run(
        home, "database", "version", PREFECT_API_DATABASE_PASSWORD="hush",
        PREFECT_API_DATABASE_CONNECTION_URL="sqlite+aiosqlite:///${PREFECT_HOME}/${PREFECT_API_DATABASE_PASSWORD}.db")
    assert "ignored" not in errors and "template" not in errors
    status, _, errors = run(home, "config", "view", PREFECT_API_DATABASE_PASSWORD="hush")
    assert status == 0 and "will be ignored" in errors and "hush" not in errors


def test_unknown_names_are_kept(home):
    text = '[profiles.default]\nPREFECT_NEVER_KEY = "hush"\nPREFECT_LIST = [1, 2]\nPREFECT_SERVER_API_HOST = "h"\n'
    (home / "profiles.toml").write_text(text)
    status, _, errors = run(home, "config", "set", "PREFECT_ORION_API_PORT=5", PREFECT_OTHER="hush",
                            PREFECT__PRIVATE="x")
    assert status == 0 and "PRIVATE" not in errors and "hush" not in errors
    assert errors.count("not used: PREFECT_OTHER, PREFECT_NEVER_KEY, PREFECT_LIST") == 1
    written = (home / "profiles.toml").read_text()
    assert text in written and 'PREFECT_ORION_API_PORT = "5"' in written
    status, lines, _ = run(home, "profile", "inspect")
    assert status == 0 and "hush" not in str(lines) and "PREFECT_SERVER_API_HOST='h'" in lines
    assert "PREFECT_NEVER_KEY='hush'" in run(home, "profile", "inspect", "--show-secrets")[1]
    assert run(home, "config", "unset", "PREFECT_NEVER_KEY")[0] == 0
    assert "NEVER" not in (home / "profiles.toml").read_text()
    assert run(home, "config", "set", "PREFECT_NEVER_KEY=1")[0] == 1


def test_set_and_unset_by_a_later_name(home):
    (home / "profiles.toml").write_text(
        '[profiles.default]\nPREFECT_SERVER_API_HOST = "old"\nPREFECT_API_DEFAULT_LIMIT = 7\n')
    status, lines, errors = run(home, "config", "set", "PREFECT_SERVER_API_HOST=new")
    assert status == 0 and "Set 'PREFECT_ORION_API_HOST' to 'new'." in lines
    written = (home / "profiles.toml").read_text()
    assert 'PREFECT_ORION_API_HOST = "new"' in written and "PREFECT_SERVER_API_HOST" not in written
    for name in ["PREFECT_SERVER_API_HOST", "PREFECT_SERVER_API_DEFAULT_LIMIT"]:
        assert run(home, "config", "unset", name)[0] == 0
    assert "PREFECT" not in (home / "profiles.toml").read_text()
    assert run(home, "config", "unset", "PREFECT_SERVER_API_HOST")[0] == 1

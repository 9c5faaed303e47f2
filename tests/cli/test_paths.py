"""Paths of settings, options and the environment: a wrong one is refused, and nothing but PREFECT_HOME is ever made.
Ours only: the reference makes folders called "~"."""
import os
import pwd
import subprocess

import pytest

from tests.lib import servers

UI = ["start", "--port", "0"]
UPGRADE = ["database", "upgrade", "-y"]
IMPORT = ["block", "import"]
CREATE = ["profile", "create", "new"]
UNKNOWN = "home folder is unknown"


def database(url):
    return {"PREFECT_ORION_DATABASE_CONNECTION_URL": url}


@pytest.fixture
def places(tmp_path):
    for name in ("user", "work", "home"):
        (tmp_path / name).mkdir()
    return tmp_path


def run(places, words, **environment):
    """In the folder `work`, of a user whose home is `user`, with PREFECT_HOME `home`; None takes a variable away."""
    given = {"PATH": os.environ["PATH"], "HOME": str(places / "user"), "PREFECT_HOME": str(places / "home"),
             **environment}
    done = subprocess.run([str(servers.ORION_BIN), *words],
                          env={name: value for name, value in given.items() if value is not None}, cwd=places / "work",
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=60)
    return done.returncode, done.stdout


def tree(places):
    return sorted(str(path.relative_to(places)) for path in places.rglob("*"))


@pytest.mark.parametrize("words, environment, reason", [
    (CREATE, {"HOME": None, "PREFECT_HOME": None}, f"{UNKNOWN}, because HOME is not set. Set HOME or PREFECT_HOME"),
    (CREATE, {"HOME": "", "PREFECT_HOME": None}, f"{UNKNOWN}, because HOME is empty"),
    (CREATE, {"HOME": "user", "PREFECT_HOME": None}, f"{UNKNOWN}, because HOME is not an absolute path"),
    (CREATE, {"HOME": None, "PREFECT_HOME": "~/orion"}, UNKNOWN),
    (CREATE, {"HOME": None, "PREFECT_PROFILES_PATH": "~/p.toml"}, UNKNOWN),
    (["config", "view"], {"HOME": None, "PREFECT_HOME": None}, UNKNOWN),
    (CREATE, {"PREFECT_HOME": "~no-such-user/orion"}, "there is no user no-such-user"),
    (CREATE, {"PREFECT_PROFILES_PATH": "~no-such-user/p.toml"}, "there is no user no-such-user"),
    (CREATE, {"PREFECT_PROFILES_PATH": "gone/p.toml"}, "Cannot write gone/p.toml: its folder does not exist"),
    (CREATE, {"PREFECT_PROFILES_PATH": "~/gone/p.toml"}, "user/gone/p.toml: its folder does not exist"),
    (CREATE, {"PREFECT_PROFILES_PATH": "${PREFECT_HOME}/gone/p.toml"}, "home/gone/p.toml: its folder does not exist"),
    ([*UI, "--ui-dir", ""], {}, "--ui-dir is not a folder"),
    ([*UI, "--ui-dir=~/ui"], {}, "~/ui contains no readable index.html"),
    ([*UI, "--ui-dir", "gone"], {}, "gone contains no readable index.html"),
    ([*IMPORT, "~/types.json"], {}, "~/types.json cannot be read"),
    ([*IMPORT, "gone/types.json"], {}, "gone/types.json cannot be read"),
    ([*IMPORT, "."], {}, "not a regular file"),
    (UPGRADE, database("sqlite+aiosqlite:///~/orion.db"), "the folder ~ of the database"),
    (UPGRADE, database("sqlite+aiosqlite:///~"), "write the full path"),
    (UPGRADE, database("sqlite+aiosqlite:///file:~/orion.db?uri=true"), "the folder ~ of the database"),
    (UPGRADE, database("sqlite+aiosqlite:///gone/orion.db"), "the folder gone of the database"),
    (UPGRADE, database("sqlite+aiosqlite:///file:gone/a%20b.db?uri=true"), "the folder gone of the database"),
    (UPGRADE, database("sqlite+aiosqlite:///what?/orion.db"), "not a NAME=VALUE parameter"),
    (["database", "copy", "--from", "sqlite:///gone.db", "--to", "sqlite:///target.db"], {},
     "There is no database at gone.db"),
    (["database", "copy", "--from", "sqlite:///file:gone.db?uri=true", "--to", "sqlite:///target.db"], {},
     "There is no database at gone.db"),
    (["database", "copy", "--from", "sqlite:///:memory:", "--to", "sqlite:///~/target.db"], {},
     "the folder ~ of the database"),
])
def test_a_wrong_path_is_refused(places, words, environment, reason):
    before = tree(places)
    status, out = run(places, words, **environment)
    assert (status, reason in out) == (1, True), out
    assert tree(places) == before


@pytest.mark.parametrize("words, environment, made", [
    (CREATE, {"PREFECT_HOME": None}, ["user/.prefect", "user/.prefect/profiles.toml"]),
    (CREATE, {"PREFECT_HOME": "~"}, ["user/profiles.toml"]),
    (CREATE, {"PREFECT_HOME": "~/a/b"}, ["user/a", "user/a/b", "user/a/b/profiles.toml"]),
    (CREATE, {"PREFECT_HOME": "a"}, ["work/a", "work/a/profiles.toml"]),
    (CREATE, {"PREFECT_PROFILES_PATH": "~/p.toml"}, ["user/p.toml"]),
    (CREATE, {"PREFECT_PROFILES_PATH": "p.toml"}, ["work/p.toml"]),
    (["profile", "ls"], {"PREFECT_PROFILES_PATH": "gone/p.toml"}, []),
    (["config", "view"], {"PREFECT_HOME": None}, ["user/.prefect"]),
    (UPGRADE, {"PREFECT_HOME": "new"}, ["work/new", "work/new/orion.db"]),
    ([*UPGRADE, "--dry-run"], {"PREFECT_HOME": "new"}, []),
    (UPGRADE, database("sqlite+aiosqlite:///file:a%20b%3F.db?uri=true"), ["work/a b?.db"]),
    (UPGRADE, {"HOME": None, **database("sqlite+aiosqlite:///orion.db")}, ["work/orion.db"]),
])
def test_what_is_made(places, words, environment, made):
    before = tree(places)
    status, out = run(places, words, **environment)
    assert status == 0, out
    assert sorted(set(tree(places)) - set(before)) == sorted(made)


def test_the_home_of_a_user(places):
    user = pwd.getpwuid(os.geteuid())
    status, out = run(places, ["profile", "ls"], PREFECT_PROFILES_PATH=f"~{user.pw_name}/no-such-profiles.toml",
                      PREFECT_HOME=str(places / "home"))
    assert status == 0, out


@pytest.mark.parametrize("words, setting", [
    (["config", "view"], "ORION_CONFIG"),
    (["config", "view"], "PREFECT_PROFILES_PATH"),
    (["key", "list"], "ORION_KEYS_FILE"),
])
def test_a_pipe_is_refused_and_not_waited_for(places, words, setting):
    os.mkfifo(places / "work/pipe")
    _, out = run(places, words, **{setting: str(places / "work/pipe")})
    assert f"{places}/work/pipe is not a regular file" in out


def test_the_null_device_is_an_empty_file(places):
    status, out = run(places, ["config", "view"], ORION_CONFIG="/dev/null", PREFECT_PROFILES_PATH="/dev/null")
    assert status == 0 and "WARNING" not in out, out

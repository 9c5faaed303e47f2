"""orion.toml: where it is looked for, what goes over what, how it is changed, and what `orion config check` finds.
Ours only: the reference has no such file."""
import os
import re
import subprocess

import pytest

from tests.lib import servers
from .test_profiles_file import mounted, needs_mounts, needs_root

KEY = "A" * 43 + "="


@pytest.fixture
def home(tmp_path):
    path = tmp_path / "home"
    path.mkdir(mode=0o700)
    return path


def run(home, *words, before=(), **env):
    """Status, lines of standard output, standard error; the home's path as HOME."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "PREFECT_HOME": str(home), **env}
    done = subprocess.run([*before, str(servers.ORION_BIN), *words], env=environment, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=60)
    out, err = (text.replace(str(home), "HOME") for text in (done.stdout, done.stderr))
    return done.returncode, out.splitlines(), err


def write(home, text, name="orion.toml"):
    (home / name).write_text(text)


def values(lines):
    return {match[1]: (match[2], match[3])
            for line in lines if (match := re.fullmatch(r"(\w+)='(.*)' \(from ([\w.]+)\)", line))}


# ---- what is used ----

def test_sources(home):
    write(home, 'PREFECT_ORION_API_PORT = 1\nPREFECT_SERVER_API_HOST = "file"\nORION_CORS_ORIGINS = "x"\n'
                f'ORION_ENCRYPTION_KEY = "{KEY}"\n')
    write(home, '[profiles.default]\nPREFECT_ORION_API_HOST = "profile"\nPREFECT_ORION_API_DEFAULT_LIMIT = 5\n',
          "profiles.toml")
    _, lines, errors = run(home, "config", "view", "--show-defaults", PREFECT_ORION_API_PORT="2")
    shown = values(lines)
    assert not errors and KEY not in str(lines)
    assert shown["PREFECT_ORION_API_PORT"] == ("2", "env")
    assert shown["PREFECT_ORION_API_HOST"] == ("file", "orion.toml")
    assert shown["ORION_CORS_ORIGINS"] == ("x", "orion.toml")
    assert shown["ORION_ENCRYPTION_KEY"] == ("********", "orion.toml")
    assert shown["PREFECT_ORION_API_DEFAULT_LIMIT"] == ("5", "profile")
    assert shown["ORION_ALLOWED_HOSTS"] == ("", "defaults")
    assert KEY in str(run(home, "config", "view", "--show-secrets")[1])
    _, lines, _ = run(home, "-p", "default", "config", "view", PREFECT_ORION_API_PORT="2")
    assert values(lines)["PREFECT_ORION_API_HOST"] == ("profile", "profile")
    assert values(lines)["PREFECT_ORION_API_PORT"] == ("2", "env")


@pytest.mark.parametrize("words", [["--config", "{}", "config", "view"], ["--config={}", "config", "view"],
                                   ["config", "view", "--config", "{}"], ["config", "view", "--config={}"],
                                   ["server", "config", "view", "--config={}"]])
def test_the_option(home, tmp_path, words):
    other = tmp_path / "other.toml"
    other.write_text("PREFECT_ORION_API_PORT = 1\n")
    write(home, "PREFECT_ORION_API_PORT = 2\n")
    for env in {}, {"ORION_CONFIG": "/nowhere"}:
        _, lines, errors = run(home, *[word.format(other) for word in words], **env)
        assert values(lines)["PREFECT_ORION_API_PORT"] == ("1", "orion.toml") and not errors
    assert values(run(home, "config", "view", ORION_CONFIG=str(other))[1])["PREFECT_ORION_API_PORT"][0] == "1"
    assert values(run(home, "config", "view")[1])["PREFECT_ORION_API_PORT"][0] == "2"


def test_every_command_takes_the_option(home):
    """None runs with a file that is not there; those that show and repair say so."""
    for words in ["start"], ["database", "upgrade", "-y"], ["database", "check"], ["block", "import", "x.json"]:
        assert run(home, *words, "--config", "/nowhere/a.toml") == \
            (1, [], "There is no /nowhere/a.toml, which --config names.\n")
    for words in ["version"], ["config", "view"], ["profile", "ls"]:
        status, _, errors = run(home, *words, ORION_CONFIG="/nowhere/a.toml")
        assert (status, errors) == (0, "WARNING: There is no /nowhere/a.toml, which ORION_CONFIG names.\n")
    assert not (home / "orion.db").exists()
    assert run(home, "--config")[0] == run(home, "version", "--config")[0] == 2
    assert "--config FILE" in "\n".join(run(home, "start", "--help")[1])


def test_a_server_obeys_the_file(home, tmp_path):
    port = servers.free_port()
    write(home, f'PREFECT_SERVER_API_PORT = {port}\nORION_CORS_ORIGINS = "https://app.example"\n'
                'PREFECT_ORION_DATABASE_CONNECTION_URL = "sqlite+aiosqlite:///${PREFECT_HOME}/mine.db"\n')
    with subprocess.Popen([str(servers.ORION_BIN), "start"], stdout=subprocess.PIPE, text=True,
                          env={"PATH": os.environ["PATH"], "PREFECT_HOME": str(home)}) as server:
        try:
            for line in server.stdout:
                if "API docs" in line:
                    break
            assert f"127.0.0.1:{port}/docs" in line and (home / "mine.db").exists()
        finally:
            server.terminate()
        assert server.wait(20) == 0


@pytest.mark.parametrize("text, reason", [
    ("#\nORION_SERVER_CONNECTIONS = 0\n",
     "HOME/orion.toml:2: ORION_SERVER_CONNECTIONS: 0 is not between 1 and 4294967295."),
    ("PREFECT_SERVER_API_PORT = 70000\n",
     "HOME/orion.toml:1: PREFECT_ORION_API_PORT: Port 70000 is not between 0 and 65535."),
    ('ORION_ENCRYPTION_KEY = "hush"\n',
     "HOME/orion.toml:1: ORION_ENCRYPTION_KEY: not a Fernet key (32 bytes as base64url)"),
    ('PREFECT_ORION_DATABASE_CONNECTION_URL = "sqlite://hush@h/x"\n',
     "HOME/orion.toml:1: PREFECT_ORION_DATABASE_CONNECTION_URL: A SQLite URL has no host"),
    ('ORION_SERVER_HEAD_TIMEOUT = "soon"\nORION_SERVER_BODY_RATE = "much"\n',
     "HOME/orion.toml:1: ORION_SERVER_HEAD_TIMEOUT: value is not a time above zero: a number with ms, s, m, h, d or w, "
     "as in 10s\n1 more: see `orion config check`.\n"),
    ("ORION_CORS_ORIGINS = *\n", "HOME/orion.toml:1: a value is expected"),
])
def test_a_server_refuses_what_is_wrong(home, text, reason):
    write(home, text)
    status, _, errors = run(home, "start")
    assert status == 1 and errors.startswith(reason) and "hush" not in errors
    assert not (home / "orion.db").exists()
    status, lines, _ = run(home, "config", "check")
    assert status == 1 and lines[0].startswith(reason.split("\n")[0]) and "hush" not in str(lines)


def test_names_of_ours_in_a_profile(home):
    """The client refuses the profile; we ignore the name, and `set` moves it."""
    write(home, '[profiles.default]\nORION_SERVER_CONNECTIONS = 5\nORION_NEW = 1\n', "profiles.toml")
    status, lines, errors = run(home, "config", "view")
    assert status == 0 and "ORION_SERVER_CONNECTIONS" not in values(lines)
    assert [name for name in ("ORION_SERVER_CONNECTIONS", "ORION_NEW")
            if f"WARNING: {name} is not used from profile 'default': it belongs in orion.toml" not in errors] == []
    assert run(home, "config", "set", "ORION_SERVER_CONNECTIONS=6")[0] == 0
    assert run(home, "config", "unset", "ORION_NEW")[0] == 0
    assert (home / "orion.toml").read_text() == "ORION_SERVER_CONNECTIONS = 6\n"
    assert "ORION" not in (home / "profiles.toml").read_text()


# ---- config set, config unset ----

OLD = '# mine\n\n  ORION_CORS_ORIGINS = "a"   # why\nPREFECT_SERVER_API_PORT = 5\n'


def test_set_and_unset(home):
    write(home, OLD)
    os.chmod(home / "orion.toml", 0o640)
    status, lines, errors = run(home, "config", "set", "ORION_CORS_ORIGINS=b", "ORION_SERVER_HEAD_TIMEOUT=1m")
    assert (status, errors) == (0, "")
    assert lines == ["Set 'ORION_CORS_ORIGINS' to 'b'.", "Set 'ORION_SERVER_HEAD_TIMEOUT' to '1m'.",
                     "Updated HOME/orion.toml."]
    assert (home / "orion.toml").read_text() == OLD.replace('"a"', '"b"') + 'ORION_SERVER_HEAD_TIMEOUT = "1m"\n'
    assert (home / "orion.toml").stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in home.iterdir()) == ["orion.toml"]
    status, lines, _ = run(home, "config", "unset", "ORION_CORS_ORIGINS", "ORION_SERVER_HEAD_TIMEOUT")
    assert lines[-1] == "Updated HOME/orion.toml."
    assert (home / "orion.toml").read_text() == "# mine\n\nPREFECT_SERVER_API_PORT = 5\n"
    status, _, errors = run(home, "config", "unset", "ORION_CORS_ORIGINS")
    assert (status, errors) == (1, "'ORION_CORS_ORIGINS' is not set in HOME/orion.toml.\n")


@pytest.mark.parametrize("setting, message", [
    ("ORION_AUTH_STRING=ann", "not of the form user:password"),
    ("ORION_KEYS_FILE=/nowhere/keys.toml", "does not exist"),
    ("ORION_KEYS_FILE=", "is empty"), ("ORION_ENCRYPTION_KEY=bad", "not a Fernet key"),
    ("ORION_TRUSTED_PROXIES=127.0.0.1/33", "127.0.0.1/33"), ("ORION_SERVER_CONNECTIONS=-1", "is not between 1 and")])
def test_what_would_stop_a_server_is_said_at_once_and_by_check(home, setting, message):
    """It is stored all the same: of two settings that belong together one is set first."""
    name, _, value = setting.partition("=")
    status, lines, errors = run(home, "config", "set", setting)
    assert status == 0 and message in lines[-1] + errors and "does not start with these settings" in lines[-1] + errors
    assert (home / "orion.toml").read_text() in (f'{name} = "{value}"\n', f"{name} = {value}\n")
    status, lines, _ = run(home, "config", "check")
    assert status == 1 and lines[0].startswith("HOME/orion.toml:1: " + name) and message in lines[0]


def test_a_lone_carriage_return_hides_nothing(home):
    write(home, '# mine\rORION_AUTH_STRING = "a:b"\r')
    status, lines, errors = run(home, "config", "check")
    assert status == 1 and "HOME/orion.toml:1: a carriage return" in "\n".join(lines) + errors


def test_a_new_file_is_private(home, tmp_path):
    status, lines, _ = run(home, "config", "set", f"ORION_ENCRYPTION_KEY={KEY}")
    assert status == 0 and lines[0] == "Set 'ORION_ENCRYPTION_KEY' to '********'."
    assert (home / "orion.toml").stat().st_mode & 0o777 == 0o600
    other = tmp_path / "other.toml"
    assert run(home, "config", "set", "ORION_SERVER_CONNECTIONS=5", "--config", str(other))[0] == 0
    assert other.read_text() == "ORION_SERVER_CONNECTIONS = 5\n"


@needs_root
def test_root_makes_the_file_for_the_owner_of_the_folder(home):
    os.chown(home, 65534, 65534)
    assert run(home, "config", "set", "ORION_SERVER_CONNECTIONS=5", "PREFECT_API_URL=u")[0] == 0
    for name in ["orion.toml", "profiles.toml"]:
        found = (home / name).stat()
        assert (found.st_uid, found.st_gid, found.st_mode & 0o777) == (65534, 65534, 0o600)


def test_both_files_in_one_call(home):
    write(home, OLD)
    status, lines, _ = run(home, "config", "set", "PREFECT_API_URL=u", "ORION_CORS_ORIGINS=b",
                           "PREFECT_ORION_API_PORT=6")
    assert status == 0 and lines[-2:] == ["Updated HOME/orion.toml.", "Updated profile 'default'."]
    assert "PREFECT_ORION_API_PORT is also set in line 4 of HOME/orion.toml, which will override the profile." in lines
    assert 'PREFECT_API_URL = "u"' in (home / "profiles.toml").read_text()
    assert "ORION_CORS" not in (home / "profiles.toml").read_text()
    assert values(run(home, "config", "view")[1])["PREFECT_ORION_API_PORT"] == ("5", "orion.toml")
    status, lines, _ = run(home, "config", "unset", "PREFECT_API_URL", "ORION_CORS_ORIGINS", "PREFECT_ORION_API_PORT")
    assert status == 0 and lines[-2:] == ["Updated HOME/orion.toml.", "Updated profile 'default'."]
    status, _, errors = run(home, "config", "unset", "PREFECT_ORION_API_PORT")
    assert status == 1 and "not set in profile 'default', but in line 3 of HOME/orion.toml" in errors


@pytest.mark.parametrize("words, reason", [
    (["set", "PREFECT_API_URL=u", "ORION_SERVER_CONNECTIONS=x"], "value is not a valid integer"),
    (["set", "ORION_CORS_ORIGINS=b", "PREFECT_ORION_API_PORT=x"], "value is not a valid integer"),
    (["set", "ORION_CORS_ORIGINS=b", "ORION_NONE=x"], "Unknown setting name 'ORION_NONE'."),
    (["set", "ORION_CORS_ORIGINS=b", "ORION_CONFIG=x"], "only the environment and --config can set it"),
    (["unset", "ORION_CORS_ORIGINS", "ORION_NONE"], "Unknown setting name 'ORION_NONE'."),
    (["unset", "PREFECT_UI_URL", "ORION_SERVER_CONNECTIONS"], "not set in HOME/orion.toml"),
    (["unset", "ORION_CORS_ORIGINS", "PREFECT_API_URL"], "not set in profile 'default'"),
])
def test_all_or_nothing(home, words, reason):
    profiles = '[profiles.default]\nPREFECT_UI_URL = "kept"\n'
    write(home, OLD)
    write(home, profiles, "profiles.toml")
    status, _, errors = run(home, "config", *words)
    assert status == 1 and reason in errors
    assert (home / "orion.toml").read_text() == OLD and (home / "profiles.toml").read_text() == profiles


@needs_mounts
@pytest.mark.parametrize("before", [OLD, None], ids=["there", "new"])
def test_a_profile_that_cannot_be_written_leaves_the_file(home, tmp_path, before):
    """The profiles are on a disk that is full; the file of settings is not."""
    if before:
        write(home, before)
    profiles = tmp_path / "profiles"
    profiles.mkdir()
    full = mounted(f"mount -t tmpfs -o size=8k tmpfs {profiles}\n"
                   f"printf '[profiles.default]\\n' >{profiles}/p.toml\n"
                   f"head -c 100000 /dev/zero >{profiles}/fill 2>/dev/null || true")
    status, _, errors = run(home, "config", "set", "ORION_CORS_ORIGINS=b", "PREFECT_API_URL=" + "u" * 6000, before=full,
                            PREFECT_PROFILES_PATH=str(profiles / "p.toml"))
    assert status == 1 and "p.toml: No space left" in errors
    assert (home / "orion.toml").exists() == (before is not None)
    assert before is None or (home / "orion.toml").read_text() == before


def test_a_broken_file_is_not_changed(home):
    for text in "x = \n", "[table]\n":
        write(home, text)
        status, _, errors = run(home, "config", "set", "ORION_CORS_ORIGINS=b")
        assert status == 1 and "HOME/orion.toml:1: " in errors and (home / "orion.toml").read_text() == text
        assert run(home, "config", "set", "PREFECT_API_URL=u")[0] == 0  # which is elsewhere


def test_a_bad_value_can_be_repaired(home):
    write(home, 'ORION_SERVER_CONNECTIONS = "x" # y\n')
    assert run(home, "start")[0] == 1
    status, _, errors = run(home, "config", "set", "ORION_SERVER_CONNECTIONS=7")
    assert status == 0 and "WARNING: HOME/orion.toml:1: ORION_SERVER_CONNECTIONS: value is not" in errors
    assert (home / "orion.toml").read_text() == "ORION_SERVER_CONNECTIONS = 7 # y\n"
    assert run(home, "config", "check") == (0, ["HOME/orion.toml is valid."], "")


def test_set_at_once(home):
    names = ["ORION_CORS_ORIGINS", "ORION_ALLOWED_HOSTS", "ORION_SERVER_CONNECTIONS", "ORION_DATABASE_CONNECTIONS",
             "ORION_SERVER_HEAD_TIMEOUT", "ORION_SERVER_BODY_RATE"]
    env = {"PATH": os.environ["PATH"], "PREFECT_HOME": str(home)}
    running = [subprocess.Popen([str(servers.ORION_BIN), "config", "set", f"{name}=7", f"PREFECT_API_KEY={name}"],
                                env=env, stdout=subprocess.DEVNULL) for name in names * 2]
    assert [process.wait(60) for process in running] == [0] * len(running)
    written = (home / "orion.toml").read_text().splitlines()
    assert sorted(line.split(" = ")[0] for line in written) == sorted(names)


# ---- config check ----

def test_check_lists_everything(home):
    write(home, "\n".join([
        "# settings", 'ORION_CORS_ORIGIN = "https://x"', 'PREFECT_API_KEY = "hush"',
        'PREFECT_SERVER_API_HOST = "a"', 'PREFECT_ORION_API_HOST = "b"', "ORION_DATABASE_CONNECTIONS = 1000",
        'PREFECT_ORION_DATABASE_CONNECTION_URL = "mysql://u:hush@h/d"',
        "PREFECT_ORION_SERVICES_SCHEDULER_MIN_RUNS = 500", 'ORION_SERVER_BODY_RATE = "1 KB"',
        'ORION_CONFIG = "x"', f'ORION_ENCRYPTION_KEY = "{KEY}A"', 'PREFECT_ORION_UI_API_URL = "${NONE}"']))
    status, lines, errors = run(home, "config", "check")
    assert status == 1 and errors == "" and "hush" not in str(lines) and KEY not in str(lines)
    assert all(line.startswith("HOME/orion.toml:") for line in lines)
    assert [tuple(line.split(":", 3)[1:3]) for line in lines] == [
        ("2", " ORION_CORS_ORIGIN"), ("3", " PREFECT_API_KEY"), ("4", " PREFECT_SERVER_API_HOST"),
        ("9", " ORION_SERVER_BODY_RATE"), ("10", " ORION_CONFIG"), ("12", " PREFECT_ORION_UI_API_URL"),
        ("11", " ORION_ENCRYPTION_KEY"), ("7", " PREFECT_ORION_DATABASE_CONNECTION_URL"),
        ("6", " ORION_DATABASE_CONNECTIONS"), ("8", " PREFECT_ORION_SERVICES_SCHEDULER_MIN_RUNS")]


def test_check_of_what_is_valid(home):
    assert run(home, "config", "check") == (0, ["There is no HOME/orion.toml; the settings from elsewhere are valid."],
                                            "")
    write(home, 'ORION_SERVER_CONNECTIONS = 5\nPREFECT_API_KEY = "k"\n')
    assert run(home, "config", "check") == (0, [
        "HOME/orion.toml:2: PREFECT_API_KEY: it has no effect here: only the Python client obeys it",
        "HOME/orion.toml is valid."], "")
    assert run(home, "config", "check", "--config", "/nowhere") == \
        (1, ["There is no /nowhere, which --config names."], "")


def test_check_names_other_sources(home):
    write(home, '[profiles.default]\nPREFECT_ORION_API_PORT = 70000\n', "profiles.toml")
    status, lines, _ = run(home, "config", "check", ORION_SERVER_CONNECTIONS="0", PREFECT_SERVER_API_HOST="a",
                           PREFECT_ORION_API_HOST="b", PREFECT_LOGGING_ORION_BATCH_SIZE="5")
    assert status == 1 and lines == [
        "profile 'default': PREFECT_ORION_API_PORT: Port 70000 is not between 0 and 65535.",
        "environment: ORION_SERVER_CONNECTIONS: 0 is not between 1 and 4294967295.",
        "environment: PREFECT_LOGGING_ORION_MAX_LOG_SIZE: 1000000 is more than the 5 of "
        "PREFECT_LOGGING_ORION_BATCH_SIZE.",
        "environment: PREFECT_ORION_API_HOST: other names of it have other values"]


@pytest.mark.parametrize("settings, wrong", [
    ({"EVERY": "1d", "FOLDER": "/"}, None),
    ({"EVERY": "1d"}, None),
    ({"EVERY": "1d", "FOLDER": "/nowhere"},
     "environment: ORION_BACKUP_FOLDER: /nowhere: No such file or directory."),
    ({"EVERY": "1d", "KEEP": "0"}, "environment: ORION_BACKUP_KEEP: 0 is not between 1 and 2147483647."),
    ({"EVERY": "999ms"}, "environment: ORION_BACKUP_EVERY: 999ms is less than a second."),
    ({"KEEP": "3"}, "ORION_BACKUP_EVERY: It is not set, so that ORION_BACKUP_KEEP has no effect.")])
def test_check_of_backups(home, settings, wrong):
    given = {f"ORION_BACKUP_{name}": value for name, value in settings.items()}
    status, lines, _ = run(home, "config", "check", **given)
    assert (status, lines) == (1, [wrong]) if wrong else status == 0

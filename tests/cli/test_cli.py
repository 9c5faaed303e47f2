"""The command line: each command is run by the reference and by ours in homes of their own, and what they say, write
and exit with is compared by meaning. Where ours is meant to differ, the test says why."""
import contextlib
import http.server
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import threading
import urllib.request
from typing import NamedTuple

import pytest

from tests.lib import servers
from .reference import Reference

KINDS = ["reference", "orion"]


class Result(NamedTuple):
    status: int
    out: str  # of both streams, in their order

    @property
    def lines(self):
        return [line.strip() for line in self.out.splitlines() if line.strip()]


class Home:
    """A home of its own for one program, with its calls."""

    def __init__(self, kind, path, reference=None):
        self.kind = kind
        self.path = path
        self.reference = reference
        self.profiles = path / "profiles.toml"

    def environment(self, **changes):
        names = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "ORION_"))}
        # The reference wraps lines where it thinks the terminal ends.
        return {**names, "PREFECT_HOME": str(self.path), "COLUMNS": "500", "PYTHONWARNINGS": "ignore", **changes}

    def run(self, *words, stdin="", env=None):
        environment = self.environment(**env or {})
        if self.reference:
            status, out = self.reference.run(words, environment, stdin)
        else:
            done = subprocess.run([str(servers.ORION_BIN), *words], env=environment, input=stdin,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
            status, out = done.returncode, done.stdout
        return Result(status, out.replace(str(self.path), "HOME"))

    def write(self, text):
        self.profiles.write_text(text)


@pytest.fixture(scope="session")
def reference_calls():
    calls = Reference(servers.REFERENCE_BIN)
    yield calls
    calls.close()


@pytest.fixture
def ours(tmp_path):
    home = Home("orion", tmp_path / "orion")
    home.path.mkdir()
    return home


@pytest.fixture
def homes(tmp_path, ours, reference_calls):
    """One home for the reference and one for ours."""
    (tmp_path / "reference").mkdir()
    return {"reference": Home("reference", tmp_path / "reference", reference_calls), "orion": ours}


def both(homes, *words, **options):
    return homes["reference"].run(*words, **options), homes["orion"].run(*words, **options)


def load(home):
    """profiles.toml as the reference reads it."""
    code = "import json, sys, toml; print(json.dumps(toml.load(sys.argv[1])))"
    python = servers.REFERENCE_BIN.parent / "python"
    done = subprocess.run([str(python), "-c", code, str(home.profiles)], capture_output=True, text=True, check=True)
    return done.stdout


def same(homes, *words, **options):
    """Both print the same lines and exit alike; ours is given back."""
    reference, orion = both(homes, *words, **options)
    assert orion.lines == reference.lines
    assert orion.status == reference.status
    return orion


# ---- config view ----

def test_view_of_defaults(homes):
    """The reference's settings as it shows them, and beside them our own."""
    reference, orion = both(homes, "config", "view", "--show-defaults")
    own = ["ORION_ALLOWED_HOSTS='' (from defaults)", "ORION_AUTH_STRING='********' (from defaults)",
           "ORION_BACKUP_EVERY='None' (from defaults)",
           "ORION_BACKUP_FOLDER='${PREFECT_HOME}/backups' (from defaults)",
           "ORION_BACKUP_GZIP='False' (from defaults)", "ORION_BACKUP_KEEP='7' (from defaults)",
           "ORION_CONFIG='${PREFECT_HOME}/orion.toml' (from defaults)",
           "ORION_CORE_DUMPS='False' (from defaults)", "ORION_CORS_ORIGINS='' (from defaults)",
           "ORION_DATABASE_CACHE='6MB' (from defaults)",
           "ORION_DATABASE_CONNECTIONS='8' (from defaults)",
           "ORION_DATABASE_MIGRATION_TIMEOUT='2m' (from defaults)", "ORION_DATABASE_PGBOUNCER='False' (from defaults)",
           "ORION_ENCRYPTION_KEY='********' (from defaults)",
           "ORION_GENERATION='2.7' (from defaults)",
           "ORION_KEYS_FILE='${PREFECT_HOME}/keys.toml' (from defaults)",
           "ORION_LOG_ACCESS='False' (from defaults)", "ORION_LOG_FORMAT='text' (from defaults)",
           "ORION_LOG_SLOW='None' (from defaults)",
           "ORION_METRICS='True' (from defaults)",
           "ORION_RETENTION_LOGS='None' (from defaults)", "ORION_RETENTION_RUNS='None' (from defaults)",
           "ORION_RETENTION_STATES='' (from defaults)", "ORION_ROOT_PATH='' (from defaults)",
           "ORION_SERVER_BODY_RATE='1kB' (from defaults)", "ORION_SERVER_CONNECTIONS='10000' (from defaults)",
           "ORION_SERVER_HEAD_TIMEOUT='10s' (from defaults)", "ORION_SERVER_QUEUE='10000' (from defaults)",
           "ORION_SERVER_SPOOL='4GB' (from defaults)",
           "ORION_STUCK_AFTER='None' (from defaults)",
           "ORION_TRUSTED_PROXIES='127.0.0.0/8,::1' (from defaults)",
           "PREFECT_SERVER_API_BASE_PATH='None' (from defaults)"]
    assert sorted(line for line in orion.lines if line not in reference.lines) == own
    assert [line for line in orion.lines if line not in own] == reference.lines
    assert orion.status == reference.status == 0


def test_view_of_what_is_set(homes):
    for home in homes.values():
        home.write('active = "a"\n[profiles.a]\nPREFECT_ORION_API_PORT = 17\nPREFECT_DEBUG_MODE = true\n'
                   'PREFECT_API_KEY = "secret"\n'
                   'PREFECT_ORION_API_HOST = "h"\nPREFECT_ORION_SERVICES_LATE_RUNS_AFTER_SECONDS = 90061.5\n')
    env = {"PREFECT_ORION_API_HOST": "over", "PREFECT_LOGGING_LEVEL": "debug", "PREFECT_ORION_DATABASE_TIMEOUT": "1e1"}
    result = same(homes, "config", "view", env=env)
    assert "PREFECT_ORION_API_HOST='over' (from env)" in result.lines
    assert "PREFECT_ORION_API_PORT='17' (from profile)" in result.lines
    same(homes, "config", "view", "--hide-sources", env=env)
    assert "PREFECT_API_KEY='secret'" in same(homes, "config", "view", "--hide-sources", "--show-secrets",
                                              env=env).lines


def test_view_hides_passwords(homes):
    env = {"PREFECT_ORION_DATABASE_CONNECTION_URL": "postgresql+asyncpg://u:hush@h/db"}
    assert "hush" not in same(homes, "config", "view", env=env).out
    assert "hush" in same(homes, "config", "view", "--show-secrets", env=env).out


def test_password_without_use_is_warned_of(homes):
    warning = "The provided password will be ignored."
    env = {"PREFECT_ORION_DATABASE_PASSWORD": "hush", "PYTHONWARNINGS": "default"}
    for result in both(homes, "config", "view", env=env):
        assert warning in result.out and "hush" not in result.out


# ---- config set, unset ----

def test_set_and_unset(homes):
    same(homes, "config", "set", "PREFECT_API_URL=http://h/api", "PREFECT_ORION_API_HOST=a\"b\\c'd",
         "PREFECT_RESULTS_DEFAULT_SERIALIZER=é#=y")
    assert load(homes["orion"]) == load(homes["reference"])
    same(homes, "config", "set", "PREFECT_API_URL=other", env={"PREFECT_API_URL": "x"})
    same(homes, "config", "view")
    same(homes, "config", "unset", "PREFECT_ORION_API_HOST")
    same(homes, "config", "unset", "PREFECT_API_URL", env={"PREFECT_API_URL": "x"})
    same(homes, "config", "unset", "PREFECT_API_URL")
    assert load(homes["orion"]) == load(homes["reference"])


@pytest.mark.parametrize("words", [
    ["set", "FOO=1"], ["set", "PREFECT_API_URL"], ["unset", "FOO"], ["unset", "PREFECT_API_URL"],
    ["set", "PREFECT_ORION_API_PORT=x"], ["set", "PREFECT_LOGGING_ORION_BATCH_SIZE=5"],
    ["set", "PREFECT_ORION_API_PORT="],
    ["set", "PREFECT_LOGGING_LEVEL=foo", "PREFECT_DEBUG_MODE=x", "PREFECT_API_REQUEST_TIMEOUT=y",
     "PREFECT_LOGGING_ORION_WHEN_MISSING_FLOW=z", "PREFECT_ORION_SERVICES_LATE_RUNS_AFTER_SECONDS=q"],
], ids=" ".join)
def test_refused_changes(homes, words):
    assert same(homes, "config", *words).status == 1
    assert not homes["orion"].profiles.exists()


def test_secrets_are_not_echoed(ours):
    """The reference repeats the value; ours never prints a secret unless it is asked to."""
    for setting in ["PREFECT_ORION_DATABASE_CONNECTION_URL=postgresql+asyncpg://u:hush@h/db", "PREFECT_API_KEY=hush"]:
        result = ours.run("config", "set", setting)
        assert result.status == 0 and "hush" not in result.out
    assert "hush" in ours.profiles.read_text()
    assert "hush" not in ours.run("profile", "inspect", "default").out
    assert "hush" in ours.run("profile", "inspect", "default", "--show-secrets").out


def test_bad_values_of_the_environment(homes):
    expected = ["1 validation error for Settings", "PREFECT_ORION_API_PORT",
                "value is not a valid integer (type=type_error.integer)"]
    reference, orion = both(homes, "config", "view", env={"PREFECT_ORION_API_PORT": "x"})
    assert orion.lines == expected
    assert [line.removeprefix("pydantic.error_wrappers.ValidationError: ") for line in reference.lines[-3:]] == expected
    assert orion.status == reference.status == 1


def test_unknown_setting_in_a_profile(homes):
    for home in homes.values():
        home.write("[profiles.a]\nFOO = 1\n")
    for result in both(homes, "config", "view"):
        assert result.status == 1 and "Unknown setting 'FOO'. (type=value_error)" in result.out


# ---- profiles ----

def inspected_by_reference(home):
    """What `profile inspect` prints of each profile, in one call."""
    code = """
import json, prefect.settings
profiles = prefect.settings.load_profiles()
print(json.dumps({name: [f"{s.name}='{v}'" for s, v in profiles[name].settings.items()] for name in profiles.names}))
"""
    done = subprocess.run([str(servers.REFERENCE_BIN.parent / "python"), "-c", code], env=home.environment(),
                          capture_output=True, text=True, check=True)
    return {name: "\n".join(lines).splitlines() for name, lines in json.loads(done.stdout).items()}

def names(result):
    """Of `profile ls`: the names, and the active one."""
    rows = re.findall(r"^[│ ]*(\* )?([\w-]+) *│?$", result.out, re.M)
    return sorted(name for _, name in rows), [name for star, name in rows if star]


def last(result):
    return result.lines[-1]


def test_life_of_profiles(homes):
    def compare(*words, env=None):
        reference, orion = both(homes, "profile", *words, env=env)
        assert orion.status == reference.status
        assert load(homes["orion"]) == load(homes["reference"])
        return reference, orion

    compare("create", "foo")
    for home in homes.values():
        assert home.run("-p", "foo", "config", "set", "PREFECT_ORION_API_PORT=17").status == 0
    compare("create", "bar", "--from", "foo")
    assert names(homes["orion"].run("profile", "ls")) == names(homes["reference"].run("profile", "ls")) == \
        (["bar", "default", "foo"], ["default"])
    for words in [("use", "nope"), ("use", "bar"), ("delete", "bar"), ("rename", "nope", "x"), ("rename", "bar", "foo"),
                  ("rename", "bar", "baz"), ("inspect", "baz"), ("inspect", "nope"), ("delete", "nope"),
                  ("delete", "foo"), ("delete", "default")]:
        reference, orion = compare(*words)
        assert last(orion) == last(reference)
    assert names(homes["orion"].run("profiles", "ls")) == names(homes["reference"].run("profiles", "ls")) == \
        (["baz", "default"], ["baz"])
    reference, orion = compare("create", "baz")
    assert reference.status == 1 and orion.lines[0] == reference.lines[0]
    reference, orion = compare("rename", "baz", "end", env={"PREFECT_PROFILE": "baz"})
    assert orion.lines == reference.lines
    same(homes, "profile", "inspect")


@pytest.mark.parametrize("text", [
    "",
    "active = 'b'\n[profiles.a]\nPREFECT_API_URL = 'x' # comment\n[profiles.b]\nPREFECT_ORION_API_PORT = 0x11\n"
    "PREFECT_DEBUG_MODE = true\n",
    "active = \"a\"\n[profiles.a]\n",
    "[profiles.\"two words\"]\nPREFECT_API_URL = \"\"\"multi\nline\"\"\"\nPREFECT_HOME = '''~'''\n",
    "[profiles.a]\nPREFECT_AGENT_QUERY_INTERVAL = 2.50\nPREFECT_AGENT_PREFETCH_SECONDS = 1_000\n",
    "[profiles.default]\nPREFECT_API_URL = \"tab\\t quote\\\" u\\u00e9 back\\\\\"\n",
])
@pytest.mark.parametrize("writer", KINDS)
def test_either_reads_what_the_other_wrote(homes, text, writer):
    """A file of the user's is rewritten by one of the two, then each reads it."""
    homes[writer].write(text)
    assert homes[writer].run("profile", "create", "new").status == 0
    written = homes[writer].profiles.read_text()
    for home in homes.values():
        home.write(written)
    profiles = inspected_by_reference(homes["reference"])
    assert "new" in profiles
    for name, lines in profiles.items():
        assert homes["orion"].run("profile", "inspect", name).out.splitlines() == \
            (lines or [f"Profile {name!r} is empty."])


@pytest.mark.parametrize("where", ["environment", "file"])
def test_unknown_active_profile_falls_back(homes, where):
    for home in homes.values():
        home.write('active = "gone"\n')
    env = {"PREFECT_PROFILE": "lost"} if where == "environment" else {}
    result = same(homes, "config", "view", env=env)
    assert result.lines[1] == "PREFECT_PROFILE='default'"


def test_unknown_profile_of_the_option(homes):
    for result in both(homes, "-p", "nope", "config", "view"):
        assert result.status == 1 and last(result) == "Unknown profile 'nope'."


def test_option_goes_over_the_environment(homes):
    for home in homes.values():
        home.write("[profiles.a]\nPREFECT_ORION_API_PORT = 1\n[profiles.b]\nPREFECT_ORION_API_PORT = 2\n")
    env = {"PREFECT_PROFILE": "a", "PREFECT_ORION_API_PORT": "3"}
    for words in [("-p", "b"), ("--profile", "b")]:
        for result in both(homes, *words, "config", "view", "--hide-sources", env=env):
            assert "PREFECT_PROFILE='b'" in result.lines and "PREFECT_ORION_API_PORT='2'" in result.lines
    assert "PREFECT_ORION_API_PORT='3'" in same(homes, "config", "view", "--hide-sources", env=env).lines


def test_profiles_elsewhere(homes, tmp_path):
    for home in homes.values():
        elsewhere = tmp_path / home.kind / "sub" / "p.toml"
        elsewhere.parent.mkdir()
        env = {"PREFECT_PROFILES_PATH": "${PREFECT_HOME}/sub/p.toml"}
        assert home.run("config", "set", "PREFECT_ORION_API_PORT=5", env=env).status == 0
        assert not home.profiles.exists() and "PREFECT_ORION_API_PORT" in elsewhere.read_text()


class Healthy(http.server.BaseHTTPRequestHandler):
    status = 200

    def do_GET(self):
        self.send_response(self.status if self.path == "/api/health" else 404)
        self.send_header("content-length", "4")
        self.end_headers()
        self.wfile.write(b"true")

    def log_message(self, *args):
        pass


class Sick(Healthy):
    status = 500


@contextlib.contextmanager
def answering(handler):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/api"
        server.shutdown()


@pytest.mark.parametrize("handler, status", [(Healthy, 0), (Sick, 1), (None, 1), ("no address", 1)])
def test_use_asks_the_api(homes, handler, status):
    with contextlib.ExitStack() as stack:
        if handler in (Healthy, Sick):
            url = stack.enter_context(answering(handler))
        else:
            url = handler or f"http://127.0.0.1:{servers.free_port()}/api"
        for home in homes.values():
            home.write(f'[profiles.a]\nPREFECT_API_URL = "{url}"\n')
        reference, orion = both(homes, "profile", "use", "a")
    assert orion.status == reference.status == status
    assert last(orion) == last(reference)
    assert load(homes["orion"]) == load(homes["reference"])


# ---- help, versions, mistakes ----

def test_version(homes):
    assert same(homes, "-v").out == "2.7.12\n"
    same(homes, "--version")

    def pairs(result):
        return dict(re.findall(r"^ *([\w /]+): +(.+)$", result.out, re.M))

    reference, orion = (pairs(result) for result in both(homes, "version"))
    shared = ["Version", "API version", "OS/Arch", "Profile", "Server type", "Database"]
    assert {name: orion[name] for name in shared} == {name: reference[name] for name in shared}
    assert re.fullmatch(r"3\.\d+\.\d+", orion["SQLite version"])
    assert re.fullmatch(r"[0-9a-f]{7,}(-dirty)?|unknown", orion["Git commit"])
    names = [name for name in orion if name in reference]  # in the reference's order, with some of its own between
    assert names == [name for name in reference if name in orion]


@pytest.mark.parametrize("words", [
    ["nosuch"], ["config", "set"], ["config", "view", "--foo"], ["profile", "rename", "a"],
    ["orion", "start", "--port", "x"], ["orion", "database", "stamp"],
], ids=" ".join)
def test_mistakes(homes, words):
    reference, orion = both(homes, *words)
    assert orion.status == reference.status == 2
    assert "Usage:" in orion.out and "--help" in orion.out


@pytest.mark.parametrize("words, part", [
    (["config", "nosuch"], "No such command 'nosuch'."),
    (["config", "view", "extra"], "unexpected extra argument (extra)"),
    (["start", "--nope"], "No such option: --nope"), (["start", "--host"], "Option '--host' requires an argument."),
    (["database", "upgrade", "-x"], "No such option: -x"),
    (["database", "upgrade", "-r"], "Option '-r' requires an argument."), (["-p"], "Option '-p' requires an argument."),
    (["--nope"], "No such option: --nope"), (["orion", "nosuch"], "No such command 'nosuch'."),
])
def test_mistakes_are_named(ours, words, part):
    result = ours.run(*words)
    assert result.status == 2 and result.lines[-1].endswith(part)


COMMANDS = [[], ["orion"], ["start"], ["orion", "start"], ["server", "start"], ["status"], ["version"], ["config"],
            ["database"], ["orion", "database"], ["profile"], ["profiles"],
            *[["config", word] for word in ("set", "unset", "view")],
            *[["database", word] for word in ("reset", "upgrade", "downgrade", "stamp", "check", "copy", "indexes")],
            *[["database", "indexes", word] for word in ("ls", "make", "drop")],
            *[["profile", word] for word in ("ls", "create", "use", "delete", "rename", "inspect")]]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_help(ours, words):
    result = ours.run(*words, "--help")
    assert result.status == 0 and "Usage: orion" in result.out
    assert not ours.profiles.exists()


def test_help_names_every_option_of_the_reference(homes):
    for words in [["orion", "start"], ["orion", "database", "upgrade"], ["orion", "database", "downgrade"],
                  ["orion", "database", "reset"], ["config", "view"], ["profile", "create"]]:
        reference, orion = both(homes, *words, "--help")
        options = set(re.findall(r"(?<![\w-])--?[a-z][\w-]*", reference.out))
        assert options <= set(re.findall(r"(?<![\w-])--?[a-z][\w-]*", orion.out)), words


DEFAULTS = {"host": "127.0.0.1, PREFECT_ORION_API_HOST", "port": "4200, PREFECT_ORION_API_PORT",
            "url": "none, PREFECT_API_URL", "root-path": "none, ORION_ROOT_PATH",
            "log-format": "text, ORION_LOG_FORMAT", "log-access": "no-log-access, ORION_LOG_ACCESS",
            "ui": "ui, PREFECT_ORION_UI_ENABLED"}


@pytest.mark.parametrize("words", [["start"], ["status"]], ids=" ".join)
def test_help_shows_the_defaults_of_options(ours, words):
    """They are the settings' own, whatever is set here, as a manual would show them."""
    result = ours.run(*words, "--help", env={"PREFECT_ORION_API_HOST": "0.0.0.0", "PREFECT_ORION_API_PORT": "x"})
    found = dict(re.findall(r"^ +--([a-z-]+)[^\n]+\n +\[default: ([^]]+)\]$", result.out, re.M))
    assert len(found) >= 3 and DEFAULTS | found == found | {name: DEFAULTS[name] for name in DEFAULTS}
    assert len(found) == result.out.count("[default:")


def test_help_names_every_default_of_the_reference(homes):
    """The reference names the setting alone."""
    reference, orion = both(homes, "orion", "start", "--help", env={"COLUMNS": "300"})
    for setting in re.findall(r"\[default: \(from (\w+)\)\]", reference.out):
        assert re.search(rf"\[default: [\w.-]+, {setting}\]", orion.out), setting


def test_alone_shows_help(ours):
    alone = ours.run()
    assert alone.status == 0 and alone.out == ours.run("--help").out
    assert ours.run("config").out == ours.run("config", "--help").out


@pytest.mark.parametrize("command", ["agent", "block", "blocks", "cloud", "concurrency-limit", "deployment", "dev",
                                     "flow", "flows", "flow-run", "kubernetes", "work-pool", "work-queue", "worker"])
def test_commands_of_the_client(ours, command):
    result = ours.run(command, "ls", "--limit", "3")
    assert result.status == 2 and len(result.lines) == 1 and "Python client" in result.out


def test_called_as_prefect(ours, tmp_path):
    link = tmp_path / "prefect"
    link.symlink_to(servers.ORION_BIN.resolve())
    for words in (["config", "view"], ["orion", "database", "--help"]):
        done = subprocess.run([str(link), *words], env=ours.environment(), capture_output=True, text=True)
        plain = ours.run(*words).out.replace("HOME", str(ours.path)) \
            .replace("PREFECT_" + str(ours.path), "PREFECT_HOME")
        assert done.returncode == 0 and done.stdout == plain.replace("Usage: orion", "Usage: prefect")


def on_terminal(command, env):
    """What the command writes to a terminal."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(command, env=env, stdin=follower, stdout=follower, stderr=follower)
    os.close(follower)
    out = b""
    with contextlib.suppress(OSError):
        while chunk := os.read(leader, 4096):
            out += chunk
    os.close(leader)
    process.wait(timeout=10)
    return out.decode()


def test_colours_only_on_a_terminal(ours):
    command = [str(servers.ORION_BIN), "config", "set", "PREFECT_ORION_API_PORT=1"]
    env = ours.environment(TERM="xterm")
    assert "\033[32m" in on_terminal(command, env)
    assert "\033[" not in ours.run("config", "set", "PREFECT_ORION_API_PORT=1", env={"TERM": "xterm"}).out
    for off in ({"PREFECT_CLI_COLORS": "false"}, {"NO_COLOR": "1"}, {"TERM": "dumb"}):
        assert "\033[" not in on_terminal(command, {**env, **off})


# ---- database ----

OLDER = {"sqlite": "f92143d30c27", "postgresql": "2882cd2df463"}
HEADS = {"sqlite": "bfe42b7090d6", "postgresql": "2a88656f4a23"}


@pytest.fixture
def stores(homes, engine):
    """The homes' databases, which the settings in the homes name where they are in PostgreSQL; ours is empty, and so is
    the reference's."""
    found = {kind: servers.Store.of_home(engine, home.path) for kind, home in homes.items()}
    for kind, store in found.items():
        store.create("orion")
        if engine == "postgresql":
            homes[kind].write(
                f'active = "default"\n[profiles.default]\nPREFECT_ORION_DATABASE_CONNECTION_URL = "{store.url}"\n')
    yield found
    for store in found.values():
        store.drop()


@pytest.fixture
def store(stores):
    return stores["orion"]


def revisions(store):
    return store.execute("SELECT version_num FROM alembic_version")


def last_of(result, store):
    """The last line, whatever the database is called."""
    return last(result).replace(store.name, "NAME")


def test_upgrade_and_downgrade(homes, stores):
    reference, orion = both(homes, "orion", "database", "upgrade", "-y")
    assert orion.status == reference.status == 0
    assert last_of(orion, stores["orion"]) == last_of(reference, stores["reference"])
    assert "Orion database at " in orion.lines[-1] and orion.lines[-1].endswith(" upgraded!")
    assert stores["orion"].tables() == stores["reference"].tables()
    assert revisions(stores["orion"]) == revisions(stores["reference"])
    assert homes["orion"].run("database", "downgrade", "-y").status == 0
    assert stores["orion"].tables() == []


def test_dry_run_changes_nothing(ours, store):
    plan = ours.run("database", "upgrade", "-y", "--dry-run")
    assert plan.status == 0 and "CREATE TABLE flow_run" in plan.out
    assert store.tables() == []
    assert ours.run("database", "upgrade", "-y").status == 0
    before = store.tables()
    assert "CREATE TABLE" not in ours.run("database", "upgrade", "-y", "--dry-run").out
    assert ours.run("database", "downgrade", "-y", "--dry-run").status == 0
    assert store.tables() == before


def test_plan_makes_the_schema(ours, store):
    plan = ours.run("database", "upgrade", "-y", "--dry-run").out
    assert ours.run("database", "upgrade", "-y").status == 0
    made = store.tables()
    assert ours.run("database", "downgrade", "-y").status == 0
    store.script(plan)
    assert store.tables() == made


def test_reset_asks(homes, stores):
    for kind, home in homes.items():
        assert home.run("orion", "database", "upgrade", "-y").status == 0
        stores[kind].execute("INSERT INTO flow (name) VALUES ('kept')")

    def flows(kind):
        return stores[kind].execute("SELECT name FROM flow")

    for stdin in ("", "n\n", "\n"):
        reference, orion = both(homes, "orion", "database", "reset", stdin=stdin)
        assert orion.out.replace(stores["orion"].name, "NAME").split() == \
            reference.out.replace(stores["reference"].name, "NAME").split()
        assert orion.status == reference.status
        assert flows("orion") == [("kept",)]
    reference, orion = both(homes, "orion", "database", "reset", stdin="y\n")
    assert orion.status == reference.status == 0 \
        and last_of(orion, stores["orion"]) == last_of(reference, stores["reference"])
    assert flows("orion") == flows("reference") == []
    assert homes["orion"].run("database", "reset", "--yes").status == 0


@pytest.mark.parametrize("url, shown", [
    ("user:hu/sh@h/db", "user:***@h/db"), ("h/db?user=u&password=hush", "h/db?user=u&password=***"),
    ("user:hush@h/db?sslpassword=hu@sh&ssl=1&password=hu", "user:***@h/db?sslpassword=***&ssl=1&password=***"),
])
def test_passwords_are_not_asked_about(ours, url, shown):
    env = {"PREFECT_ORION_DATABASE_CONNECTION_URL": f"postgresql+asyncpg://{url}"}
    for command in ("reset", "upgrade", "downgrade"):
        result = ours.run("database", command, stdin="n\n", env=env)
        assert result.status == 1 and "hu" not in result.out and shown in result.out


def test_stamp(homes, stores, engine):
    for home in homes.values():
        assert home.run("orion", "database", "upgrade", "-y").status == 0
    same(homes, "orion", "database", "stamp", OLDER[engine])
    assert revisions(stores["orion"]) == revisions(stores["reference"]) == [(OLDER[engine],)]
    older = homes["orion"].run("start", "--port", str(servers.free_port()))
    assert older.status == 1 and OLDER[engine] in older.out
    same(homes, "orion", "database", "stamp", "head")
    assert revisions(stores["orion"]) == revisions(stores["reference"]) == [(HEADS[engine],)]
    for result in both(homes, "orion", "database", "stamp", "zzz"):
        assert result.status == 1 and "Can't locate revision identified by 'zzz'" in result.out


# What Prefect 2.20.25 leaves in a database, as far as it matters: another revision, tables of our names, tables that we
# do not have.
NEWER = ["CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)",
         "INSERT INTO alembic_version VALUES ('354f1ede7e9f')", "CREATE TABLE log (id VARCHAR(36))",
         "CREATE TABLE variable (id VARCHAR(36))"]
FOREIGN = ["CREATE TABLE log (line TEXT)", "CREATE TABLE orders (id INTEGER)"]


@pytest.mark.parametrize("statements, found", [(NEWER, "354f1ede7e9f"), (FOREIGN, "log")], ids=["newer", "foreign"])
def test_databases_of_others_are_left_alone(ours, store, statements, found):
    for statement in statements:
        store.execute(statement)
    store.execute("INSERT INTO log VALUES ('a line')")
    before = store.dump()
    for words in (["downgrade", "-y"], ["downgrade", "-y", "--dry-run"], ["reset", "-y"], ["upgrade", "-y"],
                  ["stamp", "head"], ["stamp", OLDER[store.engine]]):
        result = ours.run("database", *words)
        assert (result.status, found in result.out) == (1, True), result
        assert "succeeded" not in result.out
        assert store.dump() == before


@pytest.mark.parametrize("form", ["{}", "file:{}?uri=true", "file://{}?cache=shared&uri=true"])
@pytest.mark.parametrize("words, status", [
    (["upgrade", "-y", "--dry-run"], 0), (["downgrade", "-y", "--dry-run"], 1), (["downgrade", "-y"], 1),
    (["stamp", "head"], 1), (["stamp", OLDER["sqlite"]], 1),
    (["copy", "--from", "URL", "--to", "sqlite:///other.db"], 1),
], ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_what_needs_a_database_makes_no_file(ours, words, status, form):
    path = ours.path / "a b.db"
    url = "sqlite+aiosqlite:///" + form.format(str(path).replace(" ", "%20") if "file:" in form else path)
    result = ours.run("database", *[url if word == "URL" else word for word in words],
                      env={"PREFECT_ORION_DATABASE_CONNECTION_URL": url})
    assert result.status == status and (status == 0 or "There is no database at HOME/a b.db" in result.out), result
    assert os.listdir(ours.path) == []


@pytest.mark.parametrize("words", [["upgrade", "-y", "-r", "zzz"], ["downgrade", "-y", "-r", "zzz"]], ids=" ".join)
def test_unknown_revisions(homes, stores, words):
    for result in both(homes, "orion", "database", *words):
        assert result.status == 1 and "Can't locate revision identified by 'zzz'" in result.out


@pytest.mark.parametrize("word", ["head", "its name"])
def test_upgrade_to_the_head_by_name(ours, store, engine, word):
    assert ours.run("database", "upgrade", "-y", "-r", word if word == "head" else HEADS[engine]).status == 0
    assert revisions(store) == [(HEADS[engine],)]


def test_bad_templates_can_be_repaired(ours):
    assert ours.run("config", "set",
                    "PREFECT_ORION_DATABASE_CONNECTION_URL=sqlite+aiosqlite:///${NOPE}/x.db").status == 0
    for words in (["start"], ["database", "upgrade", "-y"]):
        result = ours.run(*words)
        assert result.status == 1 and "PREFECT_ORION_DATABASE_CONNECTION_URL" in result.out
    assert ours.run("config", "view").status == 0
    assert ours.run("config", "unset", "PREFECT_ORION_DATABASE_CONNECTION_URL").status == 0
    assert ours.run("database", "upgrade", "-y").status == 0


# ---- start ----

@contextlib.contextmanager
def started(home, *words, env=None):
    """Our server, once it has said where it is; gives the process and what it printed."""
    process = subprocess.Popen([str(servers.ORION_BIN), *words], env=home.environment(**env or {}),
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    timer = threading.Timer(30, process.kill)
    timer.start()
    try:
        banner = ""
        while "PREFECT_API_URL=" not in banner:
            line = process.stdout.readline()
            assert line, banner
            banner += line
        yield process, banner
    finally:
        timer.cancel()
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_start_says_where_and_stops(ours, number):
    port = servers.free_port()
    with started(ours, "start", "--port", str(port)) as (process, banner):
        for part in ("api", "docs"):
            assert f"http://127.0.0.1:{port}/{part}" in banner
        assert re.search(rf"Dashboard +http://127.0.0.1:{port}$", banner, re.M)
        process.send_signal(number)
        assert process.wait(timeout=15) == 0
        assert "Orion stopped!" in process.stdout.read()
    assert (ours.path / "orion.db").exists()


def settings_of(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/admin/settings", timeout=10) as answer:
        return json.load(answer)


def test_options_reach_the_server(ours):
    port = servers.free_port()
    words = ["orion", "start", "--no-scheduler", "--no-late-runs", "--analytics-off", "--no-ui", "--keep-alive-timeout",
             "7", "--log-level", "error"]
    with started(ours, *words, env={"PREFECT_ORION_API_PORT": str(port)}) as (_, banner):
        assert "Dashboard  off" in banner
        settings = settings_of(port)
    assert settings["PREFECT_ORION_SERVICES_SCHEDULER_ENABLED"] is False
    assert settings["PREFECT_ORION_SERVICES_LATE_RUNS_ENABLED"] is False
    assert settings["PREFECT_ORION_ANALYTICS_ENABLED"] is False
    assert settings["PREFECT_ORION_UI_ENABLED"] is False
    assert settings["PREFECT_ORION_API_KEEPALIVE_TIMEOUT"] == 7
    assert settings["PREFECT_LOGGING_SERVER_LEVEL"] == "ERROR"
    assert list(settings)[0] == "PREFECT_HOME" and settings["PREFECT_API_KEY"] == "********"


def test_profile_of_the_option_is_used(ours):
    port = servers.free_port()
    ours.write(f"[profiles.a]\nPREFECT_ORION_API_PORT = {port}\n")
    with started(ours, "-p", "a", "start"):
        assert settings_of(port)["PREFECT_ORION_API_PORT"] == port


def test_port_in_use(ours, tmp_path):
    port = servers.free_port()
    other = Home("orion", tmp_path / "other")
    other.path.mkdir()
    with started(ours, "start", "--port", str(port)):
        result = other.run("start", "--port", str(port))
    assert result.status == 1 and len(result.lines) == 1 and str(port) in result.out


@pytest.mark.parametrize("words, part",
                         [(["--port", "70000"], "70000"), (["--log-level", "foo"], "Unknown level: 'FOO'")])
def test_start_refuses(ours, words, part):
    result = ours.run("start", *words)
    assert result.status == 1 and part in result.out


def test_database_that_cannot_be_opened(ours):
    result = ours.run("start", env={"PREFECT_ORION_DATABASE_CONNECTION_URL": "sqlite+aiosqlite:////proc/none/orion.db"})
    assert result.status == 1 and len(result.lines) == 1


def test_home_is_made(ours):
    shutil.rmtree(ours.path)
    assert ours.run("database", "upgrade", "-y").status == 0
    assert (ours.path / "orion.db").exists()

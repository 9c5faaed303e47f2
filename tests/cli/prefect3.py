"""What Prefect 3.8.3 says, on which ours is measured where it reads that generation's settings.

`python -m tests.cli.prefect3` asks the reference for all of it and writes prefect-3.8.3.json beside this file. It needs
prefect==3.8.3 in an environment of its own: the command is REFERENCE_3_BIN, by default .venv3/bin/prefect."""
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REFERENCE_3_BIN = Path(os.environ.get("REFERENCE_3_BIN", ROOT / ".venv3/bin/prefect"))
RECORD = Path(__file__).with_name("prefect-3.8.3.json")

# Files, below the working folder, and below the home folder; variables; the commands, in order.
FILES = {
    ".env": 'export PREFECT_SERVER_API_DEFAULT_LIMIT=77 # a comment\nPREFECT_API_KEY="se cret"\n\n'
            "PREFECT_CLIENT_MAX_RETRIES='6'\nPREFECT_WORKER_QUERY_SECONDS=${PREFECT_CLIENT_MAX_RETRIES}.${NO:-5}\n",
    "prefect.toml": 'ui_url = "http://ui"\ndebug_mode = false\n'
                    "[server.api]\nport = 4301\nkeepalive_timeout = 1\nnope = 3\ndefault_limit = 1\n"
                    "[server.services.late_runs]\nafter_seconds = 20\n[client]\nretry_extra_codes = [429, 430]\n",
    "pyproject.toml": '[project]\nname = "x"\n[[tool.other]]\na = 1\n[tool.other.inner]\na = 1\n[[tool.other]]\n'
                      "[tool.other.inner]\na = 2\n[tool.prefect]\n"
                      '[tool.prefect.server.api]\nport = 4302\nhost = "0.0.0.0"\n[tool.prefect.server]\n'
                      'logging_level = "ERROR"\n',
}
PROFILES = {"home/.prefect/profiles.toml":
            'active = "n"\n[profiles.n]\nPREFECT_SERVER_API_PORT = 4303\nPREFECT_API_DATABASE_TIMEOUT = "9"\n'
            'PREFECT_LOGGING_LEVEL = "INFO"\nPREFECT_API_DEFAULT_LIMIT = 2\n[profiles.other]\n'
            'PREFECT_SERVER_API_PORT = "4399"\n'}
CASES = {
    "nothing": ({}, {}, [["config", "view"], ["config", "view", "-o", "json"]]),
    "defaults": ({}, {}, [["config", "view", "--show-defaults"]]),
    "order": ({**FILES, **PROFILES}, {"PREFECT_SERVER_API_KEEPALIVE_TIMEOUT": "8", "PREFECT_UI_ENABLED": "0"},
              [["config", "view"], ["config", "view", "--hide-sources"], ["config", "view", "--output", "JSON"],
               ["config", "view", "--show-secrets", "--hide-sources", "-o", "json"],
               ["--profile", "other", "config", "view"], ["-p", "local", "config", "view"]]),
    "pyproject": ({"pyproject.toml": FILES["pyproject.toml"]}, {}, [["config", "view"]]),
    "dotenv": ({".env": "PREFECT_API_URL='http://a\\'b/api'\nPREFECT_WORKER_WEBSERVER_HOST=\"a\\\"b\"\n"
                        "PREFECT_CLIENT_METRICS_PORT =  5   \nPREFECT_CLIENT_MAX_RETRIES\n"
                        "PREFECT_RUNNER_SERVER_HOST=a#b # c\nNOT A LINE\nexport\tPREFECT_RESULTS_DEFAULT_SERIALIZER=x\n"
                        "'PREFECT_UI_URL'=http://ui\nPREFECT_RUNNER_POLL_FREQUENCY=3\nPREFECT_RUNNER_POLL_FREQUENCY=4\n"
                        "PREFECT_SERVER_API_BASE_PATH=\nPREFECT_DOCKER='open\n"}, {}, [["config", "view"]]),
    "profiles path": ({"prefect.toml": 'profiles_path = "p.toml"\n',
                       "p.toml": 'active = "there"\n[profiles.there]\nPREFECT_SERVER_API_PORT = "1"\n'}, {},
                      [["config", "view"]]),
    "home": ({"pyproject.toml": '[tool.prefect]\nhome = "there"\n'}, {}, [["config", "view"]]),
    "no toml": ({"prefect.toml": "[server\n"}, {}, [["config", "view"]]),
    "set": (PROFILES, {"PREFECT_CLIENT_MAX_RETRIES": "2"}, [
        ["config", "set", "PREFECT_API_DEFAULT_LIMIT=5", "PREFECT_CLIENT_MAX_RETRIES=3"],
        ["config", "set", "PREFECT_NO=1"], ["config", "set", "PREFECT_HOME=1"], ["config", "set", "x"],
        ["config", "set", "PREFECT_API_DEFAULT_LIMIT=1", "PREFECT_PROFILES_PATH=x"], ["config", "view"],
        ["config", "unset", "PREFECT_NO"], ["config", "unset", "PREFECT_UI_URL"],
        ["config", "unset", "PREFECT_SERVER_API_PORT", "-y"],
        ["config", "unset", "--yes", "PREFECT_API_DEFAULT_LIMIT", "PREFECT_CLIENT_MAX_RETRIES"], ["config", "view"]]),
    "set without a file": ({}, {}, [["config", "set", "PREFECT_API_URL=http://a/api"], ["config", "view"]]),
    "set in a built-in profile": ({}, {}, [["-p", "local", "config", "set", "PREFECT_SERVER_API_PORT=5"]]),
    "validate": (PROFILES, {}, [["config", "validate"]]),
    "bad output": ({}, {}, [["config", "view", "-o", "yaml"]]),
}
BAD = ["PREFECT_SERVER_API_PORT=x", "PREFECT_SERVER_API_PORT=1.5", "PREFECT_SERVER_UI_ENABLED=maybe",
       "PREFECT_SERVER_LOGGING_LEVEL=y", "PREFECT_LOGGING_LEVEL=notset", "PREFECT_FLOWS_HEARTBEAT_FREQUENCY=29",
       "PREFECT_SERVER_EVENTS_RETENTION_PERIOD=z", "PREFECT_CLIENT_RETRY_JITTER_FACTOR=-1",
       "PREFECT_SERVER_SERVICES_DB_VACUUM_LOOP_SECONDS=0", "PREFECT_WORKER_QUERY_SECONDS=soon",
       "PREFECT_SERVER_CONCURRENCY_INITIAL_DEPLOYMENT_LEASE_DURATION=3601",
       "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW=x", "PREFECT_SERVER_DATABASE_DRIVER=mysql"]
GOOD = ["PREFECT_LOGGING_LEVEL=debug", "PREFECT_SERVER_UI_ENABLED=OFF", "PREFECT_SERVER_API_PORT= 5 ",
        "PREFECT_SERVER_EVENTS_RETENTION_PERIOD=P1D", "PREFECT_FLOWS_HEARTBEAT_FREQUENCY=30"]
CASES |= {f"set {item}": ({}, {}, [["config", "set", item]]) for item in [*BAD, *GOOD]}

# Every name of every setting, with a value that it takes.
NAMES = """
import json
from prefect.settings.legacy import _get_settings_fields, _get_valid_setting_names
from prefect.settings import Settings
fields = _get_settings_fields(Settings)
print(json.dumps({name: [fields[name].name, str(fields[name]._type)] for name in _get_valid_setting_names(Settings)}))
"""
VALUES = {"bool": "1", "int": "300", "float": "300", "timedelta": "PT7200S", "Path": "/x/y", "Literal['DEBUG'": "ERROR",
          "Literal['warn'": "error", "Literal['postgresql": "sqlite+aiosqlite", "dict": '{"a": 7200}',
          "Dict": '{"a": "b"}', "set[str]": '["a"]', "list": "1", "Set": "300"}
SPECIAL = {"PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "true", "PREFECT_CLIENT_RETRY_EXTRA_CODES": "300",
           "PREFECT_SERVER_SERVICES_DB_VACUUM_EVENT_RETENTION_OVERRIDES": '{"a": 7200}',
           "PREFECT_LOGGING_EXTRA_LOGGERS": '["a"]',
           "PREFECT_SERVER_DATABASE_CONNECTION_URL": "sqlite+aiosqlite:////x/y.db", "PREFECT_API_URL": "http://a/api",
           "PREFECT_API_DATABASE_CONNECTION_URL": "sqlite+aiosqlite:////x/y.db"}


def place(folder, files):
    (folder / "home").mkdir()
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def call(command, folder, words, env):
    """Status and output of both streams, of a call in that folder."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder / "home"), "COLUMNS": "500", "LANG": "C.UTF-8",
                   "PYTHONWARNINGS": "ignore", **env}
    done = subprocess.run([str(command), *words], cwd=folder, env=environment, stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120)
    # What the parser of .env files says of each line that is none, many times.
    lines = [line for line in done.stdout.splitlines(keepends=True) if "python-dotenv could not parse" not in line]
    return done.returncode, "".join(lines).replace(str(folder), "FOLDER")


def play(command, case, **more):
    """What the command says in each step, and the profiles afterwards."""
    files, env, steps = case
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        place(folder, files)
        answers = [call(command, folder, words, {**env, **more}) for words in steps]
        profiles = folder / "home/.prefect/profiles.toml"
        return {"answers": answers, "profiles": profiles.read_text() if profiles.exists() else None}


def names(command):
    done = subprocess.run([str(Path(command).parent / "python"), "-c", NAMES], stdout=subprocess.PIPE, text=True,
                          check=True, env={"PATH": os.environ["PATH"], "HOME": "/nonexistent"})
    return {name: [setting, SPECIAL.get(name, next((value for kind, value in VALUES.items() if kind in kinds), "x"))]
            for name, (setting, kinds) in sorted(json.loads(done.stdout).items())}


def rounds(found):
    """The names in as few sets as do, none with two names of one setting."""
    made = []
    for name, (setting, value) in found.items():
        # Where files are, and test mode, which reads no profile.
        if setting in ("PREFECT_HOME", "PREFECT_PROFILES_PATH") or setting.startswith("PREFECT_TESTING_"):
            continue
        free = next((one for one in made if setting not in [found[other][0] for other in one]), None)
        if free is None:
            made.append(free := {})
        free[name] = value
    return made


def ask(command):
    """All that is recorded."""
    found = names(command)
    return {"names": found, "cases": {name: play(command, case) for name, case in CASES.items()},
            "rounds": [play(command, ({}, one, [["config", "view", "--show-secrets"]])) for one in rounds(found)]}


def main():
    RECORD.write_text(json.dumps(ask(sys.argv[1] if len(sys.argv) > 1 else REFERENCE_3_BIN), indent=1) + "\n")


if __name__ == "__main__":
    main()

"""`orion database check` on a server's database."""
import subprocess

from tests.lib import servers

DELETED_RUNS = "slots are held by task runs that do not exist"


def check(store, *arguments, answer=None, **settings):
    """(status, lines of both outputs)."""
    settings["PREFECT_ORION_DATABASE_CONNECTION_URL"] = store.url
    environment = servers.server_environment("/nonexistent", **settings)
    done = subprocess.run([servers.ORION_BIN, "database", "check", *arguments], env=environment, input=answer or "",
                          capture_output=True, text=True, timeout=600)
    return done.returncode, (done.stdout + done.stderr).splitlines()


def assert_clean(store):
    status, lines = check(store)
    assert status == 0 and len(lines) == 1 and lines[0].startswith("Nothing found in "), lines


def assert_nothing_but_deleted_runs(store):
    """Both servers leave the slots of a task run that is deleted while it runs."""
    lines = check(store)[1]
    if any(DELETED_RUNS in line for line in lines):
        assert len(lines) == 2, lines
        assert check(store, "--repair", "-y")[0] == 0
    assert_clean(store)

"""Who may read the server's files: what it makes is its owner's alone, and what others can read is named in a warning
that leaves it as it is."""
import contextlib
import os
import re
import shlex
import shutil
import sqlite3
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.lib import servers
from tests.lib.load import Client

pytestmark = pytest.mark.only("sqlite")


def mode(path):
    return oct(os.stat(path).st_mode & 0o777)


def modes(folder):
    return {str(path.relative_to(folder)): mode(path) for path in folder.rglob("*") if path.name != "server.log"}


def run(home, *words, **settings):
    environment = servers.server_environment(home, **settings)
    return subprocess.run([servers.ORION_BIN, *words], env=environment, stdin=subprocess.DEVNULL, check=True,
                          capture_output=True, text=True, timeout=30, preexec_fn=lambda: os.umask(0))


@pytest.fixture
def reachable():
    """A folder that others can enter, other than pytest's."""
    folder = Path(tempfile.mkdtemp(prefix="orion-test-files-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


# ---- what is made ----

def test_folders_of_the_home_are_their_owners_alone(reachable):
    run(reachable / "one/two", "config", "set", "PREFECT_API_URL=http://127.0.0.1:1/api")
    assert modes(reachable) == {"one": "0o700", "one/two": "0o700", "one/two/profiles.toml": "0o600"}


def test_files_of_the_database_are_their_owners_alone(start, tmp_path):
    before = os.umask(0)
    try:
        server = start()
    finally:
        os.umask(before)
    Client(server).flow()
    made = {"orion.db": "0o600", "orion.db-wal": "0o600", "orion.db-shm": "0o600"}
    assert modes(tmp_path) == made
    assert "chmod" not in server.log()


def test_a_rollback_journal_is_its_owners_alone(start, tmp_path):
    path = tmp_path / "orion.db"
    run(tmp_path, "database", "upgrade", "-y",
        PREFECT_ORION_DATABASE_CONNECTION_URL=f"sqlite+aiosqlite:///file:{path}?nolock=1&uri=true")
    assert modes(tmp_path) == {"orion.db": "0o600"}
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        database.execute("INSERT INTO configuration (id, key, value) VALUES ('x', 'x', '{}')")
        assert modes(tmp_path) == {"orion.db": "0o600", "orion.db-journal": "0o600"}


def test_a_copy_is_its_owners_alone(start, reachable):
    server = start()
    url = f"sqlite+aiosqlite:///{reachable}/copy.db"
    run(server.home, "database", "copy", "--from", server.store.url, "--to", url)
    assert modes(reachable) == {"copy.db": "0o600"}


# ---- what others can read ----

def warned_of(server):
    """The paths in the warning."""
    found = re.findall(r"WARNING \| orion.api - .*: chmod o= (.*)", server.log())
    assert len(found) <= 1
    return shlex.split(found[0]) if found else []


@pytest.fixture
def exposed(reachable):
    """A home as the reference leaves one behind, with its database in it."""
    home = reachable / "it's a home"
    home.mkdir(0o755)
    with servers.running("orion", home=home):
        pass
    (home / "profiles.toml").write_text("")
    for path in [home, *home.iterdir()]:
        path.chmod(0o755 if path == home else 0o644)
    (home / "server.log").chmod(0o600)
    return home


@contextlib.contextmanager
def running(home, **settings):
    with servers.running("orion", home=home, **settings) as server:
        yield server


def test_one_warning_names_the_command_that_shuts_others_out(exposed):
    with running(exposed) as server:
        Client(server).flow()
        paths = warned_of(server)
        names = {"", "orion.db", "orion.db-wal", "orion.db-shm", "profiles.toml"}
        assert set(paths) == {str(exposed / name) for name in names}
        # as long as nobody does what it says, all stays as it is
        assert {path: mode(path) for path in paths} == {
            path: "0o755" if path == str(exposed) else "0o644" for path in paths}
        subprocess.run(re.search("chmod .*", server.log())[0], shell=True, check=True)
        assert {mode(path) for path in paths} == {"0o750", "0o640"}
    with running(exposed) as server:
        Client(server).flow()
        assert warned_of(server) == []
        assert mode(exposed / "orion.db-wal") == "0o640"


@pytest.mark.parametrize(("name", "file_mode", "is_named"), [
    ("orion.db", 0o604, True), ("orion.db", 0o602, True), ("orion.db", 0o660, False), ("profiles.toml", 0o644, True),
    ("keys.toml", 0o644, True), ("orion.toml", 0o644, True), ("keys.toml", 0o600, False), ("other.toml", 0o644, False),
])
def test_which_files_count(exposed, name, file_mode, is_named):
    for path in exposed.iterdir():
        path.chmod(0o600)
    exposed.chmod(0o711)
    if name == "keys.toml":
        run(exposed, "key", "create", "somebody")
        assert mode(exposed / name) == "0o600"
    elif not (exposed / name).exists():
        (exposed / name).write_text("")
    (exposed / name).chmod(file_mode)
    with running(exposed) as server:
        assert (str(exposed / name) in warned_of(server)) == is_named


def test_files_in_a_closed_folder_are_not_named(exposed):
    exposed.parent.chmod(0o700)
    with running(exposed) as server:
        assert warned_of(server) == []


def test_a_database_elsewhere_is_named(exposed, reachable):
    link = reachable / "link.db"
    link.symlink_to(exposed / "orion.db")
    exposed.chmod(0o700)
    (home := reachable / "home").mkdir(0o700)
    with running(home, PREFECT_ORION_DATABASE_CONNECTION_URL=f"sqlite+aiosqlite:///{link}") as server:
        assert warned_of(server) == []
    exposed.chmod(0o711)
    with running(home, PREFECT_ORION_DATABASE_CONNECTION_URL=f"sqlite+aiosqlite:///{link}") as server:
        assert str(exposed / "orion.db") in warned_of(server)

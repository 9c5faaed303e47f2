"""What the tests of copies and of backups share: a source with rows in each table, and the program itself."""
import shutil
import subprocess

import pytest

from tests.lib import servers
from . import databases, filled


@pytest.fixture(scope="session")
def source(tmp_path_factory):
    return databases.sqlite_at(filled.fill(tmp_path_factory.mktemp("source")))


@pytest.fixture(scope="session")
def tables(source):
    return databases.shape(source)


@pytest.fixture(scope="session")
def big(tmp_path_factory, source):
    """Enough logs that a copy can be met halfway."""
    path = shutil.copy(source.path, tmp_path_factory.mktemp("big") / "big.db")
    database = databases.sqlite_at(path)
    database.execute("""WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 30000)
        INSERT INTO log (id, name, level, flow_run_id, message, timestamp) \
SELECT printf('00000000-0000-4000-8000-%012x', i), 'n', 20,
        '00000000-0000-4000-8000-000000000000', 'message', '2026-01-01 00:00:00.000000' FROM n""")
    return database


@pytest.fixture
def altered(source, tmp_path):
    """A copy of the source's file, to be changed."""
    return databases.sqlite_at(shutil.copy(source.path, tmp_path / "altered.db"))


@pytest.fixture
def target(engine, tmp_path):
    return databases.new(engine, tmp_path)


@pytest.fixture
def orion(tmp_path):
    """Runs the program; its exit status and what it wrote."""
    def run(*words, stdin="", **settings):
        done = subprocess.run([str(servers.ORION_BIN), "database", *words],
                              env=servers.server_environment(tmp_path, **settings), input=stdin, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=180)
        return done.returncode, done.stdout
    return run


@pytest.fixture
def holding(engine, orion, source, tmp_path):
    """A database of each engine that holds what the source does."""
    if engine == "sqlite":
        return databases.sqlite_at(shutil.copy(source.path, tmp_path / "filled.db"))
    database = databases.new(engine, tmp_path)
    assert orion("copy", "--from", source.url, "--to", database.url)[0] == 0
    return database

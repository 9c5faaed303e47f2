"""The recorded schemas of each revision are those that ours arrives at: from nothing, and from the revision before."""
import subprocess

import pytest

from tests.lib import servers
from tests.lib.servers import Store
from tests.upgrade import schemas


@pytest.fixture
def store(engine, tmp_path):
    made = Store.of_home(engine, tmp_path)
    made.create("orion")
    yield made
    made.drop()


def upgrade(home, store, *words):
    environment = servers.server_environment(home, PREFECT_ORION_DATABASE_CONNECTION_URL=store.url)
    done = subprocess.run([servers.ORION_BIN, "database", "upgrade", "-y", "--no-copy", *words], env=environment,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=60)
    assert done.returncode == 0, (words, done.stdout)


def is_at(store, revision):
    assert store.execute("SELECT version_num FROM alembic_version") == [(revision,)]
    assert schemas.difference(schemas.at(store.engine, revision), schemas.describe(store)) == [[], []], revision


def test_each_revision_after_the_one_before(store, tmp_path):
    for revision in schemas.revisions(store.engine):
        upgrade(tmp_path, store, "-r", revision)
        is_at(store, revision)


def test_all_revisions_at_once(store, tmp_path):
    first, *_, last = schemas.revisions(store.engine)
    upgrade(tmp_path, store, "-r", first)
    upgrade(tmp_path, store, "--to", "3")
    is_at(store, last)


@pytest.mark.parametrize("words, version", [([], "2"), (["-r", "head"], "2"), (["--to", "2.7"], "2"),
                                            (["--to", "3"], "3")], ids=" ".join)
def test_the_heads_from_nothing(store, tmp_path, words, version):
    upgrade(tmp_path, store, *words)
    is_at(store, schemas.HEADS[store.engine][version])
    upgrade(tmp_path, store, *words)  # nothing to do
    is_at(store, schemas.HEADS[store.engine][version])


@pytest.mark.parametrize("place", [0, 30, -30])
def test_some_revision_from_nothing(store, tmp_path, place):
    revision = schemas.revisions(store.engine)[place]
    upgrade(tmp_path, store, "-r", revision)
    is_at(store, revision)


def test_a_revision_that_nobody_has(engine):
    with pytest.raises(KeyError):
        schemas.at(engine, "000000000000")

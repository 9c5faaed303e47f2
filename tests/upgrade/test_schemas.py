"""The recorded schemas of each revision are those that the reference arrives at, and ours ends at the same."""
import subprocess

import pytest

from tests.lib import servers
from tests.lib.servers import Store
from tests.upgrade import schemas


def test_the_head_is_what_ours_makes(engine, tmp_path):
    store = Store.of_home(engine, tmp_path)
    store.create("orion")
    environment = servers.server_environment(tmp_path, PREFECT_ORION_DATABASE_CONNECTION_URL=store.url)
    subprocess.run([servers.ORION_BIN, "database", "upgrade", "-y"], env=environment, check=True, timeout=60,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    assert schemas.difference(schemas.at(engine, schemas.HEADS[engine]["2"]), schemas.describe(store)) == [[], []]
    store.drop()


def test_a_revision_that_nobody_has(engine):
    with pytest.raises(KeyError):
        schemas.at(engine, "000000000000")

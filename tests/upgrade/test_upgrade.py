"""`orion database upgrade` makes of the databases of older Prefects what the reference's own upgrades make of them: all
objects, all rows. The results of these are recorded; the long form makes databases and results anew."""
import functools
import os
import subprocess

import pytest

from tests.lib import servers
from tests.upgrade import archive, faults, schemas, snapshot
from tests.upgrade.snapshot import Snapshot

FULL = os.environ.get("ORION_TEST_FULL") == "1"
CASES = [(version, generation) for version in archive.VERSIONS for generation in archive.targets(version)]


@functools.lru_cache(2)
def recorded(version, engine):
    return archive.read(version, engine)


def compare(version, engine, scripts, generation, actual):
    """[rows that are missing, rows that should not be there] in what was made of the old database."""
    expected = faults.mend(Snapshot(engine, scripts[generation]), version)
    known = Snapshot(engine, scripts["old"]).identifiers()
    return snapshot.difference(expected, Snapshot(engine, actual), known)


def upgrade_ours(store, home, generation):
    """A script of what ours makes of a database."""
    environment = servers.server_environment(home, PREFECT_ORION_DATABASE_CONNECTION_URL=store.url)
    words = ["--to", "3"] if generation == "3" else []
    done = subprocess.run([servers.ORION_BIN, "database", "upgrade", "-y", "--no-copy", *words], env=environment,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=120)
    assert done.returncode == 0, done.stdout
    wanted = schemas.at(store.engine, schemas.HEADS[store.engine][generation])
    assert schemas.difference(wanted, schemas.describe(store)) == [[], []]
    return snapshot.dump(store)


def ours_agrees(version, engine, scripts, generation, home):
    with archive.using_store(engine, home, scripts["old"]) as store:
        assert compare(version, engine, scripts, generation, upgrade_ours(store, home, generation)) == [[], []]


@pytest.mark.parametrize("version, generation", CASES)
def test_the_reference_s_result(engine, version, generation, tmp_path):
    ours_agrees(version, engine, recorded(version, engine), generation, tmp_path)


@pytest.mark.skipif(not FULL, reason="part of make test-full")
@pytest.mark.parametrize("version", archive.VERSIONS)
def test_live(engine, version, tmp_path):
    """With a database that its own client has just filled."""
    scripts = archive.make(version, engine)
    for generation in archive.targets(version):
        home = tmp_path / generation
        home.mkdir()
        ours_agrees(version, engine, scripts, generation, home)


@pytest.mark.skipif(not FULL, reason="part of make test-full")
@pytest.mark.parametrize("version, generation", CASES)
def test_the_reference_arrives_at_it_again(engine, version, generation):
    """So nothing that the reference makes up is compared; and where it failed, it fails again."""
    scripts = recorded(version, engine)
    again, failure = archive.make_result(scripts["old"], engine, generation)
    assert (failure is None) == (generation not in scripts["failures"])
    if again:
        known = Snapshot(engine, scripts["old"]).identifiers()
        assert snapshot.difference(Snapshot(engine, scripts[generation]), Snapshot(engine, again), known) == [[], []]


# Each makes the result of 2.6.9 another one.
CHANGES = {
    "a value": "UPDATE flow_run SET name = name || 'x' WHERE id = (SELECT MAX(id) FROM flow_run)",
    "no value": "UPDATE flow_run SET state_timestamp = NULL WHERE id = (SELECT MAX(id) FROM flow_run)",
    "a row less": "DELETE FROM log WHERE id = (SELECT MAX(id) FROM log)",
    "a row of the upgrade less": "DELETE FROM artifact WHERE id = (SELECT MAX(id) FROM artifact)",
    "a row more": "INSERT INTO work_pool (id, name) VALUES ('x', 'x')",
    "a time": "UPDATE flow SET created = '2022-01-01 00:00:00.000000'",
    "no time": "UPDATE artifact SET created = '' WHERE id = (SELECT MAX(id) FROM artifact)",
    "an id of no form": "UPDATE work_pool SET id = 'x'",
    "JSON text": "UPDATE flow_run SET parameters = parameters || ' '",
    "artifacts exchanged": "UPDATE flow_run_state SET result_artifact_id = (SELECT MAX(result_artifact_id) FROM"
                           " flow_run_state) WHERE result_artifact_id = (SELECT MIN(result_artifact_id) FROM"
                           " flow_run_state)",
    "a reference to nothing": "UPDATE work_pool SET default_queue_id = '00000000-0000-4000-8000-000000000000'",
    "queues exchanged": "UPDATE work_pool SET default_queue_id = (SELECT id FROM work_queue WHERE name = 'many')",
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_difference_is_found(engine, change):
    scripts = recorded("2.6.9", engine)
    other = Snapshot(engine, scripts["2"])
    known = Snapshot(engine, scripts["old"]).identifiers()
    assert snapshot.difference(Snapshot(engine, scripts["2"]), other, known) == [[], []]
    other.query(CHANGES[change].replace("id, name", "id, name, created, updated, type, is_paused").replace(
        "'x', 'x'", "'x', 'x', 1, 1, 1, 0"))
    assert snapshot.difference(Snapshot(engine, scripts["2"]), other, known) != [[], []]


def test_what_the_reference_loses(engine):
    """A fault that is listed is one: the recorded result has it, and has it no more when it is mended."""
    for fault in faults.FAULTS:
        result = Snapshot(engine, recorded("2.6.9", engine)["2"])
        assert result.query(fault.loses)
        assert faults.mend(result, "2.6.9").query(fault.loses) == []

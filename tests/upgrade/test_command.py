"""What `orion database upgrade` does besides the upgrade: it copies, asks, refuses, and leaves nothing half done."""
import os
import signal
import subprocess
import time

import pytest

from tests.lib import servers
from tests.lib.servers import Store

OLD = {"sqlite": "2d900af9cd07", "postgresql": "61c76ee09e02"}  # of 2.0's betas
BEFORE_POLICIES_GO = {"sqlite": "bfe42b7090d6", "postgresql": "2a88656f4a23"}
HEAD_3 = {"sqlite": "14806cb26270", "postgresql": "50737cdaee36"}
RUNS = 8_000


def environment(home, store):
    return servers.server_environment(home, PREFECT_ORION_DATABASE_CONNECTION_URL=store.url)


def start(home, store, *words, **options):
    return subprocess.Popen([servers.ORION_BIN, "database", "upgrade", *words], env=environment(home, store),
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            **options)


def run(home, store, *words, answer=""):
    process = start(home, store, *words)
    output, _ = process.communicate(answer, timeout=120)
    return process.returncode, output


def version(store):
    return store.execute("SELECT version_num FROM alembic_version")[0][0]


@pytest.fixture
def store(engine, tmp_path):
    made = Store.of_home(engine, tmp_path)
    made.create("orion")
    yield made
    made.drop()


@pytest.fixture
def old(store, tmp_path):
    """A database of then, with a few runs."""
    assert run(tmp_path, store, "-y", "-r", OLD[store.engine])[0] == 0
    fill(store, 5)
    return store


def fill(store, runs):
    store.execute("INSERT INTO flow (name) VALUES ('old')")
    store.execute(f"WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < {runs})"
                  " INSERT INTO flow_run (name, flow_id, state_type, state_name)"
                  " SELECT 'run-' || n, (SELECT id FROM flow), 'COMPLETED', 'Completed' FROM number")
    store.execute("INSERT INTO flow_run_state (type, name, flow_run_id, data)"
                  " SELECT 'COMPLETED', 'Completed', id, '{\"encoding\": \"result\", \"blob\": \"x\"}' FROM flow_run")
    store.execute("UPDATE flow_run SET state_id = (SELECT id FROM flow_run_state WHERE flow_run_id = flow_run.id)")


def test_a_file_is_copied_first(old, tmp_path):
    before = old.dump()
    status, output = run(tmp_path, old, "-y")
    assert status == 0 and "Migrations succeeded!" in output
    assert version(old) == BEFORE_POLICIES_GO[old.engine]
    assert old.execute("SELECT COUNT(*) FROM flow_run WHERE state_timestamp IS NOT NULL") == [(5,)]
    if old.engine == "postgresql":
        assert "is in" not in output
        return
    copy = f"{old.path}.{OLD['sqlite']}"
    assert output.endswith(f"What it was before is in {copy}\n")
    assert Store(f"sqlite+aiosqlite:///{copy}").dump() == before
    assert os.stat(copy).st_mode & 0o777 == 0o600
    assert run(tmp_path, old, "-y")[0] == 0  # nothing to do, so no copy either
    assert {file.name for file in tmp_path.glob("orion.db.*")} == {f"orion.db.{OLD['sqlite']}"}


@pytest.mark.only("sqlite")
def test_a_copy_of_before_is_not_replaced(old, tmp_path):
    before = old.dump()
    copy = tmp_path / f"orion.db.{OLD['sqlite']}"
    copy.write_text("precious")
    status, output = run(tmp_path, old, "-y")
    assert status == 1 and f"{copy} is there already." in output and "--no-copy" in output
    assert copy.read_text() == "precious" and old.dump() == before
    status, output = run(tmp_path, old, "-y", "--no-copy")
    assert status == 0 and "What it was before" not in output
    assert version(old) == BEFORE_POLICIES_GO["sqlite"]


@pytest.mark.only("sqlite")
def test_a_database_in_use_is_refused(old, tmp_path):
    before = old.dump()
    with old.write_lock():
        status, output = run(tmp_path, old, "-y")
    assert status == 1 and "No copy was made, so nothing was changed" in output
    assert old.dump() == before and not list(tmp_path.glob("orion.db.*"))


def test_who_says_no_changes_nothing(old, tmp_path):
    before = old.dump()
    for words in ([], ["--to", "3"]):
        status, output = run(tmp_path, old, *words, answer="n\n")
        assert status == 1 and "Database upgrade aborted!" in output
    assert old.dump() == before and not list(tmp_path.glob("orion.db.*"))


def test_the_plan_is_only_shown(old, tmp_path):
    before = old.dump()
    status, output = run(tmp_path, old, "-y", "--dry-run")
    assert status == 0 and "ALTER TABLE flow_run ADD COLUMN state_timestamp" in output
    assert BEFORE_POLICIES_GO[old.engine] in output and "automation" not in output
    assert "CREATE TABLE automation" in run(tmp_path, old, "-y", "--dry-run", "--to", "3")[1]
    assert old.dump() == before
    assert run(tmp_path, old, "-y")[0] == 0
    assert run(tmp_path, old, "-y", "--dry-run") == (0, "-- nothing to do\n")


@pytest.mark.parametrize("words, found", [
    (["--to", "4"], "--to is 2.7 or 3, not '4'"), (["--to", "3", "-r", "head"], "-r and --to both name a revision"),
    (["-r", "zzz"], "Can't locate revision identified by 'zzz'"),
], ids=" ".join)
def test_mistakes(old, tmp_path, words, found):
    before = old.dump()
    status, output = run(tmp_path, old, "-y", *words)
    assert status != 0 and found in output
    assert old.dump() == before


def test_the_server_does_not_upgrade_by_itself(old, tmp_path):
    before = old.dump()
    server = subprocess.run([servers.ORION_BIN, "start", "--port", str(servers.free_port())], timeout=60, text=True,
                            env=environment(tmp_path, old), stdin=subprocess.DEVNULL, capture_output=True)
    assert server.returncode == 1 and "Upgrade it first: orion database upgrade" in server.stderr
    assert old.dump() == before


def test_notification_policies_are_listed_before_they_go(store, tmp_path):
    assert run(tmp_path, store, "-y")[0] == 0
    store.execute("INSERT INTO block_type (name, slug) VALUES ('Slack Webhook', 'slack-webhook')")
    store.execute("INSERT INTO block_schema (checksum, block_type_id) SELECT 'sha256:1', id FROM block_type")
    store.execute("INSERT INTO block_document (name, block_type_id, block_schema_id)"
                  " SELECT 'alarm', block_type_id, id FROM block_schema")
    for template in (None, "{flow_run_name} is {flow_run_state_name}", "{nothing_of_the_kind}"):
        store.execute("INSERT INTO flow_run_notification_policy (state_names, tags, message_template,"
                      " block_document_id) SELECT '[\"Failed\", \"Failed\"]', '[\"prod\"]', ?, id FROM block_document",
                      template)
    status, output = run(tmp_path, store, "--to", "3", answer="y\n")
    assert status == 0 and output.count('states ["Failed", "Failed"], tags ["prod"], to alarm\n') == 3
    bodies = store.execute("SELECT actions FROM automation")
    assert len(bodies) == 3 and store.execute("SELECT COUNT(*) FROM automation WHERE enabled") == [(3,)]
    texts = " ".join(str(body) for body in bodies)
    assert "{{ flow_run.name }} is {{ flow_run.state.name }}" in texts and "{nothing_of_the_kind}" in texts
    status, output = run(tmp_path, store, "-y")
    assert status == 1 and "of a Prefect after 2.7.12" in output
    status, output = run(tmp_path, store, "-y", "-r", "head")
    assert status == 0  # as Alembic: it has been there


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT], ids=lambda sent: sent.name)
def test_whoever_ends_it_leaves_the_old_or_the_new(store, tmp_path, sent):
    assert run(tmp_path, store, "-y", "-r", OLD[store.engine])[0] == 0
    fill(store, RUNS)
    home = tmp_path / "trial"
    home.mkdir()
    trial, old, began = store.copy(home), store.dump(), time.monotonic()
    assert run(tmp_path, trial, "-y", "--no-copy", "--to", "3")[0] == 0
    took, killed = time.monotonic() - began, 0
    trial.drop()
    for part in range(1, 5):
        trial = store.copy(home)
        process = start(tmp_path, trial, "-y", "--no-copy", "--to", "3")
        time.sleep(took * part / 5)
        process.send_signal(sent)
        process.communicate(timeout=60)
        wait_for_the_end(trial)
        if version(trial) == OLD[store.engine]:
            assert process.returncode != 0 and trial.dump() == old
            killed += 1
        else:  # it was committed by then
            assert version(trial) == HEAD_3[store.engine]
        trial.drop()
    assert killed > 0


def wait_for_the_end(store):
    """PostgreSQL notices only some time later that a client is gone."""
    while store.engine == "postgresql" and store.execute("SELECT 1 FROM pg_locks WHERE relation = 'flow_run'::regclass"
                                                         " AND mode LIKE '%Exclusive%'"):
        time.sleep(0.1)

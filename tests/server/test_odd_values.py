"""Values that no server would store, as another program may have left them: such a row is left out of answers and
services, the row alone, and nothing is answered as something else."""
import itertools
import time

import pytest

from tests.lib import servers
from tests.lib.check import assert_clean, check as database_check
from tests.lib.load import Client

numbers = itertools.count()
BROKEN = "'{broken'"
NAN = """'{"a": NaN}'"""
LIST, OBJECT = "'[1]'", """'{"a": 1}'"""
NOT_UTF8 = "CAST(X'FF6162' AS TEXT)"

# where it is put, what
ON_SQLITE = [
    ("flow_run", "expected_start_time", "'tomorrow'"), ("flow_run", "expected_start_time", "20220101"),
    ("flow_run", "created", "''"), ("flow_run", "expected_start_time", "'2022-02-30 00:00:00.000000'"),
    ("flow_run", "start_time", "X'00'"), ("flow_run", "parameters", BROKEN), ("flow_run", "parameters", NAN),
    ("flow_run", "parameters", "''"), ("flow_run", "tags", "'[\"a\"'"), ("flow_run", "empirical_policy", BROKEN),
    ("flow_run", "created_by", BROKEN), ("flow_run", "state_type", "'BOGUS'"), ("flow_run", "run_count", "'many'"),
    ("flow_run", "run_count", "1.5"), ("flow_run", "auto_scheduled", "'maybe'"),
    ("flow_run", "total_run_time", "'long'"), ("flow_run", "name", NOT_UTF8),
    ("flow", "tags", BROKEN), ("flow", "created", "'never'"), ("flow", "name", NOT_UTF8),
    ("task_run", "task_inputs", BROKEN), ("task_run", "cache_expiration", "'never'"),
    ("task_run", "flow_run_run_count", "'x'"), ("deployment", "schedule", BROKEN), ("deployment", "parameters", BROKEN),
    ("deployment", "is_schedule_active", "'maybe'"), ("deployment", "updated", "'never'"),
    ("deployment", "infra_overrides", BROKEN),
    ("work_queue", "priority", "'high'"), ("work_queue", "filter", BROKEN), ("work_queue", "last_polled", "'never'"),
    ("log", "timestamp", "'never'"), ("log", "level", "'loud'"), ("log", "flow_run_id", "'nobody'"),
    ("concurrency_limit", "active_slots", BROKEN), ("concurrency_limit", "concurrency_limit", "'few'"),
    ("saved_search", "filters", BROKEN),
    ("block_type", "is_protected", "'maybe'"), ("block_type", "name", NOT_UTF8), ("block_schema", "fields", BROKEN),
    ("block_schema", "capabilities", BROKEN), ("block_document", "created", "'never'"),
    ("block_document", "data", BROKEN),
]
ON_BOTH = [
    ("flow_run", "parameters", LIST), ("flow_run", "tags", OBJECT), ("flow_run", "empirical_policy", LIST),
    ("flow", "tags", OBJECT), ("deployment", "tags", OBJECT), ("deployment", "infra_overrides", LIST),
    ("task_run", "tags", "'7'"), ("concurrency_limit", "active_slots", OBJECT),
]
LISTS = {"flow_run": "flow_runs", "flow": "flows", "task_run": "task_runs", "deployment": "deployments",
         "work_queue": "work_queues", "log": "logs", "concurrency_limit": "concurrency_limits",
         "saved_search": "saved_searches", "block_type": "block_types", "block_schema": "block_schemas",
         "block_document": "block_documents"}


def make_block(client, table, name):
    """A type, with a schema and a document where they are asked for."""
    block_type = client.made("/block_types/", {"name": name, "slug": name})
    if table == "block_type":
        return block_type["id"]
    schema = client.made("/block_schemas/",
                         {"block_type_id": block_type["id"], "fields": {"title": name}, "capabilities": []})
    if table == "block_schema":
        return schema["id"]
    return client.made("/block_documents/", {"name": name, "block_type_id": block_type["id"],
                                             "block_schema_id": schema["id"], "data": {}})["id"]


def make(client, table):
    """A new row; its id."""
    name = f"odd-{next(numbers)}"
    if table == "flow":
        return client.flow()["id"]
    if table == "flow_run":
        return client.flow_run(client.flow())["id"]
    if table == "task_run":
        return client.task_run(client.flow_run(client.flow()))["id"]
    if table == "log":
        run = client.flow_run(client.flow())["id"]
        client.post("/logs/", [{"name": name, "level": 20, "message": "m", "timestamp": "2022-01-01T00:00:00Z",
                                "flow_run_id": run}])
        return next(log["id"] for log in client.post("/logs/filter", {}).value if log["name"] == name)
    if table.startswith("block_"):
        return make_block(client, table, name)
    body = {"name": name}
    if table == "deployment":
        body |= {"flow_id": client.flow()["id"], "schedule": {"interval": 3600}}
    if table == "concurrency_limit":
        body = {"tag": name, "concurrency_limit": 5}
    answer = client.request("PUT" if table == "saved_search" else "POST", f"/{LISTS[table]}/", body)
    assert answer.status in (200, 201), answer
    return answer.value["id"]


def shown(client, table):
    answer = client.post(f"/{LISTS[table]}/filter", {})
    assert answer.status == 200, answer
    return {row["id"] for row in answer.value}


@pytest.mark.parametrize("table, column, value", ON_SQLITE)
@pytest.mark.only("sqlite")
def test_a_value_of_another_kind_harms_its_row_alone(orion, engine, table, column, value):
    check(orion, table, column, value)


@pytest.mark.parametrize("table, column, value", ON_BOTH)
def test_json_of_another_shape_harms_its_row_alone(orion, engine, table, column, value):
    check(orion, table, column, value)


def check(orion, table, column, value):
    client = Client(orion)
    good, bad = make(client, table), make(client, table)
    assert {good, bad} <= shown(client, table)
    orion.execute(f"UPDATE {table} SET {column} = {value} WHERE id = ?", bad)
    try:
        assert shown(client, table) >= {good}
        assert bad not in shown(client, table)
        if table != "log":
            assert client.get(f"/{LISTS[table]}/{good}").status == 200
            answer = client.get(f"/{LISTS[table]}/{bad}")
            assert answer.status == 500 and f"{column} of the row {bad} is" in answer.value["exception_message"], answer
        assert f"{column} of the row {bad} is" in orion.log()
    finally:
        orion.execute(f"DELETE FROM {table} WHERE id = ?", bad)


@pytest.mark.parametrize("column, value", [("type", "'BOGUS'"), ("timestamp", "'never'"), ("state_details", BROKEN),
                                           ("message", NOT_UTF8)])
@pytest.mark.only("sqlite")
def test_a_bad_state_harms_its_run_alone(orion, engine, column, value):
    client = Client(orion)
    good, bad = make(client, "flow_run"), make(client, "flow_run")
    for run in (good, bad):
        assert client.set_state("flow_runs", {"id": run}, "RUNNING").status == 201
    state = orion.execute("SELECT state_id FROM flow_run WHERE id = ?", bad)[0][0]
    orion.execute(f"UPDATE flow_run_state SET {column} = {value} WHERE id = ?", state)
    try:
        assert good in shown(client, "flow_run") and bad not in shown(client, "flow_run")
        states = client.get(f"/flow_run_states/?flow_run_id={bad}")
        assert states.status == 200 and state not in {one["id"] for one in states.value}
    finally:
        orion.execute("DELETE FROM flow_run WHERE id = ?", bad)


@pytest.mark.parametrize("how", ["upsert", "patch"])
@pytest.mark.only("sqlite")
def test_a_change_mends_a_row(orion, engine, how):
    client = Client(orion)
    bad = make(client, "deployment")
    deployment = client.get(f"/deployments/{bad}").value
    orion.execute(f"UPDATE deployment SET schedule = {BROKEN} WHERE id = ?", bad)
    if how == "upsert":
        answer = client.post("/deployments/", {"name": deployment["name"], "flow_id": deployment["flow_id"],
                                               "schedule": {"cron": "0 5 * * *"}})
    else:
        assert client.request("PATCH", f"/deployments/{bad}", {"description": "still broken"}).status == 204
        answer = client.request("PATCH", f"/deployments/{bad}", {"schedule": {"cron": "0 5 * * *"}})
    assert answer.status in (200, 204)
    assert client.get(f"/deployments/{bad}").value["schedule"]["cron"] == "0 5 * * *"
    client.request("DELETE", f"/deployments/{bad}")


# ---- `orion database check` names them all ----

ONLY_POSTGRESQL = [("flow_run", "expected_start_time", "'0044-03-15 12:00:00+00 BC'"),
                   ("flow_run", "end_time", "'10000-01-01 00:00:00+00'"),
                   ("flow_run", "total_run_time", "'20000 years'")]
INNOCENT = [("flow_run", "expected_start_time", "'infinity'"), ("flow_run", "expected_start_time", "'-infinity'"),
            ("deployment", "schedule", "'null'")]


def test_the_check_names_each(orion, engine):
    client = Client(orion)
    assert_clean(orion.store)
    planted = []
    for table, column, value in ON_BOTH + (ON_SQLITE if engine == "sqlite" else ONLY_POSTGRESQL):
        planted.append((table, make(client, table), column))
        orion.execute(f"UPDATE {table} SET {column} = {value} WHERE id = ?", planted[-1][1])
    for table, column, value in INNOCENT[0 if engine == "postgresql" else 2:]:
        orion.execute(f"UPDATE {table} SET {column} = {value} WHERE id = ?", make(client, table))
    status, lines = database_check(orion.store, "--all")
    assert status == 1
    named = [line for line in lines if line.startswith(("values: ", "JSON values: ")) and " found: " not in line]
    for table, row, column in planted:
        assert any(f"values: {table} {row}: {column} is " in line for line in named), lines
    assert len(named) == len(planted), named
    for table, row, _ in planted:
        orion.execute(f"DELETE FROM {table} WHERE id = ?", row)
    assert_clean(orion.store)


# ---- the services ----

def wait_for(condition):
    deadline = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


OFTEN = {f"PREFECT_ORION_SERVICES_{name}_{what}": value
         for name in ("SCHEDULER", "LATE_RUNS", "PAUSE_EXPIRATIONS", "CANCELLATION_CLEANUP")
         for what, value in (("ENABLED", "true"), ("LOOP_SECONDS", "0.3"))}


@pytest.mark.parametrize("column, value", [("tags", OBJECT), ("empirical_policy", LIST)])
def test_services_pass_by_a_bad_run_and_a_bad_deployment(start, column, value):
    pass_by(start, column, value)


@pytest.mark.only("sqlite")
def test_services_pass_by_a_run_whose_time_is_none(start, engine):
    pass_by(start, "next_scheduled_start_time", "''")


MORE_THAN_A_BATCH = 60  # of the rows that a service looks at in one go


def pass_by(start, column, value):
    server = start(PREFECT_ORION_SERVICES_LATE_RUNS_ENABLED="false")
    client = Client(server)
    scheduled = {"type": "SCHEDULED", "state_details": {"scheduled_time": "2020-01-01T00:00:00Z"}}
    for _ in range(MORE_THAN_A_BATCH):
        client.flow_run(client.flow(), state=scheduled)
    good = client.flow_run(client.flow(), state=scheduled)["id"]
    odd, sound = make(client, "deployment"), make(client, "deployment")
    server.stop()
    server.execute(f"UPDATE flow_run SET {column} = {value} WHERE id <> ?", good)
    server.execute(f"UPDATE deployment SET tags = {OBJECT} WHERE id = ?", odd)
    server.execute("DELETE FROM flow_run WHERE deployment_id = ?", sound)
    server = start(**OFTEN)
    client = Client(server)
    wait_for(lambda: client.get(f"/flow_runs/{good}").value["state_name"] == "Late")
    of_sound = {"deployments": {"id": {"any_": [sound]}}}
    wait_for(lambda: client.post("/flow_runs/count", of_sound).value > 0)
    time.sleep(1)
    assert "This round failed" not in server.log(), server.log()


@pytest.mark.parametrize("column, value", [("tags", OBJECT), ("parameters", LIST)])
def test_agents_and_workers_get_the_other_runs(start, column, value):
    server = start(PREFECT_ORION_SERVICES_SCHEDULER_ENABLED="false", PREFECT_ORION_SERVICES_LATE_RUNS_ENABLED="false",
                   PREFECT_EXPERIMENTAL_ENABLE_WORK_POOLS="true")
    client = Client(server)
    queue = client.made("/work_queues/", {"name": "some"})
    runs = [client.flow_run(client.flow(), state={"type": "SCHEDULED"})["id"] for _ in range(3)]
    server.execute("UPDATE flow_run SET work_queue_name = 'some', work_queue_id = ?", queue["id"])
    server.execute(f"UPDATE flow_run SET {column} = {value} WHERE id = ?", runs[1])
    got = client.post(f"/work_queues/{queue['id']}/get_runs", {})
    assert got.status == 200 and {run["id"] for run in got.value} == {runs[0], runs[2]}
    got = client.post("/experimental/work_pools/default-agent-pool/get_scheduled_flow_runs", {})
    assert got.status == 200 and {one["flow_run"]["id"] for one in got.value} == {runs[0], runs[2]}


NOTIFIED = """
INSERT INTO flow_run_notification_policy (id, is_active, state_names, tags, block_document_id) \
VALUES ('{policy}', true, '[]', '[]', '{document}');
INSERT INTO flow_run_notification_queue (id, updated, flow_run_notification_policy_id, flow_run_state_id) VALUES
('{policy}', '2022-01-01 00:00:00.000000', '{policy}', '{bad}'), \
('{document}', '2022-01-02 00:00:00.000000', '{policy}', '{good}')"""


@pytest.mark.only("sqlite")
def test_notifications_pass_by_a_bad_state(start, engine):
    server = start(PREFECT_ORION_SERVICES_FLOW_RUN_NOTIFICATIONS_ENABLED="false")
    client = Client(server)
    bad, good = (client.flow_run(client.flow(), state={"type": "RUNNING"})["state_id"] for _ in range(2))
    server.stop()
    server.execute("UPDATE flow_run_state SET timestamp = 'never' WHERE id = ?", bad)
    ids = [f"00000000-0000-4000-8000-{n:012}" for n in range(2)]
    server.store.script(NOTIFIED.format(policy=ids[0], document=ids[1], bad=bad, good=good))
    server = start(PREFECT_ORION_SERVICES_FLOW_RUN_NOTIFICATIONS_ENABLED="true")
    wait_for(lambda: server.execute("SELECT count(*) FROM flow_run_notification_queue") == [(0,)])
    assert server.log().count("Error sending notification") == 1, server.log()

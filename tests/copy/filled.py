"""A SQLite database with something in each table: what the real client's flows and the API leave there, and by hand
what these seldom make."""
import contextlib
import json
import sqlite3
import uuid

from tests.lib import scenario, servers

# Values that come out differently if they are spelled anew, or read as something else.
JSON = {"z": 1, "a": [1.10, 1e22, -0.5, 10**30, 0.1234567890123456789, True, None, {}], "é😀": "\u007f\u2028\n\"\\/",
        "deep": {"b": {"a": []}}}
JSON_TEXT = json.dumps(JSON)[:-1] \
    + ', "digits": 1.100, "power": 12e2, "tiny": 5e-324, "many": 0.12345678901234567890123}'
TEXT = "a\u0001\té😀\u2028'\"\\ end"
OLD, NEW = "0001-01-01 00:00:00.000000", "9999-12-31 23:59:59.999999"


def new_id():
    return str(uuid.uuid4())


def by_api(player):
    """What the API makes, with secrets."""
    block_type = player.post("/block_types/", {"name": "copied", "slug": "copied"})
    fields = {"title": "Copied", "type": "object", "properties": {"key": {"type": "string"}}, "secret_fields": ["key"]}
    schema = player.post("/block_schemas/",
                         {"fields": fields, "block_type_id": block_type["id"], "capabilities": ["b", "a"]})
    document = player.post("/block_documents/", {"name": "secret", "data": {"key": "hunter2"},
                                                 "block_schema_id": schema["id"], "block_type_id": block_type["id"]})
    flow = player.post("/flows/", {"name": "deployed", "tags": ["é"]})
    player.post("/experimental/work_pools/", {"name": "pool", "type": "process", "base_job_template": {}})
    player.post("/experimental/work_pools/pool/queues", {"name": "queue", "priority": 7, "concurrency_limit": 3})
    player.post("/deployments/", {"name": "d", "flow_id": flow["id"], "schedule": {"interval": 3600},
                                  "is_schedule_active": False, "parameters": JSON, "work_pool_name": "pool",
                                  "work_queue_name": "queue", "storage_document_id": document["id"]})
    player.post("/flow_run_notification_policies/",
                {"is_active": True, "state_names": [], "tags": [], "block_document_id": document["id"]})
    player.post("/concurrency_limits/", {"tag": "slot", "concurrency_limit": 2})


def insert(connection, table, **values):
    names = ", ".join(f'"{name}"' for name in values)
    places = ", ".join("?" * len(values))
    connection.execute(f"INSERT INTO {table} ({names}) VALUES ({places})", [*values.values()])


def by_hand(connection):
    """Rows of tables that are empty otherwise, and values at the ends of what columns hold."""
    one = lambda sql: connection.execute(sql).fetchone()[0]
    queue, pool, flow, run = (one(f"SELECT min(id) FROM {table}")
                              for table in ("work_queue", "work_pool", "flow", "flow_run"))
    document, task = one("SELECT min(id) FROM block_document"), one("SELECT min(id) FROM task_run")
    insert(connection, "agent", name="agent", work_queue_id=queue)
    insert(connection, "worker", name="worker", work_pool_id=pool)
    insert(connection, "saved_search", name=TEXT, filters=JSON_TEXT)
    insert(connection, "block_document_reference", name="r", parent_block_document_id=document,
           reference_block_document_id=document)
    insert(connection, "flow_run_notification_queue", flow_run_notification_policy_id=new_id(),
           flow_run_state_id=new_id())
    for data in (JSON_TEXT, "null", '"text"', "true", "5", "[]", None):
        insert(connection, "artifact", id=new_id(), data=data, metadata_=data, flow_run_id=run, task_run_id=task)
    artifact = one("SELECT min(id) FROM artifact")
    for n, (start, time) in enumerate([(OLD, OLD), (NEW, NEW), (None, "1970-01-01 00:00:00.000001"),
                                       (None, "1969-12-31 23:59:59.999999"), ("2026-02-28 12:00:00", 0)]):
        insert(connection, "flow_run", id=new_id(), name=TEXT, flow_id=flow, parameters=JSON_TEXT, start_time=start,
               total_run_time=time, run_count=(2**31 - 1) * (-1) ** n, tags='["é"]', created_by='{"id": null}',
               idempotency_key=str(n))
        insert(connection, "flow_run_state", id=new_id(), type="CANCELLING", name="", message="",
               timestamp=f"2026-01-01 00:00:00.00000{n}", data=JSON_TEXT, flow_run_id=run, result_artifact_id=artifact)
    for n in range(300):  # more than a page
        insert(connection, "log", id=new_id(), name=TEXT, level=(-1) ** n * (32767 - n), flow_run_id=new_id(),
               message=TEXT * (n % 7), timestamp=f"2026-01-01 00:00:00.{n:06}")


def fill(home):
    """The path of the file."""
    client = home / "client"
    client.mkdir()
    with servers.running("orion", home=home, PREFECT_EXPERIMENTAL_ENABLE_WORK_POOLS="true") as server:
        player = scenario.Player(server.url, client)
        by_api(player)
        for flow in ("mapped", "parent", "failing", "cached", "cached", "logging"):
            player.flow(flow)
    with contextlib.closing(sqlite3.connect(server.store.path)) as connection:
        connection.execute("PRAGMA foreign_keys = ON")
        by_hand(connection)
        connection.commit()
    return server.store.path

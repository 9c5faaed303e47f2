"""Work that clients could make grow with the square of what they send, or without end: it is refused, or takes no time
to speak of."""
import time

import pytest

from tests.lib import servers

POOLS = "/experimental/work_pools"
SECONDS = 5  # under sanitizers, beside other programs; the square of what is sent would be minutes


@pytest.fixture(scope="module")
def orion(engine):
    with servers.running("orion", database=engine, PREFECT_EXPERIMENTAL_ENABLE_WORK_POOLS="true") as server:
        yield server


@pytest.fixture(autouse=True)
def quickly():
    start = time.perf_counter()
    yield
    assert time.perf_counter() - start < SECONDS


def template(configuration, properties=None):
    return {"job_configuration": {"command": configuration}, "variables": {"properties": properties or {}}}


@pytest.mark.parametrize(("text", "status"), [("{" * 1_000_000, 201), ("{{" * 150_000 + "\n x}}", 201),
                                              ("".join("{{v%d}}" % i for i in range(100_000)), 422)],
                         ids=["open", "line", "many"])
def test_templates_of_many_variables(client, text, status):
    assert client.post(POOLS + "/", {"name": "braces", "base_job_template": template(text, {"x": 1})}).status == status
    client.request("DELETE", POOLS + "/braces")


def test_overrides_against_a_large_schema(client):
    properties = {f"a{i}": {"type": "string", "pattern": "^(a|b)*$"} for i in range(20_000)}
    assert client.post(POOLS + "/",
                       {"name": "large", "base_job_template": template("{{ a1 }}", properties)}).status == 201
    body = {"name": "large", "flow_id": client.flow()["id"], "work_pool_name": "large",
            "infra_overrides": {f"b{i}": "a" for i in range(20_000)}}
    answer = client.post("/deployments/", body)
    assert answer.status == 409
    assert "too large" in answer.value["detail"]


def test_a_queue_named_over_and_over(client):
    client.post(POOLS + "/", {"name": "named"})
    answer = client.post(POOLS + "/named/get_scheduled_flow_runs", {"work_queue_names": ["default"] * 300_000})
    assert (answer.status, answer.value) == (200, [])
    answer = client.post(POOLS + "/named/get_scheduled_flow_runs", {"work_queue_names": ["default", "b", "a"]})
    assert (answer.status, answer.value) == (404, {"detail": "Work pool queue 'named/b' not found."})


@pytest.mark.parametrize("priority", [-2**63, 2**63 - 1, 0, -1])
def test_priorities_at_the_ends(client, priority):
    client.post(POOLS + "/", {"name": "ends"})
    assert client.post(POOLS + "/ends/queues", {"name": "first", "priority": priority}).status == 201
    queues = client.post(POOLS + "/ends/queues/filter", {}).value
    assert [queue["priority"] for queue in queues] == [1, 2]
    client.request("DELETE", POOLS + "/ends")


def test_messages_that_would_be_endless(client):
    body = {"state_names": [], "tags": [], "block_document_id": "0" * 32,
            "message_template": "{flow_name:>100000}" * 100_000}
    answer = client.post("/flow_run_notification_policies/", body)
    assert answer.status == 422
    assert "The message would be longer than 262144 bytes" in str(answer.value)


def test_a_deployment_of_many_tags_and_queues_that_ask_for_as_many(client):
    tags = [f"tag-{i}" for i in range(50_000)]
    flow = client.flow()
    deployment = client.post("/deployments/", {"name": "tagged", "flow_id": flow["id"], "tags": tags}).value
    client.post("/work_queues/", {"name": "asking", "filter": {"tags": tags[::-1]}})
    found = client.get(f"/deployments/{deployment['id']}/work_queue_check").value
    assert "asking" in [queue["name"] for queue in found]


def test_block_schemas_of_too_many_secrets_or_references(client):
    block_type = client.post("/block_types/", {"name": "Bounded", "slug": "bounded"}).value
    inner = client.post("/block_schemas/",
                        {"block_type_id": block_type["id"], "fields": {"title": "Inner", "secret_fields": ["a"] * 500}})
    assert inner.status == 201
    secrets = client.post("/block_schemas/", {"block_type_id": block_type["id"],
                                              "fields": {"title": "Secrets", "secret_fields": ["a"] * 501}})
    assert secrets.status == 413
    reference = {"block_type_slug": "bounded", "block_schema_checksum": inner.value["checksum"]}
    fields = {"title": "Outer", "block_schema_references": {f"field-{i}": reference for i in range(1001)}}
    assert client.post("/block_schemas/", {"block_type_id": block_type["id"], "fields": fields}).status == 413
    fields["block_schema_references"].pop("field-0")
    assert client.post("/block_schemas/", {"block_type_id": block_type["id"], "fields": fields}).status == 201


def test_a_rule_that_yields_nothing_is_no_burden_for_others(client):
    flow = client.flow()
    rules = ["FREQ=MINUTELY;BYDAY=MO;BYSETPOS=2", "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30",
             "DTSTART:19000101T000000\nRRULE:FREQ=SECONDLY;INTERVAL=7"]
    for i, rule in enumerate(rules):
        deployment = client.post("/deployments/",
                                 {"name": f"nothing {i}", "flow_id": flow["id"], "schedule": {"rrule": rule}})
        assert deployment.status == 201
        assert client.post(f"/deployments/{deployment.value['id']}/schedule", {}).status == 200

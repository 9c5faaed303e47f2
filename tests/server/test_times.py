"""A row's times never run backwards: what is changed as soon as it was made says that it was changed later. (The
reference's `updated` on SQLite has milliseconds, its `created` microseconds.)"""
import uuid

import pytest

ROUNDS = 40


def make_deployment(client, name):
    return client.made("/deployments/", {"name": name, "flow_id": client.flow()["id"]})


def make_document(client, name):
    block_type = client.made("/block_types/", {"name": name, "slug": name})
    schema = client.made("/block_schemas/", {"fields": {"title": name, "type": "object", "properties": {}},
                                             "block_type_id": block_type["id"]})
    return client.made("/block_documents/", {"name": name, "data": {"a": 1}, "block_schema_id": schema["id"],
                                             "block_type_id": block_type["id"]})


def make_policy(client, name):
    return client.made("/flow_run_notification_policies/",
                       {"state_names": [], "tags": [], "block_document_id": make_document(client, name)["id"]})


CHANGES = {  # path: how a row is made, and its change
    "/flows/": (lambda client, name: client.made("/flows/", {"name": name}), {"tags": ["x"]}),
    "/flow_runs/": (lambda client, name: client.flow_run(client.flow()), {"name": "x"}),
    "/deployments/": (make_deployment, {"description": "x"}),
    "/work_queues/": (lambda client, name: client.made("/work_queues/", {"name": name}), {"description": "x"}),
    "/block_types/": (lambda client, name: client.made("/block_types/", {"name": name, "slug": name}),
                      {"description": "x"}),
    "/block_documents/": (make_document, {"data": {"a": 2}}),
    "/flow_run_notification_policies/": (make_policy, {"is_active": False}),
}


@pytest.mark.parametrize("path", CHANGES)
def test_changed_at_once(client, path):
    make, change = CHANGES[path]
    for _ in range(ROUNDS):
        made = make(client, f"n{uuid.uuid4().hex}")
        assert client.request("PATCH", f"{path}{made['id']}", change).status in (200, 204)
        now = client.get(f"{path}{made['id']}").value
        assert now["created"] == made["created"] and now["updated"] > made["updated"] >= made["created"]


@pytest.mark.parametrize("path, body",
                         [("/deployments/", lambda client: {"name": "d", "flow_id": client.flow()["id"]}),
                          ("/concurrency_limits/", lambda client: {"tag": uuid.uuid4().hex, "concurrency_limit": 1})])
def test_made_twice_at_once(client, path, body):
    for _ in range(ROUNDS):
        wanted = body(client)
        first, second = client.post(path, wanted).value, client.post(path, wanted).value
        assert second["id"] == first["id"] and second["created"] == first["created"] \
            and second["updated"] > first["updated"]


def test_a_run_that_changes_its_state_at_once(client):
    for _ in range(ROUNDS):
        run = client.flow_run(client.flow())
        assert client.set_state("flow_runs", run, "RUNNING").status == 201
        now = client.get(f"/flow_runs/{run['id']}").value
        assert now["updated"] > run["updated"] >= run["created"]

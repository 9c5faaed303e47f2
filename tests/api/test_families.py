"""What a deletion takes along, and what loses a reference by it: runs, subflows, task runs, deployments, whose families
reach into other flows. Expected is what the reference's foreign keys do."""
import pytest

from tests.lib.differences import expected
from .test_blocks import make_document, make_schema, make_type


def gone(api, *paths):
    return [api.get(path).status_code for path in paths] == [404] * len(paths)


def with_family(api, **fields):
    """A run with states, a task run, and subflows of it in its own flow and in another."""
    run = api.running_flow_run(**fields)
    task = api.task_run(run)
    api.moved(task, "RUNNING")
    near = api.flow_run({"id": run["flow_id"]}, parent_task_run_id=task["id"])
    far = api.flow_run(parent_task_run_id=task["id"])
    api.task_run(far)
    return run, task, near, far


def assert_went(api, run, task, far):
    """The run and what is below it, but for the subflow in another flow."""
    assert gone(api, f"/flow_runs/{run['id']}", f"/task_runs/{task['id']}")
    for kind, of in [("flow_run", run), ("task_run", task)]:
        assert api.server.execute(f"SELECT count(*) FROM {kind}_state WHERE {kind}_id = ?", of["id"]) == [(0,)]
    assert api.again(far)["parent_task_run_id"] is None
    assert api.again(far)["state_id"] == far["state_id"]
    assert api.server.execute("SELECT count(*) FROM task_run WHERE flow_run_id = ?", far["id"]) == [(1,)]


def test_a_flow(api):
    run, task, near, far = with_family(api)
    flow = {"id": run["flow_id"]}
    deployment = api.deployment(flow)
    guest = api.flow_run(deployment_id=deployment["id"], state={"type": "SCHEDULED"})  # of another flow
    assert api.delete(f"/flows/{flow['id']}").status_code == 204
    assert_went(api, run, task, far)
    assert gone(api, f"/flow_runs/{near['id']}", f"/deployments/{deployment['id']}")
    assert api.again(guest)["deployment_id"] is None


def test_a_flow_run(api):
    run, task, near, far = with_family(api)
    assert api.delete(f"/flow_runs/{run['id']}").status_code == 204
    assert_went(api, run, task, far)
    assert api.again(near)["parent_task_run_id"] is None


def test_a_task_run(api):
    run, task, near, far = with_family(api)
    assert api.delete(f"/task_runs/{task['id']}").status_code == 204
    assert gone(api, f"/task_runs/{task['id']}")
    assert [api.again(child)["parent_task_run_id"] for child in (near, far)] == [None, None]
    assert api.again(run)["state"]["type"] == "RUNNING"


def test_a_deployment(api):
    deployment = api.deployment()
    flow = {"id": deployment["flow_id"]}
    run, task, near, far = with_family(api, flow=flow, deployment_id=deployment["id"])
    planned = api.flow_run(flow, deployment_id=deployment["id"], state={"type": "SCHEDULED"})
    guest = api.flow_run(deployment_id=deployment["id"], state={"type": "SCHEDULED"})
    retrying = api.running_flow_run(flow=flow, deployment_id=deployment["id"])
    retried = api.task_run(retrying)
    api.moved(retrying, {"type": "SCHEDULED", "name": "AwaitingRetry"}, force=True)
    assert api.delete(f"/deployments/{deployment['id']}").status_code == 204
    assert gone(api, *(f"/flow_runs/{other['id']}" for other in (planned, guest, retrying)),
                f"/task_runs/{retried['id']}")
    assert api.again(run)["deployment_id"] is None
    assert [api.again(child)["parent_task_run_id"] for child in (near, far)] == [task["id"]] * 2


@pytest.mark.parametrize("what", ["block_documents", "block_schemas", "block_types"])
def test_a_block(api, what):
    block_type = make_type(api)
    schema = make_schema(api, block_type)
    document = make_document(api, schema)
    storage, infrastructure = (api.deployment(**{f"{use}_document_id": document["id"]})
                               for use in ("storage", "infrastructure"))
    run, task, near, far = with_family(api, infrastructure_document_id=document["id"])
    deployed = [api.flow_run({"id": of["flow_id"]}, deployment_id=of["id"], state={"type": "SCHEDULED"})
                for of in (storage, infrastructure)]
    row = {"block_documents": document, "block_schemas": schema, "block_types": block_type}[what]
    assert api.delete(f"/{what}/{row['id']}").status_code == 204
    assert_went(api, run, task, far)
    assert api.again(near)["parent_task_run_id"] is None
    assert gone(api, f"/block_documents/{document['id']}", f"/deployments/{storage['id']}",
                f"/deployments/{infrastructure['id']}")
    assert [api.again(other)["deployment_id"] for other in deployed] == [None, None]


def test_a_block_whose_run_has_data(api):
    document = make_document(api)
    run = api.running_flow_run(infrastructure_document_id=document["id"])
    api.moved(run, {"type": "COMPLETED", "data": {"a": 1}})
    assert api.delete(f"/block_documents/{document['id']}").status_code == \
        expected("deleting a run with data", api.kind)

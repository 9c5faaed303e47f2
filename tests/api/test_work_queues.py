"""/work_queues: the routes, the runs that a queue gives to agents, the record of their polls."""
import datetime
import json
import time
import uuid

import pytest

from tests.lib.api_client import NOBODY, unique
from tests.lib.differences import expected
from tests.lib.shapes import FLOW_RUN, is_row, seconds_ago

KEYS = ["id", "created", "updated", "name", "description", "is_paused", "concurrency_limit", "priority", "work_pool_id",
        "filter", "last_polled"]
GONE = {"detail": "work queue not found"}
CONFLICT = {"detail": "Data integrity conflict. This usually means a unique or foreign key constraint was violated. See"
                " server logs for details."}
NOW = datetime.datetime.now(datetime.timezone.utc)


def make(api, **fields):
    return api.made("/work_queues/", {"name": unique("queue"), **fields})


def again(api, queue):
    return api.read(f"/work_queues/{queue['id']}")


def at(seconds):
    return (NOW + datetime.timedelta(seconds=seconds)).isoformat()


def run_in(api, queue, seconds=0, state="SCHEDULED", **fields):
    """A run that carries the queue's name, due so many seconds after the tests began."""
    given = {"type": state, "state_details": {"scheduled_time": at(seconds)}} if state == "SCHEDULED" \
        else {"type": state}
    run = api.flow_run(state=given, **fields)
    api.server.execute("UPDATE flow_run SET work_queue_name = ?, work_queue_id = ? WHERE id = ?", queue["name"],
                       queue["id"], run["id"])
    return run


def runs(api, queue, headers=None, **body):
    return api.made(f"/work_queues/{queue['id']}/get_runs", body, 200,
                    headers=headers or {"x-prefect-ui": "true", "content-type": "application/json"})


def ids(rows):
    return [row["id"] for row in rows]


def until(check):
    """What check() answers, once it is true: polls are recorded after the answer."""
    deadline = time.monotonic() + 20
    while not (found := check()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return found


def test_create_and_read(api):
    queue = make(api, description="d", is_paused=True, concurrency_limit=3)
    is_row(queue, KEYS)
    assert (queue["description"], queue["is_paused"], queue["concurrency_limit"], queue["filter"],
            queue["last_polled"]) == ("d", True, 3, None, None)
    assert again(api, queue) == queue
    assert api.read(f"/work_queues/name/{queue['name']}") == queue
    plain = make(api, description=None)
    assert (plain["description"], plain["is_paused"], plain["concurrency_limit"]) == ("", False, None)
    assert plain["work_pool_id"] == api.read("/work_queues/name/default")["work_pool_id"]


def test_a_new_queue_comes_last_whatever_priority_it_asks_for(api):
    first, second = make(api, priority=1), make(api, priority=-7)
    assert second["priority"] == first["priority"] + 1
    last = max(queue["priority"] for queue in api.made("/work_queues/filter", {"limit": 200}, 200)
               if queue["work_pool_id"] == first["work_pool_id"])
    assert last == second["priority"]


def test_names_are_taken_once(api):
    queue = make(api)
    answer = api.post("/work_queues/", {"name": queue["name"]})
    assert (answer.status_code, answer.json()) == (409, {"detail": "A work queue with this name already exists."})
    answer = api.patch(f"/work_queues/{queue['id']}", {"name": "default"})
    assert (answer.status_code, answer.json()) == (409, CONFLICT)


def test_a_queue_without_a_name(api):
    assert api.post("/work_queues/", {}).status_code == expected("a work queue without a name", api.kind)


@pytest.mark.parametrize("given, kept",
                         [({}, {"tags": None, "deployment_ids": None}),
                          ({"tags": ["a", 5], "other": 1}, {"tags": ["a", "5"], "deployment_ids": None}),
                          ({"deployment_ids": [NOBODY.upper()]}, {"tags": None, "deployment_ids": [NOBODY]})])
def test_filters_are_kept(api, given, kept):
    queue = make(api, filter=given)
    assert queue["filter"] == kept and again(api, queue)["filter"] == kept
    assert api.patch(f"/work_queues/{queue['id']}", {"filter": None}).status_code == 204
    assert again(api, queue)["filter"] is None


BAD = [({"name": None}, ["name"], "type_error.none.not_allowed"),
       ({"name": "a/b"}, ["name"], "value_error.invalidname"),
       ({"is_paused": None}, ["is_paused"], "type_error.none.not_allowed"),
       ({"concurrency_limit": -1}, ["concurrency_limit"], "value_error.number.not_ge"),
       ({"concurrency_limit": -10**30}, ["concurrency_limit"], "value_error.number.not_ge"),
       ({"filter": {"deployment_ids": ["x"]}}, ["filter", "deployment_ids", 0], "type_error.uuid"),
       ({"work_pool_id": NOBODY}, ["work_pool_id"], "value_error.extra")]


@pytest.mark.parametrize("fields, place, kind", BAD)
def test_refused_bodies(api, fields, place, kind):
    queue = make(api)
    for answer in [api.post("/work_queues/", {"name": unique(), **fields}),
                   api.patch(f"/work_queues/{queue['id']}", fields)]:
        assert answer.status_code == 422
        assert [(error["loc"], error["type"]) for error in answer.json()["exception_detail"]] == \
            [(["body", *place], kind)]


def test_update(api):
    queue = make(api, concurrency_limit=2)
    for fields in [{"description": "new"}, {"is_paused": True}, {"concurrency_limit": None}, {"concurrency_limit": 0},
                   {"priority": 3}, {"name": unique()}, {"last_polled": "2021-01-02T03:04:05+00:00"},
                   {"last_polled": None}, {"filter": {"tags": ["x"], "deployment_ids": None}}, {}]:
        before = again(api, queue)
        assert api.patch(f"/work_queues/{queue['id']}", fields).status_code == 204
        after = again(api, queue)
        assert {key: after[key] for key in KEYS if key != "updated"} == \
            {key: {**before, **fields}[key] for key in KEYS if key != "updated"}
        assert after["updated"] >= before["updated"]
    answer = api.patch(f"/work_queues/{NOBODY}", {"description": "x"})
    assert (answer.status_code, answer.json()) == (404, {"detail": "Work Queue <built-in function id> not found"})


def test_update_of_priority_moves_no_other(api):
    first, second = make(api), make(api)
    assert api.patch(f"/work_queues/{second['id']}", {"priority": first["priority"]}).status_code == 204
    assert again(api, first)["priority"] == again(api, second)["priority"] == first["priority"]
    answer = api.patch(f"/work_queues/{first['id']}", {"priority": 0})
    assert answer.json()["exception_detail"][0]["type"] == "value_error.number.not_ge"
    for fields in [{"priority": None}, {"description": None}]:
        answer = api.patch(f"/work_queues/{first['id']}", fields)
        assert (answer.status_code, answer.json()) == (409, CONFLICT)


def test_list(api):
    mark = unique("mark")
    made = [make(api, name=f"{mark}-{letter}") for letter in "bca"]
    found = api.made("/work_queues/filter", {"work_queues": {"name": {"startswith_": [mark.upper()]}}}, 200)
    assert found == sorted(made, key=lambda queue: queue["name"])
    assert api.made("/work_queues/filter", {"work_queues": {"name": {"startswith_": [mark]}}, "limit": 1, "offset": 1},
                    200) == found[1:2]
    either = {"operator": "or_", "name": {"any_": [made[0]["name"]]}, "id": {"any_": [made[1]["id"]]}}
    assert api.made("/work_queues/filter", {"work_queues": either}, 200) == [made[0], made[1]]


def test_delete(api):
    queue = make(api)
    assert api.delete(f"/work_queues/{queue['id']}").status_code == 204
    for answer in [api.delete(f"/work_queues/{queue['id']}"), api.get(f"/work_queues/{queue['id']}"),
                   api.get(f"/work_queues/name/{queue['name']}")]:
        assert (answer.status_code, answer.json()) == (404, GONE)
    answer = api.delete(f"/work_queues/{api.read('/work_queues/name/default')['id']}")
    assert (answer.status_code, answer.json()) == (409, CONFLICT)


def test_missing(api):
    for answer, dot in [(api.post(f"/work_queues/{NOBODY}/get_runs", {}), "."),
                        (api.get(f"/work_queues/{NOBODY}/status"), "")]:
        assert (answer.status_code, answer.json()) == \
            (404, {"exception_message": f"Work queue with id {NOBODY} not found{dot}"})


# ---- the runs of a queue


def test_runs_in_order(api):
    queue, other = make(api), make(api)
    later, first, second = run_in(api, queue, 50), run_in(api, queue, -5), run_in(api, queue, 5)
    run_in(api, other)
    for state in ["PENDING", "RUNNING", "COMPLETED"]:
        run_in(api, queue, state=state)
    found = runs(api, queue)
    assert ids(found) == ids([first, second, later])
    assert [list(run) for run in found] == [FLOW_RUN] * 3
    assert (found[0]["work_queue_name"], found[0]["work_pool_name"], found[0]["state"]["type"]) == \
        (queue["name"], "default-agent-pool", "SCHEDULED")
    assert ids(runs(api, queue, scheduled_before=at(5))) == ids([first, second])
    assert ids(runs(api, queue, limit=1)) == [first["id"]]
    assert runs(api, queue, limit=0) == []
    assert runs(api, queue, scheduled_before=at(-100)) == []


def test_a_paused_queue_gives_nothing(api):
    for fields in [{}, {"filter": {}}]:
        queue = make(api, is_paused=True, **fields)
        run_in(api, queue)
        assert runs(api, queue) == []


def test_runs_are_found_by_the_name_of_the_queue(api):
    queue, other = make(api), make(api)
    run = run_in(api, queue)
    api.server.execute("UPDATE flow_run SET work_queue_id = ? WHERE id = ?", other["id"], run["id"])
    assert ids(runs(api, queue)) == [run["id"]] and runs(api, other) == []


@pytest.mark.parametrize("state, counts", [("PENDING", True), ("RUNNING", True), ("CANCELLING", True),
                                           ("COMPLETED", False), ("PAUSED", False)])
def test_slots(api, state, counts):
    queue = make(api, concurrency_limit=2)
    waiting = [run_in(api, queue, seconds) for seconds in range(4)]
    assert ids(runs(api, queue)) == ids(waiting[:2])
    for taken in [1, 2, 3]:
        run = run_in(api, queue, state="RUNNING")
        api.server.execute("UPDATE flow_run SET state_type = ? WHERE id = ?", state, run["id"])
        left = max(0, 2 - taken) if counts else 2
        assert ids(runs(api, queue)) == ids(waiting[:left])
    assert ids(runs(api, queue, limit=1)) == ids(waiting[:min(1, left)])


def test_many_runs_in_the_window_are_found_as_well(api):
    """Beyond a thousand due runs another way leads to them."""
    queue, crowd = make(api), make(api)
    template = run_in(api, crowd, -1000)
    api.copy_flow_run(template, 2500)
    mine = [run_in(api, queue, seconds) for seconds in (30, 10, 20)]
    assert ids(runs(api, queue)) == ids([mine[1], mine[2], mine[0]])
    assert ids(runs(api, queue, limit=2, scheduled_before=at(15))) == [mine[1]["id"]]
    assert len(runs(api, crowd)) == 200
    assert len(runs(api, crowd, limit=7)) == 7
    api.server.execute("DELETE FROM flow_run WHERE work_queue_name = ?", crowd["name"])


# ---- queues with a filter, the deprecated way


def test_filter_by_tags_and_deployments(api):
    tag = unique("tag")
    one, two = api.deployment(), api.deployment()
    both = run_in(api, {"name": None, "id": None}, 5, tags=[tag, "more"], deployment_id=one["id"])
    early = run_in(api, {"name": None, "id": None}, -5, tags=[tag], deployment_id=two["id"])
    run_in(api, {"name": None, "id": None}, tags=[tag])  # of no deployment
    run_in(api, {"name": None, "id": None}, tags=["other"], deployment_id=one["id"])
    assert ids(runs(api, make(api, filter={"tags": [tag]}))) == ids([early, both])
    assert ids(runs(api, make(api, filter={"tags": [tag]}), scheduled_before=at(0))) == [early["id"]]
    assert ids(runs(api, make(api, filter={"tags": [tag, "more"]}))) == [both["id"]]
    assert ids(runs(api, make(api, filter={"tags": [tag], "deployment_ids": [one["id"]]}))) == [both["id"]]
    assert runs(api, make(api, filter={"deployment_ids": []})) == []


@pytest.mark.parametrize("state, counts", [("PENDING", True), ("RUNNING", True), ("CANCELLING", False)])
def test_slots_of_a_filter(api, state, counts):
    tag, deployment = unique("tag"), api.deployment()
    queue = make(api, filter={"tags": [tag]}, concurrency_limit=2)
    nowhere = {"name": None, "id": None}
    waiting = [run_in(api, nowhere, seconds, tags=[tag], deployment_id=deployment["id"]) for seconds in range(3)]
    run = run_in(api, nowhere, state="RUNNING", tags=[tag], deployment_id=deployment["id"])
    api.server.execute("UPDATE flow_run SET state_type = ? WHERE id = ?", state, run["id"])
    assert ids(runs(api, queue)) == ids(waiting[: 1 if counts else 2])
    assert runs(api, queue, limit=0) == []


# ---- polls


def poll(api, queue, headers=None, **body):
    return api.made(f"/work_queues/{queue['id']}/get_runs", body, 200, **({"headers": headers} if headers else {}))


def test_a_poll_is_recorded(api):
    queue = make(api)
    poll(api, queue)
    polled = until(lambda: again(api, queue)["last_polled"])
    assert 0 <= seconds_ago(polled) < 20
    poll(api, queue)
    assert until(lambda: again(api, queue)["last_polled"] > polled)


def test_the_dashboard_polls_nothing(api):
    seen, unseen = make(api), make(api)
    poll(api, unseen, {"x-prefect-ui": "1", "content-type": "application/json"}, agent_id=str(uuid.uuid4()))
    poll(api, seen, {"x-prefect-ui": "off", "content-type": "application/json"})
    assert until(lambda: again(api, seen)["last_polled"])
    assert again(api, unseen)["last_polled"] is None


def test_agents_are_recorded(api):
    queue, other = make(api), make(api)
    agent = str(uuid.uuid4())

    def row():
        return api.server.execute("SELECT work_queue_id, last_activity_time, name FROM agent WHERE id = ?", agent)

    poll(api, queue, agent_id=agent)
    first = until(row)[0]
    assert first[0] == queue["id"] and first[2]
    poll(api, other, agent_id=agent)
    second = until(lambda: row()[0][0] == other["id"] and row())[0]
    assert second[1] > first[1] and second[2] == first[2]


def test_a_queue_that_an_agent_has_polled_can_be_deleted(api):
    queue, agent = make(api), str(uuid.uuid4())
    poll(api, queue, agent_id=agent)
    assert until(lambda: api.server.execute("SELECT 1 FROM agent WHERE id = ?", agent))
    assert api.delete(f"/work_queues/{queue['id']}").status_code == expected("deleting a polled queue", api.kind)


def test_bad_parameters(api):
    queue = make(api)

    def errors(body, path=queue["id"], **options):
        answer = api.post(f"/work_queues/{path}/get_runs", body, **options)
        assert answer.status_code == 422
        return [(tuple(error["loc"]), error["type"]) for error in answer.json()["exception_detail"]]

    missing = [(("body", name), "value_error.missing") for name in ["limit", "scheduled_before", "agent_id"]]
    assert errors([]) == missing
    assert errors([], "x") == [missing[0], (("path", "id"), "type_error.uuid"), *missing[1:]]
    assert errors({"agent_id": "y"}, headers={"x-prefect-ui": "maybe", "content-type": "application/json"}) == \
        [(("header", "x-prefect-ui"), "type_error.bool"), (("body", "agent_id"), "type_error.uuid")]
    for limit, words in [(-1, "greater than or equal to 0."), (201, "less than or equal to 200."),
                         (10**30, "less than or equal to 200.")]:
        answer = api.post(f"/work_queues/{queue['id']}/get_runs", {"limit": limit, "agent_id": "y"})
        assert (answer.status_code, answer.json()) == (422, {"detail": f"Invalid limit: must be {words}"})


# ---- health


def test_status(api):
    queue = make(api)

    def status():
        return json.loads(api.get(f"/work_queues/{queue['id']}/status").text)

    policy = {"maximum_late_runs": 0, "maximum_seconds_since_last_polled": 60}
    assert status() == {"healthy": False, "late_runs_count": 0, "last_polled": None, "health_check_policy": policy}
    for seconds, healthy in [(0, True), (-50, True), (-70, False), (50, True), (100, False)]:
        polled = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)).isoformat()
        assert api.patch(f"/work_queues/{queue['id']}", {"last_polled": polled}).status_code == 204
        assert (status()["healthy"], status()["last_polled"]) == (healthy, polled)
    assert api.patch(f"/work_queues/{queue['id']}",
                     {"last_polled": datetime.datetime.now(datetime.timezone.utc).isoformat()}).status_code == 204
    run = run_in(api, queue)
    assert status()["healthy"]
    api.server.execute("UPDATE flow_run SET state_name = 'Late' WHERE id = ?", run["id"])
    assert (status()["healthy"], status()["late_runs_count"]) == (False, 1)

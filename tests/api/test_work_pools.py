"""/experimental/work_pools: pools, their queues and workers, the runs that workers are given."""
import datetime
import itertools
import time

import pytest

from tests.lib import servers
from tests.lib.api_client import NOBODY, Api, unique
from tests.lib.differences import expected
from tests.lib.shapes import FLOW_RUN, is_row, seconds_ago

POOLS = "/experimental/work_pools"
POOL = ["id", "created", "updated", "name", "description", "type", "base_job_template", "is_paused",
        "concurrency_limit", "default_queue_id"]
QUEUE = ["id", "created", "updated", "name", "description", "is_paused", "concurrency_limit", "priority",
         "work_pool_id", "filter", "last_polled"]
WORKER = ["id", "created", "updated", "name", "work_pool_id", "last_heartbeat_time"]
CORE_RUN = [*FLOW_RUN[:-2], "work_queue_id", "state"]
CONFLICT = {"detail": "Data integrity conflict. This usually means a unique or foreign key constraint was violated. See"
                " server logs for details."}
NOW = datetime.datetime.now(datetime.timezone.utc)


@pytest.fixture(scope="session")
def server(request):
    """One with the experiment switched on."""
    kind, engine = request.param
    with servers.running(kind, database=engine, PREFECT_EXPERIMENTAL_ENABLE_WORK_POOLS="true",
                         PREFECT_EXPERIMENTAL_WARN_WORK_POOLS="false") as running:
        yield running


@pytest.fixture(scope="session")
def api(server):
    return Api(server)


def make(api, **fields):
    return api.made(f"{POOLS}/", {"name": unique("pool"), **fields})


def add(api, pool, name=None, **fields):
    return api.made(f"{POOLS}/{pool['name']}/queues", {"name": name or unique("queue"), **fields})


def queues(api, pool, **body):
    return api.made(f"{POOLS}/{pool['name']}/queues/filter", body, 200)


def order(api, pool):
    """Names in order; their priorities must be 1, 2, 3, …"""
    rows = queues(api, pool)
    assert [row["priority"] for row in rows] == list(range(1, len(rows) + 1))
    return " ".join(row["name"] for row in rows)


def missing(name):
    return {"detail": f'Work pool "{name}" not found.'}


# ---- pools


def test_create_and_read(api):
    given = {"description": "d", "type": "docker", "is_paused": True, "concurrency_limit": 4,
             "base_job_template": {"job_configuration": {"image": "{{ image }}:{{tag}}"},
                 "variables": {"properties": {"image": {"type": "string"}, "tag": {"default": 1.10}}}}}
    pool = make(api, **given)
    is_row(pool, POOL)
    assert {name: pool[name] for name in given} == given
    assert api.read(f"{POOLS}/{pool['name']}") == pool
    plain = make(api)
    assert (plain["description"], plain["type"], plain["base_job_template"], plain["is_paused"],
            plain["concurrency_limit"]) == (None, "prefect-agent", {}, False, None)


def test_a_pool_has_a_default_queue(api):
    pool = make(api)
    [queue] = queues(api, pool)
    is_row(queue, QUEUE)
    assert (queue["id"], queue["name"], queue["description"], queue["priority"]) == \
        (pool["default_queue_id"], "default", "The work pool's default queue.", 1)
    assert api.read(f"{POOLS}/{pool['name']}/queues/default") == queue


def test_refused_names(api):
    pool = make(api)
    answer = api.post(f"{POOLS}/", {"name": pool["name"]})
    assert (answer.status_code, answer.json()) == (409, {"detail": "A work pool with this name already exists."})
    for name in ["prefect", "PREFECT-x", "Prefect pool"]:
        answer = api.post(f"{POOLS}/", {"name": name})
        assert (answer.status_code, answer.json()) == \
            (403, {"detail": "Work pools starting with 'Prefect' are reserved for internal use."})
        answer = api.delete(f"{POOLS}/{name}")
        assert (answer.status_code, answer.json()["detail"][-41:]) == \
            (403, "for internal use and can not be deleted.".rjust(41))
        answer = api.patch(f"{POOLS}/{name}", {"is_paused": True, "description": "x"})
        assert (answer.status_code, answer.json()["detail"]) == \
            (403, "Work pools starting with 'Prefect' are reserved for internal use and can only be updated to set"
             " concurrency limits or pause.")
        answer = api.patch(f"{POOLS}/{name}", {"is_paused": True, "concurrency_limit": 1})
        assert (answer.status_code, answer.json()) == (404, missing(name))
    assert api.post(f"{POOLS}/", {}).status_code == expected("a work pool without a name", api.kind)


VARIABLES = \
    "The variables specified in the job configuration template must be present as attributes in the variables class. "
BOTH = "The `base_job_template` must contain both a `job_configuration` key and a `variables` key."


@pytest.mark.parametrize("template, words", [
    ({"a": 1}, BOTH), ({"job_configuration": {"a": "x"}}, BOTH),
    ({"job_configuration": {"a": "x"}, "variables": {}}, BOTH),
    ({"job_configuration": {"a": "{{ x }}"}, "variables": {"properties": {}}},
     VARIABLES + "Your job expects the following variables: {'x'}, but your template provides: set()"),
    ({"job_configuration": {"a": "{{{ y }} {{ {y }}"}, "variables": {"properties": {"x": 1}}},
     VARIABLES + "Your job expects the following variables: {'{ y', '{y'}, but your template provides: {'x'}"),
    ({"job_configuration": {"a": "{{}}"}, "variables": {"properties": {"x": 1}}},
     VARIABLES + "Your job expects the following variables: {''}, but your template provides: {'x'}"),
    ({"job_configuration": {"a": 5}, "variables": {"properties": {"x": 1}}},
     "expected string or bytes-like object, got 'int'"),
])
def test_refused_templates(api, template, words):
    pool = make(api)
    for answer in [api.post(f"{POOLS}/", {"name": unique(), "base_job_template": template}),
                   api.patch(f"{POOLS}/{pool['name']}", {"base_job_template": template})]:
        assert answer.status_code == 422
        [error] = answer.json()["exception_detail"]
        assert error["loc"] == ["body", "base_job_template"]
        assert error["msg"] == words \
            or {error["msg"], words} == {words, words.replace("{'{ y', '{y'}", "{'{y', '{ y'}")}  # a set has no order


@pytest.mark.parametrize("text", ["no {{ variable", "{{ x }}{{x}}{{\tx\n}}", "{{ a\nb }}", "} {{ x }} }}"])
def test_templates_that_fit(api, text):
    template = {"job_configuration": {"a": text}, "variables": {"properties": {"x": {}}, "required": []}}
    assert make(api, base_job_template=template)["base_job_template"] == template


@pytest.mark.parametrize("template", [{"job_configuration": {"a": "x"}, "variables": {"other": 1}},
                                      {"job_configuration": 5, "variables": {"properties": {}}}])
def test_templates_of_another_form(api, template):
    assert api.post(f"{POOLS}/", {"name": unique(), "base_job_template": template}).status_code == \
        expected("a template of another form", api.kind)


def test_update(api):
    pool = make(api)
    for fields in [{"description": "x"}, {"description": None}, {"is_paused": True}, {"concurrency_limit": 0},
                   {"concurrency_limit": None}, {"base_job_template": {}}, {}]:
        before = api.read(f"{POOLS}/{pool['name']}")
        assert api.patch(f"{POOLS}/{pool['name']}", fields).status_code == 204
        after = api.read(f"{POOLS}/{pool['name']}")
        assert {key: after[key] for key in POOL if key != "updated"} == \
            {key: {**before, **fields}[key] for key in POOL if key != "updated"}
    answer = api.patch(f"{POOLS}/{pool['name']}", {"is_paused": None})
    assert (answer.status_code, answer.json()) == (409, CONFLICT)
    for fields, kind in [({"name": "x"}, "value_error.extra"), ({"type": "x"}, "value_error.extra"),
                         ({"concurrency_limit": -1}, "value_error.number.not_ge")]:
        answer = api.patch(f"{POOLS}/{pool['name']}", fields)
        assert (answer.status_code, answer.json()["exception_detail"][0]["type"]) == (422, kind)


def test_list(api):
    mark = unique("mark")
    made = [make(api, name=f"{mark}-{letter}", type=mark) for letter in "cab"]
    everything = api.made(f"{POOLS}/filter", {"work_pools": {"type": {"any_": [mark]}}}, 200)
    assert everything == sorted(made, key=lambda pool: pool["name"])
    assert api.made(f"{POOLS}/filter", {"work_pools": {"type": {"any_": [mark]}}, "limit": 1, "offset": 1}, 200) == \
        everything[1:2]
    either = {"operator": "or_", "name": {"any_": [made[0]["name"]]}, "id": {"any_": [made[1]["id"]]}}
    assert api.made(f"{POOLS}/filter", {"work_pools": either}, 200) == [made[1], made[0]]


def test_delete(api):
    pool = make(api)
    queue = add(api, pool)
    assert api.post(f"{POOLS}/{pool['name']}/workers/heartbeat", {"name": "w"}).status_code == 204
    assert api.delete(f"{POOLS}/{pool['name']}").status_code == 204
    assert api.server.execute("SELECT 1 FROM work_queue WHERE work_pool_id = ? UNION SELECT 1 FROM worker"
                              " WHERE work_pool_id = ?", pool["id"], pool["id"]) == []
    assert api.get(f"/work_queues/{queue['id']}").status_code == 404
    for answer in [api.get(f"{POOLS}/{pool['name']}"), api.delete(f"{POOLS}/{pool['name']}"),
                   api.patch(f"{POOLS}/{pool['name']}", {})]:
        assert (answer.status_code, answer.json()) == (404, missing(pool["name"]))


def test_everything_asks_for_the_pool(api):
    for path, body in [("get_scheduled_flow_runs", {}), ("get_scheduled_flow_runs", {"work_queue_names": ["x"]}),
                       ("queues", {"name": "x"}), ("queues/filter", {}), ("workers/heartbeat", {"name": "x"}),
                       ("workers/filter", {})]:
        answer = api.post(f"{POOLS}/nowhere/{path}", body)
        assert (answer.status_code, answer.json()) == (404, missing("nowhere"))


# ---- queues and their priorities


@pytest.mark.parametrize("priority, after",
                         [(None, "default a b new"), (0, "default a b new"), (1, "new default a b"),
                          (2, "default new a b"), (4, "default a b new"), (99, "default a b new"),
                          (-1, "default new a b"), (-2, "new default a b"), (-99, "new default a b")])
def test_a_new_queue_takes_its_place(api, priority, after):
    pool = make(api)
    for name in "ab":
        add(api, pool, name)
    queue = add(api, pool, "new", priority=priority)
    assert order(api, pool) == after
    assert queue["priority"] == after.split().index("new") + 1 and queue["work_pool_id"] == pool["id"]


@pytest.mark.parametrize("largest", [2**31 - 1, 2**31, 2**62])
def test_a_new_queue_comes_after_the_largest_priority(api, largest):
    if api.engine == "postgresql":
        pytest.skip("PostgreSQL's column ends at 2147483647")
    pool = make(api)
    queue = add(api, pool, "large")
    assert api.patch(f"/work_queues/{queue['id']}", {"priority": largest}).status_code == 204
    assert add(api, pool, "new")["priority"] == largest + 1


@pytest.mark.parametrize("name, priority", itertools.product("ac", [1, 2, 3, 4, 50]))
def test_an_update_moves_the_others(api, name, priority):
    pool = make(api)
    for letter in "abc":
        add(api, pool, letter)
    assert api.patch(f"{POOLS}/{pool['name']}/queues/{name}", {"priority": priority}).status_code == 204
    left = [other for other in ["default", "a", "b", "c"] if other != name]
    left.insert(priority - 1, name)
    assert order(api, pool) == " ".join(left)


def test_queue_routes(api):
    pool = make(api)
    queue = add(api, pool, "q", filter={"tags": ["t"]}, is_paused=True, concurrency_limit=1, description=None)
    path = f"{POOLS}/{pool['name']}/queues"
    is_row(queue, QUEUE)
    assert (queue["filter"], queue["is_paused"], queue["concurrency_limit"], queue["description"]) == \
        ({"tags": ["t"], "deployment_ids": None}, True, 1, "")
    assert api.read(f"{path}/q") == queue == api.read(f"/work_queues/{queue['id']}")
    answer = api.post(path, {"name": "q"})
    assert (answer.status_code, answer.json()) == \
        (409, {"detail": "A work queue with this name already exists in work pool {work_pool_name!r}."})
    answer = api.patch(f"{path}/q", {"name": "default"})
    assert (answer.status_code, answer.json()) == (409, CONFLICT)
    assert api.patch(f"{path}/q", {"name": "r", "is_paused": False, "concurrency_limit": None}).status_code == 204
    assert api.read(f"{path}/r") == {**queue, "name": "r", "is_paused": False, "concurrency_limit": None,
                                     "updated": api.read(f"{path}/r")["updated"]}
    for answer in [api.get(f"{path}/q"), api.patch(f"{path}/q", {}), api.delete(f"{path}/q")]:
        assert (answer.status_code, answer.json()) == (404,
                                                       {"detail": f"Work pool queue '{pool['name']}/q' not found."})


def test_list_of_queues(api):
    pool = make(api)
    for name in ["b-1", "a-1", "a-2"]:
        add(api, pool, name)
    assert order(api, pool) == "default b-1 a-1 a-2"
    assert [queue["name"] for queue in queues(api, pool, work_queues={"name": {"startswith_": ["A"]}})] == \
        ["a-1", "a-2"]
    assert [queue["name"] for queue in queues(api, pool, limit=2, offset=1)] == ["b-1", "a-1"]
    answer = api.post(f"{POOLS}/{pool['name']}/queues/filter", {"offset": -1, "work_queues": 5, "limit": "z"})
    assert [error["loc"][1] for error in answer.json()["exception_detail"]] == ["limit", "work_queues", "offset"]


def test_deleting_queues_closes_the_gap(api):
    pool = make(api)
    for name in "abc":
        add(api, pool, name)
    assert api.delete(f"{POOLS}/{pool['name']}/queues/b").status_code == 204
    assert order(api, pool) == "default a c"
    answer = api.delete(f"{POOLS}/{pool['name']}/queues/default")
    assert answer.status_code == expected("deleting a default queue", api.kind)
    assert order(api, pool) == "default a c"


def in_queue(api, queue_id, **fields):
    """A run and a deployment."""
    flow = api.flow()
    deployment = api.deployment(flow, work_queue_id=queue_id, work_queue_name="kept")
    run = api.flow_run(flow, **fields)
    api.server.execute("UPDATE flow_run SET work_queue_id = ?, work_queue_name = 'kept' WHERE id = ?", queue_id,
                       run["id"])
    return run, deployment


def queues_of(api, run, deployment):
    """Of the run and the deployment: the ids and the names of their queues."""
    return [api.server.execute(f"SELECT work_queue_id, work_queue_name FROM {table} WHERE id = ?", row["id"])[0]
            for table, row in (("flow_run", run), ("deployment", deployment))]


@pytest.mark.parametrize("by", ["id", "name"])
def test_a_deleted_queue_leaves_its_runs_and_deployments(api, by):
    pool = make(api)
    queue = add(api, pool)
    of_queue, of_default = in_queue(api, queue["id"]), in_queue(api, pool["default_queue_id"])
    path = f"/work_queues/{queue['id']}" if by == "id" else f"{POOLS}/{pool['name']}/queues/{queue['name']}"
    assert api.delete(path).status_code == 204
    assert queues_of(api, *of_queue) == [(None, "kept")] * 2
    assert queues_of(api, *of_default) == [(pool["default_queue_id"], "kept")] * 2
    # what cannot be deleted keeps its runs
    assert api.delete(f"/work_queues/{pool['default_queue_id']}").status_code == 409
    assert queues_of(api, *of_default) == [(pool["default_queue_id"], "kept")] * 2


def test_a_deleted_pool_leaves_them_too(api):
    pool = make(api)
    queue = add(api, pool)
    families = [in_queue(api, queue["id"], state={"type": "SCHEDULED"}), in_queue(api, pool["default_queue_id"])]
    assert api.delete(f"{POOLS}/{pool['name']}").status_code == 204
    for family in families:
        assert queues_of(api, *family) == [(None, "kept")] * 2


# ---- workers


def test_workers(api):
    pool = make(api)
    for name in ["one", "two", "one"]:
        assert api.post(f"{POOLS}/{pool['name']}/workers/heartbeat", {"name": name}).status_code == 204
        time.sleep(0.01)
    found = api.made(f"{POOLS}/{pool['name']}/workers/filter", {}, 200)
    assert [worker["name"] for worker in found] == ["one", "two"]
    for worker in found:
        is_row(worker, WORKER)
        assert worker["work_pool_id"] == pool["id"] and seconds_ago(worker["last_heartbeat_time"]) < 20
    assert api.made(f"{POOLS}/{pool['name']}/workers/filter", {"limit": 1, "offset": 1}, 200) == found[1:]
    between = {"last_heartbeat_time": {"after_": found[0]["last_heartbeat_time"]}}
    assert api.made(f"{POOLS}/{pool['name']}/workers/filter", {"workers": between}, 200) == found[:1]
    between = {"last_heartbeat_time": {"before_": found[1]["last_heartbeat_time"]}}
    assert api.made(f"{POOLS}/{pool['name']}/workers/filter", {"workers": between}, 200) == found[1:]
    answer = api.post(f"{POOLS}/{pool['name']}/workers/heartbeat", {})
    assert answer.json()["exception_detail"] == [{"loc": ["body", "name"], "msg": "field required",
                                                  "type": "value_error.missing"}]


# ---- scheduled runs


def at(seconds):
    return (NOW + datetime.timedelta(seconds=seconds)).isoformat()


def run_in(api, queue, seconds=0, state="SCHEDULED"):
    run = api.flow_run(state={"type": "SCHEDULED", "state_details": {"scheduled_time": at(seconds)}})
    api.server.execute("UPDATE flow_run SET work_queue_id = ?, work_queue_name = 'shown', state_type = ? WHERE id = ?",
                       queue["id"], state, run["id"])
    return run["id"]


def scheduled(api, pool, **body):
    return api.made(f"{POOLS}/{pool['name']}/get_scheduled_flow_runs", body, 200)


def given(api, pool, **body):
    return [row["flow_run"]["id"] for row in scheduled(api, pool, **body)]


@pytest.fixture
def pool(api):
    """A pool with queues low and high, two runs in each, the later ones first."""
    pool = make(api)
    pool["low"], pool["high"] = add(api, pool, "low"), add(api, pool, "high", priority=1)
    pool["runs"] = {name: [run_in(api, pool[name], 20), run_in(api, pool[name], 10)][::-1] for name in ["low", "high"]}
    return pool


def test_runs_by_priority(api, pool):
    run_in(api, add(api, make(api)))
    rows = scheduled(api, pool)
    assert [row["flow_run"]["id"] for row in rows] == pool["runs"]["high"] + pool["runs"]["low"]
    row = rows[0]
    assert list(row) == ["work_pool_id", "work_queue_id", "flow_run"]
    assert (row["work_pool_id"], row["work_queue_id"]) == (pool["id"], pool["high"]["id"])
    run = row["flow_run"]
    is_row(run, CORE_RUN)
    assert (run["work_queue_id"], run["work_queue_name"], run["state"], run["state_type"]) == \
        (pool["high"]["id"], "shown", None, "SCHEDULED")


def test_windows_limits_and_names(api, pool):
    high, low = pool["runs"]["high"], pool["runs"]["low"]
    assert given(api, pool, scheduled_before=at(10)) == [high[0], low[0]]
    assert given(api, pool, scheduled_after=at(11)) == [high[1], low[1]]
    assert given(api, pool, scheduled_after=at(10), scheduled_before=at(10)) == [high[0], low[0]]
    assert given(api, pool, limit=3) == [*high, low[0]]
    assert given(api, pool, limit=0) == []
    assert given(api, pool, work_queue_names=["low"]) == low
    assert given(api, pool, work_queue_names=["low", "high", "low"]) == high + low
    assert given(api, pool, work_queue_names=[]) == given(api, pool, work_queue_names=None) == high + low
    answer = api.post(f"{POOLS}/{pool['name']}/get_scheduled_flow_runs", {"work_queue_names": ["low", "none"]})
    assert (answer.status_code, answer.json()) == (404, {"detail": f"Work pool queue '{pool['name']}/none' not found."})
    answer = api.post(f"{POOLS}/{pool['name']}/get_scheduled_flow_runs", {"limit": 201})
    assert (answer.status_code, answer.json()) == (422, {"detail": "Invalid limit: must be less than or equal to 200."})


def test_pausing(api, pool):
    assert api.patch(f"{POOLS}/{pool['name']}/queues/high", {"is_paused": True}).status_code == 204
    assert given(api, pool) == pool["runs"]["low"]
    assert api.patch(f"{POOLS}/{pool['name']}", {"is_paused": True}).status_code == 204
    assert given(api, pool) == []


@pytest.mark.parametrize("state, counts",
                         [("PENDING", True), ("RUNNING", True), ("CANCELLING", False), ("COMPLETED", False)])
def test_slots(api, pool, state, counts):
    high, low = pool["runs"]["high"], pool["runs"]["low"]
    assert api.patch(f"{POOLS}/{pool['name']}/queues/high", {"concurrency_limit": 2}).status_code == 204
    run_in(api, pool["high"], state=state)
    assert given(api, pool) == high[: 1 if counts else 2] + low
    assert api.patch(f"{POOLS}/{pool['name']}", {"concurrency_limit": 2}).status_code == 204
    assert given(api, pool) == ([high[0]] if counts else high)
    for _ in range(3):
        run_in(api, pool["low"], state=state)
    assert given(api, pool) == ([] if counts else high)


def test_queues_of_one_priority_are_mixed_by_time(api, pool):
    high, low = pool["runs"]["high"], pool["runs"]["low"]
    early = run_in(api, pool["low"], 1)
    assert api.patch(f"/work_queues/{pool['low']['id']}", {"priority": 1}).status_code == 204
    found = given(api, pool)
    assert found[0] == early and set(found[1:3]) == {high[0], low[0]} and set(found[3:]) == {high[1], low[1]}
    assert given(api, pool, limit=1) == [early]


def test_many_runs_in_the_window(api, pool):
    """Beyond a thousand due runs another way leads to them."""
    crowd = add(api, pool, "crowd")
    template = run_in(api, crowd, 5)
    api.copy_flow_run({"id": template}, 1500)
    ordered = pool["runs"]["high"] + pool["runs"]["low"]
    assert given(api, pool, limit=4) == ordered
    found = scheduled(api, pool)
    assert [row["flow_run"]["id"] for row in found[:4]] == ordered and len(found) == 200
    assert {row["work_queue_id"] for row in found[4:]} == {crowd["id"]}
    assert given(api, pool, work_queue_names=["low"]) == pool["runs"]["low"]
    assert api.patch(f"{POOLS}/{pool['name']}/queues/crowd", {"concurrency_limit": 3}).status_code == 204
    assert len(given(api, pool)) == 7
    api.server.execute("DELETE FROM flow_run WHERE work_queue_id = ?", crowd["id"])


def test_polls_are_recorded(api, pool):
    def polled():
        return {queue["name"] for queue in queues(api, pool) if queue["last_polled"]
                and seconds_ago(queue["last_polled"]) < 60}

    def wait_for(names):
        deadline = time.monotonic() + 20
        while polled() != names and time.monotonic() < deadline:
            time.sleep(0.02)
        return polled() == names

    scheduled(api, pool, work_queue_names=["low"])
    assert wait_for({"low"})
    scheduled(api, pool)
    assert wait_for({"default", "low", "high"})


# ---- the experiment switched off, and the pool of all agents


def test_the_pool_of_all_agents_comes_back(api):
    pool = make(api)
    path = f"{POOLS}/default-agent-pool"
    assert api.delete(path).status_code == 204
    assert api.get("/work_queues/name/default").status_code == 404 \
        or api.read("/work_queues/name/default")["work_pool_id"] != NOBODY
    queue = api.made("/work_queues/", {"name": "default", "description": "given", "concurrency_limit": 5})
    assert (queue["description"], queue["concurrency_limit"], queue["priority"]) == \
        ("The work pool's default queue.", None, 1)
    made = api.read(path)
    assert (made["type"], made["default_queue_id"]) == ("prefect-agent", queue["id"])
    assert api.read("/work_queues/name/default") == queue
    assert api.delete(f"{POOLS}/{pool['name']}").status_code == 204

"""Every filter of flows, runs, task runs and deployments, over one small world of rows, across the entities."""
import pytest

from tests.lib.api_client import NOBODY, unique
from tests.lib.differences import expected

T = ["2031-01-01T00:00:00+00:00", "2031-01-02T00:00:00+00:00", "2031-01-03T00:00:00+00:00"]


class World:
    """Two flows, three runs with tasks, one subflow, two deployments. What is listed comes back by short names."""

    def __init__(self, api):
        self.api = api
        self.mark = unique("world")
        self.rows = {}
        one, two = (self.add("F1", api.flow(f"{self.mark}-Alpha", tags=["x", "y"])),
                    self.add("F2", api.flow(f"{self.mark}-beta", tags=[])))
        first = self.add("D1", api.deployment(one, name=f"{self.mark}-Dep", tags='["p", "q"]', work_queue_name="wq1"))
        second = self.add("D2", api.deployment(two, name=f"{self.mark}-other", is_schedule_active=0))
        self.add("R1", api.flow_run(one, name=f"{self.mark}-Run-1", tags=["a", "b"], flow_version="v1",
                                    deployment_id=first["id"],
                                    state={"type": "SCHEDULED", "state_details": {"scheduled_time": T[0]}}))
        self.add("R2",
                 api.flow_run(two, name=f"{self.mark}-run-2", tags=["b"], flow_version="v2", deployment_id=second["id"],
                              state={"type": "SCHEDULED", "name": "Late", "state_details": {"scheduled_time": T[2]}}))
        self.add("R3", api.flow_run(two, name=f"{self.mark}-third", state={"type": "RUNNING", "name": "Going"}))
        self.add("T1", api.task_run(self.rows["R1"], name=f"{self.mark}-Task", tags=["t", "u"]))
        self.add("T2", api.task_run(self.rows["R3"], name=f"{self.mark}-job"))
        self.add("R4", api.flow_run(one, name=f"{self.mark}-child", parent_task_run_id=self.rows["T2"]["id"]))
        # After its subflow, whose own creation moved it.
        api.moved(self.rows["T2"], {"type": "RUNNING", "name": "Busy"})
        self.names = {row["id"]: name for name, row in self.rows.items()}
        self.mine = {"flows": {"name": {"like_": self.mark}}}

    def add(self, name, row):
        self.rows[name] = row
        return row

    def id(self, name):
        return self.rows[name]["id"]

    def listed(self, path, filters):
        """The rows that pass; `flows` of the world alone are asked for unless the filter is on flows itself."""
        body = {**self.mine, **filters}
        if "flows" in filters:
            body["flows"] = {"operator": "and_", **filters["flows"]}
        rows = self.api.made(f"/{path}/filter", body, 200)
        found = sorted(self.names[row["id"]] for row in rows if row["id"] in self.names)
        if "flows" not in filters:
            assert len(found) == len(rows) == self.api.made(f"/{path}/count", body, 200)
        return " ".join(found)


@pytest.fixture(scope="module")
def world(api):
    return World(api)


def filled(value, world):
    """The filter with names of rows put for $NAME, and the world's mark for $mark."""
    if isinstance(value, dict):
        return {key: filled(item, world) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, world) for item in value]
    if isinstance(value, str) and value.startswith("$") and value[1:] in world.rows:
        return world.id(value[1:])
    return value.replace("$mark", world.mark) if isinstance(value, str) else value


FLOW_RUNS = [
    ({}, "R1 R2 R3 R4"),
    ({"id": {"any_": ["$R1", "$R3"]}}, "R1 R3"), ({"id": {"any_": []}}, ""),
    ({"id": {"not_any_": ["$R1", NOBODY]}}, "R2 R3 R4"), ({"id": {"any_": ["$R1", "$R2"], "not_any_": ["$R1"]}}, "R2"),
    ({"id": {"not_any_": []}}, "R1 R2 R3 R4"), ({"id": {}}, "R1 R2 R3 R4"), ({"id": None}, "R1 R2 R3 R4"),
    ({"id": {"any_": None}}, "R1 R2 R3 R4"), ({"name": {"any_": ["$mark-third", "no"]}}, "R3"),
    ({"name": {"like_": "RUN-"}}, "R1 R2"), ({"name": {"like_": "Run_1"}}, "R1"),
    ({"name": {"like_": "%"}}, "R1 R2 R3 R4"), ({"name": {"like_": ""}}, "R1 R2 R3 R4"),
    ({"name": {"like_": "nothing like it"}}, ""), ({"name": {"any_": ["$mark-third"], "like_": "run"}}, ""),
    ({"tags": {"all_": ["b"]}}, "R1 R2"), ({"tags": {"all_": ["a", "b"]}}, "R1"),
    ({"tags": {"all_": []}}, "R1 R2 R3 R4"), ({"tags": {"is_null_": True}}, "R3 R4"),
    ({"tags": {"is_null_": False}}, "R1 R2"),
    ({"tags": {"operator": "or_", "all_": ["a"], "is_null_": True}}, "R1 R3 R4"),
    ({"tags": {"operator": "and_", "all_": ["a"], "is_null_": True}}, ""), ({"tags": {"all_": ["A"]}}, ""),
    ({"deployment_id": {"any_": ["$D1"]}}, "R1"), ({"deployment_id": {"is_null_": True}}, "R3 R4"),
    ({"deployment_id": {"is_null_": False}}, "R1 R2"),
    ({"deployment_id": {"operator": "or_", "any_": ["$D2"], "is_null_": True}}, "R2 R3 R4"),
    ({"work_queue_name": {"is_null_": True}}, "R1 R2 R3 R4"), ({"work_queue_name": {"any_": ["wq1"]}}, ""),
    ({"work_queue_name": {"is_null_": False}}, ""), ({"state": {"type": {"any_": ["SCHEDULED"]}}}, "R1 R2"),
    ({"state": {"type": {"any_": ["RUNNING", "PENDING"]}}}, "R3 R4"),
    ({"state": {"name": {"any_": ["Late", "Going"]}}}, "R2 R3"),
    ({"state": {"type": {"any_": ["SCHEDULED"]}, "name": {"any_": ["Late"]}}}, "R2"),
    ({"state": {"operator": "or_", "type": {"any_": ["RUNNING"]}, "name": {"any_": ["Late"]}}}, "R2 R3"),
    ({"state": {"type": {"any_": []}}}, ""), ({"state": {}}, "R1 R2 R3 R4"), ({"state": {"type": {}}}, "R1 R2 R3 R4"),
    ({"flow_version": {"any_": ["v1", "v3"]}}, "R1"),
    ({"start_time": {"is_null_": True}}, "R1 R2 R4"), ({"start_time": {"is_null_": False}}, "R3"),
    ({"start_time": {"after_": "2000-01-01"}}, "R3"), ({"start_time": {"before_": "2000-01-01"}}, ""),
    ({"start_time": {"before_": "2100-01-01", "after_": "2000-01-01", "is_null_": False}}, "R3"),
    ({"expected_start_time": {"before_": T[1]}}, "R1 R3 R4"), ({"expected_start_time": {"after_": T[1]}}, "R2"),
    ({"expected_start_time": {"after_": T[0], "before_": T[0]}}, "R1"),
    ({"expected_start_time": {"after_": "2031-01-03T02:00+02:00"}}, "R2"),
    ({"next_scheduled_start_time": {"before_": T[0]}}, "R1"),
    ({"next_scheduled_start_time": {"after_": T[0]}}, "R1 R2"),
    ({"next_scheduled_start_time": {"after_": "2031-01-03T00:00:00.000001"}}, ""),
    ({"parent_task_run_id": {"any_": ["$T2"]}}, "R4"), ({"parent_task_run_id": {"is_null_": True}}, "R1 R2 R3"),
    ({"parent_task_run_id": {"is_null_": False}}, "R4"),
    ({"parent_task_run_id": {"operator": "or_", "any_": ["$T2"], "is_null_": True}}, "R1 R2 R3 R4"),
    ({"operator": "or_", "tags": {"all_": ["a"]}, "flow_version": {"any_": ["v2"]}}, "R1 R2"),
    ({"operator": "and_", "tags": {"all_": ["b"]}, "flow_version": {"any_": ["v2"]}}, "R2"),
    ({"operator": "or_"}, "R1 R2 R3 R4"),
    ({"operator": "or_", "id": {}, "flow_version": {"any_": ["v2"]}}, "R1 R2 R3 R4"),
]
TASK_RUNS = [
    ({}, "T1 T2"), ({"id": {"any_": ["$T1"]}}, "T1"), ({"name": {"any_": ["$mark-job"]}}, "T2"),
    ({"name": {"like_": "-task"}}, "T1"), ({"tags": {"all_": ["u", "t"]}}, "T1"), ({"tags": {"is_null_": True}}, "T2"),
    ({"tags": {"is_null_": False}}, "T1"), ({"state": {"type": {"any_": ["RUNNING"]}}}, "T2"),
    ({"state": {"name": {"any_": ["Pending"]}}}, "T1"), ({"start_time": {"is_null_": True}}, "T1"),
    ({"start_time": {"after_": "2000-01-01"}}, "T2"), ({"subflow_runs": {"exists_": True}}, "T2"),
    ({"subflow_runs": {"exists_": False}}, "T1"), ({"subflow_runs": {}}, "T1 T2"),
    ({"operator": "or_", "tags": {"all_": ["t"]}, "state": {"name": {"any_": ["Busy"]}}}, "T1 T2"),
    ({"tags": {"all_": ["t"]}, "state": {"name": {"any_": ["Busy"]}}}, ""),
    ({"state": {"operator": "or_", "type": {"any_": ["RUNNING"]}, "name": {"any_": ["Pending"]}}}, "T1 T2"),
    ({"start_time": {"before_": "2000-01-01"}}, ""),
]
FLOWS = [
    ({"id": {"any_": ["$F1"]}}, "F1"), ({"name": {"any_": ["$mark-beta", "$mark-Alpha"]}}, "F1 F2"),
    ({"name": {"any_": ["$mark-alpha"]}}, ""), ({"name": {"like_": "$mark-ALPHA"}}, "F1"),
    ({"name": {"like_": "$mark"}, "tags": {"all_": ["y"]}}, "F1"),
    ({"name": {"like_": "$mark"}, "tags": {"is_null_": True}}, "F2"),
    ({"name": {"like_": "$mark"}, "tags": {"is_null_": False}}, "F1"),
    ({"operator": "or_", "id": {"any_": ["$F1"]}, "name": {"any_": ["$mark-beta"]}}, "F1 F2"),
    ({"operator": "and_", "id": {"any_": ["$F1"]}, "name": {"any_": ["$mark-beta"]}}, ""),
    ({"name": {"like_": "$mark"}, "tags": {"operator": "or_", "all_": ["x", "y"], "is_null_": True}}, "F1 F2"),
]
ACROSS = [
    ("flows", {"flow_runs": {"name": {"like_": "third"}}}, "F2"),
    ("flows", {"flow_runs": {"tags": {"all_": ["b"]}}}, "F1 F2"),
    ("flows", {"task_runs": {"tags": {"all_": ["t"]}}}, "F1"),
    ("flows", {"deployments": {"name": {"like_": "$mark-dep"}}}, "F1"),
    ("flows", {"flow_runs": {"name": {"like_": "third"}}, "task_runs": {"tags": {"all_": ["t"]}}}, ""),
    ("flows", {"flow_runs": {"tags": {"all_": ["b"]}}, "deployments": {"is_schedule_active": {"eq_": False}}}, "F2"),
    ("flows", {"flow_runs": {}}, "F1 F2"), ("flows", {"task_runs": {}}, "F1 F2"),
    ("flows", {"deployments": {}}, "F1 F2"),
    ("flow_runs", {"task_runs": {"name": {"like_": "job"}}}, "R3"), ("flow_runs", {"task_runs": {}}, "R1 R3"),
    ("flow_runs", {"deployments": {"name": {"any_": ["$mark-Dep"]}}}, "R1"),
    ("flow_runs", {"deployments": {"id": {"any_": ["$D2"]}}}, "R2"),
    ("flow_runs", {"deployments": {"is_schedule_active": {"eq_": True}}}, "R1"),
    ("flow_runs", {"deployments": {"tags": {"all_": ["p", "q"]}}}, "R1"),
    ("flow_runs", {"deployments": {"tags": {"is_null_": True}}}, "R2"),
    ("flow_runs", {"deployments": {"work_queue_name": {"any_": ["wq1"]}}}, "R1"),
    ("flow_runs", {"deployments": {}}, "R1 R2"),
    ("flow_runs", {"deployments": {"operator": "or_", "id": {"any_": ["$D1"]}, "is_schedule_active": {"eq_": False}}},
     "R1 R2"), ("flow_runs", {"flows": {"id": {"any_": ["$F2"]}}}, "R2 R3"),
    ("flow_runs", {"flows": {"id": {"any_": ["$F1"]}}, "task_runs": {"tags": {"is_null_": False}}}, "R1"),
    ("flow_runs", {"flow_runs": {"tags": {"all_": ["b"]}}, "flows": {"id": {"any_": ["$F1"]}}}, "R1"),
    ("flow_runs", {"work_pools": {"name": {"any_": ["default-agent-pool"]}}}, ""),
    ("flow_runs", {"work_pool_queues": {"name": {"any_": ["default"]}}}, ""),
    ("flow_runs", {"work_pool_queues": {"name": {"startswith_": ["def"]}}}, ""),
    ("task_runs", {"flow_runs": {"name": {"like_": "third"}}}, "T2"),
    ("task_runs", {"flows": {"id": {"any_": ["$F1"]}}}, "T1"),
    ("task_runs", {"deployments": {"id": {"any_": ["$D1"]}}}, "T1"), ("task_runs", {"deployments": {}}, "T1"),
    ("task_runs",
     {"flow_runs": {"state": {"type": {"any_": ["RUNNING"]}}}, "task_runs": {"state": {"type": {"any_": ["RUNNING"]}}}},
     "T2"), ("task_runs", {"flow_runs": {"id": {"any_": ["$R1", "$R3"]}}, "flows": {"id": {"any_": ["$F2"]}}}, "T2"),
    ("task_runs", {"flow_runs": {"id": {"any_": ["$R1"]}}, "deployments": {"id": {"any_": ["$D2"]}}}, ""),
]
CASES = [("flow_runs", {"flow_runs": fields}, names) for fields, names in FLOW_RUNS] \
    + [("task_runs", {"task_runs": fields}, names) for fields, names in TASK_RUNS]
CASES += [("flows", {"flows": fields}, names) for fields, names in FLOWS] + ACROSS


@pytest.mark.parametrize("path, filters, names", CASES, ids=lambda value: str(value)[:70])
def test_filter(world, path, filters, names):
    assert world.listed(path, filled(filters, world)) == names


def test_many_identifiers(api, world):
    ids = [f"00000000-0000-4000-8000-{number:012d}" for number in range(2000)] + [world.id("R1")]
    assert world.listed("flow_runs", {"flow_runs": {"id": {"any_": ids}}}) == "R1"


def test_quotes_are_only_text(api, world):
    for text in ["'", "''; DROP TABLE flow; --", '"', "\\", "[1]", "\U0001f600",
                 *api.on(sqlite=["a\u0000b"], postgresql=[])]:
        filters = {"name": {"like_": text}, "tags": {"all_": [text]}, "state": {"name": {"any_": [text]}}}
        assert world.listed("flow_runs", {"flow_runs": filters}) == ""


def test_tags_that_look_like_what_is_between_tags(api):
    """However a list is written, a tag is in it or not."""
    mark = unique()
    tags = [mark, ",", ", ", " ", "", '", "', '"', "\\", "[", "]", "{", "],[", "a,b", ", a", "a", "é", "\U0001f600",
            "a\"b"]
    lists = [[one] for one in tags] + [[one, mark] for one in tags]
    lists += [["a", "b"], ["b", "a"], ["", mark, ""], ["a b", "c"]]
    names = {}
    for number, held in enumerate(lists):
        names[f"{mark}-{number:02d}"] = held
        api.made("/flows/", {"name": f"{mark}-{number:02d}", "tags": held})
    for wanted in [[one] for one in tags] + [["a", "b"], [mark, ","], [mark, mark], []]:
        found = api.made("/flows/filter", {"flows": {"name": {"like_": mark}, "tags": {"all_": wanted}}}, status=200)
        expected = [name for name, held in names.items() if set(wanted) <= set(held)]
        assert sorted(row["name"] for row in found) == expected


def test_a_text_with_a_null_byte_equals_itself_alone(api):
    if api.engine == "postgresql":
        pytest.skip("PostgreSQL stores no such text")
    mark = unique()
    texts = [mark, *(mark + rest for rest in ("\0b", "\0c", "\x010b", "\x011b", "\\u0000b", "\x01", "\0"))]
    for text in texts:
        api.flow(text)
        api.made("/work_queues/", {"name": text})
    listed = lambda path, filters: sorted(row["name"] for row in api.made(path, filters, status=200))
    for wanted in [[text] for text in texts] + [texts[:3], texts[2:6]]:
        assert listed("/flows/filter", {"flows": {"name": {"any_": wanted}}}) == sorted(wanted)
        assert listed("/work_queues/filter", {"work_queues": {"name": {"any_": wanted}}}) == sorted(wanted)


def test_a_beginning_with_a_null_byte(api):
    """SQLite's LIKE takes what is before it for the whole of both texts."""
    if api.engine == "postgresql":
        pytest.skip("PostgreSQL stores no such text")
    mark = unique()
    for rest in ("", "\0b", "x"):
        api.made("/work_queues/", {"name": mark + rest})
    found = api.made("/work_queues/filter", {"work_queues": {"name": {"startswith_": [mark + "\0"]}}}, status=200)
    assert sorted(row["name"] for row in found) == [mark, mark + "\0b"]


def test_a_text_that_postgresql_cannot_store(api):
    if api.engine == "sqlite":
        pytest.skip("SQLite can")
    answer = api.post("/flow_runs/filter", {"flow_runs": {"name": {"like_": "a\u0000b"}}})
    assert answer.status_code == expected("a text with U+0000 on PostgreSQL", api.kind)


def test_an_offset_below_all_integers(api):
    answer = api.post("/flows/filter", {"offset": -10 ** 20})
    detail = {"loc": ["body", "offset"], "msg": "ensure this value is greater than or equal to 0",
              "type": "value_error.number.not_ge", "ctx": {"limit_value": 0}}
    assert (answer.status_code, answer.json()["exception_detail"]) == (422, [detail])


def test_a_limit_below_all_integers(api):
    answer = api.post("/work_queues/", {"name": unique(), "concurrency_limit": -10 ** 20})
    assert (answer.status_code, [error["type"] for error in answer.json()["exception_detail"]]) == \
        (422, ["value_error.number.not_ge"])

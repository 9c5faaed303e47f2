"""/logs: write, list, filter, sort."""
import pytest

from tests.lib.api_client import NOBODY, unique
from tests.lib.shapes import TIME, UUID

LOG = ["id", "created", "updated", "name", "level", "message", "timestamp", "flow_run_id", "task_run_id"]


def line(run, **fields):
    return {"name": "n", "level": 20, "message": "m", "timestamp": "2031-01-01T00:00:00Z", "flow_run_id": run["id"],
            **fields}


@pytest.fixture(scope="module")
def run(api):
    return {"id": api.flow_run()["id"]}


def listed(api, run, sort=None, paging=None, **filters):
    body = {"logs": {"flow_run_id": {"any_": [run["id"]]}, **filters}, **(paging or {})}
    return api.made("/logs/filter", {**body, "sort": sort} if sort else body, 200)


def test_write_and_read(api):
    run, task = api.flow_run(), api.task_run()
    answer = api.post("/logs/", [line(run, name="prefect.é", message="a\n\U0001f600\u2028\"", level="30",
                                      timestamp="2031-05-06T07:08:09.5+02:00", task_run_id=task["id"])])
    assert (answer.status_code, answer.text) == (201, "null")
    [log] = listed(api, run)
    assert list(log) == LOG
    assert UUID.match(log["id"]) and TIME.match(log["created"]) and TIME.match(log["updated"])
    assert [log[key] for key in LOG[3:]] == ["prefect.é", 30, "a\n\U0001f600\u2028\"",
                                             "2031-05-06T05:08:09.500000+00:00", run["id"], task["id"]]


def test_nothing_to_write(api):
    answer = api.post("/logs/", [])
    assert (answer.status_code, answer.text) == (201, "null")


def test_a_run_need_not_exist(api):
    nobody = {"id": "00000000-0000-4000-8000-000000000099"}
    before = len(listed(api, nobody))
    assert api.post("/logs/", [line(nobody, task_run_id=NOBODY)]).status_code == 201
    assert len(listed(api, nobody)) == before + 1


def test_coercions(api):
    run = api.flow_run()
    assert api.post("/logs/", [line(run, name=5, message=1.5, level=10.9, timestamp="2031-01-01")]).status_code == 201
    [log] = listed(api, run)
    assert [log[key] for key in ["name", "message", "level", "timestamp"]] == \
        ["5", "1.5", 10, "2031-01-01T00:00:00+00:00"]


def test_many_lines(api):
    run = api.flow_run()
    for start in range(0, 450, 225):
        lines = [line(run, message=str(number), timestamp=f"2031-01-01T00:{number // 60:02d}:{number % 60:02d}Z")
                 for number in range(start, start + 225)]
        assert api.post("/logs/", lines).status_code == 201
    assert [log["message"] for log in listed(api, run)] == [str(number) for number in range(200)]
    assert [log["message"] for log in listed(api, run, paging={"offset": 440})] == \
        [str(number) for number in range(440, 450)]
    assert [log["message"] for log in listed(api, run, sort="TIMESTAMP_DESC", paging={"limit": 3})] == \
        ["449", "448", "447"]


def test_values_that_many_lines_must_not_mix_up(api):
    run, task = api.flow_run(), api.task_run()
    messages = ["", "NULL", "null", '{"a", "b"}', "\\", '\\"', '"', ",", "}", "{", "a,b\n\tc", "é\U0001f600", "%s $1 ?",
                "'", " x "]
    lines = [line(run, name=message, message=message, level=number - 2, task_run_id=[task["id"], None][number % 2],
                  timestamp=f"2031-01-01T00:00:{number:02d}.000001+00:00") for number, message in enumerate(messages)]
    assert api.post("/logs/", lines).status_code == 201
    assert [{key: log[key] for key in lines[0]} for log in listed(api, run)] == lines


def test_filters(api):
    run, task = api.flow_run(), api.task_run()
    lines = [line(run, message="a", level=10),
             line(run, message="b", level=20, timestamp="2031-01-02", task_run_id=task["id"]),
             line(run, message="c", level=30, timestamp="2031-01-03")]
    assert api.post("/logs/", lines).status_code == 201

    def messages(**filters):
        return "".join(log["message"] for log in listed(api, run, **filters))

    assert messages() == "abc"
    assert messages(level={"ge_": 20}) == "bc"
    assert messages(level={"le_": 20}) == "ab"
    assert messages(level={"ge_": 20, "le_": 20}) == "b"
    assert messages(timestamp={"after_": "2031-01-02"}) == "bc"
    assert messages(timestamp={"before_": "2031-01-02"}) == "ab"
    assert messages(task_run_id={"any_": [task["id"]]}) == "b"
    assert messages(task_run_id={"any_": []}) == ""
    assert messages(level={}) == "abc"
    assert messages(sort="TIMESTAMP_DESC") == "cba"
    either = {"operator": "or_", "level": {"ge_": 30}, "task_run_id": {"any_": [task["id"]]}}
    found = api.made("/logs/filter", {"logs": either}, 200)
    assert {"b", "c"} <= {log["message"] for log in found}


def test_one_bad_line_refuses_all(api):
    run = api.flow_run()
    answer = api.post("/logs/", [line(run), line(run, level="x")])
    assert answer.status_code == 422
    assert answer.json()["exception_detail"] == [{"loc": ["body", 1, "level"], "msg": "value is not a valid integer",
                                                  "type": "type_error.integer"}]
    assert listed(api, run) == []


def test_messages_of_any_length(api):
    run = api.flow_run()
    text = unique() + "x" * 200000
    assert api.post("/logs/",
                    [line(run, message=text), line(run, message="", timestamp="2031-01-02")]).status_code == 201
    assert [log["message"] for log in listed(api, run)] == [text, ""]

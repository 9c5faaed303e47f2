"""/concurrency_limits: the routes; what the limits do is in test_task_run_states.py."""
import pytest

from tests.lib.api_client import unique
from tests.lib.shapes import is_row

KEYS = ["id", "created", "updated", "tag", "concurrency_limit", "active_slots"]
GONE = {"detail": "Concurrency limit not found"}


def make(api, **fields):
    return api.made("/concurrency_limits/", {"tag": unique("tag"), "concurrency_limit": 2, **fields}, status=200)


def test_create_and_read(api):
    limit = make(api)
    is_row(limit, KEYS)
    assert (limit["concurrency_limit"], limit["active_slots"]) == (2, [])
    assert api.read(f"/concurrency_limits/{limit['id']}") == limit
    assert api.read(f"/concurrency_limits/tag/{limit['tag']}") == limit


def test_create_again_changes_the_number(api):
    limit = make(api)
    again = make(api, tag=limit["tag"], concurrency_limit=5)
    assert (again["id"], again["created"], again["concurrency_limit"]) == (limit["id"], limit["created"], 5)
    assert api.read(f"/concurrency_limits/{limit['id']}")["concurrency_limit"] == 5


def test_create_again_keeps_the_slots(api):
    limit = make(api, concurrency_limit=1)
    task = api.task_run(api.running_flow_run(), tags=[limit["tag"]])
    api.moved(task, "RUNNING")
    make(api, tag=limit["tag"], concurrency_limit=7)
    now = api.read(f"/concurrency_limits/{limit['id']}")
    assert (now["concurrency_limit"], now["active_slots"]) == (7, [task["id"]])


@pytest.mark.parametrize("given, kept", [("3", 3), (2.9, 2), (True, 1), (0, 0), (-1, -1)])
def test_coercions(api, given, kept):
    assert make(api, concurrency_limit=given)["concurrency_limit"] == kept


def test_delete(api):
    for by_tag in [False, True]:
        limit = make(api)
        path = f"/concurrency_limits/tag/{limit['tag']}" if by_tag else f"/concurrency_limits/{limit['id']}"
        answer = api.delete(path)
        assert (answer.status_code, answer.text) == (200, "null")
        for answer in [api.delete(path), api.get(path), api.get(f"/concurrency_limits/{limit['id']}")]:
            assert (answer.status_code, answer.json()) == (404, GONE)


def test_list(api):
    for _ in range(3):
        make(api)
    everything = api.made("/concurrency_limits/filter", {}, 200)
    assert [limit["tag"] for limit in everything] == sorted(limit["tag"] for limit in everything)
    assert [list(limit) for limit in everything] == [KEYS] * len(everything)
    assert api.made("/concurrency_limits/filter", {"limit": 2, "offset": 1}, 200) == everything[1:3]

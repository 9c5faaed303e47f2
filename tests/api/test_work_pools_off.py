"""/experimental/work_pools where the experiment is off, as it is unless the setting says otherwise."""
import pytest

OFF = {"detail": "Work pools are not enabled"}
POOLS = "/experimental/work_pools"


@pytest.mark.parametrize("method, path, body", [
    ("POST", "/", {"name": "a"}), ("POST", "/", 5), ("GET", "/a", None), ("POST", "/filter", {"limit": -1}),
    ("PATCH", "/a", {"nope": 1}), ("DELETE", "/prefect", None), ("POST", "/a/get_scheduled_flow_runs", {"limit": 999}),
    ("POST", "/a/queues", {}), ("GET", "/a/queues/b", None), ("POST", "/a/queues/filter", []),
    ("PATCH", "/a/queues/b", {}), ("DELETE", "/a/queues/b", None), ("POST", "/a/workers/heartbeat", {}),
    ("POST", "/a/workers/filter", None)])
def test_every_route_says_so(api, method, path, body):
    answer = api.request(method, POOLS + path, body)
    assert (answer.status_code, answer.json()) == (404, OFF)


def test_what_comes_first(api):
    assert api.post(f"{POOLS}/", headers={"content-type": "application/json"}, content="{").status_code == 422
    assert api.post(f"{POOLS}/filter", {},
                    headers={"x-prefect-api-version": "0.1.0", "content-type": "application/json"}).status_code == 400
    assert api.request("PUT", f"{POOLS}/a").status_code == 405
    assert api.post(f"{POOLS}/filter/", {}).status_code == 307

"""/saved_searches: put, read, list, delete."""
import pytest

from tests.lib.api_client import NOBODY, unique
from tests.lib.differences import expected
from tests.lib.shapes import is_row

KEYS = ["id", "created", "updated", "name", "filters"]
GONE = {"detail": "Saved search not found"}
FILTER = {"object": "flow_run", "property": "name", "type": "string", "operation": "equals", "value": 1.50}


def put(api, status=201, **fields):
    answer = api.request("PUT", "/saved_searches/", {"name": unique("search"), **fields})
    assert answer.status_code == status, answer.text
    return answer.json()


def test_put_and_read(api):
    search = put(api, filters=[FILTER, {**FILTER, "value": None},
                               {**FILTER, "value": {"b": [1, "é"], "a": True}, "unknown": 1}])
    is_row(search, KEYS)
    if api.on(sqlite=True,
              postgresql=expected("keys keep their order in the answer to their storing, on PostgreSQL", api.kind)):
        assert [list(one) for one in search["filters"]] == [list(FILTER)] * 3
    assert [set(one) for one in search["filters"]] == [set(FILTER)] * 3
    assert [one["value"] for one in search["filters"]] == [1.5, None, {"b": [1, "é"], "a": True}]
    assert api.read(f"/saved_searches/{search['id']}") == search


def test_put_again_replaces_the_filters(api):
    search = put(api, filters=[FILTER])
    again = put(api, 200, name=search["name"])
    assert again == {**search, "filters": []}
    assert api.read(f"/saved_searches/{search['id']}") == again


def test_coercions(api):
    search = put(api, filters=[{"object": 1, "property": 1.5, "type": "", "operation": "o", "value": "v"}])
    assert search["filters"] == [{"object": "1", "property": "1.5", "type": "", "operation": "o", "value": "v"}]


@pytest.mark.parametrize("fields, errors", [
    ({"name": None}, [(["name"], "none is not an allowed value", "type_error.none.not_allowed")]),
    ({"name": []}, [(["name"], "str type expected", "type_error.str")]),
    ({"filters": {}}, [(["filters"], "value is not a valid list", "type_error.list")]),
    ({"filters": None}, [(["filters"], "none is not an allowed value", "type_error.none.not_allowed")]),
    ({"filters": [None, 5, {**FILTER, "type": None}], "x": 1}, [
        (["filters", 0], "none is not an allowed value", "type_error.none.not_allowed"),
        (["filters", 1], "value is not a valid dict", "type_error.dict"),
        (["filters", 2, "type"], "none is not an allowed value", "type_error.none.not_allowed"),
        (["x"], "extra fields not permitted", "value_error.extra")]),
    ({"filters": [{}]}, [(["filters", 0, name], "field required", "value_error.missing") for name in FILTER]),
])
def test_refused(api, fields, errors):
    answer = put(api, 422, **fields)
    assert answer["exception_detail"] == [{"loc": ["body", *loc], "msg": message, "type": kind}
                                          for loc, message, kind in errors]


def test_list(api):
    for _ in range(3):
        put(api, filters=[FILTER])
    everything = api.made("/saved_searches/filter", {}, 200)
    assert [search["name"] for search in everything] == sorted(search["name"] for search in everything)
    assert [list(search) for search in everything] == [KEYS] * len(everything)
    assert api.made("/saved_searches/filter", {"limit": 2, "offset": 1}, 200) == everything[1:3]
    assert api.post("/saved_searches/filter").json() == everything


def test_delete(api):
    path = f"/saved_searches/{put(api)['id']}"
    answer = api.delete(path)
    assert (answer.status_code, answer.text) == (204, "")
    for answer in [api.delete(path), api.get(path), api.get(f"/saved_searches/{NOBODY}")]:
        assert (answer.status_code, answer.json()) == (404, GONE)

"""/flow_run_notification_policies: the routes; what is sent is in tests/services."""
import pytest

from tests.lib.api_client import NOBODY, unique
from tests.lib.shapes import is_row

PATH = "/flow_run_notification_policies/"
KEYS = ["id", "created", "updated", "is_active", "state_names", "tags", "block_document_id", "message_template"]
GONE = {"detail": "flow run notification policy not found"}
CONFLICT = {"detail": "Data integrity conflict. This usually means a unique or foreign key constraint was violated. See"
                " server logs for details."}


@pytest.fixture(scope="module")
def block(api):
    block_type = api.made("/block_types/", {"name": unique("type"), "slug": unique("type")})
    schema = api.made("/block_schemas/", {"fields": {"title": unique("schema")}, "block_type_id": block_type["id"]})
    return api.made("/block_documents/", {"name": unique("block"), "block_type_id": block_type["id"],
                                          "block_schema_id": schema["id"], "data": {}})["id"]


@pytest.fixture
def policy(api, block):
    return make(api, block)


def make(api, block, **fields):
    return api.made(PATH,
                    {"state_names": ["Failed", "Crashed"], "tags": ["b", "a"], "block_document_id": block, **fields})


def errors_of(answer):
    assert answer.status_code == 422, answer.text
    return answer.json()["exception_detail"]


def test_create_and_read(api, block):
    made = make(api, block, message_template="{flow_name} is {flow_run_state_name}")
    is_row(made, KEYS)
    assert [made[key] for key in KEYS[3:]] == [True, ["Failed", "Crashed"], ["b", "a"], block,
                                               "{flow_name} is {flow_run_state_name}"]
    assert api.read(PATH + made["id"]) == made


def test_defaults_and_coercions(api, block):
    made = make(api, block, is_active="no", state_names=[], tags=[5])
    assert [made[key] for key in KEYS[3:]] == [False, [], ["5"], block, None]


def test_block_must_exist(api, policy):
    body = {"state_names": [], "tags": [], "block_document_id": NOBODY}
    for answer in [api.post(PATH, body), api.patch(PATH + policy["id"], {"block_document_id": NOBODY})]:
        assert (answer.status_code, answer.json()) == (409, CONFLICT)


def test_what_may_be_left_out(api, block):
    policy = api.made(PATH, {"block_document_id": block})
    assert (policy["state_names"], policy["tags"], policy["is_active"]) == ([], [], True)


def test_refused(api):
    answer = api.post(PATH, {"state_names": "A", "tags": None, "block_document_id": "x", "is_active": None, "k": 1})
    assert [(error["loc"], error["type"]) for error in errors_of(answer)] == [
        (["body", "is_active"], "type_error.none.not_allowed"), (["body", "state_names"], "type_error.list"),
        (["body", "tags"], "type_error.none.not_allowed"), (["body", "block_document_id"], "type_error.uuid"),
        (["body", "k"], "value_error.extra")]


@pytest.mark.parametrize("template", [
    "", "no field", "{{}}", "{flow_name}{flow_id}", "{flow_name[0]}", "{flow_name!r}", "{flow_name!a:>10}",
    "{flow_name:*^20s}", "{flow_name:.2}", "{flow_name:05}", "{flow_name:<05.3s}", "{flow_name[0]!r:é<3}",
])
def test_templates(api, block, template):
    assert make(api, block, message_template=template)["message_template"] == template


@pytest.mark.parametrize("template, message", [
    ("{x}", "Invalid template variable provided: 'x'"),
    ("{ flow_name}", "Invalid template variable provided: ' flow_name'"),
    ("{é}", "Invalid template variable provided: 'é'"), ("{x.y}", "Invalid template variable provided: 'x'"),
    ("{-1}", "Invalid template variable provided: '-1'"),
    ("{flow_name:{x}}", "Invalid template variable provided: 'x'"), ("{", "Single '{' encountered in format string"),
    ("a}b", "Single '}' encountered in format string"), ("{{}", "Single '}' encountered in format string"),
    ("{flow_name:}}", "Single '}' encountered in format string"), ("{flow_name", "expected '}' before end of string"),
    ("{x[}", "expected '}' before end of string"), ("{flow_name[0}", "expected '}' before end of string"),
    ("{a{b}}", "unexpected '{' in field name"), ("{flow_name!r", "unmatched '{' in format spec"),
    ("{flow_name!}", "unmatched '{' in format spec"), ("{flow_name:{>9}", "unmatched '{' in format spec"),
    ("{flow_name!", "end of string while looking for conversion specifier"),
    ("{flow_name!rx}", "expected ':' after conversion specifier"), ("{flow_name!z}", "Unknown conversion specifier z"),
    ("{flow_name!}}", "Unknown conversion specifier }"), ("{flow_name!é}", "Unknown conversion specifier \\xe9"),
    ("{flow_name.}", "Empty attribute in format string"), ("{flow_name[]}", "Empty attribute in format string"),
    ("{flow_name[0]x}", "Only '.' or '[' may follow ']' in format field specifier"),
    ("{flow_name:d}", "Unknown format code 'd' for object of type 'str'"),
    ("{flow_name:é}", "Unknown format code '\\xe9' for object of type 'str'"),
    ("{flow_name:\x01}", "Unknown format code '\\x1' for object of type 'str'"),
    ("{flow_name:{flow_id}}", "Invalid format specifier 'test' for object of type 'str'"),
    ("{flow_name:*05}", "Invalid format specifier '*05' for object of type 'str'"),
    ("{flow_name:{{}}}", "Invalid format specifier '{}' for object of type 'str'"),
    ("{flow_name:+}", "Sign not allowed in string format specifier"),
    ("{flow_name: }", "Space not allowed in string format specifier"),
    ("{flow_name:z}", "Negative zero coercion (z) not allowed in string format specifier"),
    ("{flow_name:#}", "Alternate form (#) not allowed in string format specifier"),
    ("{flow_name:=5}", "'=' alignment not allowed in string format specifier"),
    ("{flow_name:,}", "Cannot specify ',' with 's'."), ("{flow_name:,,}", "Cannot specify ',' with ','."),
    ("{flow_name:,_}", "Cannot specify both ',' and '_'."), ("{flow_name:,x}", "Cannot specify ',' with 'x'."),
    ("{flow_name:_x}", "Unknown format code 'x' for object of type 'str'"),
    ("{flow_name:_é}", "Cannot specify '_' with '\\xe9'."), ("{flow_name:.}", "Format specifier missing precision"),
    ("{flow_name:99999999999999999999}", "Too many decimal digits in format string"),
    ("{flow_name:{flow_id:{flow_id}}}", "Max string recursion exceeded"),
])
def test_refused_templates(api, policy, template, message):
    expected = [{"loc": ["body", "message_template"], "msg": message, "type": "value_error"}]
    assert errors_of(api.post(PATH, {"state_names": [], "tags": [], "block_document_id": NOBODY,
                                     "message_template": template})) == expected
    assert errors_of(api.patch(PATH + policy["id"], {"message_template": template})) == expected


def test_template_with_a_key(api, policy):
    assert errors_of(api.patch(PATH + policy["id"], {"message_template": "{flow_name[a]}"})) == [
        {"loc": ["body", "message_template"], "msg": "string indices must be integers, not 'str'",
         "type": "type_error"}]


@pytest.mark.parametrize("template", ["{}", "{0}", "{flow_name[100]}", "{flow_name.x}"])
def test_templates_over_which_the_reference_stumbles(api, policy, template):
    assert api.patch(PATH + policy["id"], {"message_template": template}).status_code == \
        {"reference": 500, "orion": 422}[api.kind]


def test_update(api, policy):
    answer = api.patch(PATH + policy["id"], {"is_active": False, "state_names": [], "message_template": "{flow_id}"})
    assert (answer.status_code, answer.text) == (204, "")
    now = api.read(PATH + policy["id"])
    assert {**now, "updated": 0} == {**policy, "updated": 0, "is_active": False, "state_names": [],
                                     "message_template": "{flow_id}"}
    assert api.patch(PATH + policy["id"], {"message_template": None}).status_code == 204
    assert api.read(PATH + policy["id"])["message_template"] is None
    assert api.patch(PATH + policy["id"], {}).status_code == 204
    for field in ["is_active", "state_names", "tags", "block_document_id"]:
        answer = api.patch(PATH + policy["id"], {field: None})
        assert (answer.status_code, answer.json()) == (409, CONFLICT)
    answer = api.patch(PATH + NOBODY, {"is_active": True})
    assert (answer.status_code, answer.json()) == \
        (404, {"detail": "Flow run notification policy <built-in function id> not found"})


def test_delete(api, policy):
    path = PATH + policy["id"]
    answer = api.delete(path)
    assert (answer.status_code, answer.text) == (204, "")
    for answer in [api.delete(path), api.get(path)]:
        assert (answer.status_code, answer.json()) == (404, GONE)


@pytest.mark.parametrize("given, shown", [
    (None, {True, False}), ({}, {False}), ([], {False}), ({"is_active": None}, {True, False}),
    ({"is_active": {}}, {True, False}), ({"is_active": {"eq_": None}}, {True, False}),
    ({"is_active": {"eq_": True}}, {True}), ({"is_active": {"eq_": "no"}}, {False}),
])
def test_filter(api, block, given, shown):
    make(api, block)
    make(api, block, is_active=False)
    found = api.made(PATH + "filter", {"flow_run_notification_policy_filter": given}, 200)
    assert {one["is_active"] for one in found} == shown
    assert [one["id"] for one in found] == sorted(one["id"] for one in found)


def test_pages(api, block):
    for _ in range(3):
        make(api, block)
    everything = api.made(PATH + "filter", {}, 200)
    assert [list(one) for one in everything] == [KEYS] * len(everything)
    assert api.made(PATH + "filter", {"limit": 2, "offset": 1}, 200) == everything[1:3]


def test_refused_filters(api):
    body = {"flow_run_notification_policy_filter": {"is_active": {"eq_": "zz"}, "x": 1}, "offset": -1, "limit": "z"}
    assert [(error["loc"][1:], error["type"]) for error in errors_of(api.post(PATH + "filter", body))] == [
        (["limit"], "type_error.integer"),
        (["flow_run_notification_policy_filter", "is_active", "eq_"], "type_error.bool"),
        (["flow_run_notification_policy_filter", "x"], "value_error.extra"), (["offset"], "value_error.number.not_ge")]
    assert [error["loc"] for error in errors_of(api.post(PATH + "filter", 5))] == \
        [["body", name] for name in ["limit", "flow_run_notification_policy_filter", "offset"]]

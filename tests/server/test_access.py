"""Keys, user name and password: what needs them, what they open, and that a running server follows the file of keys.
Ours only: the reference lets everybody do everything."""
import base64
import http.client
import json
import re
import subprocess
import time
import uuid

import pytest

from tests.lib import servers

PASSWORD = "ann:pässword:1"
# What only reads, though it is a POST.
READING_POST = re.compile(r"/(filter|count|history|get_runs|get_scheduled_flow_runs)$")
SECRET = "hunter-of-secrets"
AFTER_A_CHANGE = 2.0 # seconds; a change counts within one


def key(home, *words, **environment):
    """A key command in that home; what it printed."""
    done = subprocess.run([servers.ORION_BIN, "key", *words], env=servers.server_environment(home, **environment),
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.strip()


def basic(text):
    return "Basic " + base64.b64encode(text.encode()).decode()


class Answer:
    def __init__(self, answer):
        self.status, self.headers, self.text = answer.status, answer.headers, answer.read().decode(errors="replace")

    @property
    def detail(self):
        return json.loads(self.text)["detail"]


def ask(server, method, path, authorization=None, body=None, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    if authorization:
        headers["Authorization"] = authorization
    if body is not None:
        headers["Content-Type"] = "application/json"
        body = json.dumps(body)
    connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
    answer = Answer(connection.getresponse())
    connection.close()
    return answer


def operations(server, authorization):
    """Every operation of the API's description, with ids filled in."""
    paths = json.loads(ask(server, "GET", "/openapi.json", authorization).text)["paths"]
    return [(method.upper(), re.sub(r"\{\w+\}", lambda _: str(uuid.uuid4()), path), path)
            for path, methods in paths.items() for method in methods]


@pytest.fixture(scope="module")
def keyed(tmp_path_factory):
    """A server with two keys and no password; `full` and `reader` are the headers."""
    home = tmp_path_factory.mktemp("keyed")
    full, reader = key(home, "create", "ci"), key(home, "create", "dash.board", "--read-only")
    with servers.running("orion", home=home, PREFECT_LOGGING_SERVER_LEVEL="INFO",
                         PREFECT_EXPERIMENTAL_ENABLE_WORK_POOLS="1") as server:
        server.full, server.reader = f"Bearer {full}", f"Bearer {reader}"
        yield server


@pytest.fixture(scope="module")
def guarded(tmp_path_factory):
    """A server with a password and no key."""
    with servers.running("orion", home=tmp_path_factory.mktemp("guarded"), ORION_AUTH_STRING=PASSWORD) as server:
        yield server


# ---- keys ----


def test_every_operation_needs_a_key(keyed):
    asked = operations(keyed, keyed.full)
    assert len(asked) > 100
    for method, path, shape in asked:
        for authorization in [None, "Bearer orion_" + "a" * 43]:
            answer = ask(keyed, method, path, authorization)
            if shape == "/api/health":
                assert answer.status == 200
                continue
            assert answer.status == 401, (method, shape)
            assert answer.headers.get_all("WWW-Authenticate") == ['Bearer realm="Orion"']
            assert "PREFECT_API_KEY" in answer.detail and "orion key create" in answer.detail


def test_a_key_that_only_reads_changes_nothing(keyed):
    for method, path, shape in operations(keyed, keyed.full):
        answer = ask(keyed, method, path, keyed.reader, {} if method in ("POST", "PATCH", "PUT") else None)
        reads = method == "GET" or (method == "POST" and READING_POST.search(shape))
        assert (answer.status == 403) == (not reads), (method, shape, answer.status)
        assert answer.status != 401
        if not reads:
            assert "only read" in answer.detail


def test_a_full_key_may_do_everything(keyed):
    for method, path, shape in operations(keyed, keyed.full):
        if not shape.startswith("/api/admin/database"):
            answer = ask(keyed, method, path, keyed.full, {} if method in ("POST", "PATCH", "PUT") else None)
            assert answer.status not in (401, 403, 500), (method, shape)
    assert ask(keyed, "POST", "/api/admin/database/clear", keyed.full, {"confirm": True}).status == 204


@pytest.mark.parametrize("path, status", [
    ("/api/health", 200), ("/", 200), ("/flow-runs", 200), ("/favicon.ico", 200), ("/ui-settings", 401),
    ("/docs", 401), ("/redoc", 401), ("/openapi.json", 401), ("/api/docs", 401), ("/api/openapi.json", 401),
    ("/api/", 401), ("/api/nothing", 401), ("/api/flows/", 401), ("/api/admin/version", 401), ("/api/docs/", 401),
    ("/api/health/", 401), ("/%61pi/flows/count", 401), ("/%75i-settings", 401), ("/ap%69/admin/settings", 401)])
def test_what_is_open_where_there_are_keys(keyed, path, status):
    for method in ("GET", "HEAD"):
        answer = ask(keyed, method, path)
        if not (method == "HEAD" and path == "/api/health"):
            assert answer.status == status, method
    assert ask(keyed, "OPTIONS", path).status != 200


def test_the_scheme_is_read_as_http_says(keyed):
    bare = keyed.full.removeprefix("Bearer ")
    for good in [f"bearer {bare}", f"BEARER  {bare} "]:
        assert ask(keyed, "GET", "/api/admin/version", good).status == 200
    for bad in [bare, "Bearer", "Bearer ", f"Basic {bare}", f"Bearer {bare}x", f"Bearer {bare[:-1]}", f"Token {bare}",
                f"Bearer{bare}", "Bearer " + "a" * 5000, basic("ci:" + bare)]:
        assert ask(keyed, "GET", "/api/admin/version", bad).status == 401, bad


def test_a_preflight_needs_no_key_and_a_401_can_be_read_by_the_page(keyed):
    asked = {"Origin": "http://app.example", "Access_Control_Request_Method": "POST",
             "Access_Control_Request_Headers": "authorization"}
    answer = ask(keyed, "OPTIONS", "/api/flows/filter", **asked)
    assert answer.status == 200 and answer.headers["Access-Control-Allow-Headers"] == "authorization"
    answer = ask(keyed, "POST", "/api/flows/filter", Origin="http://app.example")
    assert answer.status == 401 and answer.headers["Access-Control-Allow-Origin"] == "*"


def test_the_key_is_asked_for_before_anything_is_decoded(keyed):
    assert ask(keyed, "POST", "/api/flows/filter", body={"limit": "much"}).status == 401
    assert ask(keyed, "POST", "/api/flows/", keyed.reader, body={"name": 7}).status == 403
    assert ask(keyed, "GET", "/api/flows/nonsense", X_PREFECT_API_VERSION="nonsense").status == 401


def store_secret(server):
    """A block document with a secret, by whose id it is found again."""
    kind = json.loads(ask(server, "GET", "/api/block_types/slug/secret", server.full).text)
    schemas = ask(server, "POST", "/api/block_schemas/filter", server.full,
                  {"block_schemas": {"block_type_id": {"any_": [kind["id"]]}}})
    body = {"name": "mine", "data": {"value": SECRET}, "block_type_id": kind["id"],
            "block_schema_id": json.loads(schemas.text)[0]["id"]}
    return json.loads(ask(server, "POST", "/api/block_documents/", server.full, body).text)["id"]


def test_secrets_need_a_full_key(keyed):
    ask(keyed, "POST", "/api/block_types/install_system_block_types", keyed.full)
    block = store_secret(keyed)
    paths = [("GET", f"/api/block_documents/{block}", True), ("POST", "/api/block_documents/filter", False),
             ("GET", "/api/block_types/slug/secret/block_documents", True),
             ("GET", "/api/block_types/slug/secret/block_documents/name/mine", True)]
    for method, path, in_query in paths:
        def read(authorization, value):
            if in_query:
                return ask(keyed, method, f"{path}?include_secrets={value}", authorization)
            return ask(keyed, method, path, authorization, {"include_secrets": value})
        assert SECRET in read(keyed.full, "true").text
        for value in ["true", "1", "yes", "ON"]:
            answer = read(keyed.reader, value)
            assert answer.status == 403 and "include_secrets" in answer.detail
        answer = read(keyed.reader, "false")
        assert answer.status == 200 and "mine" in answer.text and SECRET not in answer.text


def test_a_poll_with_a_key_that_only_reads_leaves_no_trace(keyed):
    queue = json.loads(ask(keyed, "POST", "/api/work_queues/", keyed.full, {"name": "polled"}).text)["id"]
    polled = lambda: keyed.execute("SELECT last_polled FROM work_queue WHERE id = ?", queue)[0][0]
    assert ask(keyed, "POST", f"/api/work_queues/{queue}/get_runs", keyed.reader, {}).status == 200
    time.sleep(0.6)
    assert polled() is None
    assert ask(keyed, "POST", f"/api/work_queues/{queue}/get_runs", keyed.full, {}).status == 200
    deadline = time.monotonic() + 5
    while polled() is None:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_log_names_the_key_and_never_shows_it(keyed):
    assert ask(keyed, "GET", "/api/admin/version?x=1", keyed.reader).status == 200
    time.sleep(1.1)
    assert ask(keyed, "GET", "/api/admin/version", "Bearer orion_guessed").status == 401
    log = keyed.log()
    assert re.search(r'INFO    \| orion.access - 127.0.0.1 - "GET /api/admin/version" 200 \d+\.\d ms key dash.board '
                     r'\[[0-9a-f]{16}\]\n', log)
    assert re.search(r'127.0.0.1 - "GET /api/admin/version" 401 \d+\.\d ms \[[0-9a-f]{16}\]\n', log)
    assert re.search(r"WARNING \| orion.access - Refused 127.0.0.1: unknown key: GET /api/admin/version", log)
    assert "guessed" not in log
    for header in (keyed.full, keyed.reader):
        assert header.removeprefix("Bearer ")[14:] not in log


def test_no_answer_names_the_key(keyed):
    for method, path, _ in operations(keyed, keyed.full)[:40]:
        answer = ask(keyed, method, path, keyed.reader)
        assert "dash.board" not in answer.text + str(answer.headers)


def test_refusals_are_logged_once_a_second(keyed):
    time.sleep(1.1)
    before = keyed.log().count("Refused")
    started = time.monotonic()
    while time.monotonic() < started + 2.2:
        assert ask(keyed, "GET", "/api/admin/version", "Bearer guess").status == 401
    lines = [line for line in keyed.log().splitlines() if "Refused" in line][before:]
    assert 2 <= len(lines) <= 4
    assert re.search(r"; \d+ more since the last line \[[0-9a-f]{16}\]$", lines[-1])


def test_the_dashboard_needs_the_password(keyed, guarded):
    assert "ORION_AUTH_STRING" in keyed.log() and "dashboard cannot send a key" in keyed.log()
    assert "dashboard" not in guarded.log().split("Point clients")[1]


# ---- user name and password ----


def test_the_password_opens_everything(guarded):
    good = basic(PASSWORD)
    for method, path, shape in operations(guarded, good):
        if not shape.startswith("/api/admin/database"):
            body = {} if method in ("POST", "PATCH", "PUT") else None
            assert ask(guarded, method, path, body=body).status == (200 if shape == "/api/health" else 401), shape
            assert ask(guarded, method, path, good, body).status not in (401, 500), shape
    for path in ("/", "/flow-runs", "/favicon.ico", "/ui-settings", "/docs", "/openapi.json", "/api/docs"):
        answer = ask(guarded, "GET", path)
        assert answer.status == 401
        assert answer.headers.get_all("WWW-Authenticate") == ['Basic realm="Orion", charset="UTF-8"']
        assert ask(guarded, "GET", path, good).status == 200
    assert "PREFECT_API_AUTH_STRING" in answer.detail and "PREFECT_API_KEY" in answer.detail


@pytest.mark.parametrize("wrong", [
    basic("ann:pässword:"), basic("ann:pässword:12"), basic("ann:"), basic(":"), basic("ann"), basic("Ann:pässword:1"),
    "Basic", "Basic ", "Basic ====", "Basic *", "Basic " + "QQ" * 3000, f"Bearer {PASSWORD.encode().hex()}",
    basic(PASSWORD) + "=", basic(PASSWORD)[:-4], basic(PASSWORD).replace("Basic ", "Basic =")])
def test_a_wrong_password_is_refused(guarded, wrong):
    answer = ask(guarded, "GET", "/api/admin/version", wrong)
    assert answer.status == 401
    assert PASSWORD.split(":")[1] not in answer.text


def test_the_password_is_in_no_log(guarded):
    time.sleep(1.1)
    ask(guarded, "GET", "/api/admin/version", basic("ann:guessed"))
    assert "wrong user name or password" in guarded.log()
    assert "guessed" not in guarded.log() and PASSWORD.split(":", 1)[1] not in guarded.log()
    assert PASSWORD.split(":", 1)[1] not in ask(guarded, "GET", "/api/admin/settings", basic(PASSWORD)).text


def test_both_are_offered_where_both_are_set(tmp_path):
    full = key(tmp_path, "create", "ci")
    with servers.running("orion", home=tmp_path, PREFECT_SERVER_API_AUTH_STRING=PASSWORD) as server:
        answer = ask(server, "GET", "/")
        assert answer.headers.get_all("WWW-Authenticate") == \
            ['Bearer realm="Orion"', 'Basic realm="Orion", charset="UTF-8"']
        for good in (f"Bearer {full}", basic(PASSWORD)):
            for path in ("/", "/api/admin/version", "/docs"):
                assert ask(server, "GET", path, good).status == 200


# ---- the file of keys ----


def until(server, authorization, status):
    """Waits until the server answers so, for the time that a change may take."""
    started = time.monotonic()
    while (answer := ask(server, "GET", "/api/admin/version", authorization)).status != status:
        assert time.monotonic() < started + AFTER_A_CHANGE, answer.status
        time.sleep(0.02)
    return time.monotonic() - started


def test_a_running_server_follows_the_file(tmp_path):
    with servers.running("orion", home=tmp_path) as server:
        assert ask(server, "GET", "/api/admin/version").status == 200
        first = "Bearer " + key(tmp_path, "create", "first")
        assert until(server, None, 401) < 1
        assert ask(server, "GET", "/api/admin/version", first).status == 200
        second = "Bearer " + key(tmp_path, "create", "second", "--expires", "3s")
        expires = time.monotonic() + 3
        until(server, second, 200)
        key(tmp_path, "revoke", "first")
        assert until(server, first, 401) < 1
        assert ask(server, "GET", "/api/admin/version", second).status == 200
        while time.monotonic() < expires + 0.1:
            time.sleep(0.1)
        answer = ask(server, "GET", "/api/admin/version", second)
        assert answer.status == 401 and "expired" in answer.detail
        assert ask(server, "GET", "/api/admin/version").status == 401 # the last key expired: still closed
        key(tmp_path, "revoke", "second", "--yes")
        until(server, None, 200)
        assert "There are no keys left" in server.log()


def test_a_file_that_is_gone_or_wrong_opens_nothing(tmp_path):
    path = tmp_path / "keys.toml"
    good = "Bearer " + key(tmp_path, "create", "ci")
    text = path.read_text()
    with servers.running("orion", home=tmp_path) as server:
        for change, message in [(path.unlink, "is gone"), (lambda: path.write_text(text + "nonsense"), "line 8"),
                                (lambda: path.write_text(text.splitlines()[0]), "has no keys"),
                                (lambda: path.write_text(text.replace("full", "fool")), "[keys.ci]"),
                                (lambda: path.write_text(text + 'paths = "/api/flows"'), "'paths' is unknown")]:
            change()
            deadline = time.monotonic() + AFTER_A_CHANGE
            while message not in server.log():
                assert time.monotonic() < deadline, message
                time.sleep(0.05)
            assert ask(server, "GET", "/api/admin/version").status == 401
            assert ask(server, "GET", "/api/admin/version", good).status == 200
        count = server.log().count("stay valid")
        time.sleep(1.2)
        assert server.log().count("stay valid") == count # once each
        path.write_text(text.replace("ci", "renamed"))
        time.sleep(1)
        assert ask(server, "GET", "/api/admin/version", good).status == 200


def refused(home, **settings):
    """Starts a server that does not start; what it says."""
    server = servers.Server("orion", home=home, **settings)
    try:
        assert server.process.wait(20) == 1
        return server.log()
    finally:
        server.stop()


def test_what_the_server_refuses_to_start_with(tmp_path):
    for wrong in ("ann", ":secret-1", "ann:", ""):
        log = refused(tmp_path, ORION_AUTH_STRING=wrong)
        assert "ORION_AUTH_STRING: not of the form user:password" in log and "secret-1" not in log
    log = refused(tmp_path, ORION_AUTH_STRING="ann:secret-1", PREFECT_SERVER_API_AUTH_STRING="ann:secret-2")
    assert "ORION_AUTH_STRING and PREFECT_SERVER_API_AUTH_STRING are two names of one setting" in log
    assert "secret-" not in log
    log = refused(tmp_path, ORION_KEYS_FILE=str(tmp_path / "elsewhere.toml"))
    assert "ORION_KEYS_FILE names" in log and "orion key create" in log
    (tmp_path / "keys.toml").write_text("[keys.ci]\nscope = 'full'\n")
    assert "[keys.ci] has no 'sha256'" in refused(tmp_path)


def test_the_same_value_under_both_names_is_fine(tmp_path):
    with servers.running("orion", home=tmp_path, ORION_AUTH_STRING=PASSWORD,
                         PREFECT_SERVER_API_AUTH_STRING=PASSWORD) as server:
        assert ask(server, "GET", "/", basic(PASSWORD)).status == 200


def test_the_file_of_another_place_can_be_shared(tmp_path):
    shared = str(tmp_path / "shared.toml")
    good = "Bearer " + key(tmp_path, "create", "ci", ORION_KEYS_FILE=shared)
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        with servers.running("orion", home=tmp_path / name, ORION_KEYS_FILE=shared) as server:
            assert ask(server, "GET", "/api/admin/version").status == 401
            assert ask(server, "GET", "/api/admin/version", good).status == 200


def test_an_open_server_for_others_warns(tmp_path):
    warning = "Anyone who can reach this server can read, change and delete everything"
    with servers.running("orion", home=tmp_path) as server:
        assert warning not in server.log()
    with servers.running("orion", home=tmp_path, arguments=["--host", "0.0.0.0"]) as server:
        assert warning in server.log() and "orion key create" in server.log() and "ORION_AUTH_STRING" in server.log()
    with servers.running("orion", home=tmp_path, arguments=["--host", "0.0.0.0"],
                         ORION_AUTH_STRING=PASSWORD) as server:
        assert warning not in server.log()


def test_a_server_without_keys_takes_any_header(tmp_path):
    with servers.running("orion", home=tmp_path) as server:
        for header in ("Bearer x", basic("a:b"), "nonsense"):
            assert ask(server, "GET", "/api/admin/version", header).status == 200

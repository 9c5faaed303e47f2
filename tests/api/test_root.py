"""/health, /hello, /admin, and HTTP itself: headers, redirects, raw requests."""
import http.client
import json
import socket

import pytest

from tests.lib import servers
from tests.lib.api_client import Api, unique


def test_health_and_hello(api):
    for path, text in [("/health", "true"), ("/hello", '"\U0001f44b"'), ("/admin/version", '"2.7.12"')]:
        answer = api.get(path)
        assert (answer.status_code, answer.text, answer.headers["content-type"]) == (200, text, "application/json")
        assert answer.headers["content-length"] == str(len(answer.content))


def test_settings(api):
    settings = api.read("/admin/settings")
    assert len(settings) == 79
    assert settings["PREFECT_HOME"] == str(api.server.home)
    expected = {"PREFECT_API_KEY": "********", "PREFECT_ORION_DATABASE_CONNECTION_URL": "********",
                "PREFECT_ORION_DATABASE_PASSWORD": "********", "PREFECT_ORION_ANALYTICS_ENABLED": False,
                "PREFECT_ORION_SERVICES_SCHEDULER_ENABLED": False,
                "PREFECT_ORION_SERVICES_SCHEDULER_LOOP_SECONDS": 60.0, "PREFECT_ORION_API_DEFAULT_LIMIT": 200,
                "PREFECT_LOGGING_EXTRA_LOGGERS": "", "PREFECT_ORION_API_HOST": "127.0.0.1", "PREFECT_API_URL": None,
                "PREFECT_LOGGING_LEVEL": "INFO", "PREFECT_LOCAL_STORAGE_PATH": "${PREFECT_HOME}/storage"}
    assert {name: settings[name] for name in expected} == expected


def test_answers_are_compact_and_plain_utf8(api):
    name = unique("é\U0001f600\u2028")
    answer = api.post("/flows/", {"name": name, "tags": ["a", "b"]})
    flow = answer.json()
    assert answer.text == json.dumps(flow, ensure_ascii=False, separators=(",", ":"))
    assert answer.headers["content-type"] == "application/json"
    assert answer.content == answer.text.encode()
    listed = api.post("/flow_runs/filter", {"limit": 3})
    assert listed.headers["content-type"] == "application/json"


def test_no_content_has_no_type(api):
    answer = api.patch(f"/flows/{api.flow()['id']}", {"tags": []})
    assert (answer.status_code, answer.content) == (204, b"")
    assert "content-type" not in answer.headers


def test_the_redirect_is_made_from_host(api):
    for host in ["other.example", "other.example:99", "127.0.0.1:80"]:
        answer = api.get("/health/?a=1", headers={"host": host})
        assert (answer.status_code, answer.headers["location"]) == (307, f"http://{host}/api/health?a=1")
    for scheme, told in [("https", "https"), ("http", "http"), ("ftp", "http")]:
        answer = api.get("/health/", headers={"host": "other.example", "x-forwarded-proto": scheme})
        assert answer.headers["location"] == f"{told}://other.example/api/health"


@pytest.mark.parametrize("headers, address", [
    ({"x-forwarded-host": "pub.example", "x-forwarded-proto": "http,https"}, "https://pub.example"),
    ({"x-forwarded-host": "pub.example:8443 , inner", "x-forwarded-proto": "HTTPS, http", "x-forwarded-for": "::1"},
     "https://pub.example:8443"),
    ({"x-forwarded-host": "[2001:db8::1]:1"}, "http://[2001:db8::1]:1"),
    ({"x-forwarded-proto": "https, http"}, "http://inner:1"), ({"x-forwarded-host": ""}, "http://inner:1"),
    ({"x-forwarded-host": 'a"/b'}, "http://inner:1"),
    ({"host": "a!b", "x-forwarded-host": "pub.example"}, "http://pub.example"),
    ({"host": "a!b", "x-forwarded-proto": "https"}, ""), ({"host": "my_server:4200"}, "http://my_server:4200")])
def test_the_redirect_behind_proxies(api, headers, address):
    """Ours only: the reference reads neither X-Forwarded-Host nor lists. A usable address is the one that /ui-settings
    tells."""
    if api.kind == "reference":
        pytest.skip("a listed difference")
    sent = {"host": "inner:1", **headers}
    answer = api.get("/flows?a=1", headers=sent)
    assert (answer.status_code, answer.headers["location"]) == (307, f"{address}/api/flows/?a=1")
    assert api.get("/health/", headers=sent).headers["location"] == f"{address}/api/health"
    assert api.get("/docs/", headers=sent).headers["location"] == f"{address}/api/docs"


@pytest.mark.parametrize("head", ["GET /api/health/ HTTP/1.0\r\n\r\n",
                                  "GET /api/health/ HTTP/1.1\r\nhost:\r\nconnection: close\r\n\r\n"])
def test_the_redirect_without_a_host(api, head):
    if api.kind == "reference":
        pytest.skip("a listed difference")
    answer = raw(api, head.encode())
    assert answer.startswith(b"HTTP/1.1 307 ") and b"\r\nlocation: /api/health\r\n" in answer


@pytest.mark.parametrize("sent, location", [("/health%2F", "/health"), ("/flows/name/a%20b/", "/flows/name/a%20b"),
                                            ("/flows/name/%c3%a9/?q=%20", "/flows/name/%C3%A9?q=%20"),
                                            ("/flows/name/a%22%3c/", "/flows/name/a%22%3C")])
def test_the_redirect_is_made_from_the_decoded_path(api, sent, location):
    answer = raw(api, f"GET /api{sent} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 307 ")
    assert f"\r\nlocation: http://x/api{location}\r\n".encode() in answer


def test_a_zero_in_a_path_does_not_end_it(api):
    assert api.get("/health%00x").status_code == 404


@pytest.mark.parametrize("body", [b'{"name": "\xff"}', b"\xff"])
def test_a_body_that_is_no_utf8(api, body):
    answer = api.request("POST", "/flows/", content=body, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()) == (400, {"detail": "There was an error parsing the body"})


@pytest.mark.parametrize("body, content_type",
                         [(b"\xff", "text/plain"), (b'{"name": "\xed\xa0\x80"}', "application/json")])
def test_other_bodies_that_are_no_utf8_are_refused_in_utf8(api, body, content_type):
    answer = api.request("POST", "/flows/", content=body, headers={"content-type": content_type})
    assert answer.status_code == (500 if api.kind == "reference" else 400)
    answer.content.decode()


@pytest.mark.parametrize("id", ["ABCDEF00-0000-4000-8000-000000000000", "abcdef000-000-4000-8000-000000000000"])
def test_a_path_of_a_uuid_takes_one_spelling_only(api, id):
    answer = api.get(f"/block_documents/{id}")
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})


@pytest.mark.parametrize("origin", ["http://localhost:3000", "null", "https://x.example"])
def test_cors_on_writes(api, origin):
    answer = api.request("POST", "/flows/", {"name": unique()}, headers={"origin": origin})
    assert answer.status_code == 201
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-origin" not in api.get("/health").headers


def raw(api, text):
    """Sends bytes, and reads all that is answered until the server closes or falls silent."""
    with socket.create_connection(("127.0.0.1", api.server.port), timeout=2) as connection:
        connection.sendall(text)
        received = b""
        try:
            while chunk := connection.recv(65536):
                received += chunk
        except TimeoutError:
            pass
        return received


def test_many_requests_on_one_connection(api):
    connection = http.client.HTTPConnection("127.0.0.1", api.server.port, timeout=10)
    for _ in range(20):
        connection.request("GET", "/api/health")
        assert connection.getresponse().read() == b"true"
    connection.close()


def test_pipelined_requests(api):
    request = b"GET /api/health HTTP/1.1\r\nhost: x\r\n\r\n"
    last = b"GET /api/hello HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    received = raw(api, request + request + last)
    assert received.count(b"HTTP/1.1 200") == 3
    assert received.index(b"true") < received.rindex(b"true") < received.index("\U0001f44b".encode())


def test_chunked_bodies(api):
    body = json.dumps({"name": unique()}).encode()
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:5], body[5:]))
    received = raw(api, b"POST /api/flows/ HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
                   b"connection: close\r\ntransfer-encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n")
    assert received.startswith(b"HTTP/1.1 201")


def test_http_1_0(api):
    received = raw(api, b"GET /api/health HTTP/1.0\r\n\r\n")
    assert received.startswith(b"HTTP/1.1 200") and received.endswith(b"true")


def test_expect_continue(api):
    body = json.dumps({"name": unique()}).encode()
    head = (b"POST /api/flows/ HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nconnection: close\r\n"
            b"expect: 100-continue\r\ncontent-length: %d\r\n\r\n" % len(body))
    received = raw(api, head + body)
    assert b"HTTP/1.1 201" in received


@pytest.mark.parametrize("request_",
                         [b"nonsense\r\n\r\n", b"GET /api/health HTTP/1.1\r\nbad header\r\n\r\n",
                          b"GET /api/health HTTP/1.1\r\nhost: x\r\ncontent-length: x\r\n\r\n", b"\x16\x03\x01\x02\x00"])
def test_what_is_not_http(api, request_):
    received = raw(api, request_)
    assert received == b"" or received.startswith(b"HTTP/1.1 400")
    assert api.get("/health").status_code == 200


def test_large_bodies(api):
    run = api.flow_run(parameters={"a": "x" * 1_000_000, "b": list(range(20000))})
    assert api.again(run)["parameters"] == {"a": "x" * 1_000_000, "b": list(range(20000))}


def test_deep_bodies(api):
    deep = 1
    for _ in range(60):
        deep = {"a": [deep]}
    assert api.again(api.flow_run(parameters=deep))["parameters"] == deep


@pytest.fixture(scope="module")
def own(server):
    """A server of its own kind whose database may be destroyed."""
    with servers.running(server.kind, database=server.engine) as running:
        yield Api(running)


def test_clear_drop_and_create(own):
    flow = own.flow()
    assert own.post("/admin/database/clear", {"confirm": False}).status_code == 400
    assert own.read(f"/flows/{flow['id']}") == flow
    before = own.server.store.tables()
    answer = own.post("/admin/database/clear", {"confirm": True})
    assert (answer.status_code, answer.content) == (204, b"")
    assert own.get(f"/flows/{flow['id']}").status_code == 404
    for table in ["flow", "work_pool", "work_queue", "configuration", "block_type"]:
        assert own.server.execute(f"SELECT count(*) FROM {table}") == [(0,)]
    assert own.flow(flow["name"])["id"] != flow["id"]
    assert own.post("/admin/database/drop", {"confirm": True}).status_code == 204
    assert "flow" not in own.server.store.tables()
    assert own.post("/flows/", {"name": "x"}).status_code == 500
    assert own.get("/health").status_code == 200
    assert own.post("/admin/database/create", {"confirm": True}).status_code == 204
    assert own.server.store.tables() == before
    assert own.flow(flow["name"])["name"] == flow["name"]
    assert own.post("/admin/database/create", {"confirm": True}).status_code == 204

"""Who may speak to the server: pages by their Origin, and names by which it is asked. Ours only: the reference serves
all."""
import http.client
import socket

import pytest

from tests.lib import servers

DROP = ("POST", "/api/admin/database/drop", b'{"confirm": true}')
SECRETS = ("POST", "/api/block_documents/filter", b'{"include_secrets": true}')
BODYLESS = ("POST", "/api/flows/filter", None)
READS = [("GET", "/api/health", None), ("GET", "/api/flows", None), ("GET", "/ui-settings", None), ("GET", "/", None),
         ("GET", "/docs", None), ("GET", "/openapi.json", None), ("GET", "/nothing", None)]
FOREIGN = ["https://evil.example", "http://evil.example:4200", "null", "http://127.0.0.1.evil.example",
           "http://localhost.evil.example", "http://evil-localhost", "http://127.0.0.1@evil.example", "file://", "",
           "http://[::2]", "http://128.0.0.1"]
FRIENDS = ["http://127.0.0.1:3000", "http://localhost:8080", "https://LOCALHOST", "http://[::1]:4200",
           "http://app.localhost:1", "http://127.8.8.8"]


@pytest.fixture(scope="module")
def guarded():
    with servers.running("orion", ORION_ALLOWED_HOSTS="", ORION_CORS_ORIGINS="") as server:
        yield server


def ask(server, method, path, body=None, host=None, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.putrequest(method, path, skip_host=True)
    if host != "":
        connection.putheader("Host", host or f"127.0.0.1:{server.port}")
    for name, value in headers.items():
        connection.putheader(name.replace("_", "-"), value)
    if body is not None:
        connection.putheader("Content-Type", "application/json")
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer, text


def has_cors(answer):
    return any(name.lower().startswith("access-control-") for name in answer.headers)


@pytest.mark.parametrize("request_", [DROP, SECRETS, BODYLESS, *READS],
                         ids=lambda request: f"{request[0]} {request[1]}")
def test_a_page_from_elsewhere_is_refused(guarded, request_):
    for origin in FOREIGN:
        answer, text = ask(guarded, *request_, Origin=origin)
        assert answer.status == 403 and not has_cors(answer), origin
        assert "ORION_CORS_ORIGINS" in text
    assert guarded.execute("SELECT COUNT(*) FROM alembic_version") == [(1,)]


def test_a_preflight_from_elsewhere_is_refused(guarded):
    asked = {"Access_Control_Request_Method": "POST", "Access_Control_Request_Headers": "content-type"}
    answer, _ = ask(guarded, "OPTIONS", "/api/flows/filter", Origin="https://evil.example", **asked)
    assert answer.status == 403 and not has_cors(answer)
    answer, _ = ask(guarded, "OPTIONS", "/api/flows/filter", Origin="http://localhost:3000", **asked)
    assert answer.status == 200 and answer.headers["access-control-allow-origin"] == "http://localhost:3000"
    assert answer.headers["access-control-allow-headers"] == "content-type" and answer.headers["vary"] == "Origin"


@pytest.mark.parametrize("origin", FRIENDS)
def test_pages_of_this_machine_are_served(guarded, origin):
    answer, _ = ask(guarded, "POST", "/api/flows/filter", b"{}", Origin=origin)
    assert answer.status == 200 and answer.headers["access-control-allow-origin"] == origin \
        and answer.headers["vary"] == "Origin"


def test_clients_send_no_origin_and_notice_nothing(guarded):
    answer, _ = ask(guarded, "POST", "/api/flows/filter", b"{}")
    assert answer.status == 200 and not has_cors(answer)


@pytest.mark.parametrize("host",
                         ["evil.example", "evil.example:4200", "127.0.0.1.evil.example", "localhost.evil.example",
                          "0.0.0.0", "[::2]:4200", "[::1].evil.example", ":4200", "::1", "[::1"])
def test_a_name_that_is_not_its_own_is_refused(guarded, host):
    for request in (DROP, BODYLESS, *READS):
        answer, text = ask(guarded, *request, host=host)
        assert answer.status == 400 and "ORION_ALLOWED_HOSTS" in text
        assert ask(guarded, *request, host=host, Origin=f"http://{host}")[0].status == 400


@pytest.mark.parametrize("host", ["localhost", "LocalHost.:4200", "127.0.0.1", "127.1.2.3:1", "[::1]", "[::1]:4200",
                                  "a.localhost:4200", socket.gethostname()])
def test_its_own_names_are_served(guarded, host):
    assert ask(guarded, "GET", "/api/health", host=host)[0].status == 200


def test_names_and_origins_that_are_listed():
    settings = {"ORION_ALLOWED_HOSTS": "one.example, Two.example",
                "ORION_CORS_ORIGINS": "https://app.example/ ,http://other.example:81"}
    with servers.running("orion", **settings) as server:
        for host, status in {"one.example": 200, "two.example:8443": 200, "three.example": 400}.items():
            assert ask(server, "GET", "/api/health", host=host)[0].status == status
        for origin, status in {"https://app.example": 200, "http://other.example:81": 200, "http://other.example": 403,
                               "http://app.example": 403, "https://one.example": 403}.items():
            assert ask(server, "POST", "/api/flows/filter", Origin=origin)[0].status == status
        assert ask(server, "POST", "/api/flows/filter", host="one.example",
                   Origin="https://one.example:8443")[0].status == 200
        assert ask(server, "POST", "/api/flows/filter", Origin="https://pub.example",
                   X_Forwarded_For="::1", X_Forwarded_Host="pub.example, inner")[0].status == 200


def test_all_are_served_where_that_was_asked_for():
    with servers.running("orion", ORION_ALLOWED_HOSTS="*", ORION_CORS_ORIGINS="*") as server:
        answer, _ = ask(server, "POST", "/api/flows/filter", host="evil.example", Origin="https://elsewhere.example")
        assert answer.status == 200 and answer.headers["access-control-allow-origin"] == "*"


def test_a_server_for_the_network_takes_any_name_but_no_foreign_page():
    with servers.running("orion", arguments=["--host", "0.0.0.0"], ORION_ALLOWED_HOSTS="",
                         ORION_CORS_ORIGINS="") as server:
        assert ask(server, "GET", "/api/health", host="orion.example:4200")[0].status == 200
        assert ask(server, "POST", "/api/flows/filter", host="orion.example:4200",
                   Origin="http://orion.example")[0].status == 200
        assert ask(server, "POST", "/api/flows/filter", host="orion.example:4200",
                   Origin="http://evil.example")[0].status == 403


def test_a_loopback_address_is_one_under_any_name():
    """Debian gives a machine's own name the address 127.0.1.1."""
    name = socket.gethostname()
    if not socket.gethostbyname(name).startswith("127."):
        name = "localhost"
    with servers.running("orion", arguments=["--host", name], ORION_ALLOWED_HOSTS="", ORION_CORS_ORIGINS="") as server:
        assert ask(server, "GET", "/api/health", host=f"{name}:{server.port}")[0].status == 200
        assert ask(server, "GET", "/api/health", host="evil.example")[0].status == 400
        assert ask(server, "POST", "/api/flows/filter", host="evil.example",
                   Origin="http://evil.example")[0].status == 400

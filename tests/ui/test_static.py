"""What is served outside /api, over HTTP: the same files and fallbacks on both servers; how ours sends them."""
import gzip
import os
import re

import httpx
import pytest

from tests.lib import servers

HTML = "text/html; charset=utf-8"
FORBIDDEN = {"detail": "Method Not Allowed"}


def client(server, **headers):
    return httpx.Client(base_url=server.root, timeout=60, trust_env=False,
                        headers={"accept-encoding": "identity", **headers})


@pytest.fixture(scope="session")
def http(server):
    with client(server) as connected:
        yield connected


@pytest.fixture(scope="session")
def ours():
    """Our server alone, with the settings as a user finds them."""
    with servers.running("orion") as running, client(running) as connected:
        yield connected


@pytest.fixture(scope="session")
def asset(ours):
    return re.search(r'src="(/assets/[^"]+\.js)"', ours.get("/").text).group(1)


# ---- on both servers ----


@pytest.mark.parametrize("path", ["/", "/index.html", "/flow-runs", "/no/such/page", "/assets/gone.js", "/assets",
                                  "/api", "/apis", "/else//", "/ui-settings/", "/assets/%2e%2e/index.html", "/%2e/",
                                  "/%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2f..%2f..%2fetc%2fpasswd"])
def test_page(http, path):
    answer = http.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, HTML)
    assert '<div id="app">' in answer.text


@pytest.mark.parametrize("path, kind", [
    ("/robots.txt", "text/plain; charset=utf-8"), ("/ico/favicon.ico", "image/vnd.microsoft.icon"),
    ("/ico/completed.svg", "image/svg+xml"), ("/ico/favicon-16x16.png", "image/png"),
    ("/ico//favicon-16x16.png", "image/png"), ("/ico/x/%2e%2e/favicon-16x16.png", "image/png")])
def test_file(http, path, kind):
    answer = http.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
    head = http.head(path)
    assert (head.status_code, head.headers["content-length"], head.content) == (200, str(len(answer.content)), b"")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", ["/", "/no/such/page", "/robots.txt", "/ui-settings"])
def test_other_methods(http, method, path):
    answer = http.request(method, path)
    assert (answer.status_code, answer.json(), answer.headers.get("allow")) == (405, FORBIDDEN, None)


def test_unchanged(http):
    tag = http.get("/robots.txt").headers["etag"]
    answer = http.get("/robots.txt", headers={"if-none-match": tag})
    assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)
    assert http.get("/robots.txt", headers={"if-none-match": '"other"'}).status_code == 200


def test_other_origins(http):
    assert http.get("/robots.txt", headers={"origin": "http://elsewhere"}).headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-origin" not in http.get("/robots.txt").headers


def test_ui_settings(http, server):
    answer = http.get("/ui-settings")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == {"api_url": server.url, "flags": []}
    assert http.head("/ui-settings").headers["content-type"] == HTML


@pytest.fixture(scope="session", params=[False, True], ids=["flag", "option"])
def without_ui(request, pytestconfig):
    kind = "reference" if pytestconfig.getoption("--server") == "reference" else "orion"
    settings = {"PREFECT_EXPERIMENTAL_ENABLE_WORK_POOLS": "true", "PREFECT_ORION_UI_API_URL": "http://elsewhere:1/api"}
    arguments = ["--no-ui"] if request.param else []
    if not arguments:
        settings["PREFECT_ORION_UI_ENABLED"] = "false"
    with servers.running(kind, arguments=arguments, **settings) as running, client(running) as connected:
        yield connected


def test_without_ui(without_ui):
    for path in ["/", "/index.html", "/flow-runs", "/api"]:
        answer = without_ui.get(path)
        assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})
    assert without_ui.get("/ui-settings").json() == {"api_url": "http://elsewhere:1/api", "flags": ["work_pools"]}
    answer = without_ui.post("/ui-settings")
    assert (answer.status_code, answer.json(), answer.headers["allow"]) == (405, FORBIDDEN, "GET")


# ---- ours: encodings, caches, addresses ----


@pytest.mark.parametrize("accepted, gzipped", [
    ("gzip, deflate, br", True), ("*", True), ("GZIP", True), ("br;q=1, gzip;q=0.2", True),
    ("gzip;q=0.5, identity;q=0.5", True), ("gzip ; q=0.001", True), ("identity", False),
    ("br", False), ("gzip;q=0", False), ("gzip;q=0.000, *", False), ("*;q=0", False), ("gzip;q=0.5, identity", False),
    ("gzipped", False), ("", False)])
def test_encoding(ours, asset, accepted, gzipped):
    plain = ours.get(asset)
    with ours.stream("GET", asset, headers={"accept-encoding": accepted}) as answer:
        body = b"".join(answer.iter_raw())
    assert answer.headers.get("content-encoding") == ("gzip" if gzipped else None)
    assert answer.headers["vary"] == "Accept-Encoding"
    assert int(answer.headers["content-length"]) == len(body)
    assert (gzip.decompress(body) if gzipped else body) == plain.content
    assert (answer.headers["etag"] != plain.headers["etag"]) == gzipped
    assert re.fullmatch(r'"[^"]+"', answer.headers["etag"])


def test_pictures_stay_as_they_are(ours):
    answer = ours.get("/ico/favicon-32x32.png", headers={"accept-encoding": "gzip"})
    assert "content-encoding" not in answer.headers and "vary" not in answer.headers
    assert answer.content.startswith(b"\x89PNG")


def test_caches(ours, asset):
    assert ours.get(asset).headers["cache-control"] == "public, max-age=31536000, immutable"
    for path in ["/", "/robots.txt", "/assets/gone.js"]:
        assert ours.get(path).headers["cache-control"] == "no-cache"
    assert ours.get("/ui-settings").headers["cache-control"] == "no-store"


@pytest.mark.parametrize("known, status", [("{}", 304), ("W/{}", 304), ('"a", {}', 304), ('"a" ,W/{}', 304), ("*", 304),
                                           ('"a"', 200), ("", 200)])
def test_tags(ours, asset, known, status):
    tag = ours.get(asset).headers["etag"]
    answer = ours.get(asset, headers={"if-none-match": known.format(tag)})
    assert (answer.status_code, answer.headers["etag"], answer.headers["cache-control"]) == \
        (status, tag, "public, max-age=31536000, immutable")


def test_origin_joins_the_other_reasons_to_vary(ours, asset):
    answer = ours.get(asset, headers={"origin": "http://elsewhere", "cookie": "a=b"})
    assert answer.headers.get_list("vary") == ["Accept-Encoding", "Origin"]
    assert answer.headers["access-control-allow-origin"] == "http://elsewhere"


def policy(answer):
    return {name: words for name, *words in (part.split() for part in
                                             answer.headers["content-security-policy"].split(";"))}


def test_what_browsers_may_do(ours, asset):
    """What each page needs of it is tested in Chromium."""
    for path in ["/", "/flow-runs", asset, "/robots.txt", "/ui-settings", "/docs", "/openapi.json"]:
        answer = ours.get(path)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert ("content-security-policy" in answer.headers) == answer.headers["content-type"].startswith("text/html")
    page, docs = policy(ours.get("/", headers={"host": "there:81"})), policy(ours.get("/docs"))
    assert page["frame-ancestors"] == docs["frame-ancestors"] == ["'self'"]
    assert page["script-src"] == ["'self'", "'unsafe-eval'"] and docs["default-src"] == ["'none'"]
    assert page["connect-src"] == ["'self'", "http://there:81"]
    assert re.fullmatch(r"'sha256-[\w+/]{43}='", *docs["script-src"])
    rules = [name for name in ours.get("/api/health").headers if name.startswith(("x-", "content-s", "referrer"))]
    assert rules == ["x-request-id"]


@pytest.mark.parametrize("address, allowed", [("https://api.example:8443/x/api", ["https://api.example:8443"]),
                                              ("https://a; script-src *", []), ("/prefect/api", [])])
def test_the_page_may_ask_the_api_that_is_set(address, allowed):
    with servers.running("orion", PREFECT_ORION_UI_API_URL=address) as running, client(running) as http:
        assert policy(http.get("/"))["connect-src"] == ["'self'", *allowed]


@pytest.mark.parametrize("headers, address", [
    ({"host": "there:81"}, "http://there:81/api"), ({"host": "[::1]:4200"}, "http://[::1]:4200/api"),
    ({"host": "inner:1", "x-forwarded-host": "outer.example", "x-forwarded-proto": "https"},
     "https://outer.example/api"),
    ({"host": "h", "x-forwarded-for": "192.0.2.1, 127.0.0.2", "x-forwarded-host": "first:8443, second",
      "x-forwarded-proto": "HTTPS, http"}, "https://first:8443/api"),
    ({"host": "h", "x-forwarded-proto": "javascript"}, "http://h/api"),
    ({"host": "h", "x-forwarded-host": 'a"/b'}, "http://h/api"),
    ({"host": "h", "x-forwarded-host": ""}, "http://h/api")])
def test_address(ours, headers, address):
    assert ours.get("/ui-settings", headers=headers).json()["api_url"] == address


def test_zero_byte(ours):
    assert '<div id="app">' in ours.get("/robots.txt%00").text


# ---- a folder in place of what is embedded ----


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("ui")
    (root / "secret.txt").write_text("secret")
    folder = root / "files"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<p>own page</p>")
    (folder / "assets/a.js").write_text("let a")
    (folder / "linked.css").symlink_to(folder / "assets/a.js")
    with servers.running("orion", arguments=["--ui-dir", str(folder)]) as running, client(running) as connected:
        yield folder, connected


@pytest.mark.parametrize("path, text, kind", [
    ("/", "<p>own page</p>", HTML), ("/else", "<p>own page</p>", HTML), ("/assets", "<p>own page</p>", HTML),
    ("/assets/a.js", "let a", "text/javascript; charset=utf-8"), ("/linked.css", "let a", "text/css; charset=utf-8"),
    ("/%2e%2e/secret.txt", "<p>own page</p>", HTML), ("/assets/..%2f..%2fsecret.txt", "<p>own page</p>", HTML),
    ("/" + "x" * 5000, "<p>own page</p>", HTML)])
def test_folder(folder, path, text, kind):
    answer = folder[1].get(path)
    assert (answer.status_code, answer.text, answer.headers["content-type"]) == (200, text, kind)
    assert answer.headers["cache-control"] == "no-cache" and answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers.get("content-security-policy") == ("frame-ancestors 'self'" if kind == HTML else None)


def test_folder_changes(folder):
    path, http = folder
    (path / "page.txt").write_text("one")
    tag = http.get("/page.txt").headers["etag"]
    assert http.get("/page.txt", headers={"if-none-match": tag}).status_code == 304
    (path / "page.txt").write_text("three")
    answer = http.get("/page.txt", headers={"if-none-match": tag})
    assert (answer.status_code, answer.text) == (200, "three")
    assert http.head("/page.txt").headers["content-length"] == "5"


def test_folder_with_a_pipe(folder):
    path, http = folder
    os.mkfifo(path / "pipe")
    assert http.get("/pipe").text == "<p>own page</p>"


def test_no_folder(tmp_path):
    server = servers.Server("orion", arguments=["--ui-dir", str(tmp_path)])
    try:
        assert server.process.wait(10) == 1
        assert "contains no readable index.html" in server.log()
    finally:
        server.stop()
        server.remove()

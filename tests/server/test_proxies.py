"""Behind proxies: which are believed, and the path below which they publish the server. Ours only."""
import gzip
import re
import shutil
import ssl
import subprocess
import tempfile
from pathlib import Path

import httpx
import pytest

from tests.lib import proxies, servers
from tests.lib.postgres import free_port

SENT = {"host": "inner:1", "x-forwarded-for": "192.0.2.1", "x-forwarded-host": "pub.example",
        "x-forwarded-proto": "https"}


def client(root, **options):
    return httpx.Client(base_url=root, timeout=60, trust_env=False, **options)


def api_url(root, **headers):
    """Where the dashboard is told that the API is."""
    with client(root) as http:
        return http.get("/ui-settings", headers={"host": "inner:1", **headers}).json()["api_url"]


@pytest.fixture(scope="module")
def ours():
    with servers.running("orion", ORION_TRUSTED_PROXIES="127.0.0.1, 10.0.0.0/8,2001:db8::/32") as server:
        yield server


def named(text):
    return {name.replace("_", "-"): value for name, value in re.findall(r"(\S+): ([^|]+)(?: \||$)", text)}


# ---- what is believed ----

@pytest.mark.parametrize("headers, address", [
    # what the client itself has put before
    ("x-forwarded-host: evil.example, pub.example", "http://pub.example"),
    ("x-forwarded-proto: https, http", "http://inner:1"),
    # two proxies, one of them on another machine
    ("x-forwarded-for: 192.0.2.1, 10.1.2.3 | x-forwarded-host: evil.example, pub.example, inner | x-forwarded-proto:"
     " http, https, http", "https://pub.example"),
    ("x-forwarded-for: 192.0.2.1, [2001:db8::7]:99 | x-forwarded-host: evil, pub.example, inner", "http://pub.example"),
    ("x-forwarded-for: 192.0.2.1, 10.1.2.3:4 | x-forwarded-host: pub.example | x-forwarded-proto: https",
     "https://pub.example"),
    ("x-forwarded-for: 10.9.9.9, 192.0.2.1 | x-forwarded-host: evil.example, pub.example", "http://pub.example"),
    ("x-forwarded-for: 10.9.9.9, unknown | x-forwarded-host: evil.example, pub.example", "http://pub.example"),
    # ports
    ("x-forwarded-host: pub.example | x-forwarded-port: 8443", "http://pub.example:8443"),
    ("x-forwarded-host: pub.example:1 | x-forwarded-port: 8443", "http://pub.example:1"),
    ("x-forwarded-host: [2001:db8::1] | x-forwarded-port: 8443", "http://[2001:db8::1]:8443"),
    ("x-forwarded-host: pub.example | x-forwarded-port: 80", "http://pub.example"),
    ("x-forwarded-host: pub.example | x-forwarded-port: 8a", "http://pub.example"),
    # RFC 7239
    ("forwarded: for=192.0.2.1;host=pub.example;proto=https", "https://pub.example"),
    ('forwarded: For="[2001:db9::1]:5";Host="pub.example:8443";Proto=HTTPS', "https://pub.example:8443"),
    ('forwarded: for=x;host=evil.example, for="192.0.2.1, \\"";host=pub.example', "http://pub.example"),
    ("forwarded: for=192.0.2.1;host=pub.example;proto=https, for=10.1.1.1;host=inner;proto=http",
     "https://pub.example"),
    ("forwarded: for=192.0.2.1", "http://inner:1"), ("forwarded: host=;proto", "http://inner:1"),
    ('forwarded: "', "http://inner:1"), ("forwarded: host=a b", "http://inner:1"),
    ("x-forwarded-proto: http | forwarded: host=evil.example;proto=https", "http://inner:1")])
def test_addresses(ours, headers, address):
    assert api_url(ours.root, **named(headers)) == address + "/api"
    with client(ours.root) as http:
        answer = http.get("/api/health/", headers={"host": "inner:1", **named(headers)})
        assert answer.headers["location"] == address + "/api/health"


def test_headers_of_the_same_name_are_one_list(ours):
    """As HAProxy adds its own."""
    with client(ours.root) as http:
        sent = [("host", "inner:1"), ("x-forwarded-host", "evil.example"), ("x-forwarded-host", "pub.example")]
        assert http.get("/ui-settings", headers=sent).json()["api_url"] == "http://pub.example/api"


def test_others_are_not_believed_and_logged_once():
    with servers.running("orion", ORION_TRUSTED_PROXIES="10.0.0.0/8", ORION_CORS_ORIGINS="") as server:
        for _ in range(3):
            assert api_url(server.root, **SENT, **{"x-forwarded-prefix": "/prefect"}) == "http://inner:1/api"
            assert api_url(server.root, forwarded="host=pub.example") == "http://inner:1/api"
        with client(server.root) as http:
            sent = {"origin": "https://pub.example", "x-forwarded-host": "pub.example"}
            assert http.post("/api/flows/filter", headers=sent).status_code == 403
        lines = [line for line in server.log().splitlines() if "trusted" in line]
        assert len(lines) == 1 and "127.0.0.1 sent the header x-forwarded-for" in lines[0]
        assert "set ORION_TRUSTED_PROXIES=10.0.0.0/8,127.0.0.1 [" in lines[0]


@pytest.mark.parametrize("trusted, address", [("*", "https://pub.example/api"), ("", "http://inner:1/api")])
def test_all_and_nobody(trusted, address):
    with servers.running("orion", ORION_TRUSTED_PROXIES=trusted) as server:
        assert api_url(server.root, **SENT) == address
        assert ("ORION_TRUSTED_PROXIES=127.0.0.1" in server.log()) == (trusted == "")


@pytest.mark.parametrize("settings, words", [
    ({"ORION_TRUSTED_PROXIES": "10.0.0.0/8,nginx"}, '"nginx" is neither an address nor a network'),
    ({"ORION_TRUSTED_PROXIES": "10.1.0.0/8"}, "the network is 10.0.0.0/8"),
    ({"ORION_TRUSTED_PROXIES": "10.0.0.0/33"}, "from 0 to 32"), ({"ORION_ROOT_PATH": "prefect"}, '"prefect" in'),
    ({"ORION_ROOT_PATH": "/a//b"}, "ORION_ROOT_PATH"), ({"ORION_ROOT_PATH": "/a/../b"}, "ORION_ROOT_PATH"),
    ({"ORION_ROOT_PATH": "/a'b"}, "ORION_ROOT_PATH"), ({"ORION_ROOT_PATH": "/api"}, "not /api"),
    ({"PREFECT_SERVER_API_BASE_PATH": "/v2"}, "does not end in /api"),
    ({"PREFECT_SERVER_API_BASE_PATH": "/a/api", "PREFECT_UI_SERVE_BASE": "/b"}, 'ORION_ROOT_PATH says "/b"')])
def test_what_cannot_be_used_is_refused_at_start(tmp_path, settings, words):
    done = subprocess.run([str(servers.ORION_BIN), "start"], env=servers.server_environment(tmp_path, **settings),
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and words in done.stdout + done.stderr


# ---- below a path ----

def below(root, path, **headers):
    with client(root) as http:
        return http.get(path, headers={"host": "h", **headers})


@pytest.mark.parametrize("settings, arguments", [
    ({}, ["--root-path", "/prefect/"]), ({"ORION_ROOT_PATH": "/prefect"}, []), ({"PREFECT_UI_SERVE_BASE": "/prefect"},
                                                                                 []),
    ({"PREFECT_UI_SERVE_BASE": "/prefect", "PREFECT_SERVER_API_BASE_PATH": "/prefect/api"}, [])])
def test_by_settings(settings, arguments):
    with servers.running("orion", arguments=arguments, **settings) as server:
        assert f"{server.root}/prefect/api\n" in server.log() and "another name" not in server.log()
        for root in ("", "/prefect"):
            assert below(server.root, f"{root}/api/health").text == "true"
            assert below(server.root, f"{root}/api/health/").headers["location"] == "http://h/prefect/api/health"
            assert below(server.root, f"{root}/api/docs/").headers["location"] == "http://h/prefect/api/docs"
            assert below(server.root, f"{root}/ui-settings").json()["api_url"] == "http://h/prefect/api"
            assert below(server.root, f"{root}/openapi.json").json()["servers"] == [{"url": "/prefect"}]
            assert below(server.root, f"{root}/api/openapi.json").json()["servers"] == [{"url": "/prefect/api"}]
            assert 'src="/prefect/assets/index-' in below(server.root, f"{root}/flow-runs").text
        assert below(server.root, "/prefect").text == below(server.root, "/").text
        assert below(server.root, "/openapi.json", **{"x-forwarded-prefix": "/x/"}).json()["servers"] == [{"url": "/x"}]
        assert '"servers"' not in below(server.root, "/openapi.json", **{"x-forwarded-prefix": "/"}).text


@pytest.mark.parametrize("prefix", ["/a b", '/"', "/<script>", "//evil.example", "/..", "/a/./b", "/a\\b", "/api", "x",
                                    "/%61", "/a?b", "/" + "a" * 300])
def test_a_header_that_is_no_path_is_ignored(ours, prefix):
    answer = below(ours.root, "/", **{"x-forwarded-prefix": prefix})
    assert answer.text == below(ours.root, "/").text
    assert below(ours.root, "/ui-settings", **{"x-forwarded-prefix": prefix}).json()["api_url"] == "http://h/api"


def test_a_path_is_taken_off_as_a_whole(ours):
    sent = {"x-forwarded-prefix": "/pre"}
    for path, kind in {"/pre/robots.txt": "text/plain", "/robots.txt": "text/plain", "/prerobots.txt": "text/html",
                       "/pre/pre/robots.txt": "text/html", "/pre/api/health": "application/json"}.items():
        assert below(ours.root, path, **sent).headers["content-type"].startswith(kind), path
    assert below(ours.root, "/pre/api/health").headers["content-type"].startswith("text/html")


PLACES = re.compile(rb'((?:href|src)="|"href",["`]|return"|url\(|"src": ")(?=/(?:assets/|ico/|"\}|"\+e|[a-z]+\.svg))')


def test_every_file_is_the_same_but_for_the_path(ours):
    """Compressed or not; the checksum of what is put together must hold, or it could not be unpacked."""
    page = below(ours.root, "/").text
    queue, seen, changed = ["/", *re.findall(r'(?:href|src)="(/[^"]+)"', page)], set(), 0
    with client(ours.root, headers={"accept-encoding": "identity"}) as http:
        while queue:
            path = queue.pop()
            if path in seen:
                continue
            seen.add(path)
            plain = http.get(path)
            queue += [f"/assets/{name}" for name in re.findall(r'"assets/([^"]+)"', plain.text)]
            rooted = http.get(path, headers={"x-forwarded-prefix": "/a/b"})
            with http.stream("GET", path, headers={"x-forwarded-prefix": "/a/b", "accept-encoding": "gzip"}) as answer:
                packed = b"".join(answer.iter_raw())
            if "content-encoding" in answer.headers:
                packed = gzip.decompress(packed)
            assert packed == rooted.content, path
            expected = PLACES.sub(rb"\1/a/b", plain.content)
            expected = expected.replace(b"location.origin+l.path", b'location.origin+"/a/b"+l.path')
            assert rooted.content == expected, path
            different = rooted.content != plain.content
            assert (rooted.headers["etag"] != plain.headers["etag"]) == different
            assert ("no-cache" in rooted.headers["cache-control"]) >= different
            changed += different
    assert len(seen) > 50 and changed == 5


def test_what_is_known_is_not_sent_again(ours):
    sent = {"x-forwarded-prefix": "/a", "accept-encoding": "gzip"}
    tag = below(ours.root, "/", **sent).headers["etag"]
    assert below(ours.root, "/", **sent, **{"if-none-match": tag}).status_code == 304
    assert below(ours.root, "/", **{**sent, "x-forwarded-prefix": "/b"}, **{"if-none-match": tag}).status_code == 200


# ---- the documented examples ----

@pytest.fixture(scope="module")
def plain():
    """With the settings as a user finds them."""
    with servers.running("orion", ORION_ALLOWED_HOSTS="", ORION_CORS_ORIGINS="") as server:
        yield server


def check_tls(port, trusted):
    """As a client, and as a page of the dashboard."""
    with client(f"https://127.0.0.1:{port}", verify=trusted, headers={"host": f"orion.example:{port}"}) as http:
        public = f"https://orion.example:{port}"
        assert http.get("/api/health").text == "true"
        assert http.get("/api/health/").headers["location"] == f"{public}/api/health"
        assert http.get("/ui-settings").json()["api_url"] == f"{public}/api"
        assert http.post("/api/flows/filter", json={}, headers={"origin": public}).status_code == 200
        assert http.post("/api/flows/filter", json={}, headers={"origin": "https://evil.example"}).status_code == 403
        evil = {"x-forwarded-host": "evil.example", "x-forwarded-proto": "http", "forwarded": "host=evil.example"}
        assert http.get("/ui-settings", headers=evil).json()["api_url"] == f"{public}/api"
        assert http.post("/api/logs/", content=b"[" + b" " * 2_000_000 + b"]").status_code == 201


def test_nginx_with_tls(plain):
    port = free_port()
    with proxies.nginx(proxies.nginx_tls(plain, port)) as folder:
        check_tls(port, ssl.create_default_context(cafile=folder / "certificate.pem"))


@pytest.mark.parametrize("strip, told", [(True, True), (False, True), (True, False), (False, False)])
def test_nginx_below_a_path(plain, strip, told):
    port = free_port()
    settings = {} if told else {"ORION_ROOT_PATH": "/prefect"}
    with servers.running("orion", ORION_ALLOWED_HOSTS="", ORION_CORS_ORIGINS="", **settings) as server, \
            proxies.nginx(proxies.nginx_below(server, port, strip, told)), client(f"http://127.0.0.1:{port}") as http:
        public = f"http://127.0.0.1:{port}/prefect"
        assert http.get("/prefect/api/health").text == "true" and http.get("/api/health").status_code == 418
        assert http.get("/prefect").headers["location"] == f"{public}/"
        assert http.get("/prefect/api/health/?a=b").headers["location"] == f"{public}/api/health?a=b"
        assert http.get("/prefect/ui-settings").json()["api_url"] == f"{public}/api"
        assert http.get("/prefect/api/openapi.json").json()["servers"] == [{"url": "/prefect/api"}]
        found = re.findall(r'(?:href|src)="([^"]+)"', http.get("/prefect/flow-runs").text)
        assert len(found) == 13 and all(http.get(path).status_code == 200 for path in found)


@pytest.mark.skipif(not shutil.which("caddy"), reason="Caddy is not among the test packages")
def test_caddy(plain):
    folder, ports = Path(tempfile.mkdtemp(prefix="orion-caddy-")), [free_port(), free_port()]
    whole, part = proxies.examples("caddy")
    root = plain.root.removeprefix("http://")
    text = "{\nadmin off\nauto_https disable_redirects\nlocal_certs\nskip_install_trust\n}\n"
    text += proxies.replaced(whole, ("orion.example {", f"orion.example:{ports[0]} {{"), ("127.0.0.1:4200", root))
    text += proxies.replaced(part, ("tools.example {", f"http://:{ports[1]} {{"), ("127.0.0.1:4200", root))
    (folder / "Caddyfile").write_text(text)
    try:
        command = [shutil.which("caddy"), "run", "--config", folder / "Caddyfile", "--adapter", "caddyfile"]
        with proxies.running(command, folder, ports[0], HOME=str(folder), XDG_DATA_HOME=str(folder)):
            trusted = ssl.create_default_context(cafile=folder / "caddy/pki/authorities/local/root.crt")
            with client(f"https://127.0.0.1:{ports[0]}", verify=trusted) as http:
                answer = http.get("/ui-settings", headers={"host": f"orion.example:{ports[0]}"},
                                  extensions={"sni_hostname": "orion.example"})
                assert answer.json()["api_url"] == f"https://orion.example:{ports[0]}/api"
            public = f"http://127.0.0.1:{ports[1]}/prefect"
            assert below(public, "/api/health").text == "true"
            assert below(public, "/api/health/", host=f"127.0.0.1:{ports[1]}").headers["location"] == \
                f"{public}/api/health"
    finally:
        shutil.rmtree(folder, ignore_errors=True)

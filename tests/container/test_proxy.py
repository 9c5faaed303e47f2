"""packaging/nginx.conf in front of two servers on one database, with the settings of compose.yaml."""
import contextlib
import json
import re
import urllib.request

import pytest
import yaml

from tests.lib import proxies, servers

PACKAGING = servers.ROOT / "packaging"


@contextlib.contextmanager
def nginx(folder, ports):
    port = servers.free_port()
    paths = "".join(f"{name}_temp_path {folder}/{name};"
                    for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    text = proxies.replaced((PACKAGING / "nginx.conf").read_text(), ("listen 8080", f"listen 127.0.0.1:{port}"),
                            ("pid /tmp/nginx.pid;", f"pid {folder}/pid; daemon off; user root;"),
                            ("http {", "http {" + paths),
                            *((f"server-{i}:4200", f"127.0.0.1:{one}") for i, one in enumerate(ports, 1)))
    (folder / "nginx.conf").write_text(text)
    command = [proxies.NGINX, "-p", folder, "-e", folder / "log", "-c", folder / "nginx.conf"]
    with proxies.running(command, folder, port):
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def pair(tmp_path):
    """Two servers, and the address of the proxy in front of them."""
    service = yaml.safe_load((PACKAGING / "compose.yaml").read_text())["services"]["server-1"]
    settings = {"ORION_TRUSTED_PROXIES": service["environment"]["ORION_TRUSTED_PROXIES"], "ORION_LOG_ACCESS": "true"}
    folder = tmp_path / "nginx"
    folder.mkdir()
    with servers.running("orion", database="postgresql", **settings) as first, \
            servers.running("orion", database=first.store.url, **settings) as second, \
            nginx(folder, [first.port, second.port]) as address:
        yield (first, second), address


def ask(url, body=None, **headers):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", **headers})
    with urllib.request.urlopen(request, timeout=20) as answer:
        return answer.read().decode()


def answered(server):
    return len(re.findall('"POST /api/flows/"', server.log()))


def test_requests_go_to_both_and_survive_the_end_of_one(pair):
    both, address = pair
    names = [f"flow-{i}" for i in range(12)]
    for name in names[:6]:
        ask(f"{address}/api/flows/", {"name": name})
    assert all(answered(server) for server in both)
    both[0].stop()
    for name in names[6:]:
        ask(f"{address}/api/flows/", {"name": name})
    assert sorted(row["name"] for row in json.loads(ask(f"{address}/api/flows/filter", {}))) == sorted(names)


def test_servers_believe_the_proxy_alone(pair):
    both, address = pair
    page = ask(f"{address}/", **{"X-Forwarded-For": "192.0.2.7", "X-Forwarded-Prefix": "/elsewhere",
                                 "Forwarded": "for=192.0.2.8"})
    assert "/elsewhere" not in page and "192.0.2" not in both[0].log() + both[1].log()
    status = json.loads(ask(f"{address}/orion/status"))
    assert status["address"] == f"{address}/api"

"""The dashboard for Grafana: each of its queries, asked of a Prometheus that has scraped a server under load, answers
something. And the page of documentation names each metric."""
import json
import math
import subprocess
import threading
import time
import urllib.parse
import urllib.request

import pytest

from tests.lib.load import Client
from tests.lib.postgres import free_port
from tests.lib.servers import ROOT

DASHBOARD = json.loads((ROOT / "docs/grafana.json").read_text())
LOAD_SECONDS, SCRAPE = 5, "500ms"
# What Grafana fills in.
VARIABLES = {"$__rate_interval": "4s", "$instance": ".+", "$job": ".+"}


def panels():
    return [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def expressions():
    return [(panel["title"], target["expr"]) for panel in panels() for target in panel["targets"]]


class Prometheus:
    def __init__(self, folder, server):
        self.port = free_port()
        config = {"global": {"scrape_interval": SCRAPE, "scrape_timeout": SCRAPE}, "scrape_configs": [
            {"job_name": "orion", "static_configs": [{"targets": [f"127.0.0.1:{server.port}"]}]}]}
        (folder / "prometheus.yml").write_text(json.dumps(config))  # which is YAML, too
        with open(folder / "prometheus.log", "wb") as log:
            self.process = subprocess.Popen(
                ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
                 f"--web.listen-address=127.0.0.1:{self.port}"], stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def query(self, expression):
        """The values, those that are numbers."""
        query = urllib.parse.urlencode({"query": expression})
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v1/query?{query}", timeout=20) as answer:
            result = json.loads(answer.read())["data"]["result"]
        return [value for series in result if not math.isnan(value := float(series["value"][1]))]

    def wait_for(self, expression, seconds=60):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                if self.query(expression):
                    return
            except OSError:
                assert self.process.poll() is None
            time.sleep(0.2)
        raise AssertionError(f"nothing for {expression}")

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


@pytest.fixture
def prometheus(tmp_path, start):
    (tmp_path / "prometheus").mkdir()
    server = start(PREFECT_ORION_SERVICES_LATE_RUNS_ENABLED="true")
    running = Prometheus(tmp_path / "prometheus", server)
    running.server = server
    yield running
    running.stop()


def put_load(server, until):
    client = Client(server)
    while time.monotonic() < until:
        run = client.flow_run(client.flow())
        client.set_state("flow_runs", run, "COMPLETED")
        client.post("/flow_runs/filter", {"limit": 5})
        client.request("DELETE", f"/flow_runs/{run['id']}")


@pytest.mark.only("sqlite")  # which has what PostgreSQL has, and more
def test_no_query_of_the_dashboard_is_empty(prometheus):
    prometheus.wait_for("up == 1")
    until = time.monotonic() + LOAD_SECONDS
    clients = [threading.Thread(target=put_load, args=(prometheus.server, until)) for _ in range(2)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    empty = []
    for title, expression in expressions():
        for name, value in VARIABLES.items():
            expression = expression.replace(name, value)
        if not prometheus.query(expression):
            empty.append((title, expression))
    assert not empty
    for variable in DASHBOARD["templating"]["list"][1:]:
        assert variable["query"].startswith("label_values(orion_build_info")
    assert prometheus.query('orion_build_info{job=~".+", instance=~".+"}') == [1]


def metric_names(server):
    with urllib.request.urlopen(f"{server.root}/metrics", timeout=20) as answer:
        return [line.split()[2] for line in answer.read().decode().splitlines() if line.startswith("# TYPE")]


@pytest.mark.only("sqlite")
def test_every_metric_is_shown_and_documented(orion):
    shown, documented = str(expressions()), (ROOT / "docs/operating.md").read_text()
    names = metric_names(orion)
    assert not [name for name in names if name not in shown]
    assert not [name for name in names if f"`{name}`" not in documented]


def test_the_dashboard_is_well_formed():
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
    for panel in panels():
        assert panel["title"] and panel["targets"] and panel["fieldConfig"]["defaults"]["unit"]
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])
        for target in panel["targets"]:
            assert "$instance" in target["expr"] and target["datasource"]["uid"] == "${datasource}"

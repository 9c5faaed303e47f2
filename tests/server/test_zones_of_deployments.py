"""Zones of deployments: what the published client and server read of them, and a machine without zone files."""
import os
import subprocess
import time
import uuid

import pytest

from tests.lib import servers
from tests.lib.load import Client

pytestmark = pytest.mark.only("sqlite")  # the engine has no part in it

SCHEDULER = {"PREFECT_ORION_SERVICES_SCHEDULER_ENABLED": "true", "PREFECT_ORION_SERVICES_SCHEDULER_LOOP_SECONDS": "0.2"}
SCHEDULES = {
    "interval": {"interval": 86400, "anchor_date": "2024-01-01T09:00:00+02:00"},
    "cron": {"cron": "0 9 * * *"},
    "rrule": {"rrule": "DTSTART:20240101T090000\nFREQ=DAILY"},
}
PLANNED_SECONDS = 30


def body(client, name, schedule, zone):
    flow = client.post("/flows/", {"name": "scheduled"}).value
    return {"name": name, "flow_id": flow["id"], "schedule": {**schedule, "timezone": zone}}


def deploy(client, name, schedule, zone):
    return client.made("/deployments/", body(client, name, schedule, zone))


def zones(client):
    """Those of all deployments, by name."""
    answer = client.post("/deployments/filter", {})
    assert answer.status == 200, answer
    return {deployment["name"]: deployment["schedule"]["timezone"] for deployment in answer.value}


def test_the_reference_reads_every_deployment(start, tmp_path):
    """Its client, and its server on the same database, which also plans them."""
    server = start()
    client = Client(server)
    for name, schedule in SCHEDULES.items():
        made = deploy(client, name, schedule, "Europe/Kyiv")
        assert made["schedule"]["timezone"] == "Europe/Kiev"
    changed = deploy(client, "changed", SCHEDULES["cron"], "Europe/Berlin")
    assert client.request("PATCH", f"/deployments/{changed['id']}",
                          {"schedule": {**SCHEDULES["cron"], "timezone": "Pacific/Kanton"}}).status == 204
    expected = {**{name: "Europe/Kiev" for name in SCHEDULES}, "changed": "Pacific/Enderbury"}
    assert zones(client) == expected
    environment = dict(os.environ, PREFECT_API_URL=server.url, PREFECT_HOME=str(tmp_path / "client"), COLUMNS="200")
    done = subprocess.run([servers.REFERENCE_BIN, "deployment", "ls"], env=environment, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    for name in expected:
        assert f"scheduled/{name}" in done.stdout
    assert server.stop() == 0
    reference = servers.Server("reference", home=tmp_path)
    try:
        client = Client(reference.wait())
        assert zones(client) == expected
        for deployment in client.post("/deployments/filter", {}).value:
            assert client.post(f"/deployments/{deployment['id']}/schedule", {}).status == 200
    finally:
        reference.stop()


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_zone_that_the_reference_has_under_no_name(client, schedule):
    name = f"new-{uuid.uuid4().hex}"
    made = deploy(client, name, SCHEDULES[schedule], "Europe/Berlin")
    refused = {**SCHEDULES[schedule], "timezone": "America/Coyhaique"}
    for answer in (client.post("/deployments/", body(client, name, SCHEDULES[schedule], "America/Coyhaique")),
                   client.request("PATCH", f"/deployments/{made['id']}", {"schedule": refused})):
        assert answer.status == 422
        [error] = answer.value["exception_detail"]
        assert error["loc"] == ["body", "schedule", "timezone"]
        assert error["msg"].startswith('Invalid timezone: "America/Coyhaique". Prefect 2.7.12 knows no zone')
    assert zones(client)[name] == "Europe/Berlin"


def wait_for(server, words):
    """The line of the log with these words in it."""
    deadline = time.monotonic() + PLANNED_SECONDS
    while time.monotonic() < deadline:
        for line in server.log().splitlines():
            if words in line:
                return line
        time.sleep(0.1)
    raise AssertionError(f"no line with {words!r}:\n{server.log()}")


def test_a_machine_without_zones(start, tmp_path):
    """It says so at its start, and then for each deployment; those in UTC are planned."""
    server = start()
    assert "time zones" not in server.log()
    made = deploy(Client(server), "in Berlin", SCHEDULES["cron"], "Europe/Berlin")
    in_utc = deploy(Client(server), "in UTC", SCHEDULES["cron"], "UTC")
    assert server.stop() == 0
    empty = tmp_path / "empty"
    empty.mkdir()
    server = start(TZDIR=str(empty), **SCHEDULER)
    client = Client(server)
    line = wait_for(server, "There are no time zones in")
    assert " WARNING " in line and str(empty) in line and "Install the package tzdata" in line
    reason = (f"Error scheduling deployment {made['id']}: The time zone \"Europe/Berlin\" is missing on the server's"
              " machine: install the package tzdata")
    assert " ERROR " in wait_for(server, reason)
    answer = client.post(f"/deployments/{made['id']}/schedule", {})
    assert answer.status == 422 and answer.value["detail"].startswith(reason)
    answer = client.post("/deployments/", body(client, "in Paris", SCHEDULES["cron"], "Europe/Paris"))
    assert answer.status == 422 and '"Europe/Paris"' in str(answer.value) \
        and "install the package tzdata" in str(answer.value)
    planned = {"flow_runs": {"deployment_id": {"any_": [in_utc["id"]]}}}
    deadline = time.monotonic() + PLANNED_SECONDS
    while not client.post("/flow_runs/filter", planned).value:
        assert time.monotonic() < deadline, server.log()
        time.sleep(0.1)

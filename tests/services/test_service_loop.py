"""How services run, on our server: they end at once with it, survive a database that is busy, and none waits for
another."""
import contextlib
import time

import pytest

from tests.lib import servers
from tests.lib.api_client import Api
from tests.lib.receiver import wait_until
from .conftest import OFTEN
from .test_flow_run_notifications import failed_run, policy, queued, slack_text
from .test_runs import scheduled, wait_state


@pytest.fixture
def start(receiver, tmp_path, engine):
    """Starts servers of ours on one database."""
    settings = {"home": tmp_path, "database": engine, **OFTEN, **receiver.environment}
    with contextlib.ExitStack() as stack:
        yield lambda **more: stack.enter_context(servers.running("orion", **{**settings, **more}))


def test_hanging_webhook_delays_nothing_and_is_tried_again(start, receiver):
    server = start()
    api = Api(server)
    with receiver.silence():
        known = receiver.connections
        failed_run(api, policy(api, message_template="later"))
        wait_until(lambda: receiver.connections > known)
        wait_state(api, scheduled(api, -60), "Late")
        began = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - began < 5
    assert queued(api) == 1
    start()
    assert [slack_text(request) for request in receiver.wait(1)] == ["later"]
    wait_until(lambda: queued(api) == 0)


def test_killed_while_sending(start, receiver):
    server = start()
    api = Api(server)
    with receiver.silence():
        known = receiver.connections
        failed_run(api, policy(api, message_template="after all"))
        wait_until(lambda: receiver.connections > known)
        server.signal(9)
        server.process.wait()
    assert queued(api) == 1
    # as if that time had passed
    server.execute("UPDATE flow_run_notification_queue SET updated = ?", "2020-01-01 00:00:00.000000")
    start()
    assert [slack_text(request) for request in receiver.wait(1)] == ["after all"]


def test_two_servers_send_once(start, receiver):
    first, _ = start(), start()
    api = Api(first)
    rule = policy(api, message_template="{flow_run_state_message}")
    for number in range(20):
        failed_run(api, rule, str(number))
    wait_until(lambda: queued(api) == 0)
    assert sorted(slack_text(request) for request in receiver.wait(20)) == sorted(map(str, range(20)))


def test_late_runs_of_two_servers(start):
    first, _ = start(), start()
    api = Api(first)
    runs = [scheduled(api, -60) for _ in range(30)]
    for run in runs:
        wait_state(api, run, "Late")
    time.sleep(1.5)
    assert first.execute("SELECT count(*) FROM flow_run_state WHERE name = 'Late'") == [(30,)]


def test_busy_database_is_survived(start):
    start().stop()  # making the tables may take longer
    server = start(PREFECT_ORION_DATABASE_TIMEOUT="0.5")
    api = Api(server)
    run = scheduled(api, 0)
    with server.store.write_lock():
        wait_until(lambda: "This round failed" in server.log())
    wait_state(api, run, "Late")


@pytest.mark.parametrize("service",
                         ["LATE_RUNS", "FLOW_RUN_NOTIFICATIONS", "PAUSE_EXPIRATIONS", "CANCELLATION_CLEANUP"])
def test_each_can_be_switched_off(start, receiver, service):
    server = start(**{f"PREFECT_ORION_SERVICES_{service}_ENABLED": "false"})
    api = Api(server)
    late, told, waiting, left = scheduled(api, -60), policy(api), api.running_flow_run(), api.running_flow_run()
    failed_run(api, told)
    api.moved(waiting, {"type": "PAUSED", "state_details": {"pause_timeout": "2020-01-01"}}, force=True)
    task = api.task_run(left)
    api.moved(left, "CANCELLED", force=True)
    time.sleep(5)
    done = {"LATE_RUNS": api.again(late)["state_name"] == "Late", "FLOW_RUN_NOTIFICATIONS": queued(api) == 0,
            "PAUSE_EXPIRATIONS": api.again(waiting)["state_name"] == "Failed",
            "CANCELLATION_CLEANUP": api.again(task)["state_name"] == "Cancelled"}
    assert done == {name: name != service for name in done}
    receiver.requests.clear()

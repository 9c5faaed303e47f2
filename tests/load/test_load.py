"""Many clients for minutes: 64 write and 64 read, with the services on. No request fails, memory stays level, and what
the services do is done in time. Prints the figures. One minute for each engine, ten in the long form."""
import datetime
import os
import statistics
import threading
import time
import uuid

from tests.lib import servers
from tests.lib.load import Client, Threads, memory

SECONDS = 600 if os.environ.get("ORION_TEST_FULL") == "1" else 60
WRITERS = READERS = 64
GROWTH_MAX = 6  # MB, resident, from the first third to the end
MEMORY_MAX = 40
LATE_AFTER = 5 + 5  # seconds: what a run may be late, and a round of the service
ROUND = 5  # seconds: of the service that plans the runs of new deployments
GRACE = 30  # seconds on a machine that does other things too
PAUSE = 0.2  # seconds between two rounds of a client: the server is to be busy, this process too, but not blocked


def timed(times, call, *arguments):
    begun = time.monotonic()
    answer = call(*arguments)
    times.append(time.monotonic() - begun)
    assert answer.status < 300, answer
    return answer.value


def write(client, flow, times, number):
    """The life of a run with a task, as a client and its flow write it."""
    run = timed(times, client.post, "/flow_runs/", {
        "flow_id": flow["id"], "name": f"run-{number}", "tags": ["load", f"tag-{number % 7}"],
        "parameters": {"number": number, "text": "x" * 200}, "state": {"type": "PENDING"}})
    timed(times, client.post, f"/flow_runs/{run['id']}/set_state", {"state": {"type": "RUNNING"}})
    task = timed(times, client.post, "/task_runs/", {
        "flow_run_id": run["id"], "task_key": "task", "dynamic_key": uuid.uuid4().hex, "state": {"type": "PENDING"}})
    for state in ("RUNNING", "COMPLETED"):
        timed(times, client.post, f"/task_runs/{task['id']}/set_state", {"state": {"type": state}})
    timed(times, client.post, "/logs/", [
        {"name": "prefect.flow_runs", "level": 20, "message": f"line {line}", "timestamp": "2026-01-01T00:00:00Z",
         "flow_run_id": run["id"]} for line in range(10)])
    timed(times, client.post, f"/flow_runs/{run['id']}/set_state", {"state": {"type": "COMPLETED"}})
    return run


def read(client, flow, times, number):
    """What a dashboard asks for."""
    of_flow = {"flows": {"id": {"any_": [flow["id"]]}}}
    runs = timed(times, client.post, "/flow_runs/filter", of_flow | {"limit": 20, "sort": "START_TIME_DESC"})
    timed(times, client.post, "/flow_runs/count", {"flow_runs": {"state": {"type": {"any_": ["RUNNING"]}}}})
    for run in runs[:3]:
        timed(times, client.get, f"/flow_runs/{run['id']}")
        timed(times, client.post, "/logs/filter", {"logs": {"flow_run_id": {"any_": [run["id"]]}}})
    timed(times, client.post, "/task_runs/filter", of_flow | {"limit": 20})


def schedule(server, flow, stopped):
    """Runs that become late, and deployments whose runs are to be planned, one of each every few seconds."""
    client = Client(server)
    while not stopped.wait(4):
        now = datetime.datetime.now(datetime.timezone.utc).isoformat()
        client.flow_run(flow, name="to be late", state={"type": "SCHEDULED", "state_details": {"scheduled_time": now}})
        client.made("/deployments/", {"name": uuid.uuid4().hex, "flow_id": flow["id"], "is_schedule_active": True,
                                      "schedule": {"interval": 3600}})


def milliseconds(times):
    cuts = statistics.quantiles(times, n=100)
    return f"50th percentile {1000 * cuts[49]:.0f} ms, 99th {1000 * cuts[98]:.0f} ms, longest {max(times):.1f} s"


def moment(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def seconds_late(client, run):
    """From the time for which a run was scheduled to the state that says that it is late."""
    states = client.get(f"/flow_run_states/?flow_run_id={run['id']}").value
    late = [state for state in states if state["name"] == "Late"]
    if not late:
        return (datetime.datetime.now(datetime.timezone.utc) - moment(run["expected_start_time"])).total_seconds()
    return (moment(late[0]["timestamp"]) - moment(run["expected_start_time"])).total_seconds()


def assert_services_were_on_time(client):
    time.sleep(LATE_AFTER)
    runs = client.post("/flow_runs/filter", {"flow_runs": {"name": {"any_": ["to be late"]}}, "limit": 200}).value
    assert len(runs) > SECONDS / 10
    assert max(seconds_late(client, run) for run in runs) < LATE_AFTER + GRACE
    deployments = client.post("/deployments/filter", {"limit": 200}).value
    assert len(deployments) > SECONDS / 10
    for deployment in deployments:
        planned = client.post("/flow_runs/filter", {"deployments": {"id": {"any_": [deployment["id"]]}}}).value
        assert len(planned) >= 3, deployment
        first = min(moment(run["created"]) for run in planned)
        assert (first - moment(deployment["created"])).total_seconds() < ROUND + GRACE


def test_writers_and_readers_for_minutes(engine, capsys):
    written, read_times, memories = [[] for _ in range(WRITERS)], [[] for _ in range(READERS)], []
    stopped = threading.Event()
    services = {f"PREFECT_ORION_SERVICES_{service}_ENABLED": "true" for service in servers.SERVICES}
    with servers.running("orion", database=engine, PREFECT_ORION_API_KEEPALIVE_TIMEOUT="60", **services) as server:
        flow = Client(server).flow()
        end = time.monotonic() + SECONDS

        def work(number):
            client = Client(server)
            does, times = (write, written[number]) if number < WRITERS else (read, read_times[number - WRITERS])
            while time.monotonic() < end:
                does(client, flow, times, number)
                time.sleep(PAUSE)

        scheduler = Threads(1, lambda _: schedule(server, flow, stopped))
        clients = Threads(WRITERS + READERS, work)
        try:
            while time.monotonic() < end:
                time.sleep(SECONDS / 30)
                memories.append(memory(server))
            clients.join(SECONDS)
        finally:
            stopped.set()
            scheduler.join()
        assert_services_were_on_time(Client(server))
        writes, reads = sum(written, []), sum(read_times, [])
        with capsys.disabled():
            print(f"\n{engine}: {WRITERS} writers, {READERS} readers, {SECONDS} s: "
                  f"{(len(writes) + len(reads)) / SECONDS:.0f} requests a second, none failed\n"
                  f"  {len(writes)} writes: {milliseconds(writes)}\n  {len(reads)} reads: {milliseconds(reads)}\n"
                  f"  memory: {memories[len(memories) // 3]:.1f} MB after a third, {max(memories):.1f} MB at most")
        assert max(memories) < min(memories[len(memories) // 3] + GROWTH_MAX, MEMORY_MAX)
        assert " 500 " not in server.log() and "ERROR" not in server.log()

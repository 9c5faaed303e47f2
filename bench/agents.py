#!/usr/bin/env python3
"""python -m bench.agents [--database ENGINE] [--agents N] [--seconds N] [--only PART] [--reference]

What agents, workers and the scheduler cost the server, in shares of one core:

polls        N agents and workers that poll every five seconds, with the requests of 2.7.12's: its agent asks for runs
             of its queue, twice for cancelled ones, and every 30 s for the queue; its worker for runs of its pool, and
             every 30 s for the pool, and sends a heartbeat
queues       milliseconds for the runs of a queue and of a pool, of 30,000 and 100,000 that are scheduled
deployments  10,000 deployments with a schedule: made, planned, and what they cost when nothing is due

Processor time comes from /proc/PID/schedstat, so other programs do not count, though they make caches colder."""
import argparse
import datetime
import http.client
import json
import statistics
import threading
import time
from pathlib import Path

from bench.bench import process_tree
from tests.lib import postgres, servers

PERIOD, SLOW_PERIOD, CLIENTS = 5, 30, 4
QUEUES = 50
POOLS = "/api/experimental/work_pools"
PARTS = ["polls", "queues", "deployments"]
HEADERS = {"Accept": "*/*", "Accept-Encoding": "gzip, deflate", "Content-Type": "application/json",
           "User-Agent": "prefect/2.7.12 (API 0.8.4)"}


def stamp(seconds=0):
    return (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)).isoformat()


def processor_seconds(server):
    total = 0
    for pid in process_tree(server.process.pid):
        for task in Path(f"/proc/{pid}/task").iterdir():
            total += int(task.joinpath("schedstat").read_text().split()[0])
    return total / 1e9


class Connection:
    def __init__(self, server):
        self.http = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)

    def ask(self, method, path, body=None):
        text = None if body is None else json.dumps(body)
        try:
            self.http.request(method, path, text, HEADERS)
            answer = self.http.getresponse()
        except ConnectionError:  # it was idle for too long, while the machine was busy
            self.http.close()
            self.http.request(method, path, text, HEADERS)
            answer = self.http.getresponse()
        text = answer.read()
        assert answer.status < 300, (method, path, answer.status, text[:300])
        return json.loads(text) if text else None


# ---- polls


def cancel_filters(queue):
    """The two bodies of OrionAgent.check_for_cancelled_flow_runs, by the client's own classes."""
    from prefect.orion.schemas import filters
    states = [filters.FlowRunFilterState(type=filters.FlowRunFilterStateType(any_=["CANCELLED"]),
                                         name=filters.FlowRunFilterStateName(any_=["Cancelling"])),
              filters.FlowRunFilterState(type=filters.FlowRunFilterStateType(any_=["CANCELLING"]))]
    rest = dict.fromkeys(["flows", "task_runs", "deployments", "work_pools", "work_pool_queues", "sort", "limit"])
    return [{**rest, "offset": 0, "flow_runs": filters.FlowRunFilter(
        state=state, work_queue_name=filters.FlowRunFilterWorkQueueName(any_=[queue]),
        id=filters.FlowRunFilterId(not_any_=[])).dict(json_compatible=True)} for state in states]


def agent_requests(queue):
    """Every five seconds, and every 30."""
    often = [("POST", f"/api/work_queues/{queue['id']}/get_runs", {"limit": 10, "scheduled_before": stamp(10)}),
             *(("POST", "/api/flow_runs/filter", body) for body in cancel_filters(queue["name"]))]
    return often, [("GET", f"/api/work_queues/name/{queue['name']}", None)]


def worker_requests(pool, number):
    return ([("POST", f"{POOLS}/{pool}/get_scheduled_flow_runs", {"scheduled_before": stamp(10)})],
            [("GET", f"{POOLS}/{pool}", None),
             ("POST", f"{POOLS}/{pool}/workers/heartbeat", {"name": f"worker {number}"})])


def poll(server, requests, until, done):
    """Some agents, one after the other, each at its time."""
    connections = [Connection(server) for _ in requests]
    slow = [index * SLOW_PERIOD / len(requests) for index in range(len(requests))]  # their 30 s do not end together
    began = time.monotonic()
    for turn in range(10**9):
        index = turn % len(requests)
        due = began + turn * PERIOD / len(requests)
        if due > until:
            break
        time.sleep(max(0, due - time.monotonic()))
        often, rarely = requests[index]
        todo = list(often)
        if due - began >= slow[index]:
            slow[index] += SLOW_PERIOD
            todo += rarely
        for request in todo:
            connections[index].ask(*request)
        done.append(len(todo))


def load(server, kind, requests, seconds):
    done, until = [], time.monotonic() + seconds
    threads = [threading.Thread(target=poll, args=(server, requests[number::CLIENTS], until, done))
               for number in range(CLIENTS)]
    before, began = processor_seconds(server), time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.monotonic() - began
    used = processor_seconds(server) - before
    rate = sum(done) / took
    print(f"{len(requests)} {kind}: {rate:.0f} requests/s, {used / took * 100:.1f} % of a core,"
          f" {used / sum(done) * 1e6:.0f} us each", flush=True)


def measure_polls(server, options):
    control = Connection(server)
    fill(server, control, 30_000)
    queues = control.ask("POST", "/api/work_queues/filter", {"limit": QUEUES})
    idle, before = 5, processor_seconds(server)
    time.sleep(idle)
    print(f"nobody polls: {(processor_seconds(server) - before) / idle * 100:.1f} % of a core", flush=True)
    load(server, "agents", [agent_requests(queues[i % len(queues)]) for i in range(options.agents)], options.seconds)
    load(server, "workers", [worker_requests("default-agent-pool", i) for i in range(options.agents)], options.seconds)


# ---- runs of queues


def sql_id(server, number, end):
    if server.engine == "sqlite":
        return f"printf('%08d-0000-7000-8000-{end:012d}', {number})"
    return f"(lpad(({number})::text, 8, '0') || '-0000-7000-8000-{end:012d}')::uuid"


def fill(server, control, count):
    """That many runs, scheduled for days after tomorrow, of QUEUES queues."""
    queues = [control.ask("POST", "/api/work_queues/", {"name": f"queue-{number}"}) for number in range(QUEUES)]
    copy(server, control, count, queues, 1)
    return queues


def copy(server, control, count, queues, end):
    """Copies of a run that was made by a request, with a state each."""
    flow = control.ask("POST", "/api/flows/", {"name": "bench"})["id"]
    run = control.ask("POST", "/api/flow_runs/", {"flow_id": flow, "state": {
        "type": "SCHEDULED", "state_details": {"scheduled_time": stamp(86400)}}})
    changed = {"flow_run": {"id": sql_id(server, "i", end), "state_id": "NULL",
                            "work_queue_name": "q.name", "work_queue_id": "q.id"},
               "flow_run_state": {"id": sql_id(server, "i", end + 1), "flow_run_id": sql_id(server, "i", end)}}
    minutes = f"(1440 + i / {len(queues)})"
    minutes = (f"strftime('%Y-%m-%d %H:%M:%f000', 'now', '+' || {minutes} || ' minutes')" if server.engine == "sqlite"
               else f"now() + {minutes} * interval '1 minute'")
    for column in ("next_scheduled_start_time", "expected_start_time"):
        changed["flow_run"][column] = minutes
    queue_ids = ", ".join(f"'{queue['id']}'" for queue in queues)
    for table, values in changed.items():
        columns = server.store.columns(table)
        selected = ", ".join(values.get(column, f"t.{column}") for column in columns)
        server.execute(
            f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}), q AS"
            " (SELECT name, id, row_number() OVER (ORDER BY id) - 1 AS place FROM work_queue"
            f" WHERE id IN ({queue_ids}))"
            f" INSERT INTO {table} ({', '.join(columns)}) SELECT {selected} FROM n"
            f" JOIN q ON q.place = n.i % {len(queues)} CROSS JOIN {table} AS t"
            f" WHERE t.{'id' if table == 'flow_run' else 'flow_run_id'} = '{run['id']}'")
    server.execute("UPDATE flow_run SET state_id = (SELECT s.id FROM flow_run_state AS s"
                   " WHERE s.flow_run_id = flow_run.id) WHERE state_id IS NULL")
    control.ask("DELETE", f"/api/flow_runs/{run['id']}")
    server.execute("ANALYZE")


def time_of(server, control, path, body, tries=40):
    times, before = [], processor_seconds(server)
    for _ in range(tries):
        began = time.perf_counter()
        found = control.ask("POST", path, body)
        times.append((time.perf_counter() - began) * 1000)
    used = (processor_seconds(server) - before) / tries * 1000
    return f"{len(found):4} runs, median {statistics.median(times):7.2f} ms, {used:6.2f} ms of a core"


def measure_queues(server, options):
    control = Connection(server)
    queues = fill(server, control, 30_000)
    big = control.ask("POST", "/api/work_queues/", {"name": "big"})
    copy(server, control, 100_000, [big], 3)
    pool = f"{POOLS}/default-agent-pool/get_scheduled_flow_runs"
    for name, queue in [("600 of 30,000", queues[0]), ("100,000", big)]:
        for what, path, body in [
                ("agent, limit 10", f"/api/work_queues/{queue['id']}/get_runs", {"limit": 10}),
                ("agent, nothing due", f"/api/work_queues/{queue['id']}/get_runs", {"scheduled_before": stamp(-86400)}),
                ("agent, no limit", f"/api/work_queues/{queue['id']}/get_runs", {}),
                ("worker of the queue", pool, {"work_queue_names": [queue["name"]], "limit": 10}),
                ("worker of the queue, no limit", pool, {"work_queue_names": [queue["name"]]})]:
            print(f"{name:14} {what:30} {time_of(server, control, path, body)}", flush=True)
    for what, body in [("worker of the pool", {}), ("worker, nothing due", {"scheduled_before": stamp(-86400)})]:
        print(f"{'130,000':14} {what:30} {time_of(server, control, pool, body)}", flush=True)


# ---- deployments


def measure_deployments(server, options):
    control = Connection(server)
    flow = control.ask("POST", "/api/flows/", {"name": "planned"})["id"]
    count, began, before = 10_000, time.monotonic(), processor_seconds(server)
    for number in range(count):
        control.ask("POST", "/api/deployments/", {
            "name": f"deployment {number}", "flow_id": flow, "work_queue_name": f"queue-{number % QUEUES}",
            "schedule": {"interval": 86400, "anchor_date": "2020-01-01T00:00:00+00:00"}})
    print(f"{count} deployments made in {time.monotonic() - began:.1f} s, {processor_seconds(server) - before:.1f} s of"
          " a core, with what was planned meanwhile", flush=True)
    planned, last, began = 0, -1, time.monotonic()
    while planned != last or planned < count * 3:
        assert time.monotonic() - began < 600, planned
        last = planned
        time.sleep(6)
        planned = control.ask("POST", "/api/flow_runs/count", {})
    print(f"{planned} runs planned {time.monotonic() - began - 6:.0f} s later, within 6 s,"
          f" {processor_seconds(server) - before:.1f} s of a core since the first", flush=True)
    before, idle = processor_seconds(server), 60
    time.sleep(idle)
    print(f"nothing due: {(processor_seconds(server) - before) / idle * 100:.2f} % of a core", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--agents", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--only", choices=PARTS, action="append")
    parser.add_argument("--reference", action="store_true", help="measure the reference instead")
    options = parser.parse_args()
    if options.database == "postgresql":
        postgres.cluster()
    measures = {"polls": measure_polls, "queues": measure_queues, "deployments": measure_deployments}
    for part in options.only or PARTS:
        with servers.running("reference" if options.reference else "orion", database=options.database,
                             PREFECT_EXPERIMENTAL_ENABLE_WORK_POOLS="true",
                             PREFECT_ORION_SERVICES_SCHEDULER_ENABLED=str(part == "deployments").lower(),
                             PREFECT_ORION_API_KEEPALIVE_TIMEOUT="120") as server:
            measures[part](server, options)


if __name__ == "__main__":
    main()

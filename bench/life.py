"""What a database looks like after two months of runs: the rows of every table, as its server would have stored them.

A third of the runs have not ended, as where agents are often killed: what they had begun stays PENDING or RUNNING."""
import functools
import json
import random
import time

import coolname
from coolname import replace_random

SECOND = 1_000_000
DAY = 86_400 * SECOND
DAYS = 60
BATCH = 1000

TABLES = {
    "flow": "id created updated name tags",
    "work_queue": "id created updated name description is_paused concurrency_limit last_polled priority work_pool_id",
    "deployment": "id created updated name schedule is_schedule_active tags parameters flow_id infra_overrides path"
                  " entrypoint work_queue_name work_queue_id",
    "concurrency_limit": "id created updated tag concurrency_limit active_slots",
    "flow_run": "id created updated name state_type run_count expected_start_time next_scheduled_start_time start_time"
                " end_time total_run_time flow_version parameters idempotency_key context empirical_policy tags"
                " auto_scheduled flow_id deployment_id parent_task_run_id state_id state_name work_queue_name"
                " state_timestamp infrastructure_pid work_queue_id",
    "flow_run_state": "id created updated type timestamp name message state_details data flow_run_id",
    "task_run": "id created updated name state_type run_count expected_start_time next_scheduled_start_time start_time"
                " end_time total_run_time task_key dynamic_key task_version empirical_policy task_inputs tags"
                " flow_run_id state_id state_name state_timestamp flow_run_run_count",
    "task_run_state": "id created updated type timestamp name message state_details data task_run_id",
    "log": "id created updated name level flow_run_id task_run_id message timestamp",
}

# How the runs end or where they are: the state, its name, and the share of all runs.
ENDS = [("COMPLETED", "Completed", 47), ("FAILED", "Failed", 7), ("CRASHED", "Crashed", 2),
        ("CANCELLED", "Cancelled", 4), ("CANCELLING", "Cancelling", 0.4), ("PAUSED", "Paused", 0.6),
        ("RUNNING", "Running", 22), ("PENDING", "Pending", 11), ("SCHEDULED", "Late", 2), ("SCHEDULED", "Scheduled", 4)]
BEGUN = sum(share for kind, _, share in ENDS if kind not in ("PENDING", "SCHEDULED"))
FINAL = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}
TAGS = ["production", "nightly", "etl", "staging", "finance", "reports", "ml", "europe", "hourly", "america", "gpu",
        "backfill", "critical", "asia", "marketing", "experiment", "team-blue", "team-green", "database", "exports",
        "audit", "sensors", "mobile", "legacy", "search", "billing", "weather", "archive", "demo", "one-off"]
STEMS = ["extract", "load", "transform", "train", "export", "report", "sync", "check", "clean", "merge"]
SUBJECTS = ["orders", "customers", "invoices", "sensors", "prices", "clicks", "stock", "models", "payments", "weather"]
QUEUES = ["kubernetes", "gpu", "nightly", "europe", "america", "spot", "on-call", "batch"]
TASKS = ["extract", "parse", "validate", "transform", "aggregate", "load", "notify", "upload"]
REGIONS = ["eu-west-1", "us-east-1", "ap-south-1"]
FLOW_POLICY = json.dumps({"max_retries": 0, "retry_delay_seconds": 0.0, "retries": 0, "retry_delay": 0,
                          "pause_keys": [], "resuming": False})
PLANNED_POLICY = json.dumps({"max_retries": 0, "retry_delay_seconds": 0, "retries": None, "retry_delay": None,
                             "pause_keys": [], "resuming": False})
TASK_POLICY = json.dumps({"max_retries": 0, "retry_delay_seconds": 0.0, "retries": 0, "retry_delay": 0,
                          "retry_jitter_factor": None})
RETRIED_POLICY = json.dumps({"max_retries": 2, "retry_delay_seconds": 10.0, "retries": 2, "retry_delay": 10,
                             "retry_jitter_factor": None})
LITERAL = json.dumps({"type": "literal", "artifact_type": None, "artifact_description": None, "value": True})
TRACEBACK = "Encountered an exception during execution:\nTraceback (most recent call last):\n" + "".join(
    f'  File "/opt/pipelines/steps/module_{line}.py", line {line * 17}, in step_{line}\n    return call(step, row)\n'
    for line in range(1, 16)) + "ValueError: the column 'amount' holds a text\n"


@functools.lru_cache(100_000)
def minute(number):
    return time.strftime("%Y-%m-%d %H:%M:", time.gmtime(number * 60))


def text(moment):
    """Microseconds since 1970 as SQLite's databases hold a time."""
    seconds, rest = divmod(moment, SECOND)
    return f"{minute(seconds // 60)}{seconds % 60:02d}.{rest:06d}"


def text_or_null(moment):
    return None if moment is None else text(moment)


def quoted(value):
    return "null" if value is None else f'"{value}"'


def details(flow_run, task_run=None, child=None, scheduled=None, untrackable="false"):
    """A state's details in the order and with the blanks of the servers' JSON."""
    when = "null" if scheduled is None else f'"{text(scheduled).replace(" ", "T")}+00:00"'
    return (f'{{"flow_run_id": {quoted(flow_run)}, "task_run_id": {quoted(task_run)}, "child_flow_run_id":'
            f' {quoted(child)}, "scheduled_time": {when}, "cache_key": null, "cache_expiration": null,'
            f' "untrackable_result": {untrackable}, "pause_timeout": null, "pause_reschedule": false,'
            f' "pause_key": null, "refresh_cache": null}}')


def skewed(values, exponent=1.1):
    """The values, and for choices() how often each occurs: the first most often, after Zipf."""
    total, cumulated = 0, []
    for rank in range(1, len(values) + 1):
        total += rank ** -exponent
        cumulated.append(total)
    return values, cumulated


def run_time(steps):
    """How long a run was RUNNING, as far as it has left that state."""
    return sum(after[2] - step[2] for step, after in zip(steps, steps[1:]) if step[0] == "RUNNING")


class Life:
    """The rows of `runs` flow runs that ended up to `now` (microseconds since 1970) and of all they refer to.

    `interval` writes a duration as the engine holds it. `ordered` makes ids as our server does, which grow with the
    time; else they are the reference's: random."""

    def __init__(self, *, runs, flows, task_runs, logs, seed, now, interval, pool, ordered=True):
        self.random = random.Random(seed)
        self.runs, self.now, self.interval, self.pool, self.ordered = runs, now, interval, pool, ordered
        self.tasks_of_run = task_runs * 100 / BEGUN
        self.logs_of_run = logs * 100 / BEGUN
        self.tables = None
        replace_random(random.Random(seed))
        self.names = [coolname.generate_slug(2) for _ in range(20_000)]
        self.flow_count = flows

    def id(self, moment):
        bits = self.random.getrandbits(90)
        if self.ordered:
            ms = moment // 1000
            head = f"{ms >> 16:08x}-{ms & 0xffff:04x}-7{moment % 1000 * 4 + (bits & 3):03x}"
        else:
            head = f"{bits & 0xffffffff:08x}-{bits >> 8 & 0xffff:04x}-4{bits >> 40 & 0xfff:03x}"
            bits ^= self.random.getrandbits(90) << 20
        return f"{head}-{'89ab'[bits >> 2 & 3]}{bits >> 4 & 0xfff:03x}-{bits >> 30 & 0xffffffffffff:012x}"

    def batches(self):
        """Dictionaries of lists of rows by table."""
        self.tables = {table: [] for table in TABLES}
        self.begin = self.now - DAYS * DAY
        self.make_queues()
        self.make_flows()
        kinds = self.kinds()
        left = 0
        for number, (kind, name) in enumerate(kinds):
            if left:  # the last run had a subflow, which took this one's place
                left -= 1
            else:
                left = self.make_run(self.creation_time(name, number), kind, name, number < self.runs - 1)
            if len(self.tables["flow_run"]) >= BATCH:
                yield self.take()
        yield self.take()

    def take(self):
        tables, self.tables = self.tables, {table: [] for table in TABLES}
        return tables

    def kinds(self):
        """Every run's end, in the order of their making: those that are still to come were planned last."""
        kinds = self.random.choices([end[:2] for end in ENDS], [end[2] for end in ENDS], k=self.runs)
        return [kind for kind in kinds if kind[0] != "SCHEDULED"] + [kind for kind in kinds if kind[0] == "SCHEDULED"]

    def creation_time(self, name, number):
        if name == "Scheduled":
            return self.now - self.random.randrange(600 * SECOND)
        if name == "Late":
            return self.now - self.random.randrange(600 * SECOND, 3 * DAY)
        return self.begin + (DAYS * DAY - 600 * SECOND) * number // self.runs + self.random.randrange(10 * SECOND)

    def make_queues(self):
        self.queues = []
        for number, name in enumerate(QUEUES):
            queue, at = self.id(self.begin), text(self.begin)
            self.queues.append((queue, name))
            polled = text(self.now - self.random.randrange(60 * SECOND)) if number < 5 else None
            limit = 10 * number if number % 3 == 2 else None
            self.tables["work_queue"].append((queue, at, at, name, f"Runs of {name}", 0, limit, polled, number + 2,
                                              self.pool))
        for number, tag in enumerate(TAGS[8:12]):
            at = text(self.begin)
            self.tables["concurrency_limit"].append((self.id(self.begin), at, at, tag, 5 + number, "[]"))

    def make_flows(self):
        flows = []
        for number in range(self.flow_count):
            moment = self.begin - (self.flow_count - number) * 60 * SECOND
            flow, at = self.id(moment), text(moment)
            name = f"{STEMS[number % 10]}-{SUBJECTS[number // 10 % 10]}" + (f"-{number // 100}" if number > 99 else "")
            tags = self.tags(self.random.randrange(3))
            self.tables["flow"].append((flow, at, at, name, json.dumps(tags[:1])))
            flows.append({"id": flow, "name": name, "tags": tags, "pace": self.random.uniform(0.3, 1.7),
                          "keys": self.random.sample(TASKS, 5), "parameters": self.parameters(),
                          "deployments": [self.make_deployment(flow, moment, name, tags, which)
                                          for which in ("daily", "hourly")[:1 + number % 2]]})
        pace = sum(share * flow["pace"] for share, flow in zip(self.shares(flows), flows))
        for flow in flows:  # so that the runs' tasks are as many as asked for, though many flows are rare
            flow["pace"] /= pace
        self.flows = skewed(flows)

    @staticmethod
    def shares(values):
        cumulated = skewed(values)[1]
        return [(high - low) / cumulated[-1] for low, high in zip([0, *cumulated], cumulated)]

    def make_deployment(self, flow, moment, name, tags, which):
        deployment, at = self.id(moment), text(moment)
        queue, queue_name = self.random.choice(self.queues)
        anchor = text(moment).replace(" ", "T") + "+00:00"
        schedule = {"interval": {"daily": 86400.0, "hourly": 3600.0}[which], "anchor_date": anchor, "timezone": "UTC"}
        parameters = json.dumps({"region": REGIONS[0], "limit": 1000})
        self.tables["deployment"].append((deployment, at, at, which, json.dumps(schedule), 1, json.dumps(tags),
                                          parameters, flow, "{}", "/opt/pipelines", f"{name}.py:{which}", queue_name,
                                          queue))
        return {"id": deployment, "queue": queue, "queue_name": queue_name}

    def tags(self, count):
        values, weights = skewed(TAGS)
        return list(dict.fromkeys(self.random.choices(values, cum_weights=weights, k=count)))

    def parameters(self):
        """A maker of a run's parameters: the same names for every run of a flow, some of them long."""
        columns = [f"column_{number}" for number in range(self.random.choice([0, 0, 3, 3, 8, 8, 20, 40]))]

        def make():
            values = {"region": self.random.choice(REGIONS), "limit": self.random.randrange(10, 10_000)}
            if columns:
                values["columns"] = columns
            return json.dumps(values)
        return make

    def make_run(self, created, kind, name, may_have_child, parent=None):
        """One run with its states, tasks and logs; the number of subflows that it has."""
        flow = self.random.choices(self.flows[0], cum_weights=self.flows[1])[0]
        planned = kind == "SCHEDULED" or parent is None and self.random.random() < 0.6
        deployment = self.random.choice(flow["deployments"]) if planned else None
        flow_run = self.id(created)
        expected = created
        if planned:
            expected = min(created + self.random.randrange(5 * SECOND, 3600 * SECOND), (created + self.now) // 2)
        if name == "Scheduled":
            expected = self.now + self.random.randrange(60 * SECOND, 3 * DAY)
        elif name == "Late":
            expected = (created + self.now) // 2
        steps = self.flow_steps(created, expected, kind, name, planned)
        start = next((moment for _, title, moment in steps if title == "Running"), None)
        end = steps[-1][2] if kind in FINAL else None
        details_of = functools.partial(details, flow_run, parent)
        state = None
        for step, title, moment in steps:
            state, at = self.id(moment), text(moment)
            message = self.message(step) if step in FINAL else None
            self.tables["flow_run_state"].append((state, at, at, step, at, title, message, details_of(
                scheduled=expected if step == "SCHEDULED" else None), None, flow_run))
        queue, queue_name = (deployment["queue"], deployment["queue_name"]) if planned else (None, None)
        label = self.random.choice(self.names)
        tags = self.random.choice([[], flow["tags"], flow["tags"] + self.tags(1), self.tags(2)])
        tags = list(dict.fromkeys((["auto-scheduled"] if planned else []) + tags))
        last = steps[-1][2]
        key = None
        if planned:
            key = f"scheduled {deployment['id']} {text(expected).replace(' ', 'T')}+00:00"
        self.tables["flow_run"].append((
            flow_run, text(created), text(last), label, kind, int(start is not None), text(expected),
            text(expected) if kind == "SCHEDULED" else None, text_or_null(start), text_or_null(end),
            self.interval(run_time(steps)), f"{len(flow['name']):032x}" if start else None, flow["parameters"](), key,
            "{}", PLANNED_POLICY if planned else FLOW_POLICY, json.dumps(tags), int(planned), flow["id"],
            deployment and deployment["id"], parent, state, name, queue_name,
            None if kind == "SCHEDULED" and name == "Scheduled" else text(last),
            f"worker-{self.random.randrange(9)}:{self.random.randrange(30_000)}" if planned and start else None, queue))
        if start is None:
            return 0
        return self.make_work(flow, flow_run, start, end, kind, may_have_child and parent is None)

    def flow_steps(self, created, expected, kind, name, planned):
        """The states of a run: type, name and time of each."""
        steps, moment = [], created
        if planned:
            steps.append(("SCHEDULED", "Scheduled", created))
            moment = expected
            if name == "Late" or name != "Scheduled" and self.random.random() < 0.1:
                moment += 5 * SECOND
                steps.append(("SCHEDULED", "Late", moment))
        if kind == "SCHEDULED":
            return steps
        moment += self.random.randrange(SECOND, 5 * SECOND)
        steps.append(("PENDING", "Pending", moment))
        if kind == "PENDING":
            return steps
        if kind != "CANCELLED" or self.random.random() < 0.7:
            moment += self.random.randrange(SECOND // 10, 20 * SECOND)
            steps.append(("RUNNING", "Running", moment))
        if kind == "RUNNING":
            return steps
        moment += int(self.random.expovariate(1 / 120) * SECOND) + SECOND
        if kind == "CANCELLED":
            steps.append(("CANCELLING", "Cancelling", moment))
            moment += self.random.randrange(SECOND, 15 * SECOND)
        return [*steps, (kind, name, moment)]

    def message(self, kind):
        if kind == "COMPLETED":
            return "All states completed."
        if kind == "CRASHED":
            return "Execution was interrupted by an unexpected exception: Killed"
        return None if kind == "CANCELLED" else "Flow run encountered an exception. ValueError: the column 'amount'" \
            " holds a text"

    def make_work(self, flow, flow_run, start, end, kind, may_have_child):
        """The tasks and logs of a run that has begun; how many subflows it has called."""
        count = self.whole(self.random.expovariate(1) * self.tasks_of_run * flow["pace"])
        last = end or min(start + 120 * SECOND, self.now)
        child = 0
        tasks, names = [], {}
        for number in range(count):
            key = flow["keys"][min(self.random.randrange(8), 4)]
            dynamic = names[key] = names.get(key, -1) + 1
            begun = start + (last - start) * number // count + self.random.randrange(1000)
            ends = start + (last - start) * (number + 1) // count
            is_last = number == count - 1
            if is_last and may_have_child and self.random.random() < 0.2:
                child = 1
            task_end = kind if is_last and kind != "PAUSED" else "COMPLETED"
            tasks.append(self.make_task(flow, flow_run, key, dynamic, begun, ends, task_end, tasks, child))
        self.make_logs(flow_run, tasks, start, last, kind)
        return child

    def whole(self, number):
        """The number rounded at random, so that the mean is kept."""
        return int(number) + (self.random.random() < number % 1)

    def make_task(self, flow, flow_run, key, dynamic, begun, ends, kind, before, child):
        """One task run; its id. A subflow is the run made next, in the time of this task."""
        task_run = self.id(begun)
        kind = "RUNNING" if kind == "CANCELLING" else kind
        steps = [("PENDING", "Pending", begun)]
        running = begun + (ends - begun) // 10 + 1
        steps.append(("RUNNING", "Running", running))
        retried = self.random.random() < 0.04
        if retried:
            steps.append(("SCHEDULED", "AwaitingRetry", running + (ends - running) // 3 + 1))
            steps.append(("RUNNING", "Retrying", running + (ends - running) * 2 // 3 + 2))
        if kind != "RUNNING":
            steps.append((kind, kind.capitalize(), max(ends, running + 10)))
        child_run = None
        if child:
            self.make_run(running + 1, "RUNNING" if kind == "RUNNING" else "COMPLETED",
                          "Running" if kind == "RUNNING" else "Completed", False, parent=task_run)
            child_run = self.tables["flow_run"][-1][0]
        state = None
        for step, title, moment in steps:
            state, at = self.id(moment), text(moment)
            scheduled = moment + 10 * SECOND if step == "SCHEDULED" else None
            self.tables["task_run_state"].append((
                state, at, at, step, at, title, None, details(
                    flow_run, task_run, child_run, scheduled, "true" if step == "COMPLETED" else "false"),
                LITERAL if step == "COMPLETED" and not dynamic % 5 else None, task_run))
        end = steps[-1][2] if kind in FINAL else None
        inputs = '{"rows": []}' if not before or dynamic % 3 else \
            f'{{"rows": [{{"input_type": "task_run", "id": "{before[-1]}"}}], "limit": []}}'
        title = self.random.choice(self.names) if child else f"{key}-{dynamic}"
        self.tables["task_run"].append((
            task_run, text(begun), text(steps[-1][2]), title, kind, 1 + retried, text(begun), None, text(running),
            text_or_null(end), self.interval(run_time(steps)), f"__main__.{key}", str(dynamic), None,
            RETRIED_POLICY if retried else TASK_POLICY, inputs, '["database"]' if key == "load" else "[]", flow_run,
            state, steps[-1][1], text(steps[-1][2]), 1))
        return task_run

    def make_logs(self, flow_run, tasks, start, last, kind):
        share = 0.1 + 0.9 * len(tasks) / self.tasks_of_run if self.tasks_of_run else 1  # the flow logs a little itself
        count = self.whole(self.logs_of_run * share)
        for number in range(count):
            moment = start + (last - start) * number // count
            at = text(moment)
            sent = text(moment + 2 * SECOND)
            task = tasks[number // 2 % len(tasks)] if tasks and number % 2 else None
            level = self.random.choice((20, 20, 20, 20, 20, 20, 10, 30))
            message = f"Read {self.random.randrange(100_000)} rows from the source"
            if number == count - 1 and kind in ("FAILED", "CRASHED"):
                level, message = 40, TRACEBACK
            elif number % 4 == 0:
                message = f"Created task run '{TASKS[number % 8]}-{number}' for task '{TASKS[number % 8]}'"
            elif number % 4 == 3:
                message = "Finished in state Completed()"
            self.tables["log"].append((self.id(moment + 2 * SECOND), sent, sent,
                                       "prefect.task_runs" if task else "prefect.flow_runs", level, flow_run, task,
                                       message, at))

"""Random trees of runs, written beside the API, and which of them are old: computed plainly."""
import datetime
import random
import uuid
from typing import NamedTuple, Optional

FINAL = ["COMPLETED", "FAILED", "CANCELLED", "CRASHED"]
LIVE = ["SCHEDULED", "PENDING", "RUNNING", "PAUSED", "CANCELLING"]
NOW = datetime.datetime.now(datetime.timezone.utc)


class FlowRun(NamedTuple):
    id: str
    flow: str
    state: str
    days: float            # since it ended, or since its state
    has_end: bool
    parent: Optional[str]  # a task run
    tasks: list
    logs: int


class Forest:
    """`count` trees of up to some ten runs each. `trees`: lists of flow runs, the root first."""

    def __init__(self, seed, count, flows=("one", "two", "three")):
        self.random = random.Random(seed)
        self.flows = {name: self.id() for name in flows}
        self.trees = [self.tree() for _ in range(count)]

    def id(self):
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))

    def tree(self):
        """Most are old as a whole, or by all but one run."""
        old, ends = self.random.random() < 0.8, self.random.random() < 0.8
        runs, waiting = [], [None]
        while waiting and len(runs) < 12:
            run = self.run(waiting.pop(0), old, ends)
            runs.append(run)
            waiting += [task for task in run.tasks if self.random.random() < 0.3]
        return runs

    def run(self, parent, old, ends):
        unlike = self.random.random() < 0.05
        days = self.random.uniform(31, 90) if old != unlike else self.random.uniform(0, 29)
        state = self.random.choice(FINAL if ends or self.random.random() < 0.5 else LIVE)
        return FlowRun(self.id(), self.random.choice(list(self.flows)), state, days,
                       state in FINAL and self.random.random() < 0.8, parent,
                       [self.id() for _ in range(self.random.randrange(4))], self.random.randrange(4))

    def chosen(self, days, states=FINAL, flow=None):
        """The trees that have ended as a whole, before so many days."""
        return [tree for tree in self.trees
                if all(run.state in FINAL and run.state in states and run.days > days for run in tree)
                and flow in (None, tree[0].flow)]

    def remove(self, trees):
        self.trees = [tree for tree in self.trees if tree not in trees]

    def ids(self):
        return {run.id for tree in self.trees for run in tree}

    def task_ids(self):
        return {task for tree in self.trees for run in tree for task in run.tasks}

    def fill(self, store):
        """Writes all of it, in one transaction."""
        zone = "+00" if store.engine == "postgresql" else ""

        def time(days):
            return f"'{NOW - datetime.timedelta(days=days):%Y-%m-%d %H:%M:%S.%f}{zone}'"

        def text(value):
            return "NULL" if value is None else f"'{value}'"

        sql = [f"INSERT INTO flow (id, name) VALUES ('{id}', '{name}')" for name, id in self.flows.items()]
        for run in (run for tree in self.trees for run in tree):
            state, at = self.id(), time(run.days)
            ended = at if run.has_end else "NULL"
            # of a run that has an end_time, the state's time does not count
            if run.has_end:
                at = time(run.days / 2)
            is_running = int(run.state == "RUNNING")
            sql += [
                "INSERT INTO flow_run (id, name, flow_id, parent_task_run_id, state_type, state_name, state_timestamp,"
                f" end_time, run_count) VALUES ('{run.id}', 'run', '{self.flows[run.flow]}', {text(run.parent)},"
                f" '{run.state}', '{run.state.title()}', {at}, {ended}, {is_running})",
                "INSERT INTO flow_run_state (id, type, name, timestamp, flow_run_id)"
                f" VALUES ('{state}', '{run.state}', '{run.state.title()}', {at}, '{run.id}')",
                f"UPDATE flow_run SET state_id = '{state}' WHERE id = '{run.id}'",
                f"INSERT INTO artifact (id, flow_run_id) VALUES ('{self.id()}', '{run.id}')"]
            for task in run.tasks:
                state = self.id()
                sql += [
                    "INSERT INTO task_run (id, name, flow_run_id, task_key, dynamic_key, state_type, state_name,"
                    f" state_timestamp) VALUES ('{task}', 'task', '{run.id}', 'key', '{task}', 'COMPLETED',"
                    f" 'Completed', {at})",
                    "INSERT INTO task_run_state (id, type, name, timestamp, task_run_id)"
                    f" VALUES ('{state}', 'COMPLETED', 'Completed', {at}, '{task}')",
                    f"UPDATE task_run SET state_id = '{state}' WHERE id = '{task}'",
                    f"INSERT INTO artifact (id, task_run_id) VALUES ('{self.id()}', '{task}')",
                    "INSERT INTO task_run_state_cache (id, cache_key, task_run_state_id)"
                    f" VALUES ('{self.id()}', 'key {task}', '{state}')"]
            for _ in range(run.logs):
                sql.append("INSERT INTO log (id, name, level, flow_run_id, message, timestamp)"
                           f" VALUES ('{self.id()}', 'log', 20, '{run.id}', 'line', {time(run.days)})")
        store.script("BEGIN;" + ";\n".join(sql) + "; COMMIT;")


def column(store, name, table):
    return {str(value) for value, in store.execute(f"SELECT {name} FROM {table}")}


def assert_whole(store):
    """Whatever is left has all that belongs to it, and nothing else is left."""
    runs, tasks = column(store, "id", "flow_run"), column(store, "id", "task_run")
    assert column(store, "flow_run_id", "flow_run_state") == runs
    assert column(store, "task_run_id", "task_run_state") == tasks
    assert column(store, "flow_run_id", "task_run") <= runs and column(store, "flow_run_id", "log") <= runs
    assert store.execute("SELECT count(*) FROM artifact")[0][0] == len(runs) + len(tasks)
    return runs, tasks

"""Where the reference's own upgrade is wrong, and what is right: the recorded result is mended by these statements
before ours is compared with it."""
from typing import NamedTuple

POOL = "(SELECT id FROM work_pool WHERE name = 'default-agent-pool')"
QUEUE = f"(SELECT id FROM work_queue WHERE name = work_queue_name AND work_pool_id = {POOL})"


class Fault(NamedTuple):
    """`until` is the first version that no longer has what it is about; `loses`, a query that finds what is wrong."""
    name: str
    until: tuple
    loses: str
    mend: list
    reason: str


FAULTS = [
    Fault("250 of a queue", (2, 7, 12),
          " UNION ALL ".join(f"SELECT id FROM {table} WHERE work_queue_id IS NULL AND {QUEUE} IS NOT NULL"
                             for table in ("flow_run", "deployment")),
          [f"UPDATE {table} SET work_queue_id = {QUEUE} WHERE work_queue_id IS NULL AND work_queue_name IS NOT NULL"
           for table in ("flow_run", "deployment")],
          "1678f2fb8b33 and f98ae6d8e2cc give runs and deployments the id of their queue, 250 at a time, and end after"
          " the first 250 of each queue, since they ask for more rows than a batch can have changed. Agents find the"
          " others no more. All get it."),
]


def of(version):
    return [fault for fault in FAULTS if tuple(map(int, version.split("."))) < fault.until]


def mend(snapshot, version):
    for fault in of(version):
        for statement in fault.mend:
            snapshot.query(statement)
    return snapshot

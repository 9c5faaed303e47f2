"""The flows of the client tests. Run as a program, one flow in a process of its own: python flows.py NAME [ARGUMENT…].

The exit status is 0 where the flow ended as it should, which for several of them is a failure. Nothing here knows which
server answers."""
import datetime
import os
import sys
import time
from pathlib import Path

import anyio
from prefect import flow, get_run_logger, task, unmapped
from prefect.client.orion import get_client
from prefect.context import get_run_context
from prefect.engine import pause_flow_run, resume_flow_run
from prefect.orion.schemas.states import Scheduled
from prefect.tasks import task_input_hash


@task
def add(a, b):
    return a + b


@task
def total(numbers):
    return sum(numbers)


@flow(flow_run_name="mapped")
def mapped(numbers=(1, 2, 3)):
    """Mapped tasks, one that depends on them, one that depends on that."""
    sums = add.map(list(numbers), unmapped(10))
    return add.submit(total.submit(sums), 1).result()


@task(retries=2, retry_delay_seconds=1, tags=["flaky"])
def third_time_lucky():
    attempt = get_run_context().task_run.run_count
    if attempt < 3:
        raise ValueError(f"attempt {attempt}")
    return attempt


@flow(retries=1, retry_delay_seconds=1, description="Fails once, then is run again.", version="7")
def retried():
    attempt = third_time_lucky()
    if get_run_context().flow_run.run_count < 2:
        raise RuntimeError("the first run of the flow fails")
    return attempt


@task(cache_key_fn=task_input_hash, cache_expiration=datetime.timedelta(hours=1), persist_result=True)
def expensive(n):
    return n * n


@flow(flow_run_name="cached {n}")
def cached(n: int = 12):
    """Called twice: the second run finds the first one's result."""
    return expensive(n)


@task
def announce(text):
    get_run_logger().warning("the task says %s", text)


@flow
def child(name: str):
    announce(name)
    return f"hello {name}"


@flow
def parent():
    return [child("ann"), child("bob")]


@task
def explode():
    raise ValueError("expected failure")


@flow
def failing():
    """One task fails, the next one that needs it never runs."""
    add.submit(explode.submit(), 1).result()


@task
async def leave():
    raise SystemExit(3)


@flow
async def crashing():
    await leave()


@flow(timeout_seconds=1)
async def slow():
    await anyio.sleep(30)


@flow
def pausing():
    first = add(1, 2)
    pause_flow_run(timeout=120, poll_interval=1)
    return add(first, 3)


@flow
def never_resumed():
    pause_flow_run(timeout=2, poll_interval=1)


@flow
def cancelled():
    """Is asked to end while it works: goes on when a file says that the asking is done."""
    add(1, 1)
    asked = Path(os.environ["PREFECT_HOME"], "asked")
    deadline = time.monotonic() + 120
    while not asked.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    return add(2, 2)


@flow(flow_run_name="wide")
def wide(count: int = 200):
    return sum(f.result() for f in add.map(list(range(count)), unmapped(1)))


@flow
def logging_flow(lines: int = 5):
    logger = get_run_logger()
    for n in range(lines):
        logger.info("line %d of the flow: ünïcödé 🎈 \"quoted\" \\ tab\t", n)
    logger.error("an error line")
    announce("x" * 2000)


@task(tags=["slot"])
def limited(n):
    return n


@flow
def limits():
    """Each task takes the one slot of its tag and gives it back."""
    return [limited(n) for n in range(3)]


@flow
def parameters(text: str, when: datetime.datetime, nested: dict, number: float = 1.10, big: int = 2 ** 63 - 1):
    return str(nested)


@flow(flow_run_name="number {n}")
def small(n: int):
    get_run_logger().info("small flow %d", n)
    return add(add(n, 1), 1)


async def schedule_later():
    """A run that waits for a time to come; prints its id."""
    async with get_client() as client:
        when = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)
        run = await client.create_flow_run(small, parameters={"n": 1}, name="later", tags=["b", "a"],
                                           state=Scheduled(scheduled_time=when))
        print(run.id)


async def limit(tag, count):
    async with get_client() as client:
        await client.create_concurrency_limit(tag, int(count))


def ends_with(function, *args, error):
    """Runs a flow that must raise."""
    try:
        function(*args)
    except error as caught:
        print(f"{type(caught).__name__}: {caught}")
    else:
        raise SystemExit(f"{function.__name__} did not fail")


PROGRAMS = {
    "mapped": lambda: print(mapped()),
    "retried": lambda: print(retried()),
    "cached": lambda: print(cached(12)),
    "parent": lambda: print(parent()),
    "failing": lambda: ends_with(failing, error=Exception),
    "crashing": lambda: ends_with(lambda: anyio.run(crashing), error=SystemExit),
    "slow": lambda: ends_with(lambda: anyio.run(slow), error=TimeoutError),
    "pausing": lambda: print(pausing()),
    "never_resumed": lambda: ends_with(never_resumed, error=Exception),
    "cancelled": lambda: print(cancelled()),
    "wide": lambda count="200": print(wide(int(count))),
    "logging": lambda: print(logging_flow()),
    "limits": lambda: print(limits()),
    "parameters": lambda: print(
        parameters("a \"b\" ü", datetime.datetime(2026, 1, 2, 3, 4, 5, 600), {"x": [1, None, {"y": 0.1}], "k&v": ""})),
    "small": lambda n: print(small(int(n))),
    "schedule_later": lambda: anyio.run(schedule_later),
    "resume": lambda run_id: resume_flow_run(run_id),
    "limit": lambda tag, count: anyio.run(limit, tag, count),
}

if __name__ == "__main__":
    PROGRAMS[sys.argv[1]](*sys.argv[2:])

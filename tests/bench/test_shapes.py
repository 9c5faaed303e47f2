"""Every request that the bench measures, to both servers on copies of one filled database: they answer alike."""
import datetime
import json
import os

import pytest

from bench import fill, reads, shapes
from tests.lib import postgres, servers
from tests.lib.check import assert_clean
from tests.lib.comparison import Comparison, Difference

RUNS = 10_000 if os.environ.get("ORION_TEST_FULL") == "1" else 1_000
KINDS = ["orion", "reference"]
# A second before the rows end, so that no request is about those that the clock decides on while it is on its way.
EARLIER = datetime.timedelta(seconds=1)
# Both answer what they themselves put there at their start, in words and in an order of their own.
OWN = ("/block_types/filter", "/block_capabilities/")


@pytest.fixture(scope="session")
def filled(engine, tmp_path_factory):
    """The URLs of two databases with the same rows, by kind of server, and the moment up to which they go."""
    now = shapes.now().replace(microsecond=0)
    urls = {}
    for kind in KINDS:
        urls[kind] = postgres.cluster().create_database(f"shapes_{kind}") if engine == "postgresql" \
            else f"sqlite+aiosqlite:///{tmp_path_factory.mktemp(kind)}/orion.db"
        counts = fill.fill(urls[kind], runs=RUNS, now=int(now.timestamp()) * 1_000_000)
        assert counts["flow_run"] == RUNS and 4 < counts["task_run"] / RUNS < 6
    yield urls, now
    if engine == "postgresql":
        for kind in KINDS:
            postgres.cluster().drop_database(f"shapes_{kind}")


def test_what_is_filled_in_is_sound(filled):
    """As if a server had stored it."""
    assert_clean(servers.Store(filled[0]["orion"]))


@pytest.fixture(scope="session")
def askers(filled, tmp_path_factory):
    settings = {"PREFECT_EXPERIMENTAL_ENABLE_WORK_POOLS": "true"}
    urls = filled[0]
    with servers.running("orion", home=tmp_path_factory.mktemp("home"), database=urls["orion"],
                         PREFECT_ORION_DATABASE_CONNECTION_URL=urls["orion"], **settings) as ours, \
            servers.running("reference", home=tmp_path_factory.mktemp("home"), database=urls["reference"],
                            PREFECT_ORION_DATABASE_CONNECTION_URL=urls["reference"], **settings) as theirs:
        yield reads.Asker(ours), reads.Asker(theirs)


def settled(shape, body, engine):
    """The answer with an order where PostgreSQL gives none: among a history's states, and among runs of one name."""
    if engine == "postgresql" and shape["path"].endswith("/history") and "history_start" in shape["body"]:
        for interval in body:
            interval["states"].sort(key=lambda state: (state["state_type"], state["state_name"]))
    elif engine == "postgresql" and shape["body"] and shape["body"].get("sort") == "NAME_ASC":
        body.sort(key=lambda row: (row["name"], row["id"]))
    return body


@pytest.mark.parametrize("shape", [shape for shape in shapes.load() if shape["path"] not in OWN],
                         ids=lambda shape: shape["name"])
def test_answers(shape, askers, filled, engine):
    answers = []
    for asker in askers:
        _, status, data = asker.ask(shape, filled[1] - EARLIER)
        answers.append((status, settled(shape, json.loads(data), engine)))
    assert answers[0][0] == 200, answers[0]
    try:
        Comparison(engine).compare(shape, *answers)
    except Difference as difference:
        pytest.fail(str(difference)[:2000])

"""Values that another tool may have stored: one such row harms no list, and nothing is shown as another time."""
import uuid

import pytest

import postgres
from load import Client

FIRST, LAST = "0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59.999999+00:00"
STORED = {"-infinity": FIRST, "infinity": LAST, "0044-03-15 12:00:00+00 BC": FIRST, "10000-01-01 00:00:00+00": LAST,
          "0001-01-01 00:00:00+00": FIRST, "9999-12-31 23:59:59.999999+00": LAST}


@pytest.fixture
def database():
    name = f"odd_{uuid.uuid4().hex[:8]}"
    postgres.cluster().create_database(name)
    yield name
    postgres.cluster().drop_database(name)


def test_times_that_no_client_can_read(start, database):
    client = Client(start(postgres.cluster().url(database), PREFECT_ORION_BLOCKS_REGISTER_ON_START="false"))
    flow = client.flow()
    plain = client.flow_run(flow)
    odd = {client.flow_run(flow)["id"]: stored for stored in STORED}
    for run, stored in odd.items():
        postgres.cluster().execute(database, f"UPDATE flow_run SET expected_start_time = '{stored}', next_scheduled_start_time = '{stored}' WHERE id = '{run}'")
    answer = client.post("/flow_runs/filter", {"sort": "EXPECTED_START_TIME_DESC"})
    assert answer.status == 200 and len(answer.value) == len(STORED) + 1, answer
    shown = {run["id"]: run for run in answer.value}
    assert shown[plain["id"]]["expected_start_time"] == plain["expected_start_time"]
    for run, stored in odd.items():
        assert shown[run]["expected_start_time"] == STORED[stored], stored
        assert client.get(f"/flow_runs/{run}").value["expected_start_time"] == STORED[stored]

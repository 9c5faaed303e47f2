"""Values that another tool may have stored: one such row harms no list, and nothing is shown as another time."""
from tests.lib import postgres
from tests.lib.load import Client

FIRST, LAST = "0001-01-01T00:00:00+00:00", "9999-12-31T23:59:59.999999+00:00"
STORED = {"-infinity": FIRST, "infinity": LAST, "0044-03-15 12:00:00+00 BC": FIRST, "10000-01-01 00:00:00+00": LAST,
          "0001-01-01 00:00:00+00": FIRST, "9999-12-31 23:59:59.999999+00": LAST}


def test_times_that_no_client_can_read(start, database):
    client = Client(start(postgres.cluster().url(database), PREFECT_ORION_BLOCKS_REGISTER_ON_START="false"))
    flow = client.flow()
    plain = client.flow_run(flow)
    odd = {client.flow_run(flow)["id"]: stored for stored in STORED}
    for run, stored in odd.items():
        postgres.cluster().execute(database, f"UPDATE flow_run SET expected_start_time = '{stored}',"
                                   f" next_scheduled_start_time = '{stored}' WHERE id = '{run}'")
    answer = client.post("/flow_runs/filter", {"sort": "EXPECTED_START_TIME_DESC"})
    assert answer.status == 200 and len(answer.value) == len(STORED) + 1, answer
    shown = {run["id"]: run for run in answer.value}
    assert shown[plain["id"]]["expected_start_time"] == plain["expected_start_time"]
    for run, stored in odd.items():
        assert shown[run]["expected_start_time"] == STORED[stored], stored
        assert client.get(f"/flow_runs/{run}").value["expected_start_time"] == STORED[stored]


def test_the_extremes_are_written_as_infinities(start, database):
    """Which the reference reads as the extremes again; a filter that names them finds both spellings."""
    client = Client(start(postgres.cluster().url(database), PREFECT_ORION_BLOCKS_REGISTER_ON_START="false"))
    flow = client.flow()
    shown = {"-infinity": "0001-01-01T00:00:00+00:00", "infinity": "9999-12-31T23:59:59.999999+00:00"}
    for stored, time in shown.items():
        run = client.flow_run(flow, state={"type": "SCHEDULED", "state_details": {"scheduled_time": time}})
        assert run["expected_start_time"] == time
        found = postgres.cluster().execute(database, f"SELECT expected_start_time::text,"
                                           f" next_scheduled_start_time::text FROM flow_run WHERE id = '{run['id']}'")
        assert found == [(stored, stored)]
    early = {"flow_runs": {"expected_start_time": {"before_": shown["-infinity"]}}}
    late = {"flow_runs": {"expected_start_time": {"after_": shown["infinity"]}}}
    assert [client.post("/flow_runs/count", body).value for body in (early, late, {})] == [1, 1, 2]
    interval = {"history_start": "2020-01-01T00:00:00Z", "history_end": "2020-01-02T00:00:00Z",
                "history_interval_seconds": 86400}
    assert client.post("/flow_runs/history", interval).status == 200
    assert all(run["estimated_start_time_delta"] is not None for run in client.post("/flow_runs/filter", {}).value)

"""The short form of play.py: a fixed seed, the reference beside our server."""
import pytest

from tests.lib import servers
from tests.lib.check import assert_nothing_but_deleted_runs
from tests.lib.comparison import Comparison, Difference
from .play import Player, play


@pytest.fixture(scope="module")
def players(engine):
    with servers.running("reference", database=engine) as reference, servers.running("orion", database=engine) as orion:
        yield [Player(server.url, server.store.url) for server in (reference, orion)]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_difference(players, seed):
    assert play(seed, 5, players) > 200


def test_what_both_servers_have_written_is_no_fault(players):
    """Comes after the histories, on their databases; alone it plays one."""
    play(4, 1, players)
    for player in players:
        assert player.store.execute("SELECT COUNT(*) FROM task_run_state")[0][0] > 5
        assert_nothing_but_deleted_runs(player.store)


@pytest.mark.parametrize("one, two", [
    ((200, {"a": 1}), (201, {"a": 1})), ((200, {"a": 1}), (200, {"a": 2})), ((200, {"a": 1}), (200, {"a": True})),
    ((200, {"a": 1, "b": 2}), (200, {"b": 2, "a": 1})), ((200, [1]), (200, [])),
    ((200, {"name": "some-name"}), (200, {"name": "given name"})),
    ((200, {"start_time": "2030-01-01T00:00:00+00:00"}), (200, {"start_time": "2030-01-01T01:00:00+00:00"})),
    ((200, {"total_run_time": 0.0}), (200, {"total_run_time": 1.0})),
    ((200, ["6ba7b810-9dad-41d1-80b4-00c04fd430c8"] * 2),
     (200, ["6ba7b810-9dad-41d1-80b4-00c04fd430c8", "6ba7b811-9dad-41d1-80b4-00c04fd430c8"])),
    ((200, {"x": None}), (200, {"x": 0})),
    ((200, {"count_runs": 2, "sum_estimated_lateness": 0.0}), (200, {"count_runs": 2, "sum_estimated_lateness": 60.0})),
    ((200, {"count_runs": 2, "sum_estimated_lateness": 0.0}), (200, {"count_runs": 3, "sum_estimated_lateness": 0.0}))])
def test_differences_are_seen(one, two):
    with pytest.raises(Difference):
        Comparison().compare({"path": "/"}, one, two)


def test_a_sum_may_differ_by_as_much_for_each_of_its_runs():
    Comparison().compare({"path": "/"}, (200, {"count_runs": 2, "sum_estimated_lateness": 5638.0}),
                         (200, {"count_runs": 2, "sum_estimated_lateness": 5606.0}))

"""The real client with a key: PREFECT_API_KEY is all that it is told. Ours only: the reference asks for none."""
import subprocess

import pytest

from tests.lib import scenario, servers


@pytest.fixture(scope="module")
def keyed(tmp_path_factory):
    """A server with a full key and one that only reads, and a client's player with either, or none."""
    home = tmp_path_factory.mktemp("server")

    def create(*words):
        return subprocess.run([servers.ORION_BIN, "key", "create", *words], env=servers.server_environment(home),
                              capture_output=True, text=True, timeout=60, check=True).stdout.strip()

    keys = {"full": create("full"), "reader": create("reader", "--read-only"), "none": None}
    with servers.running("orion", home=home) as server:
        server.players = {}
        for name, key in keys.items():
            player = scenario.Player(server.url, tmp_path_factory.mktemp(name))
            if key:
                player.environment["PREFECT_API_KEY"] = key
            server.players[name] = player
        yield server


def test_a_flow_runs_with_a_full_key(keyed):
    assert keyed.players["full"].flow("mapped") == "37\n"
    states = keyed.execute("SELECT state_type FROM flow_run")
    assert states == [("COMPLETED",)]
    assert keyed.execute("SELECT COUNT(*) FROM task_run") == [(5,)]
    assert "Refused" not in keyed.log()


def test_commands_take_either_key(keyed):
    for name in ("full", "reader"):
        assert "mapped" in keyed.players[name].prefect("flow", "ls")


@pytest.mark.parametrize("name, status, logged", [
    ("none", "401 Unauthorized", "Refused 127.0.0.1: no key: POST /api/flows/"),
    ("reader", "403 Forbidden", "Refused 127.0.0.1: key reader may only read: POST /api/flows/")])
def test_without_the_right_key_the_client_fails_and_the_log_says_why(keyed, name, status, logged):
    player = keyed.players[name]
    process = player.start_flow("mapped")
    out, log = player.output(process)
    assert process.returncode != 0 and f"Client error '{status}'" in out + log
    assert logged in keyed.log()

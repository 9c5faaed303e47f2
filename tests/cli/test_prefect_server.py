"""`prefect server …` of Prefect 3: what the program does where it is called by that name; ours only, its texts those of
3.8.3 where there is such a text."""
import json
import os
import re
import subprocess
import time

import pytest

from tests.lib import servers


@pytest.fixture
def prefect(tmp_path):
    """A call of the program by the name `prefect`, in a home of its own."""
    (tmp_path / "prefect").symlink_to(servers.ORION_BIN.resolve())

    def call(*words, **env):
        environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PREFECT_HOME": str(tmp_path / "home"), **env}
        return subprocess.run([str(tmp_path / "prefect"), *words], env=environment, cwd=tmp_path, text=True,
                              capture_output=True, timeout=90)
    return call


def test_a_server_in_the_background(prefect, tmp_path):
    port = servers.free_port()
    url = f"http://127.0.0.1:{port}/api"
    (tmp_path / "prefect.toml").write_text(f'[api]\nurl = "{url}"\n[server.api]\nport = {port}\n')
    try:
        started = prefect("server", "start", "--background", "--no-services")
        assert started.returncode == 0 and f"prefect config set PREFECT_API_URL={url}" in started.stdout
        assert started.stdout.endswith("background. Run `prefect server stop` to stop it.\n")
        again = prefect("server", "start", "-b", "--port", str(servers.free_port()))
        assert again.returncode == 1 and "already running in the background" in again.stderr
        said = prefect("server", "status")
        assert said.returncode == 0 and said.stdout.splitlines() == [
            f"Connecting to server at {url}...", "Server is available.", f"  API URL: {url}",
            "  Server version: 2.7.12"]
        assert json.loads(prefect("server", "status", "-o", "json").stdout) == {
            "status": "available", "api_url": url, "server_version": "2.7.12"}
    finally:
        stopped = prefect("server", "stop")
    assert stopped.returncode == 0 and stopped.stdout == "Server stopped!\n"
    assert not (tmp_path / "home/server.pid").exists()
    assert prefect("server", "stop").stdout == "No server running in the background.\n"
    assert prefect("server", "status").returncode == 1


def test_a_server_that_does_not_start_leaves_nothing(prefect, tmp_path):
    done = prefect("server", "start", "-b", "--port", "99999")
    assert done.returncode == 1 and "99999 is not between" in done.stderr
    assert not (tmp_path / "home/server.pid").exists()


@pytest.mark.parametrize("text", ["nonsense", str(os.getpid() * 0 + 999_999_999), "1", "-1", ""])
def test_stale_pid_files(prefect, tmp_path, text):
    (tmp_path / "home").mkdir()
    (tmp_path / "home/server.pid").write_text(text)
    done = prefect("server", "stop")
    assert done.returncode == 0 and done.stdout == "The server process is not running. Cleaning up stale PID file.\n"
    assert not (tmp_path / "home/server.pid").exists()


def test_no_other_program_is_stopped(prefect, tmp_path):
    """The number of a server that has ended may be another's now."""
    (tmp_path / "home").mkdir()
    other = subprocess.Popen(["sleep", "60"])
    try:
        (tmp_path / "home/server.pid").write_text(str(other.pid))
        assert "not running" in prefect("server", "stop").stdout
        time.sleep(0.1)
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_status_without_a_server(prefect):
    url = f"http://127.0.0.1:{servers.free_port()}/api"
    none = prefect("server", "status")
    assert none.returncode == 1 and none.stderr == \
        "No API URL configured. Set PREFECT_API_URL to the address of your server.\n"
    done = prefect("server", "status", PREFECT_API_URL=url)
    assert done.returncode == 1 and f"Server is not available at {url}. Error: " in done.stderr
    late = prefect("server", "status", "--wait", "--timeout", "1", PREFECT_API_URL=url)
    assert late.returncode == 1 and f"Timed out after 1 seconds waiting for server at {url}." in late.stderr
    late = prefect("server", "status", "--wait", "-t", "1", "-o", "json", PREFECT_API_URL=url)
    found = json.loads(late.stdout)
    assert late.returncode == 1 and list(found) == ["status", "api_url", "timeout", "error"]
    assert found["status"] == "timed_out"
    assert json.loads(prefect("server", "status", "-o", "JSON", PREFECT_API_URL=url).stdout)["status"] == "unavailable"


@pytest.mark.parametrize("words, status, said", [
    (["server", "start", "--workers", "2"], 1, "not supported with SQLite database."),
    (["server", "start", "--workers", "0"], 1, "Number of workers must be >= 1"),
    (["server", "start", "--workers", "x"], 2, "'x' is not a valid integer."),
    (["server", "start", "--generation", "3"], 1, "no server of generation 3"),
    (["server", "status", "-o", "yaml"], 1, "Only 'json' output format is supported."),
    (["server", "status", "-t", "soon"], 2, "'soon' is not a valid integer."),
    (["server", "services", "ls", "-o", "x"], 1, "Only 'json' output format is supported."),
    (["server", "services", "start"], 1, "threads of the server"),
    (["server", "database", "downgrade", "-y"], 1, "cannot go back by one revision"),
    (["server", "database", "revision"], 2, "Python client"),
    (["server", "nope"], 2, "No such command 'nope'."), (["server", "database", "nope"], 2, "No such command 'nope'.")])
def test_mistakes(prefect, words, status, said):
    done = prefect(*words)
    assert done.returncode == status and said in done.stderr


def test_services(prefect):
    listed = json.loads(prefect("server", "services", "list", "--output", "json",
                                PREFECT_SERVER_SERVICES_SCHEDULER_ENABLED="0").stdout)
    found = {one["name"]: one for one in listed}
    assert found["scheduler"] | {"description": ""} == {
        "name": "scheduler", "enabled": False, "description": "",
        "environment_variable": "PREFECT_SERVER_SERVICES_SCHEDULER_ENABLED"}
    assert found["marklateruns"]["enabled"] and not found["backups"]["enabled"]
    text = prefect("server", "services", "ls").stdout
    assert all(one["name"] in text and one["environment_variable"] in text for one in listed)
    assert prefect("server", "services", "stop").stdout == "No services are running in the background.\n"


def test_database(prefect, tmp_path):
    for words, end in ((["reset", "--yes"], "reset!"), (["upgrade", "-y", "-r", "head"], "upgraded!"),
                       (["downgrade", "--yes", "--revision", "base"], "downgraded!")):
        done = prefect("server", "database", *words)
        assert done.returncode == 0 and done.stdout.rstrip().endswith(end)
    prefect("server", "database", "reset", "-y")
    assert prefect("server", "database", "check").returncode == 0  # which only this program has
    assert (tmp_path / "home/orion.db").exists()


def test_server_is_prefect_3_only_by_that_name(prefect, tmp_path):
    assert "services" in prefect("server", "--help").stdout
    assert prefect("orion", "start", "--help").stdout == prefect("start", "--help").stdout
    assert not re.search(r"^ *server\b", prefect("--help").stdout.partition("Commands of")[0], re.M)
    orion = subprocess.run([str(servers.ORION_BIN), "server", "services"], capture_output=True, text=True,
                           env={"HOME": str(tmp_path)})
    assert orion.returncode == 2 and "No such command 'services'." in orion.stderr

"""ORION_GENERATION, and the file that is the database where no URL names one; ours only."""
import os
import subprocess

import pytest

from tests.lib import servers


def run(home, *words, **env):
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "PREFECT_HOME": str(home), **env}
    return subprocess.run([str(servers.ORION_BIN), *words], env=environment, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("there, generation, used, warns", [
    ([], "2.7", "orion.db", False), ([], "3", "prefect.db", False),
    (["orion.db"], "3", "orion.db", False), (["prefect.db"], "2.7", "prefect.db", False),
    (["orion.db", "prefect.db"], "2.7", "orion.db", True), (["orion.db", "prefect.db"], "3", "orion.db", True)])
def test_default_file(tmp_path, there, generation, used, warns):
    for name in there:
        (tmp_path / name).touch()
    done = run(tmp_path, "database", "reset", "--yes", ORION_GENERATION=generation)
    assert done.returncode == 0 and f'{tmp_path}/{used}" reset!' in done.stdout
    assert (tmp_path / used).stat().st_size > 0
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix == ".db") == sorted({*there, used})
    assert ("has both orion.db and prefect.db: orion.db is used" in done.stderr) is warns


def test_a_url_names_the_file(tmp_path):
    for name in ("orion.db", "prefect.db"):
        (tmp_path / name).touch()
    done = run(tmp_path, "database", "reset", "--yes",
               PREFECT_ORION_DATABASE_CONNECTION_URL=f"sqlite+aiosqlite:///{tmp_path}/prefect.db")
    assert done.returncode == 0 and "both" not in done.stderr
    assert (tmp_path / "prefect.db").stat().st_size > 0 and (tmp_path / "orion.db").stat().st_size == 0


@pytest.mark.parametrize("words, env", [(["start", "--generation", "3"], {}), (["start"], {"ORION_GENERATION": "3"})])
def test_a_server_of_generation_3_refuses(tmp_path, words, env):
    done = run(tmp_path, *words, **env)
    assert done.returncode == 1 and "ORION_GENERATION: This release has no server of generation 3 yet" in done.stderr
    assert not list(tmp_path.glob("*.db"))


@pytest.mark.parametrize("value", ["4", "", "2", "3.0"])
def test_no_generation(tmp_path, value):
    for done in (run(tmp_path, "start", "--generation", value), run(tmp_path, "start", ORION_GENERATION=value)):
        assert done.returncode == 1 and "ORION_GENERATION" in done.stderr
        assert "unexpected value; permitted: '2.7', '3'" in done.stderr


@pytest.mark.parametrize("line", ["ORION_GENERATION = 3", 'ORION_GENERATION = "3"'])
def test_generation_in_orion_toml(tmp_path, line):
    (tmp_path / "orion.toml").write_text(line + "\n")
    assert "generation 3" in run(tmp_path, "config", "check").stdout
    (tmp_path / "orion.toml").write_text(line.replace("3", "2.7") + "\n")
    assert run(tmp_path, "config", "check").returncode == 0

"""What is generated in the documentation is up to date: `tools/pages.py` writes it anew."""
import subprocess
import sys

from tests.docs import pages
from tests.lib import servers

sys.path.insert(0, str(pages.ROOT / "tools"))
import pages as generator  # noqa: E402


def test_generated_pages_are_up_to_date():
    assert generator.outdated() == []


def test_a_page_that_is_out_of_date_is_found(monkeypatch, tmp_path):
    stale = tmp_path / "commands.md"
    stale.write_text(generator.COMMANDS.read_text().replace("Start the server.", "Begin."))
    monkeypatch.setattr(generator, "GENERATED", {stale: generator.commands})
    assert generator.outdated() == [stale]


def test_every_setting_is_read(tmp_path):
    """The table is C; the program says what is in it."""
    environment = {"PREFECT_HOME": str(tmp_path), "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"}
    shown = subprocess.run([servers.ORION_BIN, "config", "view", "--show-defaults"], check=True, env=environment,
                           stdout=subprocess.PIPE, text=True).stdout
    names = {line.partition("=")[0] for line in shown.splitlines()} - {"PREFECT_PROFILE"}
    assert {setting.name for setting in generator.settings()} == names

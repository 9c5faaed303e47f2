"""What is generated in the documentation is up to date: `tools/pages.py` writes it anew."""
import sys

from tests.docs import pages

sys.path.insert(0, str(pages.ROOT / "tools"))
import pages as generator  # noqa: E402


def test_generated_pages_are_up_to_date():
    assert generator.outdated() == []


def test_a_page_that_is_out_of_date_is_found(monkeypatch, tmp_path):
    stale = tmp_path / "commands.md"
    stale.write_text(generator.COMMANDS.read_text().replace("Start the server.", "Begin."))
    monkeypatch.setattr(generator, "GENERATED", {stale: generator.commands})
    assert generator.outdated() == [stale]

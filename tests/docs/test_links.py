"""Links within the repository lead somewhere, to a heading too. The pages for users are all in their index."""
import re

import pytest

from tests.docs import pages

PAGES = [*pages.documentation(), pages.ROOT / "ARCHITECTURE.md", pages.ROOT / "CONTRIBUTING.md",
         *sorted((pages.ROOT / "src").glob("*/README.md")), *sorted((pages.ROOT / "tests").glob("*/README.md"))]
LINK = re.compile(r"\]\(([^)\s]+)\)|<img src=\"([^\"]+)\"")


def without_code(path):
    return re.sub(r"^( *)```.*?^\1```$", "", path.read_text(), flags=re.S | re.M)


def anchors(path):
    """As GitHub makes them from headings, and those that are set."""
    text = without_code(path)
    headings = re.findall(r"^#+ (.*)$", text, re.M)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings} \
        | set(re.findall(r'<a id="([^"]+)">', text))


def dead_links(path):
    for link in (one or other for one, other in LINK.findall(without_code(path))):
        if re.match(r"[a-z]+:", link):
            continue
        file, _, anchor = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        if not target.exists() or (anchor and anchor not in anchors(target)):
            yield link


@pytest.mark.parametrize("path", PAGES, ids=pages.name_of)
def test_links_lead_somewhere(path):
    assert not list(dead_links(path))


def test_a_dead_link_is_found(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("# A page\n[a](page.md#a-page) [b](#what) [c](nowhere.md) https://example.com "
                    "[d](https://example.com)\n```sh\n[e](nowhere.md)\n```\n")
    assert list(dead_links(page)) == ["#what", "nowhere.md"]


def test_the_index_has_every_page():
    linked = {link for link, _ in LINK.findall((pages.ROOT / "docs/README.md").read_text())}
    assert linked == {path.name for path in (pages.ROOT / "docs").glob("*.md")} - {"README.md"}

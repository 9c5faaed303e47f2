"""docs/troubleshooting.md has each message that somebody who runs a server can meet, and none that is gone."""
import re

from tests.docs import messages, pages

PAGE = pages.ROOT / "docs/troubleshooting.md"


def listed(text):
    """The messages in the first columns of the tables of messages."""
    found = []
    for table in re.findall(r"^\| message \|.*\n\|[-|]+\|\n((?:\|.*\n?)*)", text, re.M):
        for row in table.splitlines():
            cell = re.match(r"\| (.*?) \| ", row)[1]
            found += [double or single for double, single in re.findall(r"`` (.*?) ``|`(.*?)`", cell)]
    return found


def texts():
    """Every literal of the files that have messages, with … for what is filled in."""
    for pattern in messages.SOURCES:
        for path in (pages.ROOT / "src").glob(pattern):
            yield from messages.sentences(path.read_text())


def missing(page):
    return set(messages.collected()) - set(listed(page))


def gone(page):
    known = set(messages.collected())
    others = [text for text in set(listed(page)) - known]
    source = "\n".join(texts()) if others else ""
    return [text for text in others if not re.search(re.escape(text).replace("…", ".*"), source)]


def test_every_message_is_explained():
    assert not missing(PAGE.read_text())


def test_no_message_is_explained_twice():
    assert len(listed(PAGE.read_text())) == len(set(listed(PAGE.read_text())))


def test_messages_that_are_explained_exist():
    assert not gone(PAGE.read_text())


def test_a_page_with_too_little_or_too_much_is_found():
    page = PAGE.read_text().replace("Port … on … is already in use", "Port … is taken by somebody")
    assert missing(page) == {"Port … on … is already in use"}
    assert gone(page) == ["Port … is taken by somebody"]


def test_messages_are_read_from_c():
    code = r'''return fail(error, ERR_X, "The disk (%s) is \"%.*s\": "
                         "%" PRIu64 " bytes%s are left.", name(), STR_ARG(x));'''
    call = messages.CALL.search(code)
    assert list(messages.sentences(messages.arguments(code, call.end()))) == ['The disk (…) is "… bytes… are left']

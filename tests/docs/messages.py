"""The messages of ours that somebody who starts, configures or looks after a server can meet, as the source has them.

They are the sentences in the calls below, in the folders and files below: of the start, the settings, access, the
database and the commands that work on it. What answers a request as the reference would is not among them, nor what
says where the text of a file or a URL is wrong, which stands behind its name and line."""
import re

from tests.docs import pages

SOURCES = ["access/access.c", "api/backlog.c", "api/forwarded.c", "api/guard.c", "api/list.c", "api/origin.c",
           "api/readiness.c", "api/spool.c", "cli/*.c", "config/config_file.c", "config/file_write.c",
           "config/setting_derive.c", "config/settings.c", "db/*.c", "http/server.c", "notify/curl.c", "server/*.c",
           "services/*.c", "upgrade/*.c"]
CALL = re.compile(r"\b(?:fail|cli_bad|log_warning|log_error|log_line|req_fail|refuse_reader)\(")
STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')
PLACEHOLDER = re.compile(r"%[-+ 0#]*(?:\d+|\*)?(?:\.(?:\d+|\*))?(?:hh|h|ll|l|z|j)?[a-zA-Z]")
WORDS = 4  # a text of fewer is a part of another one


def arguments(text, start):
    """What stands between the parentheses that begin there."""
    depth, place = 1, start
    for found in re.compile(r'"(?:[^"\\]|\\.)*"|[()]').finditer(text, start):
        depth += {"(": 1, ")": -1}.get(found[0], 0)
        place = found.start()
        if depth == 0:
            break
    return text[start:place]


def sentences(code):
    """The texts in a call's arguments, each of adjacent literals."""
    for literals in re.findall(r'(?:"(?:[^"\\]|\\.)*"\s*(?:PRI\w+\s*)?)+', code):
        literals = re.sub(r'%"\s*PRI(\w)\w+', r'%\1"', literals)
        text = "".join(STRING.findall(literals)).replace('\\"', '"').replace("\\n", " ")
        text = PLACEHOLDER.sub("…", text.replace("%%", "\0")).replace("\0", "%")
        yield re.sub(r"\s+", " ", re.sub(r"…(?:[^\w`'(]*…)+", "…", text)).strip().rstrip(".")


def is_whole(text):
    return len(re.findall(r"[A-Za-z]{2,}", text)) >= WORDS and (text[0].isupper() or text[0] in "…'\"`")


def collected():
    """Each message once, with … for what is filled in; and the files that have it."""
    found = {}
    for pattern in SOURCES:
        for path in sorted((pages.ROOT / "src").glob(pattern)):
            text = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)
            for call in CALL.finditer(text):
                for sentence in sentences(arguments(text, call.end())):
                    if is_whole(sentence):
                        found.setdefault(sentence, set()).add(path.name)
    return found

"""What stored payloads must read back as, and which rows a filter must find, from first principles."""
import json
import re
from typing import NamedTuple

from .wire import as_bytes

NOWHERE = object()
# Lists, and by which of their filters the rows themselves are chosen.
LISTS = {"POST /flows/filter": "flows", "POST /flow_runs/filter": "flow_runs", "POST /task_runs/filter": "task_runs",
         "POST /deployments/filter": "deployments", "POST /logs/filter": "logs",
         "POST /block_types/filter": "block_types", "POST /block_documents/filter": "block_documents",
         "POST /work_queues/filter": "work_queues", "POST /experimental/work_pools/filter": "work_pools"}
PAGE = 200


def at(value, part):
    """What a body or a row has at a part of it."""
    for name in part.split("."):
        key = {"*": "x", "*[]": "x", "[]": None}.get(name, name.removesuffix("[]"))
        if key is not None:
            if not isinstance(value, dict) or key not in value:
                return NOWHERE
            value = value[key]
        if name.endswith("[]"):
            if not isinstance(value, list) or not value:
                return NOWHERE
            value = value[0]
    return value


def is_in(sent, stored):
    """Whether all that was sent is in what is stored: some lists and objects are merged with others."""
    if isinstance(sent, dict) and isinstance(stored, dict):
        return all(key in stored and stored[key] == value for key, value in sent.items())
    if isinstance(sent, list) and isinstance(stored, list):
        return all(item in stored for item in sent)
    return sent == stored


def like(pattern, engine):
    """LIKE as each engine has it: SQLite ignores the case of ASCII letters, PostgreSQL's ILIKE that of all, and only
    there a backslash escapes."""
    words, escaped = [], False
    for character in pattern:
        if escaped or character not in "%_\\" or character == "\\" and engine == "sqlite":
            words.append(re.escape(character))
            escaped = False
        elif character == "\\":
            escaped = True
        else:
            words.append({"%": ".*", "_": "."}[character])
    flags = re.DOTALL | re.IGNORECASE | (re.ASCII if engine == "sqlite" else 0)
    return re.compile("".join(words), flags)


def in_json(text, engine):
    """SQLite's functions of JSON end a text at NUL."""
    return text.partition("\0")[0] if engine == "sqlite" else text


def holds(operator, payload, value, engine):
    """Whether a filter with the payload finds a row with this value."""
    if operator == "all_":
        return in_json(payload, engine) in [in_json(text, engine) for text in value]
    if operator == "any_":
        return payload == value
    if operator == "not_any_":
        return value is not None and payload != value
    pattern = {"like_": f"%{payload}%", "startswith_": f"{payload}%"}[operator]
    return value is not None and bool(like(pattern, engine).fullmatch(value))


class Filter(NamedTuple):
    """A filter of texts. `path`: the keys that lead to its operand; `column`: of the row."""
    path: list
    column: str
    operator: str
    is_list: bool

    def body(self, payload):
        value = [payload] if self.is_list else payload
        for key in reversed(self.path):
            value = {key: value}
        return value


def text_filters(document, operation, top):
    """Those of the operation by which its own rows are chosen."""
    for part, schema in document.parts(operation.body):
        names = part.split(".")
        if names[0] != top or not names[-1].endswith("_"):
            continue
        for member in document.members(schema):
            is_list = member.get("type") == "array"
            inner = document.members(member["items"])[0] if is_list else member
            if inner.get("type") == "string" and "format" not in inner and "enum" not in inner:
                yield Filter(names, "_".join(name.rstrip("_") for name in names[1:-1]), names[-1], is_list)


class Checked:
    def __init__(self):
        self.wrong, self.filters, self.found = [], 0, 0


def all_rows(api, path, body):
    rows = []
    while True:
        page = api.made(path, {**body, "limit": PAGE, "offset": len(rows)}, status=200)
        rows += page
        if len(page) < PAGE:
            return rows


def is_about(operator, text):
    """Whether the first principles are plain: patterns end at a NUL on SQLite, and have a length."""
    return operator not in ("like_", "startswith_") or "\0" not in text and len(as_bytes(text)) < 10000


def check_filters(api, document, payloads, thorough):
    checked = Checked()
    for operation in document.operations:
        top = LISTS.get(operation.name)
        if not top:
            continue
        rows = all_rows(api, operation.path, {})
        for number, one in enumerate(text_filters(document, operation, top)):
            if rows and one.column in rows[0]:
                checked.filters += 1
                texts = list(payloads.values())
                for text in texts if thorough else texts[number % 3::3]:
                    if is_about(one.operator, text):
                        check_filter(api, operation, one, text, rows, checked)
    return checked


def check_filter(api, operation, one, text, rows, checked):
    body = one.body(text)
    answer = api.post(operation.path, {**body, "limit": 1})
    if answer.status_code == 422:  # as for lone surrogates
        return
    known = [row for row in rows if not (one.operator in ("like_", "startswith_") and "\0" in str(row[one.column]))]
    wanted = {row["id"] for row in known if holds(one.operator, text, row[one.column], api.engine)}
    found = {row["id"] for row in all_rows(api, operation.path, body)} & {row["id"] for row in known}
    checked.found += len(found)
    if found != wanted:
        checked.wrong.append(f"{operation.name} {json.dumps(body)[:200]}: {len(found)} rows, not {len(wanted)}")

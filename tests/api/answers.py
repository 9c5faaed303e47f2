"""Asks one request of cases.py, and keeps of the answer what must be the same everywhere."""
import json
from pathlib import Path

from tests.lib.api_client import HEADERS, NOBODY

ANSWERS = Path(__file__).with_name("answers.jsonl")
ON_POSTGRES = Path(__file__).with_name("answers_postgres.jsonl")  # those that are others there


def ask(api, case):
    content = case["content"]
    headers = [(name.encode(), value.encode()) for name, value in case["headers"].items()]
    answer = api.send(case["method"], case["path"], headers=headers,
                      content=None if content is None else content.encode())
    kept = {name: answer.headers[name].replace(api.server.root, "") for name in HEADERS if name in answer.headers}
    # A Python set: the reference's order changes from one start to the next.
    body = answer.text.replace('"allowed_schemes":["https","http"]', '"allowed_schemes":["http","https"]')
    return {"status": answer.status_code, "headers": kept, "body": body}


def depends_on_rows(case, answer):
    """Whether the answer tells of rows, so that it cannot be compared."""
    if answer["status"] not in (200, 201) or case["method"] != "POST" or case["path"].endswith("/history"):
        return False
    return NOBODY not in (case["content"] or "") and '"limit": 0' not in (case["content"] or "")


def recorded(path=ANSWERS):
    return [json.loads(line) for line in path.read_text().splitlines()]


def key(case):
    return json.dumps({name: case[name] for name in ("method", "path", "headers", "content")})


def recorded_on_postgres():
    """The answers by key()."""
    return {key(case): case["answer"] for case in recorded(ON_POSTGRES)}

#!/usr/bin/env python3
"""Writes what the reference answers to every request of cases.py: python -m tests.api.record [sqlite|postgresql]

On SQLite (the default) into answers.jsonl; on PostgreSQL what differs from that into answers_postgres.jsonl."""
import json
import sys

from tests.lib import servers
from tests.lib.api_client import Api
from .answers import ANSWERS, ON_POSTGRES, ask, depends_on_rows, recorded
from .cases import CASES


def main():
    engine = sys.argv[1] if len(sys.argv) > 1 else "sqlite"
    lines = {}
    with servers.running("reference", database=engine) as server:
        api = Api(server)
        for case in CASES:
            answer = ask(api, case)
            if depends_on_rows(case, answer):
                print("left out:", case["method"], case["path"], case["content"])
            else:
                lines[json.dumps({**case, "answer": answer})] = None
    if engine == "postgresql":
        known = {json.dumps(case) for case in recorded()}
        lines = {line: None for line in lines if line not in known}
    path = ANSWERS if engine == "sqlite" else ON_POSTGRES
    path.write_text("".join(line + "\n" for line in lines))
    print(f"{len(lines)} answers")


if __name__ == "__main__":
    main()

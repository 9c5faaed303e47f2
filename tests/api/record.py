#!/usr/bin/env python3
"""Writes what the reference answers to every request of cases.py into answers.jsonl: python tests/api/record.py"""
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import servers
from answers import ANSWERS, ask, depends_on_rows
from api_client import Api
from cases import CASES


def main():
    lines = {}
    with servers.running("reference") as server:
        api = Api(server)
        for case in CASES:
            answer = ask(api, case)
            if depends_on_rows(case, answer):
                print("left out:", case["method"], case["path"], case["content"])
            else:
                lines[json.dumps({**case, "answer": answer})] = None
    ANSWERS.write_text("".join(line + "\n" for line in lines))
    print(f"{len(lines)} answers")


if __name__ == "__main__":
    main()

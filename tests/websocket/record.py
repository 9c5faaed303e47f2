"""python -m tests.websocket.record PORT PORT_WITH_AUTH: asks running servers of the reference, Prefect 3.8.3, and
writes what they answer to answers.json. The second one was started with PREFECT_SERVER_API_AUTH_STRING=user:pass.
2.7.12, which the other suites compare with, has no WebSockets."""
import json
import sys
from pathlib import Path

from tests.websocket.cases import CASES, ask

PATH = "/api/events/in"
ANSWERS = Path(__file__).with_name("answers.json")


def main():
    ports = [int(port) for port in sys.argv[1:3]]
    answers = {case.name: ask(ports[case.with_auth], PATH, case) for case in CASES}
    assert len(answers) == len(CASES)
    lines = ",\n".join(f" {json.dumps(name)}: {json.dumps(answer)}" for name, answer in answers.items())
    ANSWERS.write_text("{\n" + lines + "\n}\n")
    print(f"{len(answers)} answers")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Plays random histories of runs to two servers, and compares every answer.

    python -m tests.histories.play --seed 7 --histories 50 --reference http://127.0.0.1:4270/api
                                   --orion http://127.0.0.1:4200/api

The same requests go to both, with the identifiers of the rows that each server made; answers are compared with
identifiers mapped, times compared loosely and names that a server made up masked. The first difference is printed with
its history, and ends the program with 1. Either address may be that of any of the two servers (the reference against
itself must find nothing). Deployments are written straight into the servers' databases: the SQLite file in the home
that /admin/settings tells, or what --reference-database and --orion-database name."""
import argparse
import json
import sys

import httpx

from tests.lib.comparison import Comparison, Difference
from tests.lib.servers import Store
from .history import History


class Player:
    """One server, and its identifiers of the places in the history."""

    def __init__(self, url, database=None):
        self.url = url.rstrip("/")
        self.http = self.connected()
        self.store = Store(database) if database \
            else Store.of_home("sqlite", self.http.get("/admin/settings").json()["PREFECT_HOME"])

    def connected(self):
        return httpx.Client(base_url=self.url, timeout=60, trust_env=False)

    def play(self, request, ids):
        """Sends one request of a history; (status, JSON or text)."""
        filled = json.loads(fill(json.dumps(request), ids))
        headers = {"content-type": "application/json"} if "body" in filled else {}
        if filled.get("version"):
            headers["x-prefect-api-version"] = filled["version"]
        content = json.dumps(filled["body"]) if "body" in filled else None
        answer = self.http.request(filled["method"], filled["path"], content=content, headers=headers)
        if answer.status_code == 500:  # the reference drops the connection then
            self.http.close()
            self.http = self.connected()
        try:
            return answer.status_code, answer.json()
        except ValueError:
            return answer.status_code, answer.text


def fill(text, ids):
    for place, identifier in ids.items():
        text = text.replace(f"<{place}>", identifier)
    return text


def play_history(seed, number, players):
    """Plays one history to both; raises Difference. The number of requests."""
    history = History(seed, number, [player.store for player in players])
    ids = [{}, {}]
    comparison = Comparison(players[0].store.engine)
    played = []
    for request in history.requests():
        played.append(request)
        answers = [player.play(request, known) for player, known in zip(players, ids)]
        try:
            comparison.compare(request, *answers)
        except Difference as difference:
            raise Difference(report(seed, number, played, answers, difference)) from None
        history.learn(request, answers[0])
        if request.get("place") and answers[0][0] in (200, 201):
            for known, (_, body) in zip(ids, answers):
                known[request["place"]] = body["id"]
    return len(played)


def report(seed, number, played, answers, difference):
    lines = [f"seed {seed}, history {number}, request {len(played)}: {difference}", "", "The history:"]
    lines += [f"{place:4} {request['method']} {request['path']} {request.get('version') or ''}"
              f" {json.dumps(request.get('body', ''))}" for place, request in enumerate(played, 1)]
    lines += ["", "The last answers:"] + [f"{status} {json.dumps(body)}" for status, body in answers]
    lines += ["", f"Again: python -m tests.histories.play --seed {seed} --first {number} --histories 1"]
    return "\n".join(lines)


def play(seed, histories, players, first=0, progress=None):
    """Plays histories first … first + histories - 1 of the seed; the number of requests. Raises Difference."""
    requests = 0
    for number in range(first, first + histories):
        requests += play_history(seed, number, players)
        if progress:
            progress(number, requests)
    return requests


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--histories", type=int, default=20, help="how many to play (default: 20)")
    parser.add_argument("--first", type=int, default=0, help="the number of the first one (default: 0)")
    parser.add_argument("--reference", required=True, metavar="URL", help="the address of the reference, with /api")
    parser.add_argument("--orion", required=True, metavar="URL", help="the address of our server, with /api")
    for name in ("reference", "orion"):
        parser.add_argument(f"--{name}-database", metavar="URL",
                            help="its database, where that is not the SQLite file in its home")
    arguments = parser.parse_args()
    players = [Player(arguments.reference, arguments.reference_database),
               Player(arguments.orion, arguments.orion_database)]
    try:
        requests = play(arguments.seed, arguments.histories, players, arguments.first)
    except Difference as difference:
        print(difference)
        return 1
    print(f"{arguments.histories} histories, {requests} requests: no difference")
    return 0


if __name__ == "__main__":
    sys.exit(main())

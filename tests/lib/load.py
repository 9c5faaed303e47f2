"""A light client for load: one kept connection for each thread, answers as (status, value); bare bytes; threads that
report what went wrong."""
import http.client
import json
import os
import socket
import threading
import uuid
from typing import Any, NamedTuple

LOST = (http.client.HTTPException, OSError)  # what a client sees when the server goes away


class Answer(NamedTuple):
    status: int
    value: Any


class Client:
    """Requests to one server over one kept connection."""

    def __init__(self, server, timeout=60):
        self.http = http.client.HTTPConnection("127.0.0.1", server.port, timeout=timeout)

    def request(self, method, path, body=None):
        content = None if body is None else json.dumps(body)
        self.http.request(method, f"/api{path}", content, {"content-type": "application/json"} if content else {})
        answer = self.http.getresponse()
        text = answer.read()
        return Answer(answer.status, json.loads(text) if text else None)

    def get(self, path):
        return self.request("GET", path)

    def post(self, path, body=None):
        return self.request("POST", path, body)

    def made(self, path, body):
        answer = self.post(path, body)
        assert answer.status == 201, answer
        return answer.value

    def flow(self):
        return self.made("/flows/", {"name": f"flow-{uuid.uuid4().hex}"})

    def flow_run(self, flow, **fields):
        return self.made("/flow_runs/", {"flow_id": flow["id"], **fields})

    def task_run(self, flow_run, **fields):
        keys = {"task_key": "task", "dynamic_key": uuid.uuid4().hex}
        return self.made("/task_runs/", {"flow_run_id": flow_run["id"], **keys, **fields})

    def set_state(self, kind, run, state_type):
        return self.post(f"/{kind}/{run['id']}/set_state", {"state": {"type": state_type}})


class Wire:
    """Bytes to and from the server."""

    def __init__(self, server, timeout=30):
        self.socket = socket.create_connection(("127.0.0.1", server.port), timeout=timeout)
        self.stream = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stream.close()
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def answer(self):
        """Status and body of the next reply; None where the connection is at its end."""
        line = self.stream.readline()
        if not line:
            return None
        length = 0
        while (header := self.stream.readline()) != b"\r\n":
            name, value = header.split(b":", 1)
            if name.lower() == b"content-length":
                length = int(value)
        return int(line.split()[1]), self.stream.read(length)


def head(method, path, *lines):
    return "\r\n".join([f"{method} /api{path} HTTP/1.1", "host: x", *lines, "", ""]).encode()


def request(method, path, body=None):
    content = b"" if body is None else json.dumps(body).encode()
    lines = ["content-type: application/json", f"content-length: {len(content)}"] if content else []
    return head(method, path, *lines) + content


class Threads:
    """Runs work(number) in so many threads; join() raises the first failure of any."""

    def __init__(self, count, work):
        self.failures = []
        self.results = [None] * count
        self.threads = [threading.Thread(target=self.call, args=(work, number), daemon=True) for number in range(count)]
        for thread in self.threads:
            thread.start()

    def call(self, work, number):
        try:
            self.results[number] = work(number)
        except BaseException as failure:  # an assertion too: it belongs to the test's thread
            self.failures.append(failure)

    def join(self, timeout=300):
        for thread in self.threads:
            thread.join(timeout)
            assert not thread.is_alive(), "a thread did not end"
        if self.failures:
            raise self.failures[0]
        return self.results


def memory(server, name="VmRSS"):
    """Resident memory of the server's process in MB; VmHWM: the most it ever was."""
    with open(f"/proc/{server.process.pid}/status") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith(f"{name}:")) / 1024


def files(server):
    """What lies in the server's home, without the log that the tests write, and without SQLite's file."""
    found = set(os.listdir(server.home)) - {"server.log"}
    if server.engine == "sqlite":
        found.remove("orion.db")
    return sorted(found)

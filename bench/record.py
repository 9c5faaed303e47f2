#!/usr/bin/env python3
"""python -m bench.record [--show] — writes bench/shapes.json anew.

Goes through the pages of the stock dashboard in Chromium, and through the commands of the stock CLI that show
something, at a server with a filled database, and notes what they ask: each different request once, with times relative
to now and identifiers as places that bench.shapes fills in at another database."""
import argparse
import http.server
import json
import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import sync_playwright

from bench import fill, shapes
from tests.lib import servers

RUNS = 1500
# Of the requests that change something none is recorded: writes are measured by the loads.
READS = re.compile(r"/(filter|count|history|exists|get_runs|graph)$")
ASIDE = ("/health", "/ready", "/admin/", "/version", "/docs", "/experimental/")
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
ID_LIST = re.compile(r'"\{\w+:\d+\}"(, "\{\w+:\d+\}")+')
NOW = re.compile(r"\{now([+-]\d+)\}")
INTERVAL = re.compile(r'"history_interval_seconds": \d+')
QUEUE_NAME = re.compile(r"(?<=/work_queues)/name/[\w-]+")
COMMANDS = ["flow ls", "flow-run ls", "flow-run ls --limit 100", "flow-run ls --state Running --state Pending",
            "flow-run ls --state-type FAILED", "flow-run ls --flow-name {flow_name}",
            "flow-run inspect {flow_run}", "flow-run logs {flow_run}", "deployment ls", "deployment ls --flow-name"
            " {flow_name}", "deployment inspect {flow_name}/daily", "work-queue ls", "work-queue ls --verbose",
            "work-queue preview kubernetes", "work-queue preview kubernetes --hours 48",
            "work-queue inspect kubernetes", "concurrency-limit ls", "concurrency-limit inspect gpu", "block ls",
            "block type ls"]


class Notes:
    """What was asked, each once, in order."""

    def __init__(self, places, show):
        self.places, self.show = places, show
        self.shapes, self.seen = [], set()

    def add(self, source, method, path, body):
        if not (method == "GET" or READS.search(path)) or path.startswith(ASIDE) or "undefined" in path:
            return
        shape = {"method": method, "path": path, "body": body}
        text, shape = self.general(json.dumps(shape))
        alike = self.alike(text)
        if alike in self.seen:
            return
        self.seen.add(alike)
        if self.show:
            print(f"{source:24} {text}", flush=True)
        self.shapes.append({"source": source, **shape})

    @staticmethod
    def alike(text):
        """The same for requests that differ only in how many things they name, in the moment when they were sent, or in
        which queue they ask for."""
        for pattern, to in [(ID_LIST, '"ids"'), (QUEUE_NAME, "/name/…"), (INTERVAL, ""), (
                NOW, lambda found: str(round(int(found[1]) / (86400 if abs(int(found[1])) > 86400 else 3600))))]:
            text = pattern.sub(to, text)
        return text

    def general(self, text):
        """The request with places for what belongs to this moment and this database."""
        numbers = {}

        def place(found):
            kind = self.places.get(found[0])
            if not kind:
                return found[0]
            known = numbers.setdefault(kind, {})
            return "{%s:%d}" % (kind, known.setdefault(found[0], len(known)))

        def moment(found):
            seconds = shapes.seconds_from_now(found[0])
            return "{now%+d}" % (round(seconds / 60) * 60)

        text = UUID.sub(place, TIME.sub(moment, text))
        shape = json.loads(text)
        return text, shape


def forwarder(target, notes):
    """An HTTP server that passes everything on, and notes it as the CLI's; its `source` is what runs now."""
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self):
            length = int(self.headers.get("Content-Length", 0))
            body = self.rfile.read(length) if length else None
            path = self.path.removeprefix("/api")
            notes.add(self.server.source, self.command, path, json.loads(body) if body else None)
            request = urllib.request.Request(target + path, body, dict(self.headers), method=self.command)
            try:
                with urllib.request.urlopen(request) as answer:
                    status, data = answer.status, answer.read()
            except urllib.error.HTTPError as error:
                status, data = error.code, error.read()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_DELETE = do_PATCH = answer

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def record_cli(server, notes, names):
    proxy = forwarder(server.url, notes)
    with tempfile.TemporaryDirectory() as home:
        environment = servers.server_environment(home, PREFECT_API_URL=f"http://127.0.0.1:{proxy.server_port}/api")
        for command in COMMANDS:
            proxy.source = "prefect " + command.partition(" {")[0]
            done = subprocess.run([servers.REFERENCE_BIN, *command.format(**names).split()], env=environment,
                                  stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            assert done.returncode == 0, f"{command}: {done.stdout}"
    proxy.shutdown()


class Dashboard:
    """A browser that goes from page to page. A step is done when nothing has been asked for a moment."""

    def __init__(self, page, root, notes):
        self.page, self.root, self.notes = page, root, notes
        self.source, self.last = None, 0
        page.on("request", self.on_request)
        page.route("**/*", lambda route: route.continue_() if route.request.url.startswith(root)
                   else route.fulfill(status=204))

    def on_request(self, request):
        path = request.url.removeprefix(self.root)
        self.last = time.monotonic()
        if path.startswith("/api/"):
            body = request.post_data
            self.notes.add(self.source, request.method, path.removeprefix("/api"), json.loads(body) if body else None)

    def settle(self):
        self.last = time.monotonic()
        while time.monotonic() - self.last < 1.2:
            self.page.wait_for_timeout(100)

    def open(self, path, source=None):
        self.source = source or "page " + UUID.sub("ID", path)
        self.page.goto(self.root + path)
        self.settle()

    def click(self, tab):
        """One of the tabs of a page."""
        self.page.locator(f"#{tab.lower().replace(' ', '-')}").filter(visible=True).click()
        self.settle()

    def choose(self, shown, option):
        self.page.locator(".p-select-button, .p-combobox, .p-select").filter(has_text=shown).first.click()
        self.page.locator(".p-select-option, .p-combobox-option").get_by_text(option, exact=True).first.click()
        self.page.keyboard.press("Escape")
        self.settle()

    def search(self, placeholder, words):
        self.page.get_by_placeholder(placeholder).first.fill(words)
        self.settle()

    def scroll(self):
        """To the end of a list, which then asks for more."""
        self.page.mouse.move(700, 600)
        for _ in range(3):
            self.page.mouse.wheel(0, 100_000)
            self.settle()


def record_dashboard(board, names):
    board.open("/flow-runs")
    board.scroll()
    for shown, option in [("All run states", "Failed"), ("All flows", names["flow_name"]),
                          ("All deployments", "daily"), ("All work queues", "kubernetes"),
                          ("All tags", "production"), ("Newest to oldest", "Oldest to newest")]:
        board.open("/flow-runs", f"page /flow-runs, {shown.lower().removeprefix('all ')}")
        board.choose(shown, option)
    board.open("/flow-runs", "page /flow-runs, name")
    board.search("Search by run name", "sloth")
    board.open(f"/flow-runs/flow-run/{names['flow_run']}")
    for tab in ["Task Runs", "Subflow Runs", "Parameters"]:
        board.source = f"page of a run, {tab.lower()}"
        board.click(tab)
    board.open(f"/flow-runs/flow-run/{names['flow_run']}/radar")
    board.open(f"/flow-runs/task-run/{names['task_run']}")
    board.click("Task Inputs")
    board.open("/flows")
    board.search("Search flows", "orders")
    board.open(f"/flows/flow/{names['flow']}")
    board.click("Deployments")
    board.open("/deployments")
    board.search("Search deployments", "daily")
    board.open(f"/deployments/deployment/{names['deployment']}")
    board.click("Runs")
    board.open("/work-queues")
    board.open(f"/work-queues/work-queue/{names['work_queue']}")
    board.click("Runs")
    for path in ["/blocks", "/blocks/catalog", "/notifications", "/concurrency-limits", "/settings"]:
        board.open(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--show", action="store_true", help="print what is noted, as it comes")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        url = f"sqlite+aiosqlite:///{home}/orion.db"
        fill.fill(url, runs=RUNS)
        with servers.running("orion", home=home) as server, sync_playwright() as playwright:
            places = shapes.Places(server.store)
            notes = Notes(places.kinds(), options.show)
            names = {kind: places.ids(kind)[0] for kind in shapes.KINDS}
            names["flow_name"] = server.execute("SELECT name FROM flow WHERE id = ?", names["flow"])[0][0]
            record_cli(server, notes, names)
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1400, "height": 1000}, locale="en-US", timezone_id="UTC")
            page.set_default_timeout(15000)
            record_dashboard(Dashboard(page, server.root, notes), names)
            browser.close()
    shapes.RECORDED.write_text(shapes.as_text(notes.shapes))
    print(f"{len(notes.shapes)} requests")


if __name__ == "__main__":
    main()

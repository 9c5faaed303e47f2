#!/usr/bin/env python3
"""What the pages call `orion`, `prefect`, `sudo` and `systemctl`, by the name under which it is called; and what they
must not call, as it would change the machine.

A server goes into the background, and the command ends once the server answers, so that the page can go on; one that
was started so before on that port is stopped, as by Ctrl-C. An agent takes what waits, and ends. `sudo` runs the
command; as `postgres`, at the tests' cluster. `systemctl` does for the service `orion` what systemd would. DOCS_… in
the environment says where all is."""
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

PATIENCE = 60
RUN = Path(os.environ["DOCS_RUN"])  # a file for each server that runs, under its port; or, of systemd's, its name


def port_of(words, environment):
    given = [following for word, following in zip(words, words[1:]) if word == "--port"]
    given += [word.partition("=")[2] for word in words if word.startswith("--port=")]
    return int(given[-1] if given else environment["PREFECT_ORION_API_PORT"])


def is_free(port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def stop(name):
    """Ends what was started under that name, if there is something. The reference does not always end by itself."""
    file = RUN / name
    if not file.exists():
        return
    group, port = map(int, file.read_text().split())
    file.unlink()
    for number, seconds in ((signal.SIGINT, 2), (signal.SIGKILL, PATIENCE)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(group, number)
        deadline = time.monotonic() + seconds
        while not is_free(port) and time.monotonic() < deadline:
            time.sleep(0.05)


def is_ready(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/health", timeout=2) as answer:
            return answer.status == 200
    except OSError:
        return False


def serve(program, words, environment, name=None):
    """The exit status: 0 once it answers; its own, after all that it said, if it ends before."""
    port = port_of(words, environment)
    stop(name or str(port))
    if not is_free(port):
        os.execve(program, [program, *words], environment)
    log = RUN.parent / f"server-{len(list(RUN.parent.glob('server-*')))}.log"
    with open(log, "wb") as output:
        process = subprocess.Popen([program, *words], env=environment, stdin=subprocess.DEVNULL, stdout=output,
                                   stderr=output, start_new_session=True)
    (RUN / (name or str(port))).write_text(f"{process.pid} {port}")
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None and not is_ready(port) and time.monotonic() < deadline:
        time.sleep(0.05)
    if process.poll() is None:
        return 0
    print(log.read_text(errors="replace"), end="")
    return process.returncode


def call(program, words):
    if "start" in words and "agent" not in words and "--help" not in words:
        return serve(program, words, os.environ)
    if words[:2] == ["agent", "start"]:
        words = [*words, "--run-once"]
    os.execv(program, [program, *words])


def sudo(words):
    if words[:2] == ["-u", "postgres"]:
        os.environ.update(PGUSER="postgres", PGHOST="127.0.0.1")
    while words[0] == "-u":
        words = words[2:]
    settings = [word for word in words if "=" in word.split("/")[0]]
    while words[0] in settings:
        os.environ.update([words.pop(0).split("=", 1)])
    os.execvp(words[0], words)


def systemctl(words):
    """The verbs that the pages use, of the service `orion` alone."""
    verb, *rest = [word for word in words if not word.startswith("-")]
    assert rest in (["orion"], []) and verb in ("start", "restart", "stop", "enable", "disable"), words
    stop(os.environ["PREFECT_ORION_API_PORT"])  # as by Ctrl-C
    if verb in ("stop", "disable"):
        return stop("orion")
    environment = {name: value for name, value in os.environ.items() if name != "PREFECT_ORION_DATABASE_CONNECTION_URL"}
    environment["ORION_CONFIG"] = os.environ["DOCS_CONFIG"]
    return serve(os.environ["DOCS_ORION"], ["start"], environment, "orion")


def main():
    name, words = Path(sys.argv[0]).name, sys.argv[1:]
    if name == "stop-all":
        for file in list(RUN.iterdir()):
            stop(file.name)
        return 0
    if name == "sudo":
        return sudo(words)
    if name == "systemctl":
        return systemctl(words)
    if "DOCS_" + name.upper() not in os.environ:
        print(f"{name} would change the machine", file=sys.stderr)
        return 1
    return call(os.environ["DOCS_" + name.upper()], words)


if __name__ == "__main__":
    sys.exit(main())

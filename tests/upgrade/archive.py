"""The databases of older Prefects, with what the reference's own upgrades make of them:
databases/VERSION-ENGINE.json.xz holds three scripts, `old`, `2` (at 2.7.12's head; not where it is beyond that from the
beginning) and `3` (at 3.8.3's), and in `failures` how 2.7.12's own upgrade ended where it failed. Then `2` is what
3.8.3 makes on the way to its head.

`python -m tests.upgrade.archive [VERSION…]` makes them anew, from the packages."""
import contextlib
import json
import lzma
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

from tests.lib.postgres import free_port
from tests.lib.servers import Store
from tests.upgrade import environments, schemas, snapshot

FOLDER = Path(__file__).parent / "databases"
VERSIONS = ["2.0.0", "2.2.0", "2.4.5", "2.6.9", "2.7.0", "2.7.12", "2.10.21"]
TAKEN_ON_BY = {"2": "2.7.12", "3": "3.8.3"}
START_SECONDS, FILL_SECONDS = 120, 600


def targets(version):
    """The generations that a database of this version can be taken on to."""
    return ["3"] if version in ("2.7.12", "2.10.21") else ["2", "3"]


@contextlib.contextmanager
def old_server(version, home, store):
    """Its URL."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/api"
    with open(home / "server.log", "w") as log:
        process = subprocess.Popen(environments.command(version, "start", "--host", "127.0.0.1", "--port", str(port)),
                                   env=environments.environment(version, home, store), cwd=home, stdout=log, stderr=log,
                                   stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        deadline = time.monotonic() + START_SECONDS
        while True:
            with contextlib.suppress(OSError, urllib.error.URLError):
                urllib.request.urlopen(f"{url}/health", timeout=5).close()
                break
            assert process.poll() is None and time.monotonic() < deadline, (home / "server.log").read_text()
            time.sleep(0.2)
        yield url
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(20)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def make_old(version, engine):
    """A script of a database that this version's server and client have filled."""
    with tempfile.TemporaryDirectory() as folder, using_store(engine, folder) as store:
        home = Path(folder)
        with old_server(version, home, store) as url:
            environment = environments.environment(version, home, store)
            environment["PREFECT_API_URL"] = url
            done = subprocess.run([environments.venv(version) / "bin/python", Path(__file__).with_name("fill.py")],
                                  cwd=home, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, timeout=FILL_SECONDS)
            assert done.returncode == 0, done.stdout + (home / "server.log").read_text()
        return snapshot.dump(store)


@contextlib.contextmanager
def using_store(engine, folder, script=None):
    """A database in that folder, or of its name: empty, or as the script makes it."""
    store = Store.of_home(engine, folder)
    if script is None:
        store.create("orion")
    else:
        snapshot.restore(store, script)
    try:
        yield store
    finally:
        store.drop()


def take_on(version, store, home, revision):
    """Lets a reference upgrade a database; how it failed, or None."""
    command = environments.command(version, "database", "upgrade", "-y", "-r", revision)
    done = subprocess.run(command, cwd=home, env=environments.environment(version, home, store), text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=FILL_SECONDS)
    if done.returncode == 0:
        return None
    [*_, error] = re.findall(r"^[\w.]+Error: .*(?:\n.*){0,3}", done.stdout, re.M)
    return error


def make_result(script, engine, generation, by=None):
    """What a reference makes of a database: a script and None, or None and how it failed."""
    head = schemas.HEADS[engine][generation]
    with tempfile.TemporaryDirectory() as folder, using_store(engine, folder, script) as store:
        failure = take_on(by or TAKEN_ON_BY[generation], store, folder, head)
        if failure:
            return None, failure
        assert schemas.difference(schemas.at(engine, head), schemas.describe(store)) == [[], []]
        return snapshot.dump(store), None


def make(version, engine):
    scripts = {"old": make_old(version, engine), "failures": {}}
    for generation in targets(version):
        scripts[generation], failure = make_result(scripts["old"], engine, generation)
        if failure:
            scripts["failures"][generation] = failure
            scripts[generation], failure = make_result(scripts["old"], engine, generation, by=TAKEN_ON_BY["3"])
            assert failure is None, failure
    return scripts


def path(version, engine):
    return FOLDER / f"{version}-{engine}.json.xz"


def read(version, engine):
    return json.loads(lzma.decompress(path(version, engine).read_bytes()))


def write(version, engine, scripts):
    text = json.dumps(scripts, ensure_ascii=False).encode()
    FOLDER.mkdir(exist_ok=True)
    path(version, engine).write_bytes(lzma.compress(text, preset=9 | lzma.PRESET_EXTREME))


def main():
    for version in sys.argv[1:] or VERSIONS:
        for engine in schemas.ENGINES:
            write(version, engine, make(version, engine))
            print(f"{version} on {engine}: {path(version, engine).stat().st_size} bytes", flush=True)


if __name__ == "__main__":
    main()

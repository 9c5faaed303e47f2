"""A bare Debian, of the release that this machine has, in a folder, in which the package is installed and its service
run as systemd would.

Nothing is mounted in it, so that nothing can be left mounted: it has device files, but no /proc."""
import configparser
import contextlib
import re
import shlex
import signal
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

from tests.lib.debian import CACHE, bare_debian, run
from tests.lib.service_manager import ServiceManager

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
WATCHDOG_SECONDS = 1


def dependencies(package):
    """What a package depends on, by name; of alternatives the first."""
    fields = run("dpkg-deb", "--field", package, "Depends")
    return sorted(re.split(r"[ (|:]", entry.strip())[0] for entry in fields.split(","))


class Machine:
    """Its folder is beside what is kept: there may be device files, unlike in some folders for temporary files."""

    def __init__(self, packages):
        kept = bare_debian(packages)
        self.folder = tempfile.TemporaryDirectory(dir=CACHE, prefix="machine-")
        self.root = Path(self.folder.name) / "root"
        self.root.mkdir()
        run("tar", "-C", self.root, "-xf", kept)

    def remove(self):
        self.folder.cleanup()

    def path(self, inside):
        return self.root / str(inside).lstrip("/")

    def command(self, *command, user=None):
        return ["chroot", *([f"--userspec={user}:{user}"] if user else []), str(self.root), *map(str, command)]

    def run(self, *command, user=None):
        environment = {"PATH": PATH, "HOME": "/root", "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"}
        return run(*self.command(*command, user=user), env=environment)

    def apt(self, *arguments):
        options = "-o", "Dpkg::Options::=--force-confold", "--no-install-recommends"
        return self.run("apt-get", "-y", *options, *arguments)

    def install(self, package):
        """apt's output."""
        inside = Path("/tmp") / Path(package).name
        self.path(inside).write_bytes(Path(package).read_bytes())
        return self.apt("install", inside)

    def status(self, package="orion"):
        """As dpkg knows it: installed, config-files, or not-installed."""
        done = subprocess.run(self.command("dpkg-query", "-W", "-f", "${db:Status-Status}", package),
                              capture_output=True, text=True)
        return done.stdout or "not-installed"

    def owner(self, inside):
        """As "orion:orion 0700"."""
        return self.run("stat", "--format=%U:%G %04a", inside).strip()

    @contextlib.contextmanager
    def service(self, unit, port):
        """Runs the unit's ExecStart as its user, with the environment that systemd would give it, until it is ready;
        ends it as systemd would, and checks that."""
        with ServiceManager() as manager:
            environment = {"PATH": PATH, "LC_ALL": "C.UTF-8", "HOME": "/var/lib/orion",
                           "NOTIFY_SOCKET": manager.address, "WATCHDOG_USEC": str(WATCHDOG_SECONDS * 1_000_000),
                           **unit.environment}
            log = self.root.parent / "service.log"
            with open(log, "wb") as out:
                process = subprocess.Popen(self.command(*unit.command, user=unit.user), env=environment,
                                           stdin=subprocess.DEVNULL, stdout=out, stderr=out)
            service = Service(process, manager, log, port)
            try:
                service.wait()
                yield service
                service.stop()
            finally:
                process.kill()
                process.wait()


class Service:
    def __init__(self, process, manager, log, port):
        self.process, self.manager, self.log_path = process, manager, log
        self.url = f"http://127.0.0.1:{port}"

    def log(self):
        return self.log_path.read_text(errors="replace")

    def wait(self):
        deadline = time.monotonic() + 60
        while "READY=1" not in self.manager.next(1):
            assert self.process.poll() is None and time.monotonic() < deadline, self.log()

    def request(self, path, body=None):
        with urllib.request.urlopen(urllib.request.Request(
                self.url + path, body, {"Content-Type": "application/json"}), timeout=30) as answer:
            return answer.read()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.manager.wait_for("STOPPING=1")
        assert self.process.wait(60) == 0, self.log()


class Unit:
    """What a unit file says about its service."""

    def __init__(self, text):
        parser = configparser.ConfigParser(strict=False, interpolation=None)
        parser.optionxform = str
        parser.read_string(text)
        self.settings = parser["Service"]
        self.command = shlex.split(self.settings["ExecStart"])
        self.user = self.settings.get("User", "orion")
        self.environment = dict(word.split("=", 1) for word in shlex.split(self.settings.get("Environment", "")))

"""A bare Debian 12 in a folder, in which the package is installed and its service run as systemd would.

debootstrap makes it once; what it made is kept for later runs in ~/.cache/orion-tests (or $XDG_CACHE_HOME), a month at
most. Nothing is mounted in it, so that nothing can be left mounted: it has device files, but no /proc."""
import configparser
import contextlib
import hashlib
import os
import re
import shlex
import signal
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

from tests.lib.service_manager import ServiceManager

RELEASE = "bookworm"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "orion-tests"
CACHE_SECONDS = 30 * 24 * 3600
DEBOOTSTRAP_SECONDS = 1200
NEEDLESS = ["proc", "sys", "usr/share/doc", "usr/share/info", "usr/share/locale", "usr/share/man", "var/cache/apt",
            "var/lib/apt/lists"]
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
WATCHDOG_SECONDS = 1


class CannotHave(Exception):
    """There can be no such machine here: the reason."""


def run(*command, **options):
    """A command's output; an AssertionError with all that it said if it fails."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, errors="replace", **options)
    assert done.returncode == 0, f"{shlex.join(map(str, command))}: status {done.returncode}\n{done.stdout}"
    return done.stdout


def check_rights():
    if os.geteuid() != 0:
        raise CannotHave("a Debian of one's own to install the package in takes root, for debootstrap and chroot")


def isolated():
    """debootstrap mounts /proc while it works. In a namespace of its own nothing of that is left if it is stopped; in a
    chroot there can be none."""
    command = ["unshare", "--mount"]
    return command if subprocess.run([*command, "true"], capture_output=True).returncode == 0 else []


def mirror():
    """Where this machine's apt gets Debian's packages."""
    wanted = "--format", "$(REPO_URI) $(ORIGIN) $(COMPONENT)", "Created-By: Packages"
    lines = [line.split() for line in run("apt-get", "indextargets", *wanted).splitlines()]
    found = [line[0] for line in lines if line[1:] == ["Debian", "main"] and "security" not in line[0]]
    if not found:
        raise CannotHave("apt knows no mirror of Debian (`apt-get update` may be missing)")
    return found[0]


def dependencies(package):
    """What a package depends on, by name; of alternatives the first."""
    fields = run("dpkg-deb", "--field", package, "Depends")
    return sorted(re.split(r"[ (|:]", entry.strip())[0] for entry in fields.split(","))


def bare_debian(packages):
    """The file of a Debian that has these packages and what every Debian has."""
    name = hashlib.sha256(" ".join(packages).encode()).hexdigest()[:12]
    kept = CACHE / f"debian-{RELEASE}-{name}.tar"
    if kept.exists() and time.time() - kept.stat().st_mtime < CACHE_SECONDS:
        return kept
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        root, made = Path(folder) / "root", Path(folder) / "made.tar"
        run(*isolated(), "debootstrap", "--variant=minbase", f"--include={','.join(packages)}", RELEASE, root, mirror(),
            timeout=DEBOOTSTRAP_SECONDS)
        run("tar", "-C", root, "-cf", made, *(f"--exclude=./{path}/*" for path in NEEDLESS), ".")
        made.replace(kept)
    return kept


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

"""A bare Debian, of the release that this machine has, as debootstrap makes it. It is kept for later runs in
~/.cache/orion-tests (or $XDG_CACHE_HOME), a month at most."""
import hashlib
import os
import platform
import shlex
import subprocess
import tempfile
import time
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "orion-tests"
DAY = 24 * 3600
DEBOOTSTRAP_SECONDS = 1200
NEEDLESS = ["proc", "sys", "usr/share/doc", "usr/share/info", "usr/share/locale", "usr/share/man", "var/cache/apt",
            "var/lib/apt/lists"]


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
        raise CannotHave("a Debian of one's own takes root, for debootstrap and chroot")


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


def acquire_options():
    """How this machine's apt gets at its mirrors: proxies, and what it does not check."""
    lines = run("apt-config", "dump", "Acquire").splitlines(keepends=True)
    return "".join(line for line in lines if "IndexTargets" not in line)


def tidy():
    """Removes what is too old, and machines of runs that were killed."""
    for path in CACHE.iterdir():
        if time.time() - path.stat().st_mtime > (30 * DAY if path.suffix == ".tar" else DAY):
            run("rm", "-rf", "--one-file-system", path)


def bare_debian(packages):
    """The file of a Debian that has these packages and what every Debian has."""
    CACHE.mkdir(parents=True, exist_ok=True)
    tidy()
    release = platform.freedesktop_os_release().get("VERSION_CODENAME", "")
    name = hashlib.sha256(" ".join(packages).encode()).hexdigest()[:12]
    kept = CACHE / f"debian-{release}-{name}.tar"
    if kept.exists():
        return kept
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        root, made = Path(folder) / "root", Path(folder) / "made.tar"
        run(*isolated(), "debootstrap", "--variant=minbase", f"--include={','.join(packages)}", release, root, mirror(),
            timeout=DEBOOTSTRAP_SECONDS)
        run("tar", "-C", root, "-cf", made, *(f"--exclude=./{path}/*" for path in NEEDLESS), ".")
        made.replace(kept)
    return kept

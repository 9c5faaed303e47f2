"""A bare Debian 12 as debootstrap makes it, kept for the next time."""
import subprocess
import tempfile
from pathlib import Path

from tests.lib.servers import ROOT

RELEASE = "bookworm"
KEPT = ROOT / "build" / f"{RELEASE}.tar"
MORE = "ca-certificates"  # for mirrors with TLS


def mirror():
    """The one that this machine's apt gets the release from."""
    words = ["apt-get", "indextargets", "--format", "$(SITE) $(RELEASE) $(COMPONENT)", "Created-By: Packages"]
    lines = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout.split("\n")
    found = [line.split()[0] for line in lines if line.endswith(f" {RELEASE} main")]
    if not found:
        raise RuntimeError(f"apt's configuration has no mirror of Debian's {RELEASE}:\n" + "\n".join(lines))
    return found[0]


def make_tree():
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        subprocess.run(["debootstrap", "--variant=minbase", f"--include={MORE}", RELEASE, tree, mirror()], check=True,
                       stdout=subprocess.DEVNULL)
        part = KEPT.with_suffix(".part")
        subprocess.run(["tar", "-C", tree, "--one-file-system", "--exclude=./var/cache/apt/*", "-cf", part, "."],
                       check=True)
        part.replace(KEPT)


def acquire_options():
    """How this machine's apt gets at its mirrors: proxies, and what it does not check."""
    lines = subprocess.run(["apt-config", "dump", "Acquire"], check=True, stdout=subprocess.PIPE, text=True).stdout
    return "".join(line for line in lines.splitlines(keepends=True) if "IndexTargets" not in line)


def unpack(folder):
    """A tree there, made the first time. Needs root. Its packages come from this machine's mirror."""
    if not KEPT.exists():
        make_tree()
    subprocess.run(["tar", "-C", folder, "-xf", KEPT], check=True)
    (folder / "etc/apt/apt.conf.d/90machine").write_text(acquire_options())

#!/usr/bin/env python3
"""tools/wheel.py download WHEEL            fetches the published wheel of Prefect 2.7.12 with pip, checked by its hash
tools/wheel.py member WHEEL NAME FILE    writes one file that is in it

The wheel holds what is not ours to write and not committed: the built dashboard, and the block types of the
collections."""
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

PACKAGE = "prefect==2.7.12"
SHA256 = "a2636cb4690b934202a60cd1693959c1e3c4c1b56bf482db5c851fbcafe5b667"
HINT = f"""The dashboard and the collections' block types come from the published wheel {PACKAGE}, which \
pip could not fetch (see above).
Without a network the program builds without them: configure the build folder anew with

    meson configure {{folder}} -Dui=disabled -Dcollections=disabled

or build the Debian package with `make deb OPTIONS="-Dui=disabled -Dcollections=disabled"`."""


def find_pip():
    """The pip of this Python; a virtual environment may have none, then that of the system's."""
    for python in (sys.executable, "/usr/bin/python3"):
        command = [python, "-m", "pip"]
        try:
            if subprocess.run([*command, "--version"], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL).returncode == 0:
                return command
        except OSError:
            continue
    return None


def download(wheel):
    pip = find_pip()
    if not pip:
        print("pip is missing; the Debian package is python3-pip (tools/setup build installs it).", file=sys.stderr)
        sys.exit(HINT.format(folder=wheel.parent))
    with tempfile.TemporaryDirectory(dir=wheel.parent) as folder:
        pinned = Path(folder) / "pinned.txt"
        pinned.write_text(f"{PACKAGE} --hash=sha256:{SHA256}\n")
        options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:", "--require-hashes",
                   "--retries", "4"]
        done = subprocess.run([*pip, "download", *options, "--dest", folder, "--requirement", pinned],
                              stdin=subprocess.DEVNULL)
        found = list(Path(folder).glob("*.whl"))
        if done.returncode != 0 or len(found) != 1:
            sys.exit(HINT.format(folder=wheel.parent))
        found[0].replace(wheel)


def extract(wheel, name, target):
    with zipfile.ZipFile(wheel) as archive, archive.open(name) as source, open(target, "wb") as out:
        shutil.copyfileobj(source, out)


def main(arguments):
    if len(arguments) == 2 and arguments[0] == "download":
        download(Path(arguments[1]).absolute())
    elif len(arguments) == 4 and arguments[0] == "member":
        extract(*arguments[1:])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])

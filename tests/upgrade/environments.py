"""Older and newer Prefects, each in a virtual environment of its own with pinned packages: made at its first use in the
folder that ORION_TEST_PREFECTS names (default: ~/.cache/orion-test-prefects)."""
import importlib.metadata
import os
import re
import subprocess
import sys
from pathlib import Path

from tests.lib import debian, servers

FOLDER = Path(__file__).parent
CONSTRAINTS = FOLDER / "constraints.txt"
# Of the versions that the constraints are for: whose client needs another version of this package. The two oldest ask
# for gcsfs and s3fs, too, which no longer go together with the rest; they are for storage that nobody here uses.
GRIFFE = {"2.0.0": "0.21.0", "2.2.0": "0.21.0"}
NEEDLESS = ("gcsfs", "s3fs")
PYTHON = Path(sys.base_prefix) / "bin/python3"


def folder_of(version):
    if version == "2.7.12":
        return servers.ROOT / ".venv"
    return Path(os.environ.get("ORION_TEST_PREFECTS", debian.CACHE.with_name("orion-test-prefects")), f"venv-{version}")


def needs(pip):
    """What the installed client asks for, by name."""
    code = "import importlib.metadata as m; print(*m.requires('prefect'), sep='\\n')"
    lines = subprocess.run([pip.parent / "python", "-c", code], check=True, stdout=subprocess.PIPE, text=True).stdout
    names = [re.match(r"[\w.\-]+(\[\w+\])?", line).group() for line in lines.splitlines() if ";" not in line]
    return [name for name in names if name not in NEEDLESS]


def install(version, pip):
    quiet = [pip, "install", "--quiet", "--disable-pip-version-check", "--retries", "10", "--timeout", "60"]
    requirements = FOLDER / f"requirements-{version}.txt"
    if requirements.exists():
        subprocess.run([*quiet, "-r", requirements], check=True)
        return
    subprocess.run([*quiet, "--no-deps", f"prefect=={version}"], check=True)
    # cachetools: what it needs and does not ask for
    griffe = f"griffe=={GRIFFE.get(version, '0.49.0')}"
    subprocess.run([*quiet, "-c", CONSTRAINTS, griffe, "cachetools", *set(needs(pip)) - {"griffe"}], check=True)


def venv(version):
    """The folder of the environment, which is there and complete."""
    folder = folder_of(version)
    done = folder / "installed-prefect.txt"
    if version == "2.7.12" or done.exists() and done.read_text() == version:
        return folder
    subprocess.run([PYTHON, "-m", "venv", "--clear", folder], check=True)
    install(version, folder / "bin/pip")
    done.write_text(version)
    return folder


def environment(version, home, store, **changes):
    """For the commands of a version: its database, everything off that acts by itself, and what was experimental on."""
    settings = {f"PREFECT_{name}_DATABASE_CONNECTION_URL": store.url for name in ("ORION", "API", "SERVER")}
    for prefix in ("ORION", "API"):  # else they say that it is locked
        for name in ("TIMEOUT", "CONNECTION_TIMEOUT"):
            settings[f"PREFECT_{prefix}_DATABASE_{name}"] = "60"
    for service in servers.SERVICES:
        settings[f"PREFECT_API_SERVICES_{service}_ENABLED"] = "false"
    settings.update(PREFECT_SERVER_ANALYTICS_ENABLED="false", PREFECT_EXPERIMENTAL_ENABLE_WORK_POOLS="true",
                    PREFECT_EXPERIMENTAL_ENABLE_WORKERS="true", PYTHONHASHSEED="0", PREFECT_API_URL="")
    found = servers.server_environment(home, **settings, **changes)
    found["PATH"] = f"{venv(version) / 'bin'}:{found['PATH']}"
    return found


def command(version, *words):
    """The command line of its server, which 2.8 renamed."""
    name = "orion" if tuple(map(int, version.split("."))) < (2, 8) else "server"
    return [venv(version) / "bin/prefect", name, *words]

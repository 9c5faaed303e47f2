"""Runs in the environment of a reference, of any version: prints the revisions of its chain in order, then migrates the
database of its settings to each revision that it reads, and prints that when it is there."""
import importlib
import json
import os
import sys

import anyio
from alembic.script import ScriptDirectory


def load(name):
    """A module of the server's database, which 2.8 moved."""
    for package in ("server", "orion"):
        try:
            return importlib.import_module(f"prefect.{package}.database.{name}")
        except ModuleNotFoundError:
            continue
    raise SystemExit(f"There is no server in {sys.prefix}")


async def main():
    answers = os.fdopen(os.dup(1), "w")  # what migrations print goes elsewhere
    os.dup2(2, 1)
    commands = load("alembic_commands")
    config = commands.alembic_config()
    config.set_main_option("version_locations", str(load("dependencies").provide_database_interface().orm.versions_dir))
    revisions = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    print(json.dumps(revisions[::-1]), file=answers, flush=True)
    for line in sys.stdin:
        await anyio.to_thread.run_sync(commands.alembic_upgrade, line.strip())  # from 3.0 on it wants such a thread
        print(line.strip(), file=answers, flush=True)


anyio.run(main)

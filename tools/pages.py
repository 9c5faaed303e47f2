#!/usr/bin/env python3
"""tools/pages.py [--check]: writes what is generated in docs/ anew, or fails where it is out of date.

Both are made from the tables in the program, as `build/orion --describe` prints them. docs/configuration.md: between
`<!-- settings: PATTERN… -->` and `<!-- end -->` the settings whose names fit a pattern; each is in one such table.
docs/commands.md: the commands and their options."""
import fnmatch
import json
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ORION = Path(os.environ.get("ORION_BIN", ROOT / "build/orion"))
CONFIGURATION, COMMANDS = ROOT / "docs/configuration.md", ROOT / "docs/commands.md"

# How the page says what a value may be.
KINDS = {"text": "text", "boolean": "`true`, `false`", "integer": "number", "number": "number", "seconds": "seconds",
         "path": "path", "url": "URL", "level": "level", "time": "time", "size": "size"}

# Where there is more to read about a setting; the first pattern that fits.
MORE = {
    "ORION_ALLOWED_HOSTS": "access.md#which-host-names-are-accepted",
    "ORION_AUTH_STRING": "access.md#people",
    "ORION_BACKUP_*": "maintenance.md#backups-by-the-server",
    "ORION_CORE_DUMPS": "operating.md#core-dumps-and-debuggers",
    "ORION_CORS_ORIGINS": "access.md#which-pages-may-use-the-api",
    "ORION_DATABASE_PGBOUNCER": "scaling.md#estimating-capacity",
    "ORION_DATABASE_MIGRATION_TIMEOUT": "postgresql.md#what-to-expect",
    "ORION_ENCRYPTION_KEY": "access.md#the-key-of-block-documents",
    "ORION_KEYS_FILE": "access.md#keys",
    "ORION_LOG_SLOW": "operating.md#slow-statements",
    "ORION_LOG_*": "operating.md#logs",
    "ORION_METRICS": "operating.md#metrics",
    "ORION_RETENTION_*": "maintenance.md#retention",
    "ORION_ROOT_PATH": "access.md#below-a-path",
    "ORION_STUCK_AFTER": "maintenance.md#runs-that-died",
    "ORION_TRUSTED_PROXIES": "access.md#which-proxies-are-trusted",
    "PREFECT_ORION_DATABASE_CONNECTION_URL": "postgresql.md",
}


def described():
    """What the program says of its tables."""
    return json.loads(subprocess.run([ORION, "--describe"], check=True, stdout=subprocess.PIPE).stdout)


def code(text):
    return f"`{text}`" if text else ""


def setting_row(setting):
    """A setting as a row of the configuration page."""
    more = next((link for pattern, link in MORE.items() if fnmatch.fnmatchcase(setting["name"], pattern)), None)
    choices = ", ".join(map(code, (setting["choices"] or "").split()))
    cells = [code(setting["name"]), choices or KINDS[setting["kind"]], code(setting["default"]),
             setting["help"] + (f" [More]({more})" if more else "")]
    return f"| {' | '.join(cells)} |"


def configuration():
    """The page with its tables as they should be."""
    rows, taken = {setting["name"]: setting_row(setting) for setting in described()["settings"]}, set()

    def table(found):
        names = [name for pattern in found[1].split() for name in fnmatch.filter(rows, pattern) if name not in taken]
        taken.update(names)
        lines = ["| setting | value | default | meaning |", "|---|---|---|---|", *(rows[name] for name in names)]
        return f"<!-- settings: {found[1]} -->\n\n" + "\n".join(lines) + "\n\n<!-- end -->"

    page = re.sub(r"<!-- settings: ([^>]*) -->\n.*?<!-- end -->", table, CONFIGURATION.read_text(), flags=re.S)
    assert taken == set(rows), f"in no table of {CONFIGURATION.name}: {', '.join(sorted(set(rows) - taken))}"
    return page


# ---- commands ----

PREFACE = """# Commands

<!-- Made from the command table by tools/pages.py. -->

`orion COMMAND --help` prints what is here. Besides its own options each command takes `--help` and `--config FILE`; in
front of it may stand `-p NAME`, which makes that profile override all other settings. The exit status is 0 after
success, 1 after a failure, and 2 if the command was called in a wrong way.

Installed under the name `prefect`, or called with `orion` or `server` as the first word, the program behaves the same:
commands from the Prefect guides, such as `prefect orion start`, work unchanged; `prefect server` is
[Prefect 3's](#commands-of-prefect-3). Commands that belong to the Python
client (`deployment`, `flow-run`, `agent`, …) say so and exit with 2; keep using the client for them.
"""


NEWER = """
## Commands of Prefect 3

`config` is Prefect 3's where generation 3 is chosen (`ORION_GENERATION=3`): it shows and stores settings by the names
of 3.8.3. What begins with `prefect server` is there where the program is called by the name `prefect`; it reads the
[files of Prefect 3](configuration.md#files-of-prefect-3), takes the options of 3.8.3 beside this program's own, and
makes a database of the chosen generation, 2.7 by default. `prefect server start --background` keeps the server's
process in `server.pid` in `PREFECT_HOME` until `prefect server stop`.

| command | | options |
|---|---|---|
"""


def option_row(option):
    """An option of a command; where it overrides a setting, with that and its default."""
    names = [f"-{option['letter']}"] if option["letter"] else []
    names += [f"--{option['name']}"] if option["name"] else []
    names += [f"--{option['negative']}"] if option["negative"] else []
    value = f" {option['value']}" if option["value"] else ""
    setting = f" Overrides [`{option['setting']}`](configuration.md)" if option["setting"] else ""
    setting += f", by default {code(option['default'])}." if setting else ""
    return f"| `{', '.join(names)}{value}` | {option['help']}{setting} |"


def command_section(command, all_commands):
    path, level = command["path"], "###" if " " in command["path"] else "##"
    lines = ["", f"{level} orion {path}", "", command["help"]]
    rows = [option_row(option) for option in command["options"]]
    if command["kind"] == "group":
        rows = [f"| [`orion {one['path']}`](#orion-{one['path'].replace(' ', '-')}) | {one['help']} |"
                for one in all_commands if one["path"].rpartition(" ")[0] == path]
    if command["arguments"]:
        lines += ["", f"`orion {path} [OPTIONS] {command['arguments']}`"]
    if rows:
        lines += ["", f"| {'command' if command['kind'] == 'group' else 'option'} | |", "|---|---|", *rows]
    return "\n".join(lines) + "\n"


def commands():
    tables = described()
    own = [command for command in tables["commands"] if command["kind"] in ("own", "group")]
    rows = [f"| [`orion {one['path']}`](#orion-{one['path']}) | {one['help']} |" for one in own
            if " " not in one["path"]]
    sections = [command_section(one, own) for one in own]
    newer = [newer_row(one) for one in tables["commands"] if one["kind"] == "prefect 3" and one["path"] != "server"]
    return PREFACE + "\n".join(["", "| command | |", "|---|---|", *rows]) + "\n" + "".join(sections) + \
        NEWER + "\n".join(newer) + "\n"


def newer_row(command):
    """A command of Prefect 3, with its options in one cell."""
    names = ", ".join(code(f"--{one['name']}" + (f" {one['value']}" if one["value"] else ""))
                      for one in command["options"])
    program = "prefect" if command["path"].startswith("server") else "orion"
    arguments = f" {command['arguments']}" if command["arguments"] else ""
    return f"| `{program} {command['path']}{arguments}` | {command['help']} | {names} |"


GENERATED = {CONFIGURATION: configuration, COMMANDS: commands}


def outdated():
    """The pages that are not as they should be."""
    return [path for path, generate in GENERATED.items() if not path.exists() or path.read_text() != generate()]


def main():
    stale = outdated()
    if "--check" in sys.argv[1:]:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is out of date: run tools/pages.py", file=sys.stderr)
        return int(bool(stale))
    for path in stale:
        path.write_text(GENERATED[path]())
        print(f"{path.relative_to(ROOT)} is written anew")
    return 0


if __name__ == "__main__":
    sys.exit(main())

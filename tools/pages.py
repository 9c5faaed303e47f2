#!/usr/bin/env python3
"""tools/pages.py [--check]: writes what is generated in docs/ anew, or fails where it is out of date.

docs/configuration.md: between `<!-- settings: PATTERN… -->` and `<!-- end -->` the rows of src/config/settings_table.c
whose names fit a pattern; each setting is in one such table. docs/commands.md: what `build/orion --help` and the help
of each command say."""
import fnmatch
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
ORION = Path(os.environ.get("ORION_BIN", ROOT / "build/orion"))
CONFIGURATION, COMMANDS = ROOT / "docs/configuration.md", ROOT / "docs/commands.md"

# How the page says what a value may be.
KINDS = {"TEXT": "text", "BOOL": "`true`, `false`", "INT": "number", "FLOAT": "number", "SECONDS": "seconds",
         "PATH": "path", "URL": "URL", "LEVEL": "level", "TIME": "time", "SIZE": "size"}

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


class Setting(NamedTuple):
    name: str
    kind: str
    default: str
    help: str

    def row(self):
        more = next((link for pattern, link in MORE.items() if fnmatch.fnmatchcase(self.name, pattern)), None)
        link = f" [More]({more})" if more else ""
        return f"| `{self.name}` | {self.kind} | {self.default} | {self.help}{link} |"


STRING = r'"((?:[^"\\]|\\.)*)"'
ROW = re.compile(rf'\{{ {STRING}, SETTING_(\w+), (?:NULL|{STRING}),(.*?)\.help = ((?:\s*{STRING})+)', re.S)


def settings():
    """The rows of the table."""
    found = []
    text = (ROOT / "src/config/settings_table.c").read_text()
    for name, kind, default, flags, words, _ in ROW.findall(text):
        choices = re.search(rf"\.choices = {STRING}", flags)
        kind = ", ".join(f"`{one}`" for one in choices[1].split()) if choices else KINDS[kind]
        found.append(Setting(name, kind, f"`{default}`" if default else "", "".join(re.findall(STRING, words))))
    assert len(found) == len(re.findall(r"^    \{ \"", text, re.M)), "a row of the table is written in another way"
    return found


def configuration():
    """The page with its tables as they should be."""
    rows, taken = {setting.name: setting for setting in settings()}, set()

    def table(found):
        names = [name for pattern in found[1].split() for name in fnmatch.filter(rows, pattern) if name not in taken]
        taken.update(names)
        lines = ["| setting | value | default | meaning |", "|---|---|---|---|", *(rows[name].row() for name in names)]
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
commands from the Prefect guides, such as `prefect orion start`, work unchanged. Commands that belong to the Python
client (`deployment`, `flow-run`, `agent`, …) say so and exit with 2; keep using the client for them.
"""
COMMON = ("--help", "--config FILE")


def help_of(words):
    environment = {"PATH": os.environ["PATH"], "HOME": "/home/me", "LC_ALL": "C.UTF-8"}
    return subprocess.run([ORION, *words, "--help"], env=environment, check=True, stdout=subprocess.PIPE,
                          text=True).stdout


def section(text, heading):
    """(name, what it says) for each entry below a heading."""
    lines = text.partition(f"\n{heading}\n")[2].partition("\n\n")[0].splitlines()
    entries = []
    for line in lines:
        name, _, words = line[2:].partition("  ") if line[2:3] != " " else ("", "", line)
        if name and not words:  # no two spaces after a name that fills its column
            name, _, words = line[2:].rpartition("  ")
        if name:
            entries.append((name.strip(), words.strip()))
        else:
            entries[-1] = (entries[-1][0], f"{entries[-1][1]} {words.strip()}")
    return entries


def escaped(text):
    return text.replace("|", "\\|")


def command_page(words):
    """A command, or a group with its commands."""
    text = help_of(words)
    usage, summary = text.split("\n")[0].removeprefix("Usage: "), text.split("\n")[2]
    title = "orion " + " ".join(words)
    commands = section(text, "Commands")
    level = "##" if len(words) == 1 else "###"
    lines = [f"\n{level} {title}\n", summary + "\n"]
    if commands:
        lines += ["| command | |", "|---|---|", *(
            f"| [`{title} {name}`](#{f'{title} {name}'.replace(' ', '-')}) | {escaped(what)} |"
            for name, what in commands), ""]
        return "\n".join(lines).rstrip("\n") + "\n" + "".join(command_page([*words, name]) for name, _ in commands)
    options = [(name, what) for name, what in section(text, "Options") if name not in COMMON]
    if usage != f"{title} [OPTIONS]":
        lines.append(f"`{usage}`\n")
    if options:
        lines += ["| option | |", "|---|---|", *(f"| `{escaped(name)}` | {escaped(what)} |" for name, what in options)]
    return "\n".join(lines).rstrip("\n") + "\n"


def commands():
    text = help_of([])
    rows = [f"| [`orion {name}`](#orion-{name}) | {what} |" for name, what in section(text, "Commands")]
    table = "\n".join(["", "| command | |", "|---|---|", *rows]) + "\n"
    return PREFACE + table + "".join(command_page([name]) for name, _ in section(text, "Commands"))


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

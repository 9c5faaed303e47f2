"""Does what a page says, block by block, as a reader would who starts with an empty home.

| language | what is done |
|---|---|
| `sh` | run; each command must succeed |
| `console` | the commands after `$` are run, and must print what follows them |
| `text` | not run: its lines must be in what the page's commands and servers have printed so far |
| `toml` | is `orion.toml`: `orion config check` must find nothing |
| `python`, `json`, `yaml`, `nginx`, `caddy`, `ini` | checked by the language's own program |

A block that the page says is a file (`pages.NAMED_FILE`) is written there. In what is shown, `…` stands for anything,
a line of it for any lines; times, ids and measured amounts may be others."""
import contextlib
import functools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

from tests.docs import pages, stand_in_path
from tests.lib import postgres, proxies, servers

TIMEOUT = 120  # of a block

# What may be another one each time, wherever a page shows it: the first that fits.
WILDCARDS = [
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?",
    r"\d\d:\d\d:\d\d(?:\.\d+)?",
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    r"\b[0-9a-f]{16}\b",
    r"\b\d+(?:\.\d+)? ?(?:µs|ms|s)\b",
    r"\b\d+(?:\.\d+)? ?(?:B|kB|MB|GB)\b",
]


def line_pattern(line):
    """A line as a regular expression: spaces count as one, and what may differ differs."""
    parts, rest = [], line.strip()
    finder = re.compile("|".join(f"({one})" for one in [*WILDCARDS, "…", r"\s+"]))
    while found := finder.search(rest):
        wildcard = ([*WILDCARDS, ".*", r"\s+"])[found.lastindex - 1]
        parts += [re.escape(rest[:found.start()]), f"(?:{wildcard})"]
        rest = rest[found.end():]
    return "".join(parts) + re.escape(rest)


def shows(expected, output):
    """Whether the output is what is expected."""
    lines = [r"(?:.*\n)*" if line.strip() == "…" else rf"\s*{line_pattern(line)}[ \t]*\n"
             for line in expected.splitlines()]
    return re.fullmatch("".join(lines), output if output.endswith("\n") or not output else output + "\n") is not None


def verify_unit(text, folder):
    """What systemd has to say about a unit: its exit status, and its words."""
    file = Path(folder) / "checked.service"
    file.write_text(text if "ExecStart=" in text else f"{text}\n[Service]\nExecStart=/bin/true\n")
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", file], text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIMEOUT)
    return done.returncode, done.stdout


@functools.cache
def can_verify_units():
    """False where there is no systemd, or where it cannot judge the simplest unit, as in some containers."""
    with tempfile.TemporaryDirectory() as folder:
        return shutil.which("systemd-analyze") is not None and verify_unit("", folder)[0] == 0


class Reader:
    """A home, a shell that keeps its folder and variables from block to block, and ports of its own behind the ones
    that the page says."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.home = self.folder / "home"
        self.programs = self.folder / "programs"
        for name in ("home", "programs", "run", "var/lib/orion", "etc/orion", "backups"):
            (self.folder / name).mkdir(parents=True)
        for name in ("orion", "prefect", "sudo", "systemctl", "stop-all", "apt", "apt-get", "pip"):
            (self.programs / name).symlink_to(stand_in_path)
        self.cluster = None
        self.printed = ""
        first, second = postgres.free_port(), postgres.free_port()
        # What a page says, and what it is here.
        self.here = {"4200": str(first), "4201": str(second), "/etc/orion": f"{self.folder}/etc/orion",
                     "/var/lib/orion": f"{self.folder}/var/lib/orion", "/backups": f"{self.folder}/backups"}
        self.environment = self._environment(first)
        settings = self.localized((servers.ROOT / "packaging/debian/orion.toml").read_text())
        (self.folder / "etc/orion/orion.toml").write_text(settings)

    def _environment(self, port):
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith(("PREFECT_", "ORION_", "PG"))}
        python = servers.REFERENCE_BIN.parent
        return environment | {
            "HOME": str(self.home), "PATH": f"{self.programs}:{python}:{environment['PATH']}", "LC_ALL": "C.UTF-8",
            "COLUMNS": "120", "NO_COLOR": "1", "no_proxy": "127.0.0.1", "PREFECT_ORION_API_PORT": str(port),
            "PREFECT_ORION_ANALYTICS_ENABLED": "false", "DOCS_ORION": str(servers.ORION_BIN),
            "DOCS_PREFECT": str(servers.REFERENCE_BIN), "DOCS_RUN": str(self.folder / "run"),
            "DOCS_CONFIG": str(self.folder / "etc/orion/orion.toml")}

    def use_postgres(self):
        if not self.cluster:
            self.cluster = postgres.cluster()
            self.environment["PGPORT"] = str(self.cluster.port)
            self.environment["PATH"] += f":{self.cluster.bin}"
            self.here["5432"] = str(self.cluster.port)

    def close(self):
        subprocess.run([self.programs / "stop-all"], env=self.environment, check=True, timeout=TIMEOUT)
        if self.cluster:
            for name, in self.cluster.execute("postgres", "SELECT datname FROM pg_database WHERE datname = 'orion'"):
                self.cluster.drop_database(name)
            self.cluster.execute("postgres", "DROP ROLE IF EXISTS orion")

    def localized(self, text):
        """The text with what it is here in the place of what the page says."""
        for said, here in self.here.items():
            text = re.sub(rf"(?<![\w.]){re.escape(said)}(?!\w)", here, text)
        return text

    def logs(self):
        return "".join(log.read_text(errors="replace") for log in sorted(self.folder.glob("server-*.log")))

    def shell(self, script):
        """Runs it where the last one ended, with the variables that it left; (exit status, what it printed)."""
        state = self.folder / "state"
        script = (f"trap '{{ export -p; echo cd \"$PWD\"; }} > {state}' EXIT\n"
                  f"if [ -e {state} ]; then . {state}; else cd; fi\n{script}")
        with tempfile.TemporaryFile("w+") as output:  # not a pipe, which servers would keep open
            done = subprocess.run(["bash", "-e", "-o", "pipefail", "-c", script], env=self.environment,
                                  stdin=subprocess.DEVNULL, stdout=output, stderr=output, timeout=TIMEOUT)
            output.seek(0)
            printed = output.read()
        self.printed += printed
        return done.returncode, printed

    # ---- blocks, by language ----

    def run_sh(self, block, text):
        status, printed = self.shell(text)
        if status != 0:
            block.fail(f"this ends with {status}:\n{text}\n{printed}{self.logs()}")

    def run_console(self, block, text):
        if not text.startswith("$ "):
            block.fail("a console begins with $ and a command")
        for part in re.split(r"^\$ ", text, flags=re.M)[1:]:
            command, expected = re.fullmatch(r"((?:[^\n]*\\\n)*[^\n]*\n)((?s:.*))", part).groups()
            _, printed = self.shell(command)
            if not shows(expected, printed):
                block.fail(f"{command}should print\n{expected}\nbut prints\n{printed}")

    def run_text(self, block, text):
        printed = self.printed + self.logs()
        for line in text.splitlines():
            if line.strip() and not re.search(rf"^\s*{line_pattern(line)}\s*$", printed, re.M):
                block.fail(f"nothing on this page has printed\n{line}\nbut\n{printed[-4000:]}")

    def run_toml(self, block, text):
        file = self.folder / "checked.toml"
        file.write_text(text)
        self.check(block, servers.ORION_BIN, "config", "check", "--config", file)

    def run_python(self, block, text):
        self.check(block, sys.executable, "-c", text)

    def run_json(self, block, text):
        json.loads(text)

    def run_yaml(self, block, text):
        content = yaml.safe_load(text)
        if "scrape_configs" in content:
            file = self.folder / "prometheus.yml"
            file.write_text(text)
            self.check(block, "promtool", "check", "config", "--syntax-only", file)
        elif "groups" in content:
            file = self.folder / "rules.yml"
            file.write_text(text)
            self.check(block, "promtool", "check", "rules", file)

    def run_nginx(self, block, text):
        certificate, key = proxies.make_certificate(self.folder, "orion.example")
        text = text.replace("/etc/ssl/orion.example.pem", str(certificate)) \
            .replace("/etc/ssl/orion.example.key", str(key))
        text = text if re.search(r"^server {", text, re.M) else f"server {{\n{text}\n}}"
        file = self.folder / "nginx.conf"
        file.write_text(proxies.NGINX_MAIN.format(folder=self.folder, user="", servers=text))
        self.check(block, proxies.NGINX, "-t", "-e", self.folder / "log", "-p", self.folder, "-c", file)

    def run_caddy(self, block, text):
        file = self.folder / "Caddyfile"
        file.write_text(text)
        if shutil.which("caddy"):
            self.check(block, "caddy", "adapt", "--adapter", "caddyfile", "--config", file)
        elif text.count("{") != text.count("}"):
            block.fail("its braces do not match")

    def run_ini(self, block, text):
        """Settings of systemd, a part of a unit."""
        if can_verify_units():
            status, said = verify_unit(text, self.folder)
            if status != 0:
                block.fail(f"systemd-analyze says of it:\n{said}")

    def check(self, block, *command):
        done = subprocess.run([str(word) for word in command], env=self.environment, cwd=self.home, text=True,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=TIMEOUT)
        if done.returncode != 0:
            block.fail(f"{command[0]} says of it:\n{done.stdout}")

    def run(self, block):
        text = self.localized(block.text)
        if block.file:
            path = Path(self.localized(block.file).replace("~", str(self.home)))
            path = path if path.is_absolute() else self.home / path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            if block.language == "python":
                return
        run = getattr(self, f"run_{block.language}", None)
        if not run:
            block.fail(f"nobody knows how to try {block.language}")
        try:
            run(block, text)
        except (json.JSONDecodeError, yaml.YAMLError, subprocess.TimeoutExpired) as error:
            block.fail(str(error))


@contextlib.contextmanager
def reading():
    folder = tempfile.mkdtemp(prefix="orion-docs-")
    reader = Reader(folder)
    try:
        yield reader
    finally:
        reader.close()
        shutil.rmtree(folder, ignore_errors=True)


def read(path, left_out=()):
    """Does what the page says, without the blocks in `left_out`; how many were tried. Broken: what is wrong."""
    blocks = [block for block in pages.blocks(path) if block.title not in left_out]
    with reading() as reader:
        if any("postgres" in block.text for block in blocks if block.language in pages.SHELLS):
            reader.use_postgres()
        for block in blocks:
            reader.run(block)
    return len(blocks)

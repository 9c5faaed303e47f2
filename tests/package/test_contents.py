"""What is in the package: Debian's rules, the unit's sandbox, manual pages, completions, settings, licences."""
import gzip
import json
import os
import re
import subprocess

import pytest

from tests.lib import servers
from tests.package.machine import run

EXPOSURE = 2.0  # what `systemd-analyze security` may find at most; 10 is a service that may do everything
COMPLETIONS = {"bash": "usr/share/bash-completion/completions/orion.bash",
               "zsh": "usr/share/zsh/vendor-completions/_orion",
               "fish": "usr/share/fish/vendor_completions.d/orion.fish"}


def program(files):
    return files / "usr/bin/orion"


def described(files):
    return json.loads(run(program(files), "--describe"))


# ---- Debian's rules ----

def test_lintian_finds_nothing_but_what_is_listed_with_a_reason(package):
    run("lintian", "--fail-on=error,warning,info", "--tag-display-limit=0", "--allow-root", package)


def test_every_exception_has_a_reason():
    lines = (servers.ROOT / "packaging/debian/orion.lintian-overrides").read_text().splitlines()
    for before, line in zip(["", *lines], lines):
        assert line.startswith("#") or before.startswith("#"), line


def test_the_program_is_the_one_that_make_builds(files):
    """With the same protections, though Debian's flags differ from ours."""
    segments = run("readelf", "-Wld", program(files))
    assert "GNU_RELRO" in segments and "BIND_NOW" in segments and "PIE" in segments
    ours = json.loads(run(servers.ORION_BIN, "--describe"))
    assert described(files) == ours


# ---- the unit ----

def test_the_unit_may_do_little(files):
    unit = files / "lib/systemd/system/orion.service"
    output = run("systemd-analyze", "security", "--offline=true", "--no-pager", unit)
    assert float(re.search(r"exposure level for orion\.service: ([0-9.]+)", output)[1]) < EXPOSURE


def test_the_unit_has_no_mistakes(files):
    environment = dict(os.environ, SYSTEMD_UNIT_PATH=f"{files}/lib/systemd/system:")
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", "orion.service"], env=environment,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    lines = [line for line in done.stdout.splitlines() if "orion" in line]
    assert [line for line in lines if "/usr/bin/orion is not executable" not in line] == []


# ---- settings ----

def uncommented(files):
    text = (files / "etc/orion/orion.toml").read_text()
    return re.sub(r"(?m)^#([A-Z_]+ = )", r"\1", text)


def test_every_line_of_the_settings_can_be_used(files, tmp_path):
    text = uncommented(files)
    assert len(re.findall(r"(?m)^[A-Z_]+ = ", text)) > 8
    path = tmp_path / "orion.toml"
    path.write_text(text.replace("/var/lib/orion", str(tmp_path)))
    run(program(files), "config", "check", "--config", path, env=servers.server_environment(tmp_path))


# ---- manual pages ----

@pytest.fixture(scope="session", params=["man1/orion.1", "man5/orion.toml.5"])
def page(request, files, tmp_path_factory):
    packed = files / f"usr/share/man/{request.param}.gz"
    path = tmp_path_factory.mktemp("pages") / packed.stem
    path.write_bytes(gzip.decompress(packed.read_bytes()))
    return path


def test_manual_pages_have_no_mistakes(page):
    assert run("mandoc", "-T", "lint", "-W", "warning", page) == ""


def test_manual_pages_are_shown_without_warnings(page):
    environment = dict(os.environ, LC_ALL="C.UTF-8", MANROFFSEQ="", MANWIDTH="80")
    done = subprocess.run(["man", "--warnings", "--encoding=UTF-8", "--local-file", "--troff-device=utf8",
                           "--ditroff", page], env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def shown(page):
    text = run("mandoc", "-T", "utf8", "-O", "width=200", page)
    return re.sub(r".\x08", "", text)


def test_manual_pages_have_everything(page, files):
    text, tables = shown(page), described(files)
    if page.name == "orion.1":
        own = [command for command in tables["commands"] if command["kind"] == "own"]
        assert len(own) > 30
        wanted = [f"orion {command['path']}" for command in own]
        wanted += [f"--{option['name']}" for command in own for option in command["options"] if option["name"]]
    else:
        wanted = [setting["name"] for setting in tables["settings"] if setting["of"] != "client"]
    assert [words for words in wanted if words not in text] == []


# ---- completions ----

LINES = {  # what is typed -> some of what may follow, and something that may not
    "orion ": ({"start", "status", "database", "config"}, "agent"),
    "orion da": ({"database"}, "start"),
    "orion database ": ({"copy", "check", "indexes"}, "start"),
    "orion database indexes ": ({"ls", "make", "drop"}, "copy"),
    "orion database copy --f": ({"--from", "--force"}, "--to"),
    "orion --config /etc/hosts key ": ({"create", "list", "revoke"}, "start"),
    "orion server st": ({"start", "status"}, "database"),
    "orion start --log-format ": ({"text", "json", "logfmt"}, "start"),
    "orion config unset ORION_LOG": ({"ORION_LOG_ACCESS", "ORION_LOG_SLOW"}, "ORION_METRICS"),
    "orion config set ORION_MET": ({"ORION_METRICS="}, "ORION_METRICS"),
    "orion database backup /etc/host": ({"/etc/hosts"}, "copy"),
}
BASH = """source "$1"; read -ra COMP_WORDS <<<"$2"; [[ $2 == *" " ]] && COMP_WORDS+=("")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _orion; printf '%s\\n' "${COMPREPLY[@]}\""""
FISH = "source $argv[1]; complete -C $argv[2]"


@pytest.mark.parametrize("shell", COMPLETIONS)
def test_completions_can_be_read(shell, files):
    run(shell, "-n", files / COMPLETIONS[shell])


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("shell", ["bash", "fish"])
def test_completions(shell, line, files, tmp_path):
    arguments = ["-c", BASH, "bash"] if shell == "bash" else ["-c", FISH]
    output = run(shell, *arguments, files / COMPLETIONS[shell], line, env=dict(os.environ, HOME=str(tmp_path)))
    words = {text.split("\t")[0] for text in output.splitlines()}
    follow, never = LINES[line]
    assert follow <= words and never not in words


ZSH = """_arguments() { print -rl -- $words[CURRENT] $@ }
words=(${=1}); [[ $1 == *" " ]] && words+=(""); CURRENT=$#words; source $2"""


def test_completions_of_zsh_know_the_command(files):
    """What they hand to _arguments, zsh's own."""
    line, script = "orion server database copy --f", files / COMPLETIONS["zsh"]
    lines = run("zsh", "-f", "-c", ZSH, "zsh", line, script).splitlines()
    assert any(one.startswith("--from=[") for one in lines) and not any("--older-than" in one for one in lines)


# ---- licences ----

def test_the_notices_of_the_dashboard_are_there(files):
    folder = files / "usr/share/doc/orion"
    notices, copyright_file = (folder / "NOTICES").read_text(), (folder / "copyright").read_text()
    for owner in ("Prefect Technologies", "Eduardo San Martin Morote", "Abdelrahman Awad", "Lea Verou",
                  "Armin Ronacher"):
        assert owner in notices and owner in copyright_file
    assert "IN NO EVENT SHALL THE COPYRIGHT" in notices


def test_the_documentation_is_there(files):
    folder = files / "usr/share/doc/orion"
    text = (folder / "README.md").read_text()
    linked = {name.partition("#")[0] for name in re.findall(r"\]\(([\w/.#-]+\.md[^)]*)\)", text)}
    assert len(linked) > 5
    assert [name for name in linked if not (folder / name).exists()] == []

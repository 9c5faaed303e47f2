"""Texts for each kind of setting, in the environment and in a profile: ours takes what the reference takes, and reads
the same."""
import json
import os
import re
import subprocess

import pytest

from tests.lib import servers

SETTINGS = ["PREFECT_AGENT_QUERY_INTERVAL", "PREFECT_ORION_DATABASE_TIMEOUT", "PREFECT_ORION_API_DEFAULT_LIMIT",
            "PREFECT_AGENT_PREFETCH_SECONDS", "PREFECT_DEBUG_MODE", "PREFECT_ORION_SERVICES_LATE_RUNS_AFTER_SECONDS"]
TEXTS = ["inf", "-inf", "+inf", "Inf", "INFINITY", "infinity", "nan", "NaN", "-nan", "1e3", "1E3", "1e400", "-1e400",
         "1_000", "1__0", "_1", "1_", " 5 ", "\t5\n", "0x10", "1e", "1.", "-.5", ".5", "+5", "--5", "5.0", "5.5", "",
         "true", "True", "yes", "on", "1", "0", "t", "n", "maybe", " true", "1e-400", "99999999999999999", "1e19",
         "inf_", "in_f", "1.5e3_0", "P1D", "1:00", "0:00:05", "1 day", "5s", "00:00:05.5", "-5", "P1W", "PT5S",
         "1 00:00:01", "\u0663", "\uff11\uff12", "\u0663_\u0664", "-\u06635", "\u0663.\u0665", "1e\u0663", "\U0001d7d7",
         "\u00b2", "\u2212" "5", "\u00a05\u00a0", "\u2003" "7\u3000", "\x1c5\x1f", "\x855", "\x0b5\x0c", "\u200b5",
         "\ufeff5", "1\u00a00", "\u0661 \u0662:\u0663:\u0664", "P\u0661DT\u0662.5S", "\u0665s", "0\u0663", "9" * 20,
         "5" * 60, "1" + "0" * 400, "0." + "3" * 600, " " * 600 + "5", "0" * 600 + "5", "0" * 4299 + "5",
         "0" * 4300 + "5", "7" * 4301, "1_" * 2000 + "1"]
LITERALS = ["inf", "-inf", "+inf", "nan", "+nan", "1e3", "1_000", "true", "false", "1.5", "1.0", "0.0", "0x10", "[1]",
            "-5", "0", "2", "1e300", "-1e300", "1e19", "9007199254740993.0", "123456789012345678.9", "1e999", "-0.5",
            "1e-400", "9223372036854775807", "-9223372036854775809", '"\u0663"', '"\u00a05"']
ASK = """
import json, sys, toml
from prefect.settings import Settings
def ask(name, value):
    try:
        value, error = Settings.__fields__[name].validate(value, {}, loc=name)
    except OverflowError:
        return None
    return None if error else str(value)
names, texts, literals = json.load(sys.stdin)
print(json.dumps({name: [[ask(name, text) for text in texts], \
[ask(name, toml.loads("x = " + text)["x"]) for text in literals]] for name in names}))
"""


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    environment = {"PATH": os.environ["PATH"], "PREFECT_HOME": str(tmp_path_factory.mktemp("reference"))}
    done = subprocess.run([str(servers.REFERENCE_BIN.parent / "python"), "-c", ASK],
                          input=json.dumps([SETTINGS, TEXTS, LITERALS]), text=True, env=environment,
                          stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def value_of(home, setting, **env):
    done = subprocess.run([str(servers.ORION_BIN), "config", "view", "--hide-sources"], text=True, capture_output=True,
                          env={"PATH": os.environ["PATH"], "HOME": str(home), "PREFECT_HOME": str(home), **env})
    assert done.returncode == 0 or setting in done.stderr, done.stderr
    found = re.search(rf"^{setting}='([^']*)'$", done.stdout, re.M)
    return found[1] if found and done.returncode == 0 else None


@pytest.mark.parametrize("setting", SETTINGS)
def test_values(expected, tmp_path, setting):
    """The server itself takes no infinite timeout: a listed difference."""
    def meant(value):
        return None if setting == "PREFECT_ORION_DATABASE_TIMEOUT" and value in ("inf", "-inf", "nan") else value

    texts, literals = expected[setting]
    assert {text: value_of(tmp_path, setting, **{setting: text}) for text in TEXTS} == \
        dict(zip(TEXTS, map(meant, texts)))
    for literal, value in zip(LITERALS, literals):
        (tmp_path / "profiles.toml").write_text(f"[profiles.default]\n{setting} = {literal}\n")
        assert (literal, value_of(tmp_path, setting)) == (literal, meant(value))


@pytest.mark.parametrize("text", ["70000", "70_000", " 70000 ", "\u0667\u0660\u0660\u0660\u0660", "\u00a070000",
                                  "70000.0", "7e4", "", "0x11170", "70_000_", "-70000"])
def test_numbers_of_options(tmp_path, text):
    """As int() reads them, by which the reference's options go."""
    try:
        reason = f"Port {int(text)} is not between"
    except ValueError:
        reason = f"Invalid value for '--port': {text!r} is not a valid integer."
    done = subprocess.run([str(servers.ORION_BIN), "start", f"--port={text}"], text=True, capture_output=True,
                          timeout=20, env={"PATH": os.environ["PATH"], "PREFECT_HOME": str(tmp_path)})
    assert done.returncode in (1, 2) and reason in done.stderr, done

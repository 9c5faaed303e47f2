"""Bytes that are not UTF-8 in a setting or in profiles.toml are refused, with the place named."""
import os
import subprocess

import pytest

import servers


@pytest.mark.parametrize("env, text, part", [
    ({"PREFECT_API_URL": b"a\xff"}, b"", b"PREFECT_API_URL\n  value is not UTF-8"),
    ({"PREFECT_HOME": b"/tmp/\xff"}, b"", b"PREFECT_HOME\n  value is not UTF-8"),
    ({}, b'[profiles.default]\nPREFECT_API_URL = "\xff"\n', b"profiles.toml is not UTF-8"),
])
def test_refused(tmp_path, env, text, part):
    (tmp_path / "profiles.toml").write_bytes(text)
    done = subprocess.run([str(servers.ORION_BIN), "config", "view"], env={"PATH": os.environ["PATH"], "PREFECT_HOME": str(tmp_path), **env},
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 1 and part in done.stdout and b"\xff" not in done.stdout

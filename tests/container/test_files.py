"""packaging/Containerfile and compose.yaml: what can be said of them without running them."""
import platform
import re
import shlex
import subprocess

import pytest
import yaml

from tests.lib.servers import ORION_BIN, ROOT

PACKAGING = ROOT / "packaging"
LOADED = ["libcurl.so.4", "libpq.so.5"]  # by src/base/library.c, when they are needed
BASE = {"libc6"}  # what any Debian has


def instructions():
    """(word, rest of the line) of each, with continued lines put together."""
    text = re.sub(r"^\s*#.*\n", "", (PACKAGING / "Containerfile").read_text(), flags=re.MULTILINE)
    text = text.replace("\\\n", " ")
    return [tuple(line.split(None, 1)) for line in text.splitlines() if line.strip()]


def stages():
    """Of each stage: its instructions as a dictionary of lists."""
    found = []
    for word, rest in instructions():
        if word == "FROM":
            found.append({})
        if found:
            found[-1].setdefault(word, []).append(rest)
    return found


def packages(stage):
    words = shlex.split(stage["RUN"][0])
    names = words[words.index("install") + 1:]
    return {name for name in names[:names.index("&&")] if not name.startswith("-")}


def exec_form(text):
    """The words of an instruction that starts a program without a shell, which would keep signals from it."""
    assert text.startswith("["), text
    return yaml.safe_load(text)


def test_both_stages_come_from_the_base_that_is_asked_for():
    assert instructions()[0] == ("ARG", "BASE=docker.io/library/debian:bookworm-slim")
    assert [stage["FROM"] for stage in stages()] == [["${BASE} AS build"], ["${BASE}"]]


def test_the_build_has_the_packages_that_setup_installs():
    [setup] = re.findall(r"^build=\((.*)\)$", (ROOT / "tools/setup").read_text(), re.MULTILINE)
    assert packages(stages()[0]) - {"ca-certificates"} == set(setup.split()) - {"tzdata"}
    for source in stages()[0]["COPY"]:
        for name in source.split()[:-1]:
            assert (ROOT / name).exists(), name


def owners_of(libraries):
    """The packages that have them on this machine."""
    names = [f"*/{platform.machine()}-linux-gnu/{library}" for library in libraries]
    done = subprocess.run(["dpkg", "-S", *names], check=True, stdout=subprocess.PIPE, text=True)
    return {line.split(":")[0] for line in done.stdout.splitlines()}


def test_the_image_has_the_libraries_and_nothing_to_build_with():
    shown = subprocess.run(["readelf", "-d", ORION_BIN], check=True, stdout=subprocess.PIPE, text=True).stdout
    libraries = re.findall(r"\(NEEDED\).*\[(.*)\]", shown) + LOADED
    assert "libsqlite3.so.0" in libraries
    needed = owners_of(name for name in libraries if not name.startswith(("libasan", "libubsan", "libtsan")))
    assert packages(stages()[1]) == needed - BASE | {"ca-certificates", "tzdata"}


def test_the_image_runs_as_a_user_of_a_fixed_number():
    last = stages()[1]
    [user] = last["USER"]
    number, group = map(int, user.split(":"))
    assert f"--uid {number} --gid {group}" in last["RUN"][0] and number > 0 < group
    assert last["VOLUME"] == ["/var/lib/orion"] and "-m 0700 -o orion -g orion /var/lib/orion" in last["RUN"][0]
    assert dict(pair.split("=") for pair in last["ENV"][0].split()) == {"PREFECT_HOME": "/var/lib/orion",
                                                                       "PREFECT_ORION_API_HOST": "0.0.0.0"}


def test_the_image_starts_the_server_and_asks_it_how_it_is():
    last = stages()[1]
    assert exec_form(last["ENTRYPOINT"][0]) + exec_form(last["CMD"][0]) == ["orion", "start"]
    options, command = last["HEALTHCHECK"][0].split(" CMD ")
    assert exec_form(command) == ["orion", "status", "--check"]
    assert 5 < float(re.search(r"--timeout=(\d+)s", options)[1]) < 10  # the command itself ends after five
    assert last["EXPOSE"] == ["4200"]


# ---- compose.yaml ----

@pytest.fixture(scope="module")
def compose():
    return yaml.safe_load((PACKAGING / "compose.yaml").read_text())


def test_two_servers_alike(compose):
    services = compose["services"]
    assert set(services) == {"database", "server-1", "server-2", "proxy"}
    assert services["server-1"] == services["server-2"]
    assert (PACKAGING / services["server-1"]["build"]["context"] / services["server-1"]["build"]["dockerfile"]).exists()
    upstream = re.findall(r"^\s+server ([\w-]+):4200 ", (PACKAGING / "nginx.conf").read_text(), re.MULTILINE)
    assert upstream == ["server-1", "server-2"]


def test_each_waits_for_what_it_needs(compose):
    needs = {name: service.get("depends_on", {}) for name, service in compose["services"].items()}
    assert {name: set(of) for name, of in needs.items()} == {
        "database": set(), "server-1": {"database"}, "server-2": {"database"}, "proxy": {"server-1", "server-2"}}
    assert {one["condition"] for of in needs.values() for one in of.values()} == {"service_healthy"}
    # That of the servers is in their image.
    assert all("healthcheck" in compose["services"][name] for name in ("database", "proxy"))


def test_only_the_proxy_is_reached_from_outside(compose):
    published = {name: service["ports"] for name, service in compose["services"].items() if "ports" in service}
    assert published == {"proxy": ["127.0.0.1:4200:8080"]}
    assert "listen 8080;" in (PACKAGING / "nginx.conf").read_text()


def test_secrets_are_in_files_that_are_not_kept_here(compose):
    files = {name: secret["file"] for name, secret in compose["secrets"].items()}
    assert files == {"database_password": "./secrets/database_password", "orion.toml": "./secrets/orion.toml"}
    ignored = subprocess.run(["git", "check-ignore", *(f"packaging/{file}" for file in files.values())], cwd=ROOT,
                             stdout=subprocess.PIPE, text=True) if (ROOT / ".git").exists() else None
    assert ignored is None or len(ignored.stdout.split()) == 2
    url = compose["services"]["server-1"]["environment"]["PREFECT_ORION_DATABASE_CONNECTION_URL"]
    assert url.replace("$$", "$") == "postgresql+asyncpg://orion:${PREFECT_ORION_DATABASE_PASSWORD}@database/orion"


def test_volumes_and_secrets_are_declared(compose):
    for service in compose["services"].values():
        for volume in service["volumes"]:
            source = volume.split(":")[0]
            assert (PACKAGING / source).exists() if source.startswith(".") else source in compose["volumes"]
        assert set(service.get("secrets", [])) <= set(compose["secrets"])

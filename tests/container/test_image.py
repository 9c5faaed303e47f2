"""The image of packaging/Containerfile, built with buildah on a bare Debian, and run. Takes minutes and root, so it is
for ORION_TEST_FULL=1."""
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import time
import urllib.request
from pathlib import Path

import pytest

from tests.lib import debian, servers

IS_FULL = os.environ.get("ORION_TEST_FULL") == "1"
TOOLS = ["buildah", "debootstrap"]
pytestmark = [
    pytest.mark.skipif(not IS_FULL, reason="takes minutes: ORION_TEST_FULL=1"),
    pytest.mark.skipif(os.geteuid() != 0 or not all(map(shutil.which, TOOLS)), reason=f"needs root and {TOOLS}"),
]
BASE, COMMIT, WHEEL = "localhost/debian", "0123456789", "prefect-2.7.12-py3-none-any.whl"


class Buildah:
    """buildah with storage of its own, in a folder, and no help of the kernel's: so it runs within a container, too."""

    def __init__(self, folder):
        configuration = folder / "storage.conf"
        configuration.write_text(f'[storage]\ndriver = "vfs"\ngraphroot = "{folder}/storage"\n'
                                 f'runroot = "{folder}/run"\n')
        self.environment = {**os.environ, "CONTAINERS_STORAGE_CONF": str(configuration), "BUILDAH_ISOLATION": "chroot",
                            "CONTAINER_TOOL": "buildah", "TMPDIR": str(folder)}
        self.environment.pop("STORAGE_DRIVER", None)

    def __call__(self, *words):
        return self.run("buildah", *words)

    def run(self, *words):
        return debian.run(*words, env=self.environment).strip()


def make_base(buildah):
    container = buildah("from", "scratch").splitlines()[-1]
    root = Path(buildah("mount", container).splitlines()[-1])
    debian.run("tar", "-C", root, "-xf", debian.bare_debian(["ca-certificates"]))
    (root / "etc/apt/apt.conf.d/90machine").write_text(debian.acquire_options())
    buildah("umount", container)
    buildah("commit", "--rm", container, BASE)


def wheel_mounts(folder):
    """Arguments that let pip find what the build of this checkout has downloaded."""
    wheels = folder / "wheels"
    wheels.mkdir()
    shutil.copy(servers.ROOT / "build/prefect.whl", wheels / WHEEL)
    (folder / "pip.conf").write_text("[global]\nno-index = true\nfind-links = /wheels\n")
    return ["--volume", f"{wheels}:/wheels:ro", "--volume", f"{folder}/pip.conf:/etc/pip.conf:ro"]


@pytest.fixture(scope="module")
def buildah(tmp_path_factory):
    """With the image `orion`."""
    folder = tmp_path_factory.mktemp("buildah")
    called = Buildah(folder)
    try:
        make_base(called)
        called.run(servers.ROOT / "tools/container", "--build-arg", f"BASE={BASE}", "--build-arg", f"COMMIT={COMMIT}",
                   *wheel_mounts(folder))
        yield called
    finally:
        called("rm", "--all")
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def config(buildah):
    """What the image says of itself."""
    return json.loads(buildah("inspect", "--type", "image", "orion"))["Docker"]["config"]


@contextlib.contextmanager
def container(buildah):
    name = buildah("from", "orion").splitlines()[-1]
    try:
        yield name
    finally:
        buildah("rm", name)


def run(buildah, name, *words):
    return buildah("run", name, "--", *words)


def descendant(pid, program):
    """The process of that program below another one."""
    for path in Path("/proc").glob(f"{pid}/task/*/children"):
        for child in path.read_text().split():
            if Path(f"/proc/{child}/comm").read_text().strip() == program:
                return int(child)
            if found := descendant(child, program):
                return found
    return None


class Server:
    """One in a container of its own, which only the volume outlives."""

    def __init__(self, buildah, config, name, volume):
        self.port = servers.free_port()
        self.url = f"http://127.0.0.1:{self.port}/api"
        words = ["buildah", "run", "--volume", f"{volume}:/var/lib/orion", "--env",
                 f"PREFECT_ORION_API_PORT={self.port}", name, "--", *config["Entrypoint"], *config["Cmd"]]
        self.process = subprocess.Popen(words, env=buildah.environment, stdin=subprocess.DEVNULL, text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + 60
        while not self.is_healthy():
            assert self.process.poll() is None and time.monotonic() < deadline, self.process.stdout.read()
            time.sleep(0.1)
        self.pid = descendant(self.process.pid, "orion")

    def is_healthy(self):
        with contextlib.suppress(OSError):
            return self.ask("/health") is True

    def ask(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)

    def stop(self):
        """Its exit status after SIGTERM, and what it wrote."""
        os.kill(self.pid, signal.SIGTERM)
        out, _ = self.process.communicate(timeout=60)
        return self.process.returncode, out


@pytest.fixture
def volume(tmp_path, config):
    """As a new volume is: it has the owner and the mode of the image's folder."""
    folder = tmp_path / "volume"
    folder.mkdir(mode=0o700)
    os.chown(folder, *map(int, config["User"].split(":")))
    tmp_path.chmod(0o755)
    return folder


def test_what_the_image_says(config):
    assert (config["User"], config["Entrypoint"], config["Cmd"]) == ("10001:10001", ["orion"], ["start"])
    assert list(config["ExposedPorts"]) == ["4200/tcp"] and list(config["Volumes"]) == ["/var/lib/orion"]
    assert config["Healthcheck"]["Test"] == ["CMD", "orion", "status", "--check"]


def test_what_is_in_the_image(buildah):
    with container(buildah) as name:
        assert re.search(rf"^Git commit: +{COMMIT}$", run(buildah, name, "orion", "version"), re.MULTILINE)
        assert run(buildah, name, "id").startswith("uid=10001(orion) gid=10001(orion)")
        assert run(buildah, name, "stat", "--format=%U:%G %a", "/var/lib/orion") == "orion:orion 700"
        installed = run(buildah, name, "dpkg-query", "--show", "--showformat=${Package}\n").split()
        assert not {"gcc", "python3", "meson", "libsqlite3-dev"} & set(installed)


def test_data_outlives_a_container(buildah, config, volume):
    for begin in ("first", "second"):
        with container(buildah) as name:
            server = Server(buildah, config, name, volume)
            status = Path(f"/proc/{server.pid}/status").read_text()
            assert re.search(r"^Uid:\t10001\t10001\t10001\t10001$", status, re.MULTILINE)
            check = buildah("run", "--env", f"PREFECT_ORION_API_PORT={server.port}", name, "--",
                            *config["Healthcheck"]["Test"][1:])
            assert "ready" in check
            if begin == "first":
                flow = server.ask("/flows/", {"name": "kept"})
                made = server.ask("/flow_runs/", {"flow_id": flow["id"], "state": {"type": "SCHEDULED"}})
            assert server.ask(f"/flow_runs/{made['id']}")["flow_id"] == flow["id"]
            with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/") as page:  # the dashboard
                assert b"<title>Prefect Orion</title>" in page.read()
            code, out = server.stop()
            assert code == 0, out


def test_secrets_and_zones(buildah, config, volume):
    """What needs more than the program: certificates, time zones, PostgreSQL's library."""
    with container(buildah) as name:
        assert run(buildah, name, "stat", "--format=%F", "/etc/ssl/certs/ca-certificates.crt") == "regular file"
        assert run(buildah, name, "stat", "--format=%F", "/usr/share/zoneinfo/Europe/Berlin") == "regular file"
        url = "PREFECT_ORION_DATABASE_CONNECTION_URL=postgresql://127.0.0.1:1/x"
        done = subprocess.run(["buildah", "run", "--env", url, name, "--", "orion", "database", "check"], text=True,
                              env=buildah.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        assert done.returncode == 1 and "127.0.0.1" in done.stdout and "libpq" not in done.stdout

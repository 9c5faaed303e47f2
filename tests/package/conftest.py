"""The package that `make deb` has built, and a machine to install it in."""
import subprocess

import pytest

from tests.lib.servers import ROOT
from tests.package.machine import CannotHave, Machine, check_rights, dependencies, run


@pytest.fixture(scope="session")
def package():
    found = sorted((ROOT / "build").glob("orion_*.deb"), key=lambda path: path.stat().st_mtime)
    assert found, "There is no package: make deb builds it."
    return found[-1]


@pytest.fixture(scope="session")
def files(package, tmp_path_factory):
    """The folder of the files in the package."""
    folder = tmp_path_factory.mktemp("files")
    subprocess.run(["dpkg-deb", "--extract", package, folder], check=True)
    return folder


@pytest.fixture(scope="session")
def newer_package(package, tmp_path_factory):
    """The same with a higher version and another /etc/orion/orion.toml."""
    folder = tmp_path_factory.mktemp("newer")
    run("dpkg-deb", "--raw-extract", package, folder / "tree")
    control = folder / "tree/DEBIAN/control"
    control.write_text(control.read_text().replace("\nVersion: ", "\nVersion: 99."))
    with open(folder / "tree/etc/orion/orion.toml", "a") as file:
        file.write("# New in this version.\n")
    run("dpkg-deb", "--root-owner-group", "--build", folder / "tree", folder / "orion_99_newer.deb")
    return folder / "orion_99_newer.deb"


@pytest.fixture
def machine(package):
    try:
        check_rights()
        machine = Machine(dependencies(package))
    except CannotHave as reason:
        pytest.skip(str(reason))
    yield machine
    machine.remove()

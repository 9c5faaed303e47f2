"""Disks that fail: a small file system that can be full, and a library that makes the calls of a server fail."""
import contextlib
import mmap
import os
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

SHIM = Path(__file__).with_name("disk_shim.c")
DATABASE, LOG = 1, 2
BOTH = DATABASE | LOG
FIELDS = ["read_error", "read_files", "write_error", "write_files", "sync_error", "sync_files", "syncs_left", "failed",
          "delete_database"]


def build_shim(folder):
    library = Path(folder) / "disk_shim.so"
    command = ["gcc", "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o", str(library), str(SHIM), "-ldl"]
    subprocess.run(command, check=True)
    return library


@pytest.fixture(scope="session")
def shim(tmp_path_factory):
    return build_shim(tmp_path_factory.mktemp("shim"))


@pytest.fixture
def faults(shim, tmp_path):
    return Faults(shim, tmp_path / "plan")


class Faults:
    """What fails for the servers that are started with `environment`: members are those of the library's plan, and
    count from the moment that they are set."""

    def __init__(self, library, path):
        path.write_bytes(bytes(4 * len(FIELDS)))
        with open(path, "r+b") as file:
            self.memory = mmap.mmap(file.fileno(), 4 * len(FIELDS))
        self.environment = {"LD_PRELOAD": str(library), "ORION_TEST_DISK": str(path)}

    def get(self, name):
        return struct.unpack_from("i", self.memory, 4 * FIELDS.index(name))[0]

    def set(self, **values):
        for name, value in values.items():
            struct.pack_into("i", self.memory, 4 * FIELDS.index(name), value)

    def write(self, error, files=BOTH):
        self.set(write_files=files, write_error=error)

    def read(self, error, files=BOTH):
        self.set(read_files=files, read_error=error)

    def sync(self, error, files=BOTH, after=0):
        self.set(sync_files=files, syncs_left=after, sync_error=error)

    def end(self):
        self.set(read_error=0, write_error=0, sync_error=0)


@contextlib.contextmanager
def small_disk(folder, size):
    """A file system of that many bytes at `folder`, gone at the end. The test is skipped where none may be mounted."""
    if not shutil.which("mount"):
        pytest.skip("there is no mount program")
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={size},mode=0700", "tmpfs", str(folder)]
    mounted = subprocess.run(["mount", *options], capture_output=True, text=True)
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(folder):
    """A file that takes all the room there is, to the last byte."""
    filler = folder / "filler"
    with open(filler, "ab", buffering=0) as file, contextlib.suppress(OSError):
        for size in (1 << 20, 4096, 1):
            with contextlib.suppress(OSError):
                while True:
                    if file.write(bytes(size)) < size:
                        break
    assert os.statvfs(folder).f_bavail == 0
    return filler

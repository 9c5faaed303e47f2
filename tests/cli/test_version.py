"""Which commit `orion version` names: that of the checkout, that of the archive, or none."""
import re
import shutil
import subprocess

import pytest

from tests.lib.servers import ROOT

BUILT_FROM = [".gitattributes", "meson.build", "meson_options.txt", "src", "tools", "ui"]


def run(*words, folder):
    done = subprocess.run(words, cwd=folder, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.stdout.strip()


def git(*words, folder):
    return run("git", "-c", "user.name=a", "-c", "user.email=a@example", *words, folder=folder)


def configure(folder, *options):
    run("meson", "setup", "build", *options, "-Dui=disabled", "-Dcollections=disabled", folder=folder)


def commit_of(folder):
    return re.search(r'orion_commit\[\] = "(.*)";', (folder / "build/commit.c").read_text())[1]


@pytest.fixture
def tree(tmp_path):
    """The files that a build reads, in no checkout."""
    folder = tmp_path / "tree"
    folder.mkdir()
    for name in BUILT_FROM:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, folder / name)
    return folder


@pytest.mark.skipif(not shutil.which("git"), reason="there is no git")
def test_commit(tree, tmp_path):
    configure(tree)
    assert commit_of(tree) == "unknown"
    configure(tree, "--reconfigure", "-Dcommit=0123abc")
    assert commit_of(tree) == "0123abc"

    git("init", "--quiet", folder=tree)
    git("add", *BUILT_FROM, folder=tree)
    git("commit", "--quiet", "--message=All", folder=tree)
    configure(tree, "--reconfigure", "-Dcommit=")
    run("ninja", "-C", "build", "commit.c", folder=tree)
    commit = git("rev-parse", "HEAD", folder=tree)
    assert commit_of(tree) == commit[:10]
    (tree / "ui/docs.html").write_text("")
    run("ninja", "-C", "build", "commit.c", folder=tree)
    assert commit_of(tree) == f"{commit[:10]}-dirty"

    archive = tmp_path / "archive"
    git("archive", "--prefix=archive/", "--output=../archive.tar", "HEAD", folder=tree)
    run("tar", "-xf", "archive.tar", folder=tmp_path)
    configure(archive)
    assert len(commit_of(archive)) >= 7 and commit.startswith(commit_of(archive))

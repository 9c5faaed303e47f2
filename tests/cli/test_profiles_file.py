"""How profiles.toml is written: by many at once, where it cannot be replaced, and where it cannot be written at all.
Ours only: the reference writes in place, without a lock, and loses the old content on a full disk."""
import os
import shutil
import subprocess

import pytest

from tests.lib import servers

OLD = '[profiles.old]\nPREFECT_API_URL = "http://kept/api"\n'

needs_mounts = pytest.mark.skipif(
    subprocess.run(["unshare", "--mount", "true"], stderr=subprocess.DEVNULL).returncode != 0,
    reason="mounting needs root and mount namespaces")
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


def call(home, *words):
    return [str(servers.ORION_BIN), *words], {"PATH": os.environ["PATH"], "HOME": str(home), "PREFECT_HOME": str(home)}


def run(home, *words, before=(), **options):
    """One command; `before` is what it is run by."""
    command, environment = call(home, *words)
    done = subprocess.run([*before, *command], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=60, **options)
    return done.returncode, done.stdout


def mounted(script):
    """Runs the command in mounts of its own, which the script makes."""
    return ["unshare", "--mount", "sh", "-ec", script + '\nexec "$@"', "sh"]


def run_together(home, commands, before=()):
    calls = [call(home, *words) for words in commands]
    running = [subprocess.Popen([*before, *command], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                text=True) for command, env in calls]
    outs = [process.communicate(timeout=60)[0] for process in running]
    assert [process.returncode for process in running] == [0] * len(running), outs


def left(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def home(tmp_path):
    path = tmp_path / "home"
    path.mkdir(mode=0o755)
    return path


@pytest.fixture
def profiles(home):
    path = home / "profiles.toml"
    path.write_text(OLD)
    return path


def test_created_at_once(home):
    run_together(home, [("profile", "create", f"p{i}") for i in range(24)])
    text = (home / "profiles.toml").read_text()
    assert all(f"[profiles.p{i}]" in text for i in range(24))
    assert left(home) == ["profiles.toml"]


def test_changed_at_once(home, profiles):
    """Every command that changes the file."""
    for i in range(4):
        for kind in ["use", "delete", "rename"]:
            assert run(home, "profile", "create", f"{kind}{i}")[0] == 0
        assert run(home, "-p", "old", "config", "set", f"PREFECT_LOGGING_ORION_MAX_LOG_SIZE={i}", "PREFECT_UI_URL=u",
                   "PREFECT_API_KEY=k", "PREFECT_TEST_SETTING=t", "PREFECT_CLOUD_UI_URL=c")[0] == 0
    settings = ["PREFECT_UI_URL", "PREFECT_API_KEY", "PREFECT_TEST_SETTING", "PREFECT_CLOUD_UI_URL"]
    other = ["PREFECT_ORION_API_PORT", "PREFECT_ORION_API_DEFAULT_LIMIT", "PREFECT_AGENT_PREFETCH_SECONDS",
             "PREFECT_ORION_API_KEEPALIVE_TIMEOUT"]
    run_together(home, [words for i in range(4) for words in [
        ("profile", "delete", f"delete{i}"), ("profile", "rename", f"rename{i}", f"renamed{i}"),
        ("profile", "create", f"new{i}"), ("-p", "old", "config", "set", f"{other[i]}=7"),
        ("-p", "old", "config", "unset", settings[i])]])
    text = profiles.read_text()
    for i in range(4):
        assert f"[profiles.new{i}]" in text and f"[profiles.renamed{i}]" in text and f"{other[i]} = \"7\"" in text
        assert f"profiles.delete{i}]" not in text and f"profiles.rename{i}]" not in text and settings[i] not in text


@needs_mounts
def test_bind_mount(home, profiles, tmp_path):
    """As containers get a single file: it cannot be replaced."""
    outside = tmp_path / "outside.toml"
    outside.write_text(OLD * 1 + "# a long comment that makes the file longer than what takes its place\n" * 20)
    before = mounted(f"mount --bind {outside} {profiles}")
    status, out = run(home, "-p", "old", "config", "set", "PREFECT_ORION_API_PORT=5", before=before)
    assert status == 0, out
    assert outside.read_text() == 'active = "default"\n\n' + OLD + 'PREFECT_ORION_API_PORT = "5"\n'
    assert profiles.read_text() == OLD and left(home) == ["profiles.toml"]
    status, out = run(home, "profile", "create", "new",
                      before=mounted(f"mount --bind {outside} {profiles}; mount -o remount,bind,ro {profiles}"))
    assert status == 1 and "Cannot write" in out and "Read-only file system" in out
    assert "new" not in outside.read_text() and left(home) == ["profiles.toml"]


@needs_mounts
def test_bind_mount_written_at_once(home, profiles, tmp_path):
    """Nobody reads what is half written."""
    outside = tmp_path / "outside.toml"
    outside.write_text(OLD)
    script = f"mount --bind {outside} {profiles}\n" \
        + "\n".join(f"{servers.ORION_BIN} profile create p{i} &" for i in range(12)) + "\nwait"
    status, out = run(home, "profile", "ls", before=mounted(script))
    assert status == 0 and out.count("Created profile") == 12, out
    assert all(f"[profiles.p{i}]" in outside.read_text() for i in range(12))


@needs_mounts
@pytest.mark.parametrize("way", ["replaced", "in place"])
def test_full_disk(home, profiles, tmp_path, way):
    """The old content stays, and the message says why."""
    disk = tmp_path / "disk"
    disk.mkdir()
    result = tmp_path / "result"
    script = f"mount -t tmpfs -o size=16k none {disk}\ncp {profiles} {disk}/p.toml\n"
    target = home / "p.toml" if way == "in place" else disk / "p.toml"
    if way == "in place":
        target.write_text("")
        script += f"mount --bind {disk}/p.toml {target}\n"
    value = "x" * 6000
    script += f"cat /dev/zero > {disk}/full 2>/dev/null || true\nexport PREFECT_PROFILES_PATH={target}\n" \
              f'"$@" || echo status $?\ncat {target} > {result}; ls {disk} {home} >> {result}; exit'
    _, out = run(home, "-p", "old", "config", "set", f"PREFECT_UI_URL={value}", before=mounted(script))
    assert "No space left on device" in out and "status 1" in out
    assert result.read_text().startswith(OLD) and "toml." not in result.read_text()


def as_nobody():
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)


@pytest.fixture
def for_all(tmp_path, home, profiles):
    """The home can be reached by another user, and belongs to him."""
    for folder in [tmp_path, *list(tmp_path.parents)[:2]]:
        os.chmod(folder, 0o755)
    os.chown(home, 65534, 65534)
    os.chown(profiles, 65534, 65534)
    binary = tmp_path / "orion"
    shutil.copy(servers.ORION_BIN, binary)
    return str(binary)


def run_as_nobody(binary, home, *words):
    command, environment = call(home, *words)
    done = subprocess.run([binary, *command[1:]], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, preexec_fn=as_nobody)
    return done.returncode, done.stdout


@needs_root
def test_folder_that_may_not_be_written(home, profiles, for_all):
    home.chmod(0o555)
    status, out = run_as_nobody(for_all, home, "profile", "create", "new")
    assert status == 0, out
    assert "[profiles.new]" in profiles.read_text() and left(home) == ["profiles.toml"]


@needs_root
def test_file_that_may_not_be_written(home, profiles, for_all):
    profiles.chmod(0o444)
    status, out = run_as_nobody(for_all, home, "profile", "create", "new")
    assert status == 1 and f"Cannot write {profiles}: Permission denied." in out
    assert profiles.read_text() == OLD


@needs_root
def test_owner_and_mode_stay(home, profiles, for_all):
    profiles.chmod(0o640)
    assert run(home, "profile", "create", "new")[0] == 0
    found = profiles.stat()
    assert (found.st_uid, found.st_gid, found.st_mode & 0o7777) == (65534, 65534, 0o640)


def test_links_stay(home, tmp_path):
    target = tmp_path / "target.toml"
    (home / "profiles.toml").symlink_to(target)
    for name in ["first", "second"]:  # the link leads nowhere, then to a file
        assert run(home, "profile", "create", name)[0] == 0
        assert (home / "profiles.toml").is_symlink() and f"[profiles.{name}]" in target.read_text()
    twin = tmp_path / "twin.toml"
    twin.hardlink_to(target)
    assert run(home, "profile", "create", "third")[0] == 0
    assert "[profiles.third]" in twin.read_text() and left(home) == ["profiles.toml"]


def test_temporary_files_end(home, profiles):
    (home / "profiles.toml").unlink()
    (home / "profiles.toml").mkdir()
    status, out = run(home, "profile", "create", "new")
    assert status == 1 and "profiles.toml" in out
    assert left(home) == ["profiles.toml"] and left(home / "profiles.toml") == []

"""`orion database backup` and `restore`: one SQLite file from either engine, and back; what is refused, and what is
left of a backup or a restore that does not come to its end."""
import contextlib
import gzip
import os
import resource
import signal
import sqlite3
import stat
import subprocess
import threading

import pytest

from tests.lib import servers
from . import databases, filled


def backed_up(orion, database, path, *words):
    status, out = databases.run(orion, database, "backup", str(path), *words)
    assert status == 0 and "read again and found whole" in out, out
    return path


def restored(orion, path, database, *words):
    status, out = databases.run(orion, database, "restore", str(path), "-y", *words)
    assert status == 0 and "Restored" in out, out


def refused(orion, database, *words, because, **settings):
    status, out = databases.run(orion, database, *words, **settings)
    assert status == 1 and because in out, out
    return out


def start(database, home, *words, **options):
    environment = servers.server_environment(home, PREFECT_ORION_DATABASE_CONNECTION_URL=database.url)
    return subprocess.Popen([str(servers.ORION_BIN), "database", *words], env=environment, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)


def unpacked(path, folder):
    plain = folder / "unpacked.db"
    plain.write_bytes(gzip.decompress(path.read_bytes()))
    return plain


# ---- there and back ----

@pytest.mark.parametrize("words", [[], ["--gzip"]])
def test_a_backup_is_one_sqlite_file_that_opens_anywhere(orion, holding, source, tables, tmp_path, words):
    folder = tmp_path / "backups"
    folder.mkdir()
    path = backed_up(orion, holding, folder / "backup", *words)
    assert os.listdir(folder) == ["backup"] and stat.S_IMODE(path.stat().st_mode) == 0o600
    plain = unpacked(path, tmp_path) if words else path
    with contextlib.closing(sqlite3.connect(f"file:{plain}?mode=ro&immutable=1", uri=True)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "delete"
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert databases.rows(databases.sqlite_at(plain), tables) == databases.rows(source, tables)


@pytest.mark.parametrize("words", [[], ["--gzip"]])
def test_a_backup_is_restored_to_either_engine(orion, source, target, tables, tmp_path, words):
    path = backed_up(orion, source, tmp_path / "backup", *words)
    before = path.read_bytes()
    restored(orion, path, target)
    assert databases.rows(target, tables) == databases.rows(source, tables)
    assert path.read_bytes() == before and not list(tmp_path.glob("*.partial*"))
    with servers.running("orion", home=tmp_path, database=target.url,
                         PREFECT_ORION_DATABASE_CONNECTION_URL=target.url):
        pass
    status, out = databases.run(orion, target, "check")
    assert status == 0, out


def test_what_is_written_meanwhile_is_in_the_backup_or_not_but_whole(orion, big, tables, tmp_path):
    """Writers never stop; the backup ends all the same, and holds one state: each of their transactions whole."""
    ends, rounds = threading.Event(), []

    def write():
        with contextlib.closing(sqlite3.connect(big.path, timeout=60)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            while not ends.is_set():
                with connection:
                    for _ in range(2):
                        connection.execute("INSERT INTO log (id, name, level, flow_run_id, message, timestamp) VALUES"
                                           " (?, 'pair', 0, ?, '', '2026-01-01 00:00:00.000000')",
                                           (filled.new_id(), filled.new_id()))
                rounds.append(1)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        while len(rounds) < 10:
            ends.wait(0.01)
        path = backed_up(orion, big, tmp_path / "backup")
    finally:
        ends.set()
        writer.join()
        big.execute("DELETE FROM log WHERE name = 'pair'")
    pairs, = databases.sqlite_at(path).execute("SELECT count(*) FROM log WHERE name = 'pair'")[0]
    assert pairs >= 20 and pairs % 2 == 0


# ---- what is refused ----

def test_files_that_are_there(orion, source, tmp_path):
    path = backed_up(orion, source, tmp_path / "backup")
    before = path.read_bytes()
    refused(orion, source, "backup", str(path), because=f"{path} is there already. Use --force to replace it.")
    assert path.read_bytes() == before
    path.write_bytes(b"old")
    backed_up(orion, source, path, "--force")
    assert path.read_bytes()[:15] == b"SQLite format 3"
    refused(orion, source, "backup", str(source.path), "--force", because="is the database itself")
    refused(orion, source, "backup", str(tmp_path), "--force", because="is not a regular file")
    refused(orion, source, "backup", str(tmp_path / "none" / "b"), because="No such file or directory")
    refused(orion, source, "backup", "", because="The file's name is empty.")


@pytest.mark.only("sqlite")
def test_a_backup_is_not_made_in_the_place_of_the_database_or_its_logs(orion, holding, source, tmp_path):
    """Whether such a file is there now or not, under any of its names, and while the backup is being written."""
    folder, database = tmp_path / "folder", tmp_path / "database.partial"
    folder.symlink_to(tmp_path)
    database.write_bytes(source.path.read_bytes())
    other = databases.sqlite_at(database)
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("UPDATE flow SET updated = updated")
        connection.commit()
        for name in ("database", "database.partial-wal", "database.partial-shm", "database.partial-journal"):
            refused(orion, other, "backup", str(folder / name), "--force", because="written over it or its log")
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_targets_that_hold_something(orion, source, altered, target, tables, tmp_path):
    path = backed_up(orion, source, tmp_path / "backup")
    restored(orion, path, target)
    altered.execute("UPDATE flow SET tags = '[\"changed\"]'")
    other = backed_up(orion, altered, tmp_path / "other")
    refused(orion, target, "restore", str(other), "-y", because="The database is not empty (rows: ")
    status, out = orion("restore", str(other), "--force", stdin="n\n", PREFECT_ORION_DATABASE_CONNECTION_URL=target.url)
    assert status == 1 and "Are you sure you want to replace" in out and "Database restore aborted" in out
    assert databases.rows(target, tables) == databases.rows(source, tables)
    restored(orion, other, target, "--force")
    assert databases.rows(target, tables) == databases.rows(altered, tables)


def test_a_database_in_use(orion, source, target, tmp_path):
    path = backed_up(orion, source, tmp_path / "backup")
    with servers.running("orion", home=tmp_path, database=target.url,
                         PREFECT_ORION_DATABASE_CONNECTION_URL=target.url) as server:
        before = target.execute("SELECT count(*) FROM block_type")
        out = refused(orion, target, "restore", str(path), "-y", "--force", because="is in use, by ")
        assert "Nothing was restored." in out
        if target.engine == "sqlite":
            assert f"process {server.process.pid}." in out
        assert target.execute("SELECT count(*) FROM block_type") == before
    restored(orion, path, target, "--force")


def damage(path):
    """In the middle of the file, where its largest tables are."""
    with open(path, "r+b") as file:
        file.seek(path.stat().st_size // 2 // 4096 * 4096)
        file.write(b"\xff" * 8192)


def shorten(path):
    os.truncate(path, path.stat().st_size // 2)


@pytest.mark.parametrize("words", [[], ["--gzip"]])
@pytest.mark.parametrize("spoil", [damage, shorten])
def test_damaged_backups(orion, source, target, tmp_path, words, spoil):
    path = backed_up(orion, source, tmp_path / "backup", *words)
    spoil(path)
    refused(orion, target, "restore", str(path), "-y", because=f"{path}: It ")
    assert not target.has_tables() and not list(tmp_path.glob("*.partial*"))


def test_files_that_are_no_backups(orion, source, altered, target, tmp_path):
    text, other, missing = tmp_path / "text", tmp_path / "other", tmp_path / "missing"
    text.write_text("SQLite format 4 or so")
    refused(orion, target, "restore", str(text), "-y", because="neither an SQLite file nor a packed one")
    refused(orion, target, "restore", str(missing), "-y", because="No such file or directory")
    refused(orion, target, "restore", str(tmp_path), "-y", because="is not a regular file")
    databases.sqlite_at(other).execute("CREATE TABLE t (x)")
    refused(orion, target, "restore", str(other), "-y", because="The database has none of Orion's tables")
    altered.execute("UPDATE alembic_version SET version_num = '1678f2fb8b33'")
    refused(orion, target, "restore", str(altered.path), "-y", because="at revision 1678f2fb8b33, older than the one")
    with contextlib.closing(sqlite3.connect(source.path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("UPDATE flow SET updated = updated")
        connection.commit()
        link = tmp_path / "link"
        link.symlink_to(source.path)
        for path in (source.path, link):
            refused(orion, target, "restore", str(path), "-y", because="has a log beside it")
    assert not target.has_tables()


@pytest.mark.only("sqlite")
def test_a_file_with_tables_of_others_is_replaced_where_that_is_asked_for(orion, source, target, tables, tmp_path):
    path = backed_up(orion, source, tmp_path / "backup")
    target.execute("CREATE TABLE theirs (x)")
    refused(orion, target, "restore", str(path), "-y", because="tables that are not Orion's (theirs). Use --force")
    assert target.tables() == ["theirs"]
    restored(orion, path, target, "--force")
    assert databases.rows(target, tables) == databases.rows(source, tables)


@pytest.mark.only("sqlite")
def test_a_damaged_database_is_replaced_where_that_is_asked_for(orion, source, target, tables, tmp_path):
    path = backed_up(orion, source, tmp_path / "backup")
    target.path.write_bytes(b"\0" * 50000)
    target.path.chmod(0o640)
    refused(orion, target, "restore", str(path), "-y", because="Use --force to replace it.")
    restored(orion, path, target, "--force")
    assert databases.rows(target, tables) == databases.rows(source, tables)
    assert stat.S_IMODE(target.path.stat().st_mode) == 0o640


def test_databases_that_are_none(orion, source, tmp_path):
    memory = type("Memory", (), {"url": "sqlite+aiosqlite:///:memory:"})
    refused(orion, databases.sqlite_at(tmp_path / "none.db"), "backup", str(tmp_path / "b"),
            because="There is no database at")
    refused(orion, memory, "backup", str(tmp_path / "b"), because="none of Orion's tables")
    path = backed_up(orion, source, tmp_path / "backup")
    refused(orion, memory, "restore", str(path), "-y", because="The database is in memory")
    assert os.listdir(tmp_path) == ["backup"]


# ---- what does not come to its end ----

def stopped(process, line, number):
    for text in process.stdout:
        if text.startswith(line):
            process.send_signal(number)
            break
    out = process.communicate(timeout=60)[0]
    return process.returncode, out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_backup_leaves_nothing(orion, big, tmp_path, number):
    folder = tmp_path / "backups"
    folder.mkdir()
    status, out = stopped(start(big, tmp_path, "backup", str(folder / "b"), "--gzip"), "Copying", number)
    assert status == -number and "It was interrupted." in out and "No backup was made." in out
    assert os.listdir(folder) == []


def test_a_killed_backup_is_cleared_up_by_the_next(orion, big, tmp_path):
    folder = tmp_path / "backups"
    folder.mkdir()
    status, _ = stopped(start(big, tmp_path, "backup", str(folder / "b"), "--gzip"), "Verifying", signal.SIGKILL)
    assert status == -signal.SIGKILL and os.listdir(folder) != []
    backed_up(orion, big, folder / "b", "--gzip")
    assert os.listdir(folder) == ["b"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_restore_that_is_stopped_leaves_the_database_as_it_was(orion, source, big, target, tables, tmp_path, number):
    path = backed_up(orion, big, tmp_path / "backup", "--gzip")
    restored(orion, backed_up(orion, source, tmp_path / "first"), target)
    status, out = stopped(start(target, tmp_path, "restore", str(path), "-y", "--force"), "Unpacking", number)
    assert status == -number
    assert number == signal.SIGKILL or "Nothing was restored." in out
    assert databases.rows(target, tables) == databases.rows(source, tables)
    restored(orion, path, target, "--force")
    assert len(databases.rows(target, tables)["log"]) > 30000
    assert not list(tmp_path.glob("*.partial*"))


def test_a_full_disk(orion, big, tmp_path):
    """A limit of the process stands for it: writing fails all the same."""
    folder = tmp_path / "backups"
    folder.mkdir()
    for words, limit in (([], 1 << 20), (["--gzip"], big.path.stat().st_size // 5)):
        process = start(big, tmp_path, "backup", str(folder / "b"), *words,
                        preexec_fn=lambda: (signal.signal(signal.SIGXFSZ, signal.SIG_IGN),
                                            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))))
        out = process.communicate(timeout=60)[0]
        assert process.returncode == 1 and "No backup was made." in out and "largest size" in out, out
        assert os.listdir(folder) == []

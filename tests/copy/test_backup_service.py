"""The backups that a server makes: when, under which names, and which of them are removed."""
import datetime
import os
import re
import time

import pytest

from tests.lib import servers
from . import databases

NAME = re.compile(r"orion-\d{8}T\d{6}Z\.db(\.gz)?")
PATIENCE = 60


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "backups"
    made.mkdir()
    return made


def serving(database, home, every, **settings):
    return servers.running("orion", home=home, database=database.url, ORION_BACKUP_EVERY=every,
                           PREFECT_ORION_DATABASE_CONNECTION_URL=database.url, **settings)


def backups(folder):
    return sorted(name for name in os.listdir(folder) if NAME.fullmatch(name))


def wait_until(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it does not come about"
        time.sleep(0.05)


def name_at(ago):
    when = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=ago)
    return f"orion-{when:%Y%m%dT%H%M%SZ}.db"


def test_the_newest_are_kept_and_nothing_else_is_touched(target, tmp_path, folder):
    others = ["orion.db", "orion-yesterday.db", "notes.txt", "orion-20200101T000000Z.db.old",
              "orion-2020010xT000000Z.db"]
    leftover = "orion-20200101T000000Z.db.gz.partial.unpacked"
    for name in [*others, leftover, *map(name_at, (1000, 2000, 3000))]:
        (folder / name).write_text("x")
    with serving(target, tmp_path, "1s", ORION_BACKUP_FOLDER=str(folder), ORION_BACKUP_KEEP="2",
                 ORION_BACKUP_GZIP="true"):
        wait_until(lambda: len(backups(folder)) == 2 and all(name.endswith(".gz") for name in backups(folder)))
        first = backups(folder)[0]
        wait_until(lambda: first not in backups(folder))
    left = set(os.listdir(folder)) - set(backups(folder))
    assert left == {*others, ".orion-backups.lock"} and len(backups(folder)) == 2


@pytest.mark.only("sqlite")
def test_a_backup_stays_whatever_clocks_said_before(target, tmp_path, folder):
    """Those with names of the future are the first to go, the oldest of them before the others."""
    for name in (name_at(1000), *map(name_at, (-3000, -2000, -1000))):
        (folder / name).write_text("x")
    future = backups(folder)[1:]
    with serving(target, tmp_path, "500s", ORION_BACKUP_FOLDER=str(folder), ORION_BACKUP_KEEP="3"):
        wait_until(lambda: len(backups(folder)) == 3)
        made = backups(folder)
        time.sleep(2)
        assert backups(folder) == made
    assert made[2] == future[-1] and (folder / made[0]).read_text() == "x"
    assert (folder / made[1]).read_bytes()[:15] == b"SQLite format 3"


def test_one_that_is_due_is_made_and_no_other(orion, target, tmp_path):
    """The default folder is made; a restart does not make the next one come earlier."""
    folder = tmp_path / "backups"
    with serving(target, tmp_path, "1h"):
        wait_until(lambda: folder.exists() and backups(folder))
    made = backups(folder)
    assert len(made) == 1 and folder.stat().st_mode & 0o777 == 0o700
    for _ in range(2):
        with serving(target, tmp_path, "1h"):
            time.sleep(1)
    assert backups(folder) == made
    os.rename(folder / made[0], folder / name_at(3600))
    with serving(target, tmp_path, "1h"):
        wait_until(lambda: len(backups(folder)) == 2)
    database = databases.sqlite_at(folder / backups(folder)[-1])
    assert database.execute("SELECT count(*) FROM block_type")[0][0] > 0


def test_servers_that_share_a_folder_make_one(target, tmp_path, folder):
    homes = [tmp_path / "a", tmp_path / "b"]
    for home in homes:
        home.mkdir()
    first, second = (serving(target, home, "1h", ORION_BACKUP_FOLDER=str(folder)) for home in homes)
    with first, second:
        wait_until(lambda: backups(folder))
        time.sleep(1)
    assert len(backups(folder)) == 1


def test_one_that_fails_is_logged_and_takes_no_other_away(target, tmp_path, folder):
    old = [name_at(ago) for ago in (1000, 2000, 3000)]
    for name in old:
        (folder / name).write_text("x")
    (folder / ".orion-backups.lock").mkdir()
    with serving(target, tmp_path, "1s", ORION_BACKUP_FOLDER=str(folder), ORION_BACKUP_KEEP="1") as server:
        wait_until(lambda: server.log().count("orion.services.backups - This round failed") >= 2)
        assert backups(folder) == sorted(old)
        (folder / ".orion-backups.lock").rmdir()
        wait_until(lambda: len(backups(folder)) == 1 and not set(old) & set(backups(folder)))


def test_a_folder_that_is_missing_is_not_made(target, tmp_path):
    with serving(target, tmp_path, "1s", ORION_BACKUP_FOLDER=str(tmp_path / "mount")) as server:
        wait_until(lambda: f"Cannot use the folder {tmp_path}/mount" in server.log())
    assert not (tmp_path / "mount").exists()

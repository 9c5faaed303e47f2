"""`orion key rotate-encryption`: all block documents are encrypted with a new key, and both servers read them; or all
is as it was."""
import base64
import contextlib
import json
import os
import signal
import subprocess
import time
import uuid

import pytest
from cryptography.fernet import Fernet, InvalidToken

from tests.lib import postgres, servers
from tests.lib.api_client import Api

SECRET = "hush-hush-9431"


def rotate(server, check=True, **settings):
    settings.setdefault("PREFECT_ORION_DATABASE_CONNECTION_URL", server.store.url)
    done = subprocess.run([servers.ORION_BIN, "key", "rotate-encryption", "-y"], timeout=60, text=True,
                          env=servers.server_environment(server.home, **settings), stdin=subprocess.DEVNULL,
                          capture_output=True)
    assert not check or done.returncode == 0, done
    return done


def stored_key(server):
    [(value,)] = server.execute("SELECT value FROM configuration WHERE key = 'ENCRYPTION_KEY'")
    return json.loads(value)["fernet_key"]


def tokens(server):
    return {identifier: json.loads(data) for identifier, data in server.execute("SELECT id, data FROM block_document")}


def decrypted(server, key):
    return {identifier: json.loads(Fernet(key).decrypt(token.encode())) for identifier, token in tokens(server).items()}


def updated(server):
    return server.execute("SELECT id, updated FROM block_document ORDER BY id")


def fill(api):
    """Documents, one of which refers to another; by id."""
    kind = api.made("/block_types/", {"name": "Safe", "slug": "safe"})
    schema = api.made("/block_schemas/", {"block_type_id": kind["id"], "fields": {
        "title": "Safe", "type": "object", "properties": {"code": {"type": "string", "format": "password"}},
        "secret_fields": ["code"], "block_schema_references": {}}})

    def document(name, data):
        return api.made("/block_documents/", {"name": name, "data": data, "block_schema_id": schema["id"],
                                              "block_type_id": kind["id"]})["id"]

    found = [document(f"safe-{number}", {"code": f"{SECRET}-{number}", "text": "é 🙂", "more": [1.10, None]})
             for number in range(5)]
    return found + [document("large", {"text": "x" * 200_000}),
                    document("outer", {"inner": {"$ref": {"block_document_id": found[0]}}})]


def shown(api, documents):
    return [api.read(f"/block_documents/{identifier}?include_secrets=true") for identifier in documents]


@pytest.fixture
def home(tmp_path, engine):
    yield tmp_path
    servers.Store.of_home(engine, tmp_path).drop()


@pytest.fixture
def filled(home, engine):
    """A running server of ours with documents."""
    with servers.running("orion", home=home, database=engine) as server:
        server.documents = fill(Api(server))
        yield server


# ---- what becomes of documents ----

def test_both_servers_read_what_was_encrypted_anew(home, engine):
    with servers.running("orion", home=home, database=engine) as server:
        api = Api(server)
        documents = fill(api)
        before, old, times = shown(api, documents), stored_key(server), updated(server)
        old_tokens = tokens(server)
        done = rotate(server)
        assert done.stdout.splitlines()[0] == "Encrypted 7 block documents with a new key." and done.stderr == ""
        new = stored_key(server)
        assert new != old and new not in done.stdout and SECRET not in done.stdout
        assert updated(server) == times
        assert not set(tokens(server).values()) & set(old_tokens.values())
        # a running server reads and writes on
        assert shown(api, documents) == before
        assert api.patch(f"/block_documents/{documents[1]}", {"data": {"text": "newer"}}).status_code == 204
        assert set(decrypted(server, new)) == set(documents)
        before = shown(api, documents)
        with pytest.raises(InvalidToken):
            decrypted(server, old)
    with servers.running("reference", home=home, database=engine) as server:
        assert shown(Api(server), documents) == before


@pytest.mark.only("sqlite")
def test_a_database_without_documents_gets_a_key(home, engine):
    with servers.running("orion", home=home, database=engine) as server:
        assert rotate(server).stdout.startswith("Encrypted 0 block documents")
        key = stored_key(server)
        rotate(server)
        assert stored_key(server) != key
        assert set(decrypted(server, stored_key(server))) == set()
        documents = fill(Api(server))
        assert set(decrypted(server, stored_key(server))) == set(documents)


def test_servers_may_work_meanwhile(filled):
    """Documents that are stored and read while keys change, again and again."""
    api = Api(filled)
    kind, schema = filled.execute("SELECT block_type_id, block_schema_id FROM block_document")[0]
    processes = [subprocess.Popen([servers.ORION_BIN, "key", "rotate-encryption", "-y"], stdout=subprocess.DEVNULL,
                                  env=servers.server_environment(
                                      filled.home, PREFECT_ORION_DATABASE_CONNECTION_URL=filled.store.url))
                 for _ in range(3)]
    made = []
    while any(process.poll() is None for process in processes) or len(made) < 20:
        made.append(api.made("/block_documents/", {"name": f"new-{len(made)}", "data": {"code": SECRET},
                                                   "block_schema_id": schema, "block_type_id": kind})["id"])
        assert api.read(f"/block_documents/{made[-1]}?include_secrets=true")["data"]["code"] == SECRET
    assert [process.returncode for process in processes] == [0, 0, 0]
    assert set(made) <= set(decrypted(filled, stored_key(filled)))


# ---- all or nothing ----

def many(server, count, size):
    """So many documents more, stored as one of those that there are."""
    key = stored_key(server)
    columns = "created, updated, block_schema_id, block_type_id, is_anonymous"
    source = server.execute("SELECT id FROM block_document")[0][0]
    data = json.dumps(Fernet(key).encrypt(json.dumps({"text": "x" * size}).encode()).decode())
    server.store.script("".join(
        f"INSERT INTO block_document (id, name, data, {columns}) SELECT '{uuid.uuid4()}', 'many-{number}', '{data}',"
        f" {columns} FROM block_document WHERE id = '{source}';" for number in range(count)))


@contextlib.contextmanager
def stuck_at_the_last(server):
    """On PostgreSQL: the last document cannot be written."""
    with postgres.Session(server.store.url) as holder:
        holder.execute("BEGIN")
        holder.execute("SELECT id FROM block_document ORDER BY id DESC LIMIT 1 FOR UPDATE")
        yield
        holder.execute("ROLLBACK")


def wait_until(condition):
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline


def is_halfway(server):
    """Much is written, and not yet committed."""
    if server.engine == "sqlite":
        return os.stat(f"{server.store.path}-wal").st_size > 3_000_000
    return postgres.cluster().execute("postgres", "SELECT 1 FROM pg_stat_activity WHERE datname = ?"
                                      " AND wait_event_type = 'Lock' AND query LIKE 'UPDATE block_document%'",
                                      server.store.name) != []


def test_one_that_is_killed_changes_nothing(filled):
    count = {"sqlite": 1500, "postgresql": 50}[filled.engine]
    many(filled, count, 4000)
    before, key = tokens(filled), stored_key(filled)
    if filled.engine == "sqlite":
        filled.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with stuck_at_the_last(filled) if filled.engine == "postgresql" else contextlib.nullcontext():
        settings = {"PREFECT_ORION_DATABASE_CONNECTION_URL": filled.store.url}
        process = subprocess.Popen([servers.ORION_BIN, "key", "rotate-encryption", "-y"], stdout=subprocess.DEVNULL,
                                   env=servers.server_environment(filled.home, **settings))
        wait_until(lambda: is_halfway(filled))
        process.kill()
        assert process.wait() == -signal.SIGKILL
    wait_until(lambda: Api(filled).get("/ready").status_code == 200)
    assert (tokens(filled), stored_key(filled)) == (before, key)
    assert len(decrypted(filled, key)) == count + 7
    assert rotate(filled).stdout.startswith(f"Encrypted {count + 7} block documents")
    assert len(decrypted(filled, stored_key(filled))) == count + 7
    assert shown(Api(filled), filled.documents[:1])[0]["data"]["code"] == f"{SECRET}-0"


def refused(server, **settings):
    """What it says, having changed nothing."""
    before = server.store.dump()
    done = rotate(server, check=False, **settings)
    assert done.returncode == 1 and server.store.dump() == before
    assert SECRET not in done.stderr + done.stdout
    assert "Nothing was changed" in done.stderr
    return done.stderr


def test_documents_of_another_key_are_named(filled):
    broken, foreign = filled.documents[1], filled.documents[3]
    token = json.dumps(Fernet(Fernet.generate_key()).encrypt(b'{"code": "x"}').decode())
    filled.execute("UPDATE block_document SET data = ? WHERE id = ?", token, foreign)
    filled.execute("UPDATE block_document SET data = ? WHERE id = ?", "{}", broken)
    lines = refused(filled)
    assert f"Cannot be decrypted: safe/safe-1 ({broken})" in lines
    assert f"Cannot be decrypted: safe/safe-3 ({foreign})" in lines
    assert "2 of 7 block documents cannot be decrypted: they were encrypted with another key" in lines
    assert "ORION_ENCRYPTION_KEY" in lines
    for identifier in (broken, foreign):
        Api(filled).delete(f"/block_documents/{identifier}")
    rotate(filled)
    assert len(decrypted(filled, stored_key(filled))) == 5


@pytest.mark.only("sqlite")
def test_of_many_the_first_are_named(filled):
    many(filled, 30, 10)
    filled.execute("DELETE FROM configuration WHERE key = 'ENCRYPTION_KEY'")
    lines = refused(filled)
    assert lines.count("Cannot be decrypted: ") == 20 and "… and 17 more" in lines
    assert "37 of 37 block documents cannot be decrypted: the encryption key is not in the database" in lines


def test_a_row_that_holds_no_key(filled):
    filled.execute("UPDATE configuration SET value = ? WHERE key = 'ENCRYPTION_KEY'", '{"fernet_key": "x"}')
    assert "does not contain a Fernet key" in refused(filled)
    for identifier in reversed(filled.documents):
        assert Api(filled).delete(f"/block_documents/{identifier}").status_code == 204
    rotate(filled)
    assert Fernet(stored_key(filled))


@pytest.mark.only("sqlite")
def test_it_asks_first(filled):
    before = filled.store.dump()
    command = [servers.ORION_BIN, "key", "rotate-encryption"]
    settings = {"PREFECT_ORION_DATABASE_CONNECTION_URL": filled.store.url}
    done = subprocess.run(command, env=servers.server_environment(filled.home, **settings), input="n\n", text=True,
                          capture_output=True)
    assert done.returncode == 1 and "aborted" in done.stderr and "with a new key?" in done.stdout + done.stderr
    assert filled.store.dump() == before


def test_a_database_that_is_not_there(tmp_path):
    done = subprocess.run([servers.ORION_BIN, "key", "rotate-encryption", "-y"], capture_output=True, text=True,
                          env=servers.server_environment(tmp_path), stdin=subprocess.DEVNULL)
    assert done.returncode == 1 and "There is no database at" in done.stderr
    assert not (tmp_path / "orion.db").exists()


def test_no_password_is_shown(tmp_path):
    url = f"postgresql+asyncpg://me:{SECRET}@127.0.0.1:{servers.free_port()}/orion"
    settings = {"PREFECT_ORION_DATABASE_CONNECTION_URL": url, "PREFECT_ORION_DATABASE_CONNECTION_TIMEOUT": "0.5"}
    done = subprocess.run([servers.ORION_BIN, "key", "rotate-encryption"], input="y\n", text=True, capture_output=True,
                          env=servers.server_environment(tmp_path, **settings))
    assert done.returncode == 1 and "me:***@127.0.0.1" in done.stdout + done.stderr
    assert SECRET not in done.stdout + done.stderr


# ---- a key that is not in the database ----

def test_a_key_of_the_environment_is_shown_and_then_needed(home, engine):
    old = base64.urlsafe_b64encode(bytes(range(32))).decode()
    with servers.running("orion", home=home, database=engine, ORION_ENCRYPTION_KEY=old) as server:
        documents = fill(Api(server))
        before = shown(Api(server), documents)
        assert "the encryption key is not in the database" in refused(server)
        done = rotate(server, ORION_ENCRYPTION_KEY=old)
        name, new = done.stdout.splitlines()[0].split("=", 1)
        assert name == "ORION_ENCRYPTION_KEY" and "restart" in done.stdout
        assert set(decrypted(server, new)) == set(documents)
        assert server.execute("SELECT key FROM configuration WHERE key = 'ENCRYPTION_KEY'") == []
        assert Api(server).get(f"/block_documents/{documents[0]}").status_code == 500
        assert "The key in ORION_ENCRYPTION_KEY was tried" in refused(server, ORION_ENCRYPTION_KEY=old)
    with servers.running("orion", home=home, database=engine, ORION_ENCRYPTION_KEY=new) as server:
        assert shown(Api(server), documents) == before


@pytest.mark.only("sqlite")
def test_a_key_that_cannot_be_shown_is_not_used(home, engine):
    old = Fernet.generate_key().decode()
    with servers.running("orion", home=home, database=engine, ORION_ENCRYPTION_KEY=old) as server:
        documents = fill(Api(server))
        settings = {"PREFECT_ORION_DATABASE_CONNECTION_URL": server.store.url, "ORION_ENCRYPTION_KEY": old}
        with open("/dev/full", "w") as full:
            done = subprocess.run([servers.ORION_BIN, "key", "rotate-encryption", "-y"], stdout=full,
                                  env=servers.server_environment(home, **settings), stderr=subprocess.PIPE, text=True)
        assert done.returncode == 1 and "nothing was changed: No space left" in done.stderr
        assert set(decrypted(server, old)) == set(documents)

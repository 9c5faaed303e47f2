"""What a database may lack at the start: the server says what it is and the command that mends it, and starts once that
was run."""
import re

import pytest

from tests.lib import postgres
from tests.lib.load import Client

SETTINGS = {"PREFECT_ORION_BLOCKS_REGISTER_ON_START": "false"}


@pytest.fixture
def role(database):
    """A role that may connect."""
    name = f"role_{database}"
    postgres.cluster().execute(database, f"CREATE ROLE {name} LOGIN")
    yield name
    postgres.cluster().execute(database, f"DROP OWNED BY {name}")
    postgres.cluster().execute(database, f"DROP ROLE {name}")


def url_of(database, role):
    return postgres.cluster().url(database).replace("//postgres@", f"//{role}@")


def refused(start, url):
    server = start(url, wait=False, **SETTINGS)
    assert server.process.wait(30) not in (0, None)
    told = server.log()
    assert "SQLSTATE" not in told and "Traceback" not in told, told
    return told


# what is done to the database, what the start says, the command in it that mends it
LACKS = {
    "read-only": (["GRANT CREATE ON SCHEMA public TO {role}", "CREATE EXTENSION pg_trgm",
                   "ALTER ROLE {role} IN DATABASE {database} SET default_transaction_read_only = on"],
                  "default_transaction_read_only is on",
                  r"ALTER ROLE \S+ IN DATABASE \S+ SET default_transaction_read_only = off"),
    "no schema": (["GRANT CREATE ON SCHEMA public TO {role}", "CREATE EXTENSION pg_trgm",
                   "ALTER ROLE {role} IN DATABASE {database} SET search_path = ''"],
                  "no schema in search_path exists", r"ALTER ROLE \S+ IN DATABASE \S+ SET search_path = public"),
    "no right to create": (["REVOKE CREATE ON SCHEMA public FROM PUBLIC", "CREATE EXTENSION pg_trgm"],
                           "may not create tables in the schema public", r"GRANT CREATE ON SCHEMA public TO \S+"),
    "extension elsewhere": (["GRANT CREATE ON SCHEMA public TO {role}", "CREATE SCHEMA away",
                             "CREATE EXTENSION pg_trgm SCHEMA away"],
                            "pg_trgm is in the schema away", r"ALTER EXTENSION pg_trgm SET SCHEMA public"),
}


@pytest.mark.parametrize("lack", LACKS)
def test_the_start_says_what_is_lacking_and_what_mends_it(start, database, role, lack):
    before, reason, mends = LACKS[lack]
    for statement in before:
        postgres.cluster().execute(database, statement.format(database=database, role=role))
    told = refused(start, url_of(database, role))
    assert reason in told, told
    postgres.cluster().execute(database, re.search(mends, told).group().rstrip(".;"))
    assert Client(start(url_of(database, role), **SETTINGS)).flow()["id"]


def test_a_role_that_may_only_read_tells_clients_so(start, database, role):
    """And which command mends it, at the start and in the answer."""
    flow = Client(start(postgres.cluster().url(database), **SETTINGS)).flow()
    postgres.cluster().execute(database, f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
    server = start(url_of(database, role), **SETTINGS)
    mends = re.search(f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}", server.log())
    assert mends, server.log()
    client = Client(server)
    assert client.get(f"/flows/{flow['id']}").status == 200
    answer = client.post("/flows/", {"name": "another"})
    assert answer.status == 503 and "permission denied for table flow" in str(answer.value), answer
    assert f"the role {role} needs GRANT SELECT, INSERT, UPDATE, DELETE" in str(answer.value)
    postgres.cluster().execute(database, mends.group())
    assert client.post("/flows/", {"name": "another"}).status == 201
    again = start(url_of(database, role), **SETTINGS)
    assert "GRANT" not in again.log(), again.log()


def test_a_database_that_is_set_read_only_is_told_at_the_start(start, database):
    Client(start(postgres.cluster().url(database), **SETTINGS)).flow()
    postgres.cluster().execute("postgres", f"ALTER DATABASE {database} SET default_transaction_read_only = on")
    told = start(postgres.cluster().url(database), **SETTINGS).log()
    assert "default_transaction_read_only is on" in told, told


def test_a_standby_is_refused(start):
    with postgres.running() as primary:
        primary.create_database("orion")
        Client(start(primary.url("orion"), **SETTINGS)).flow()
        with primary.standby() as standby:
            assert "its server is a standby. Name the primary" in refused(start, standby.url("orion"))
            either = f"postgresql://postgres@127.0.0.1:{standby.port},127.0.0.1:{primary.port}/orion"
            assert "its server is a standby" in refused(start, either)  # the first that answers
            assert Client(start(f"{either}?target_session_attrs=read-write", **SETTINGS)).flow()["id"]

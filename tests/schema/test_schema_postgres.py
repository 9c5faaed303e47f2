"""On PostgreSQL too our schema is, object by object, the one that the reference's migrations arrive at, with the same
first rows; each of the two takes a database of the other as it is, also after it was dropped; and what can go wrong on
the way is told.

ORION_BIN (default build/orion) and REFERENCE_BIN (default .venv/bin/prefect) name the executables."""
import itertools
import re
import subprocess
from pathlib import Path

import pytest

from tests.lib import postgres, servers

HEAD = "2a88656f4a23"
numbers = itertools.count()

# What belongs to the extension is its own.
NOT_OF_AN_EXTENSION = ("NOT EXISTS (SELECT 1 FROM pg_depend AS d"
                       " WHERE d.classid = '{0}'::regclass AND d.objid = {1}.oid AND d.deptype = 'e')")
CATALOG = {
    "relations": """
        SELECT c.relname, c.relkind::text, c.relpersistence::text, c.relrowsecurity, c.reloptions::text, \
c.relacl::text, pg_get_viewdef(c.oid)
        FROM pg_class AS c WHERE c.relnamespace = 'public'::regnamespace AND """
    + NOT_OF_AN_EXTENSION.format("pg_class", "c"),
    "columns": """
        SELECT a.attrelid::regclass::text, row_number() OVER (PARTITION BY a.attrelid ORDER BY a.attnum), a.attname,
               format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid), a.attidentity::text,
               a.attgenerated::text, a.attcollation, a.attstorage::text
        FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid \
LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped""",
    "constraints": """
        SELECT conrelid::regclass::text, conname, contype::text, pg_get_constraintdef(oid), condeferrable, \
convalidated, confdeltype::text
        FROM pg_constraint WHERE connamespace = 'public'::regnamespace""",
    "indexes": """
        SELECT indrelid::regclass::text, pg_get_indexdef(indexrelid), indisunique, indisprimary, \
indisvalid, pg_get_expr(indpred, indrelid)
        FROM pg_index JOIN pg_class AS c ON c.oid = indexrelid WHERE c.relnamespace = 'public'::regnamespace""",
    "types": """
        SELECT t.typname, t.typtype::text, \
(SELECT array_agg(e.enumlabel ORDER BY e.enumsortorder)::text FROM pg_enum AS e WHERE e.enumtypid = t.oid)
        FROM pg_type AS t WHERE t.typnamespace = 'public'::regnamespace AND """
    + NOT_OF_AN_EXTENSION.format("pg_type", "t"),
    "extensions": "SELECT extname, extversion, extnamespace::regnamespace::text FROM pg_extension",
    "triggers": "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
    "functions": """
        SELECT pg_get_functiondef(p.oid) FROM pg_proc AS p
        WHERE p.pronamespace = 'public'::regnamespace AND p.prokind = 'f' AND """
    + NOT_OF_AN_EXTENSION.format("pg_proc", "p"),
    "sequences": "SELECT seqrelid::regclass::text, seqstart, seqincrement FROM pg_sequence",
    "comments": "SELECT classoid::regclass::text, description FROM pg_description WHERE objoid >= 16384 AND NOT EXISTS"
        " (SELECT 1 FROM pg_extension AS e WHERE e.oid = objoid)",
}
# Each makes one thing of a schema different.
CHANGES = {
    "relations": "CREATE VIEW seen AS SELECT 1 AS one",
    "columns": "ALTER TABLE flow ALTER COLUMN name DROP NOT NULL",
    "columns' types": "ALTER TABLE log ALTER COLUMN level TYPE integer",
    "columns' defaults": "ALTER TABLE flow ALTER COLUMN tags SET DEFAULT '{}'",
    "columns' order": "ALTER TABLE worker DROP COLUMN name; ALTER TABLE worker ADD COLUMN name varchar NOT NULL",
    "constraints": "ALTER TABLE flow RENAME CONSTRAINT uq_flow__name TO uq_flow_name",
    "constraints' actions": "ALTER TABLE task_run DROP CONSTRAINT fk_task_run__flow_run_id__flow_run,"
        " ADD CONSTRAINT fk_task_run__flow_run_id__flow_run FOREIGN KEY (flow_run_id) REFERENCES flow_run (id)",
    "indexes": "DROP INDEX trgm_ix_flow_name",
    "indexes' order":
        "DROP INDEX ix_task_run__end_time_desc; CREATE INDEX ix_task_run__end_time_desc ON task_run (end_time)",
    "indexes' predicates": "DROP INDEX ix_flow_run__scheduler_deployment_id_auto_scheduled_next_schedu; CREATE INDEX"
        " ix_flow_run__scheduler_deployment_id_auto_scheduled_next_schedu ON flow_run"
        " (deployment_id, auto_scheduled, next_scheduled_start_time)",
    "types": "ALTER TYPE state_type ADD VALUE 'LATE'",
    "types' order":
        "ALTER TYPE state_type RENAME VALUE 'PENDING' TO 'x';"
        " ALTER TYPE state_type RENAME VALUE 'RUNNING' TO 'PENDING';"
        " ALTER TYPE state_type RENAME VALUE 'x' TO 'RUNNING'",
    "extensions": "CREATE EXTENSION pgcrypto",
    "triggers":
        "CREATE TRIGGER t BEFORE UPDATE ON flow FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "functions": "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "sequences": "CREATE SEQUENCE s",
    "comments": "COMMENT ON TABLE flow IS 'flows'",
}


def run(kind, url, home, *words):
    """A `database` command of one of the two, with nothing of the user's settings around."""
    command = [servers.ORION_BIN] if kind == "orion" else [servers.REFERENCE_BIN, "orion"]
    environment = servers.server_environment(home, PREFECT_ORION_DATABASE_CONNECTION_URL=url, PREFECT_API_URL="",
                                             NO_COLOR="1")
    return subprocess.run([*map(str, command), "database", *words], env=environment, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)


def upgrade(kind, url, home):
    done = run(kind, url, home, "upgrade", "-y")
    assert done.returncode == 0, done.stdout


def query(database, sql, *values):
    return postgres.cluster().execute(database, sql, *values)


def describe(database):
    return {kind: sorted(query(database, sql), key=repr) for kind, sql in CATALOG.items()}


def differences(left, right):
    """What only one of two descriptions has, by kind."""
    return {kind: ([row for row in left[kind] if row not in right[kind]],
                   [row for row in right[kind] if row not in left[kind]]) for kind in left if left[kind] != right[kind]}


def dump(database, *options):
    return postgres.cluster().dump(database, *options)


def new_name():
    return f"schema_{next(numbers)}"


@pytest.fixture
def database():
    """The name of an empty database."""
    name = new_name()
    postgres.cluster().create_database(name)
    yield name
    postgres.cluster().drop_database(name)


@pytest.fixture
def url(database):
    return postgres.cluster().url(database)


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """The databases that the two made from nothing, by kind. Nobody changes them."""
    names = {}
    for kind in ("orion", "reference"):
        names[kind] = new_name()
        upgrade(kind, postgres.cluster().create_database(names[kind]), tmp_path_factory.mktemp(kind))
    return names


@pytest.fixture
def copy_of(made):
    """Makes a database as that kind made it; its name."""
    names = []

    def copy(kind):
        names.append(new_name())
        postgres.cluster().create_database(names[-1], template=made[kind])
        return names[-1]

    yield copy
    for name in names:
        postgres.cluster().drop_database(name)


def tables(database):
    return [name for name, in query(database, "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")]


def test_same_objects(made):
    theirs = describe(made["reference"])
    assert differences(describe(made["orion"]), theirs) == {}
    assert len(tables(made["orion"])) == 24
    assert {kind for kind, rows in theirs.items() if rows} == {"relations", "columns", "constraints", "indexes",
                                                               "types", "extensions"}


def test_same_dump(made):
    assert dump(made["orion"], "--schema-only") == dump(made["reference"], "--schema-only")


@pytest.mark.parametrize("what", CHANGES)
def test_a_difference_is_found(copy_of, made, what):
    database = copy_of("orion")
    postgres.cluster().script(database, CHANGES[what])
    assert re.sub("'.*", "", what) in differences(describe(database), describe(made["reference"]))


def test_same_first_rows(made):
    for table in tables(made["reference"]):
        columns = [name for name, in query(
            made["reference"], "SELECT attname FROM pg_attribute WHERE attrelid = ?::regclass AND attnum > 0"
            " AND NOT attisdropped AND attname NOT IN ('id', 'created', 'updated', 'default_queue_id', 'work_pool_id')",
            table)]
        sql = f"SELECT {', '.join(columns)} FROM {table}"
        assert query(made["orion"], sql) == query(made["reference"], sql), table


@pytest.mark.parametrize("kind", ["orion", "reference"])
def test_first_rows_belong_together(made, kind):
    assert query(made[kind], "SELECT version_num FROM alembic_version") == [(HEAD,)]
    together = """SELECT p.name, p.type, q.name, q.priority, p.created = q.created AND p.updated = p.created
                  FROM work_pool AS p JOIN work_queue AS q ON q.id = p.default_queue_id AND q.work_pool_id = p.id"""
    assert query(made[kind], together) == [("default-agent-pool", "prefect-agent", "default", 1, True)]


@pytest.mark.parametrize("maker, taker", [("orion", "reference"), ("reference", "orion")])
def test_each_takes_a_database_of_the_other_as_it_is(copy_of, tmp_path, maker, taker):
    database = copy_of(maker)
    before = dump(database)
    upgrade(taker, postgres.cluster().url(database), tmp_path)
    assert dump(database) == before


@pytest.mark.parametrize("maker, taker", [("orion", "reference"), ("reference", "orion"), ("orion", "orion")])
def test_a_dropped_database_can_be_made_again(copy_of, made, tmp_path, maker, taker):
    """The one drops what the other made, and the other makes it again."""
    database = copy_of(maker)
    url = postgres.cluster().url(database)
    done = run(taker, url, tmp_path, "downgrade", "-y")
    assert done.returncode == 0, done.stdout
    assert [name for name in tables(database) if name != "alembic_version"] == []
    assert query(database, CATALOG["types"].replace("WHERE", "WHERE t.typtype = 'e' AND")) == []
    upgrade(maker, url, tmp_path)
    assert differences(describe(database), describe(made[maker])) == {}
    assert query(database, "SELECT count(*) FROM work_pool") == [(1,)]


def test_reset_empties(copy_of, made, tmp_path):
    database = copy_of("reference")
    query(database, "INSERT INTO flow (name) VALUES ('old')")
    done = run("orion", postgres.cluster().url(database), tmp_path, "reset", "-y")
    assert done.returncode == 0, done.stdout
    assert query(database, "SELECT * FROM flow") == []
    assert differences(describe(database), describe(made["reference"])) == {}


def test_what_others_built_on_our_tables_is_not_dropped(copy_of, tmp_path):
    database = copy_of("orion")
    query(database, "CREATE VIEW report AS SELECT name FROM flow")
    before = dump(database)
    done = run("orion", postgres.cluster().url(database), tmp_path, "downgrade", "-y")
    assert done.returncode == 1 and "depend on them" in done.stdout
    assert dump(database) == before


def test_a_database_that_is_not_at_its_revision_is_left_alone(copy_of, tmp_path):
    database = copy_of("reference")
    query(database, "UPDATE alembic_version SET version_num = 'f98ae6d8e2cc'")
    before = dump(database)
    done = run("orion", postgres.cluster().url(database), tmp_path, "upgrade", "-y")
    assert done.returncode == 1
    assert f"failed at revision {HEAD} (Clean up work queue migration)" in done.stdout  # drops what is not there
    assert dump(database) == before


def test_every_revision_of_the_reference_is_known(copy_of, tmp_path):
    folder = Path(servers.REFERENCE_BIN).resolve().parent.parent
    versions = folder.glob("lib/python3*/site-packages/prefect/orion/database/migrations/versions/postgresql/*.py")
    revisions = [re.search(r'^revision = "(\w+)"', file.read_text(), re.M).group(1) for file in versions]
    assert len(revisions) == 60
    database = copy_of("orion")
    for revision in revisions:
        done = run("orion", postgres.cluster().url(database), tmp_path, "stamp", revision)
        assert done.returncode == 0, done.stdout
        assert query(database, "SELECT version_num FROM alembic_version") == [(revision,)]
    assert run("orion", postgres.cluster().url(database), tmp_path, "stamp", "bfe42b7090d6").returncode == 1


def test_the_plan_makes_the_schema(database, url, made, tmp_path):
    done = run("orion", url, tmp_path, "upgrade", "-y", "--dry-run")
    assert done.returncode == 0 and tables(database) == []
    postgres.cluster().script(database, done.stdout)
    assert differences(describe(database), describe(made["reference"])) == {}
    assert "CREATE" not in run("orion", url, tmp_path, "upgrade", "-y", "--dry-run").stdout


def test_several_start_at_once(database, url, made, tmp_path):
    """All end well, and one of them made the tables."""
    command = [str(servers.ORION_BIN), "database", "upgrade", "-y"]
    environment = servers.server_environment(tmp_path, PREFECT_ORION_DATABASE_CONNECTION_URL=url)
    running = [subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True) for _ in range(8)]
    for process in running:
        text, _ = process.communicate(timeout=60)
        assert process.returncode == 0, text
    assert query(database, "SELECT version_num FROM alembic_version") == [(HEAD,)]
    assert query(database, "SELECT count(*) FROM work_pool") == [(1,)]
    assert differences(describe(database), describe(made["reference"])) == {}


def test_a_failure_leaves_nothing(database, url, tmp_path):
    query(database, "CREATE TYPE state_type AS ENUM ('mine')")
    done = run("orion", url, tmp_path, "upgrade", "-y")
    assert done.returncode == 1 and "state_type" in done.stdout
    assert tables(database) == []
    assert query(database, "SELECT extname FROM pg_extension WHERE extname = 'pg_trgm'") == []


@pytest.fixture
def plain_user(database):
    """The URL of a user who may make tables in the database's schema, and nothing else."""
    name = f"user_of_{database}"
    query(database, f"CREATE ROLE {name} LOGIN")
    query(database, f"GRANT CREATE, USAGE ON SCHEMA public TO {name}")
    yield postgres.cluster().url(database).replace("//postgres@", f"//{name}@")
    query(database, f"DROP OWNED BY {name}")
    query(database, f"DROP ROLE {name}")


def test_who_may_not_create_the_extension_reads_what_to_do(database, plain_user, tmp_path):
    done = run("orion", plain_user, tmp_path, "upgrade", "-y")
    text = " ".join(done.stdout.split())
    assert done.returncode == 1, text
    assert "permission denied" in text and "superuser" in text and "CREATE EXTENSION pg_trgm" in text \
        and "postgresql-contrib" in text
    assert tables(database) == []


def test_a_plain_user_where_the_extension_is(database, plain_user, made, tmp_path):
    query(database, "CREATE EXTENSION pg_trgm")
    upgrade("orion", plain_user, tmp_path)
    assert differences(describe(database), describe(made["reference"])) == {}
    done = run("orion", plain_user, tmp_path, "reset", "-y")
    assert done.returncode == 0, done.stdout
    assert differences(describe(database), describe(made["reference"])) == {}


def test_the_search_path_says_where_the_tables_are(database, url, tmp_path):
    """Another program's table of a name of ours is no trouble in a schema that is not on the path."""
    postgres.cluster().script(database, f"""CREATE SCHEMA orion; CREATE SCHEMA other; CREATE TABLE other.flow (id int);
        ALTER DATABASE {database} SET search_path = orion, public""")
    upgrade("orion", url, tmp_path)
    upgrade("orion", url, tmp_path)
    assert query(database, "SELECT count(*) FROM pg_tables WHERE schemaname = 'orion'") == [(24,)]
    done = run("orion", url, tmp_path, "downgrade", "-y")
    assert done.returncode == 0, done.stdout
    assert query(database, "SELECT schemaname, tablename FROM pg_tables"
                 " WHERE schemaname IN ('orion', 'other', 'public')") == [("other", "flow")]

/* tests/unit/test_postgres_faults.c -- PostgreSQL when something else happens too:
 * locks, collisions, time that is over, connections that are lost, servers that are none. */
#include "postgres_db.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PARALLEL = 8, ROUNDS = 50 };

/* ---- helpers ---- */

typedef struct Fixture {
    Db *db;
    Session *admin;  /* another client of the same database */
    Arena *arena;
} Fixture;

static Db *open_db(double timeout, unsigned connections)
{
    Error error = { .code = ERR_NONE };
    Db *db = db_open(&(DbConfig){ .url = postgres_url(), .timeout = timeout, .connect_timeout = 2,
                                  .connections = connections }, &error);
    assert_string_equal(error.message, "");
    assert_non_null(db);
    return db;
}

static int open_fixture(void **state)
{
    empty_database();
    Fixture *f = xcalloc(1, sizeof(*f));
    f->admin = session_new();
    f->arena = arena_new();
    must(f->admin, "CREATE TABLE t (k INTEGER PRIMARY KEY, v INTEGER NOT NULL DEFAULT 0)");
    must(f->admin, "CREATE SEQUENCE tries");
    f->db = open_db(10, 1);
    *state = f;
    return 0;
}

static int close_fixture(void **state)
{
    Fixture *f = *state;
    db_close(f->db);
    session_free(f->admin);
    arena_free(f->arena);
    free(f);
    return 0;
}

/* A job of statements, each run as it is written; `hook` is called before the one at hook_at. */
typedef struct Steps {
    const char *sql[6];
    void (*hook)(Tx *tx, int run, void *arg);
    int hook_at;
    void *arg;
    bool are_sent, has_ended;
    int runs;
} Steps;

static bool run_steps(Tx *tx, void *arg)
{
    Steps *steps = arg;
    int run = ++steps->runs;
    for (int i = 0; i < 6; i++) {
        if (steps->hook && steps->hook_at == i)
            steps->hook(tx, run, steps->arg);
        if (steps->sql[i])
            (void)!(steps->are_sent ? db_send(tx, steps->sql[i], NULL, 0) : db_exec(tx, steps->sql[i], NULL, 0) >= 0);
    }
    return tx->error->code == ERR_NONE;
}

static Error run_job(Db *db, bool write, Steps *steps)
{
    Error error = { .code = ERR_NONE };
    Arena *arena = arena_new();
    bool ok = db_run(db, write, arena, run_steps, steps, &error);
    assert_int_equal(ok, error.code == ERR_NONE);
    arena_free(arena);
    return error;
}

static void assert_job(Db *db, bool write, Steps *steps)
{
    assert_string_equal(run_job(db, write, steps).message, "");
}

static double seconds_since(int64_t start)
{
    return (double)(clock_monotonic() - start) / (double)SECOND;
}

/* ---- locks ---- */

static Session *hurried_session(double timeout)
{
    Session *s = xcalloc(1, sizeof(*s));
    assert_true(session_open(s, &(DbConfig){ .url = postgres_url(), .timeout = timeout, .connect_timeout = 5 }));
    return s;
}

static void locks_exclude_each_other(void **state)
{
    Fixture *f = *state;
    Session *other = hurried_session(0.5);
    Tx *tx = begin_write(f->admin);
    db_lock(tx, LOCK_BLOCKS);
    db_lock(tx, LOCK_NONE);
    assert_int_equal(DB_INT(tx, -1, "SELECT 1"), 1);
    tx = begin_write(other);
    db_lock(tx, LOCK_WORK_POOLS);
    assert_int_equal(DB_INT(tx, -1, "SELECT 1"), 1);
    db_lock(tx, LOCK_BLOCKS);
    assert_int_equal(DB_INT(tx, -1, "SELECT 1"), -1);
    assert_int_equal(end(other).code, ERR_BUSY);
    assert_end(f->admin);
    tx = begin_write(other);
    db_lock(tx, LOCK_BLOCKS);
    assert_end(other);
    session_free(other);
}

static void a_lock_on_a_row_excludes_writers_of_that_row(void **state)
{
    Fixture *f = *state;
    Session *other = hurried_session(0.5);
    Str first = STR("00000000-0000-7000-8000-000000000001"), second = STR("00000000-0000-7000-8000-000000000002");
    must(f->admin, "CREATE TABLE run (id UUID PRIMARY KEY, v INTEGER)");
    must(f->admin, "CREATE TABLE child (run_id UUID REFERENCES run (id))");
    must(f->admin,
         "INSERT INTO run VALUES ('00000000-0000-7000-8000-000000000001'), ('00000000-0000-7000-8000-000000000002')");
    Tx *tx = begin_write(f->admin);
    db_lock_row(tx, "run", first);
    db_lock_row(tx, "run", STR("00000000-0000-7000-8000-00000000ffff"));
    db_lock_row(tx, "run", STR_NULL);
    assert_int_equal(DB_INT(tx, -1, "SELECT 1"), 1);
    tx = begin_write(other);
    db_lock_row(tx, "run", second);
    assert_int_equal(DB_EXEC(tx, "INSERT INTO child VALUES ($1)", v_uuid(first)), 1); /* referring to it is free */
    assert_int_equal(DB_INT(tx, -1, "SELECT COUNT(*) FROM run"), 2);
    db_lock_row(tx, "run", first);
    assert_int_equal(DB_INT(tx, -1, "SELECT 1"), -1);
    assert_int_equal(end(other).code, ERR_BUSY);
    assert_end(f->admin);
    db_lock_row(begin_write(other), "run", first);
    assert_end(other);
    session_free(other);
}

typedef struct Meeting {
    pthread_barrier_t barrier;
    Db *db;
} Meeting;

static void meet_once(Tx *tx, int run, void *arg)
{
    (void)tx;
    Meeting *meeting = arg;
    if (run == 1)
        pthread_barrier_wait(&meeting->barrier);
}

typedef struct Party {
    pthread_t thread;
    Meeting *meeting;
    Steps steps;
    Error error;
} Party;

static void *attend(void *arg)
{
    Party *party = arg;
    party->error = run_job(party->meeting->db, true, &party->steps);
    return NULL;
}

static void jobs_that_lock_in_opposite_order_both_succeed(void **state)
{
    Fixture *f = *state;
    Meeting meeting = { .db = open_db(10, 3) };
    pthread_barrier_init(&meeting.barrier, NULL, 2);
    must(f->admin, "INSERT INTO t VALUES (1), (2)");
    Party parties[2] = {
        { .steps = { .sql = { "UPDATE t SET v = v + 1 WHERE k = 1", "UPDATE t SET v = v + 1 WHERE k = 2" } } },
        { .steps = { .sql = { "UPDATE t SET v = v + 10 WHERE k = 2", "UPDATE t SET v = v + 10 WHERE k = 1" } } },
    };
    for (int i = 0; i < 2; i++) {
        parties[i].meeting = parties[i].steps.arg = &meeting;
        parties[i].steps.hook = meet_once;
        parties[i].steps.hook_at = 1;
        pthread_create(&parties[i].thread, NULL, attend, &parties[i]);
    }
    for (int i = 0; i < 2; i++) {
        pthread_join(parties[i].thread, NULL);
        assert_string_equal(parties[i].error.message, "");
    }
    assert_in_range(parties[0].steps.runs + parties[1].steps.runs, 3, 8);
    assert_int_equal(number(f->admin, "SELECT COUNT(*) FROM t WHERE v = 11"), 2);
    pthread_barrier_destroy(&meeting.barrier);
    db_close(meeting.db);
}

/* ---- collisions ---- */

#define RAISE_TWICE "BEGIN IF nextval('tries') < 3 THEN RAISE 'collided' USING ERRCODE = '40001'; END IF; "

static void a_collision_is_run_again(void **state)
{
    Fixture *f = *state;
    must(f->admin, "CREATE FUNCTION collide() RETURNS INTEGER LANGUAGE plpgsql AS $$ " RAISE_TWICE "RETURN 1; END $$");
    Steps steps = { .sql = { "INSERT INTO t VALUES (1)", "SELECT collide()", "INSERT INTO t VALUES (2)" } };
    assert_job(f->db, true, &steps);
    assert_int_equal(steps.runs, 3);
    assert_int_equal(number(f->admin, "SELECT COUNT(*) FROM t"), 2);
}

static void a_collision_in_the_commit_is_run_again(void **state)
{
    Fixture *f = *state;
    must(f->admin,
         "CREATE FUNCTION collide() RETURNS TRIGGER LANGUAGE plpgsql AS $$ " RAISE_TWICE "RETURN NULL; END $$");
    must(f->admin, "CREATE CONSTRAINT TRIGGER c AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE "
                   "FUNCTION collide()");
    Steps steps = { .sql = { "INSERT INTO t VALUES (1)" }, .are_sent = true };
    assert_job(f->db, true, &steps);
    assert_int_equal(steps.runs, 3);
    assert_int_equal(number(f->admin, "SELECT COUNT(*) FROM t"), 1);
}

static void endless_collisions_end(void **state)
{
    Fixture *f = *state;
    Steps steps = { .sql = { "DO $$ BEGIN RAISE 'collided' USING ERRCODE = '40001'; END $$" } };
    assert_int_equal(run_job(f->db, true, &steps).code, ERR_BUSY);
    assert_in_range(steps.runs, 5, 50);
}

static void failures_of_a_job_leave_the_connection_as_it_was(void **state)
{
    Fixture *f = *state;
    static const struct { const char *sql; ErrorCode code; } cases[] = {
        { "INSERT INTO t VALUES (1), (1)", ERR_INTEGRITY }, { "INSERT INTO t VALUES (NULL)", ERR_INTEGRITY },
        { "SELECT 1 / 0", ERR_INVALID }, { "SELECT", ERR_NONE }, { "SELEKT", ERR_INTERNAL },
        { "SELECT 'x' FROM nowhere", ERR_INTERNAL }, { "", ERR_NONE },
    };
    int64_t pids = 0;
    must(f->admin, "CREATE TABLE pid (p INTEGER)");
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Steps note = { .sql = { "INSERT INTO pid SELECT pg_backend_pid()" } };
        assert_job(f->db, true, &note);
        Steps steps = { .sql = { "INSERT INTO t VALUES (5)", cases[i].sql, "DELETE FROM t" } };
        assert_int_equal(run_job(f->db, true, &steps).code, cases[i].code);
        assert_int_equal(steps.runs, 1);
        assert_int_equal(number(f->admin, "SELECT COUNT(*) FROM t"), 0);
    }
    pids = number(f->admin, "SELECT COUNT(DISTINCT p) FROM pid");
    assert_int_equal(pids, 1);
}

/* ---- readers ---- */

static void one_read_sees_one_snapshot(void **state)
{
    Fixture *f = *state;
    Session *reader = session_new();
    Tx *tx = begin(reader, STEP_BEGIN_READ);
    assert_int_equal(DB_INT(tx, -1, "SELECT COUNT(*) FROM t"), 0);
    must(f->admin, "INSERT INTO t VALUES (1)");
    assert_int_equal(DB_INT(tx, -1, "SELECT COUNT(*) FROM t"), 0);
    assert_end(reader);
    assert_int_equal(DB_INT(begin(reader, STEP_BEGIN_READ), -1, "SELECT COUNT(*) FROM t"), 1);
    assert_end(reader);
    session_free(reader);
}

static void readers_cannot_write(void **state)
{
    Fixture *f = *state;
    Steps steps = { .sql = { "INSERT INTO t VALUES (1)" } };
    assert_int_equal(run_job(f->db, false, &steps).code, ERR_INTERNAL);
    assert_int_equal(steps.runs, 1);
    assert_job(f->db, true, &steps);
}

static void a_database_that_takes_no_writes_is_busy(void **state)
{
    Fixture *f = *state;
    Steps steps = { .sql = { "SET TRANSACTION READ ONLY", "INSERT INTO t VALUES (1)" } };
    assert_int_equal(run_job(f->db, true, &steps).code, ERR_BUSY);
}

/* Nobody waits for what is left of an abandoned read, but it does not stay open either. */
static bool read_one_of_many(Tx *tx, void *arg)
{
    (void)arg;
    Rows *rows = DB_QUERY(tx, "SELECT repeat('x', 1000) FROM generate_series(1, 50000) AS k");
    return db_next(rows);
}

static void an_abandoned_read_ends_by_itself(void **state)
{
    Fixture *f = *state;
    Error error = { .code = ERR_NONE };
    assert_true(db_run(f->db, false, f->arena, read_one_of_many, NULL, &error));
    int64_t open = 1, start = clock_monotonic();
    while (open > 0 && seconds_since(start) < 5) {
        open = number(f->admin, "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database()"
                                " AND pid <> pg_backend_pid() AND state <> 'idle'");
        usleep(10000);
    }
    assert_int_equal(open, 0);
}

/* ---- time ---- */

static void a_long_statement_is_stopped(void **state)
{
    (void)state;
    Db *db = open_db(0.6, 1);
    for (int write = 0; write < 2; write++) {
        Steps steps = { .sql = { "SELECT pg_sleep(10)" } };
        int64_t start = clock_monotonic();
        Error error = run_job(db, write, &steps);
        assert_true(seconds_since(start) < 2);
        assert_int_equal(error.code, ERR_BUSY);
        assert_non_null(strstr(error.message, "longer"));
        assert_int_equal(steps.runs, 1);
        assert_job(db, write, &(Steps){ .sql = { "SELECT 1" } });
    }
    db_close(db);
}

static void a_job_of_many_statements_has_an_end_too(void **state)
{
    (void)state;
    Db *db = open_db(0.6, 1);
    Steps steps = { .sql = { "SET LOCAL statement_timeout = 0", "SELECT pg_sleep(0.2)", "SELECT pg_sleep(5)" } };
    int64_t start = clock_monotonic();
    assert_int_equal(run_job(db, true, &steps).code, ERR_BUSY);
    assert_true(seconds_since(start) < 2);
    assert_job(db, true, &(Steps){ .sql = { "SELECT 1" } });
    db_close(db);
}

static void short_timeouts_leave_time_for_statements(void **state)
{
    (void)state;
    Db *db = open_db(0.2, 1);
    assert_job(db, true, &(Steps){ .sql = { "SELECT pg_sleep(0.05)" } });
    int64_t start = clock_monotonic();
    assert_int_equal(run_job(db, true, &(Steps){ .sql = { "SELECT pg_sleep(3)" } }).code, ERR_BUSY);
    assert_true(seconds_since(start) < 1);
    db_close(db);
}

static void sleep_long(Tx *tx, int run, void *arg)
{
    (void)tx;
    (void)run;
    (void)arg;
    usleep(700000);
}

static void a_job_that_is_too_late_is_not_committed(void **state)
{
    Fixture *f = *state;
    Db *db = open_db(0.5, 1);
    Steps steps = { .sql = { "INSERT INTO t VALUES (1)" }, .hook = sleep_long, .hook_at = 5 };
    Error error = run_job(db, true, &steps);
    assert_int_equal(error.code, ERR_BUSY);
    assert_null(strstr(error.message, "may be stored"));
    assert_int_equal(steps.runs, 1);
    assert_int_equal(number(f->admin, "SELECT COUNT(*) FROM t"), 0);
    assert_job(db, true, &(Steps){ .sql = { "INSERT INTO t VALUES (2)" } });
    db_close(db);
}

static void any_timeout_is_taken(void **state)
{
    (void)state;
    static const double timeouts[] = { 0, 1e-9, 86400, 1e9, 1e300 };
    for (size_t i = 0; i < COUNT_OF(timeouts); i++) {
        Error error = { .code = ERR_NONE };
        DbConfig config = {
            .url = postgres_url(), .timeout = timeouts[i], .connect_timeout = i < 2 ? 5 : timeouts[i], .connections = 1
        };
        Db *db = db_open(&config, &error);
        assert_string_equal(error.message, "");
        if (i != 1)
            assert_job(db, true, &(Steps){ .sql = { "SELECT 1" } });
        db_close(db);
    }
}

/* ---- connections that are lost ---- */

static void terminate_once(Tx *tx, int run, void *arg)
{
    (void)tx;
    if (run == 1)
        terminate(arg);
}

static void a_connection_lost_before_the_commit_is_run_again(void **state)
{
    Fixture *f = *state;
    for (int at = 0; at < 4; at++)
        for (int sent = 0; sent < 2; sent++) {
            Steps steps = {
                .sql = { "INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (2)", "INSERT INTO t VALUES (3)" },
                .hook = terminate_once, .hook_at = at, .arg = f->admin, .are_sent = sent,
            };
            assert_job(f->db, true, &steps);
            assert_in_range(steps.runs, 1, 2);
            assert_int_equal(number(f->admin, "SELECT COUNT(*) FROM t"), 3);
            must(f->admin, "DELETE FROM t");
        }
}

static void a_connection_lost_while_reading_is_run_again(void **state)
{
    Fixture *f = *state;
    for (int at = 0; at < 3; at++) {
        Steps steps = { .sql = { "SELECT 1", "SELECT 2" }, .hook = terminate_once, .hook_at = at, .arg = f->admin };
        assert_job(f->db, false, &steps);
        assert_in_range(steps.runs, 1, 2);
    }
}

static void a_connection_lost_between_jobs_is_not_noticed(void **state)
{
    Fixture *f = *state;
    for (int i = 0; i < 4; i++) {
        assert_job(f->db, i % 2, &(Steps){ .sql = { "SELECT k FROM t" } });
        terminate(f->admin);
        assert_job(f->db, i / 2, &(Steps){ .sql = { "SELECT k FROM t" } });
    }
}

/* It may have been stored: to run it again could do it twice. */
static void a_connection_lost_in_the_commit_is_told(void **state)
{
    Fixture *f = *state;
    pthread_t thread;
    must(f->admin, "CREATE FUNCTION linger() RETURNS TRIGGER LANGUAGE plpgsql AS $$ "
                   "BEGIN PERFORM pg_sleep(5); RETURN NULL; END $$");
    must(f->admin, "CREATE CONSTRAINT TRIGGER c AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE "
                   "FUNCTION linger()");
    Steps steps = { .sql = { "INSERT INTO t VALUES (1)" } };
    pthread_create(&thread, NULL, terminate_soon, f->admin);
    Error error = run_job(f->db, true, &steps);
    pthread_join(thread, NULL);
    assert_int_equal(error.code, ERR_BUSY);
    assert_non_null(strstr(error.message, "may be stored or not"));
    assert_int_equal(steps.runs, 1);
    assert_job(f->db, true, &(Steps){ .sql = { "SELECT 1" } });
}

static void rows_of_a_lost_connection_end(void **state)
{
    Fixture *f = *state;
    Session *s = session_new();
    Tx *tx = begin_write(s);
    Rows *rows = DB_QUERY(tx, "SELECT repeat('x', 1000) FROM generate_series(1, 100000) AS k"),
         *next = DB_QUERY(tx, "SELECT 1");
    assert_true(db_next(rows));
    shutdown(pg_of(s)->pq->socket(pg_of(s)->pg), SHUT_RDWR);
    while (db_next(rows)) {
    }
    assert_false(db_next(next));
    assert_int_equal(DB_EXEC(tx, "SELECT 1"), -1);
    assert_int_equal(end(s).code, ERR_BUSY);
    assert_true(s->connection->may_retry);
    assert_int_equal(number(s, "SELECT 1"), 1);
    session_free(s);
    (void)f;
}

/* ---- statements that the server forgot, or that no longer fit ---- */

static void statements_forgotten_by_the_server_are_made_anew(void **state)
{
    Fixture *f = *state;
    Steps steps = { .sql = { "INSERT INTO t VALUES (1)" } };
    assert_job(f->db, true, &steps);
    must(f->admin, "DELETE FROM t");
    assert_job(f->db, true, &(Steps){ .sql = { "DEALLOCATE ALL" } });
    assert_job(f->db, true, &steps);
    assert_in_range(steps.runs, 3, 3);
}

static void tables_may_change(void **state)
{
    Fixture *f = *state;
    for (int i = 0; i < 3; i++) {
        Steps write = { .sql = { "UPDATE t SET v = 1 RETURNING *" } }, read = { .sql = { "SELECT * FROM t" } };
        assert_job(f->db, true, &write);
        assert_job(f->db, false, &read);
        must(f->admin, i ? "ALTER TABLE t DROP COLUMN added" : "ALTER TABLE t ADD COLUMN added TEXT");
        assert_job(f->db, true, &write);
        assert_job(f->db, false, &read);
        if (i == 1)
            must(f->admin, "ALTER TABLE t ADD COLUMN added INTEGER");
    }
}

static bool insert_kind(Tx *tx, void *arg)
{
    ++*(int *)arg;
    return DB_EXEC(tx, "INSERT INTO run VALUES ($1)", v_text(STR("A"))) == 1;
}

/* As after /admin/database/drop and create on another connection: the type has the same name, and is another. */
static void types_may_be_made_anew(void **state)
{
    Fixture *f = *state;
    for (int i = 0; i < 3; i++) {
        int runs = 0;
        Error error = { .code = ERR_NONE };
        must(f->admin, "CREATE TYPE kind AS ENUM ('A')");
        must(f->admin, "CREATE TABLE run (kind kind)");
        assert_true(db_run(f->db, true, f->arena, insert_kind, &runs, &error));
        assert_int_equal(runs, i ? 2 : 1);
        assert_true(db_run(f->db, true, f->arena, insert_kind, &runs, &error));
        assert_int_equal(number(f->admin, "SELECT COUNT(*) FROM run"), 2);
        must(f->admin, "DROP TABLE run");
        must(f->admin, "DROP TYPE kind");
    }
}

/* It is no change of tables, and trying again does not help. */
static void what_postgresql_does_not_support_is_told(void **state)
{
    Fixture *f = *state;
    Steps steps = { .sql = { "SELECT COUNT(*) FROM t FOR UPDATE" } };
    Error error = run_job(f->db, true, &steps);
    assert_int_equal(error.code, ERR_INTERNAL);
    assert_non_null(strstr(error.message, "FOR UPDATE"));
    assert_int_equal(steps.runs, 1);
}

/* ---- many at once ---- */

static void *add_often(void *arg)
{
    Party *party = arg;
    for (int i = 0; i < ROUNDS && party->error.code == ERR_NONE; i++) {
        party->steps.runs = 0;
        party->error = run_job(party->meeting->db, i % 3 != 2, &party->steps);
    }
    return NULL;
}

static void many_threads_write_and_read(void **state)
{
    Fixture *f = *state;
    Meeting meeting = { .db = open_db(20, 4) };
    Party parties[PARALLEL] = { 0 };
    must(f->admin, "INSERT INTO t VALUES (1)");
    for (int i = 0; i < PARALLEL; i++) {
        parties[i].meeting = &meeting;
        parties[i].steps.sql[0] = "SELECT v FROM t WHERE k = 1";
        parties[i].steps.sql[1] = i < 2 ? "UPDATE t SET v = v + 1 WHERE k = 1" : "SELECT COUNT(*) FROM t";
        pthread_create(&parties[i].thread, NULL, i < 2 ? attend : add_often, &parties[i]);
    }
    for (int i = 0; i < PARALLEL; i++) {
        pthread_join(parties[i].thread, NULL);
        assert_string_equal(parties[i].error.message, "");
    }
    assert_int_equal(number(f->admin, "SELECT v FROM t"), 2);
    db_close(meeting.db);
}

static void note_end(void *arg, const Error *error)
{
    Steps *steps = arg;
    steps->has_ended = error->code == ERR_NONE;
}

static void closing_finishes_what_is_queued(void **state)
{
    Fixture *f = *state;
    Job jobs[20] = { 0 };
    Steps steps[20] = { 0 };
    for (int i = 0; i < 20; i++) {
        steps[i].sql[0] = "INSERT INTO t SELECT COUNT(*) FROM t";
        jobs[i] = (Job){ .run = run_steps, .done = note_end, .arg = &steps[i], .arena = f->arena, .write = true };
        db_submit(f->db, &jobs[i]);
    }
    db_close(f->db);
    for (int i = 0; i < 20; i++)
        assert_true(steps[i].has_ended);
    assert_int_equal(number(f->admin, "SELECT COUNT(*) FROM t"), 20);
    f->db = open_db(10, 1);
}

/* ---- servers ---- */

/* Answers each connection with some bytes, or with nothing, until it is ended. */
typedef struct Impostor {
    int listener, port;
    const char *answer;
    size_t size;
    pthread_t thread;
} Impostor;

static void *pretend(void *arg)
{
    Impostor *impostor = arg;
    int held[64], count = 0, client;
    while (count < 64 && (client = accept(impostor->listener, NULL, NULL)) >= 0) {
        char startup[1024];
        if (impostor->size && read(client, startup, sizeof startup) > 0)
            assert_int_equal(send(client, impostor->answer, impostor->size, MSG_NOSIGNAL), impostor->size);
        if (impostor->size)
            close(client);
        else
            held[count++] = client;
    }
    while (count > 0)
        close(held[--count]);
    return NULL;
}

static void impostor_start(Impostor *impostor)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof address;
    impostor->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(impostor->listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(impostor->listener, 16), 0);
    assert_int_equal(getsockname(impostor->listener, (struct sockaddr *)&address, &size), 0);
    impostor->port = ntohs(address.sin_port);
    pthread_create(&impostor->thread, NULL, pretend, impostor);
}

static void impostor_end(Impostor *impostor)
{
    shutdown(impostor->listener, SHUT_RDWR);
    pthread_join(impostor->thread, NULL);
    close(impostor->listener);
}

/* What a server is told that starts with such a database; it must not take longer than it may. */
static Error refusal(const char *url, double connect_timeout)
{
    Error error = { .code = ERR_NONE };
    int64_t start = clock_monotonic();
    assert_null(db_open(&(DbConfig){ .url = str_from(url), .timeout = 10, .connect_timeout = connect_timeout,
                                     .connections = 2 }, &error));
    assert_true(seconds_since(start) < connect_timeout + 0.5);
    assert_null(strstr(error.message, "secret"));
    assert_null(strchr(error.message, '\n'));
    return error;
}

static Error refusal_by(const char *answer, size_t size)
{
    Impostor impostor = { .answer = answer, .size = size };
    char url[128];
    impostor_start(&impostor);
    snprintf(url, sizeof url, "postgresql://me:secret@127.0.0.1:%d/db?ssl=disable", impostor.port);
    Error error = refusal(url, 0.5);
    impostor_end(&impostor);
    return error;
}

static void a_server_that_does_not_listen(void **state)
{
    (void)state;
    Impostor impostor = { .size = 0 };
    char url[128];
    impostor_start(&impostor);
    impostor_end(&impostor);
    snprintf(url, sizeof url, "postgresql+asyncpg://me:secret@127.0.0.1:%d/db", impostor.port);
    Error error = refusal(url, 1);
    assert_int_equal(error.code, ERR_BUSY);
    assert_non_null(strstr(error.message, "refused"));
    error = refusal("postgresql+asyncpg://me:secret@/db?host=/nowhere", 1);
    assert_int_equal(error.code, ERR_BUSY);
    error = refusal("postgresql+asyncpg://me:secret@no-such-host.invalid/db", 5);
    assert_int_equal(error.code, ERR_BUSY);
    assert_non_null(strstr(error.message, "no-such-host.invalid"));
}

static void a_server_that_is_none(void **state)
{
    (void)state;
    static const char garbage[] = "HTTP/1.1 400 Bad Request\r\n\r\n", huge[] = "R\x7f\xff\xff\xff\0\0\0\0";
    Error error = refusal_by("", 0);
    assert_int_equal(error.code, ERR_BUSY);
    assert_non_null(strstr(error.message, "did not answer in time"));
    assert_int_equal(refusal_by(garbage, sizeof garbage - 1).code, ERR_BUSY);
    assert_int_equal(refusal_by(huge, sizeof huge - 1).code, ERR_BUSY);
    assert_int_equal(refusal_by("N", 1).code, ERR_BUSY);
}

static void a_server_that_is_too_old(void **state)
{
    (void)state;
    static const char answer[] = "R\0\0\0\x08\0\0\0\0S\0\0\0\x18server_version\0" "12.4\0Z\0\0\0\x05I";
    Error error = refusal_by(answer, sizeof answer - 1);
    assert_int_equal(error.code, ERR_INTERNAL);
    assert_string_equal(error.message,
                        "PostgreSQL 12 is too old: 13 or newer is needed. Upgrade the server, or use another one.");
}

static void a_wrong_password(void **state)
{
    (void)state;
    static const char answer[] =
        "E\0\0\0\x4cSFATAL\0VFATAL\0C28P01\0Mpassword authentication failed for user \"me\"\0Fa.c\0\0";
    Error error = refusal_by(answer, sizeof answer - 1);
    assert_int_equal(error.code, ERR_BUSY);
    assert_non_null(strstr(error.message, "password authentication failed for user \"me\""));
}

static void a_database_that_is_not_there(void **state)
{
    (void)state;
    Arena *arena = arena_new();
    Str url = postgres_url();
    while (url.n && url.p[url.n - 1] != '/')
        url.n--;
    Error error = refusal(arena_printf(arena, "%.*sno-such-database?password=secret", STR_ARG(url)).p, 2);
    assert_int_equal(error.code, ERR_BUSY);
    assert_non_null(strstr(error.message, "\"no-such-database\" does not exist"));
    arena_free(arena);
}

/* ---- the rest ---- */

static void statements_are_logged_without_their_values(void **state)
{
    (void)state;
    char text[4096] = "";
    FILE *log = tmpfile();
    int before = dup(STDERR_FILENO);
    dup2(fileno(log), STDERR_FILENO);
    Session *s = session_new();
    s->connection->echo = true;
    Tx *tx = begin_write(s);
    DB_EXEC(tx, "SELECT $1::text", v_text(STR("secret")));
    assert_true(db_script(tx, "SELECT 1; SELECT 2"));
    assert_end(s);
    session_free(s);
    dup2(before, STDERR_FILENO);
    close(before);
    rewind(log);
    text[fread(text, 1, sizeof text - 1, log)] = '\0';
    fclose(log);
    assert_non_null(strstr(text, "SELECT $1::text"));
    assert_non_null(strstr(text, "SELECT 1; SELECT 2"));
    assert_null(strstr(text, "secret"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_fixture, close_fixture)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(locks_exclude_each_other),
        TEST(a_lock_on_a_row_excludes_writers_of_that_row),
        TEST(jobs_that_lock_in_opposite_order_both_succeed),
        TEST(a_collision_is_run_again),
        TEST(a_collision_in_the_commit_is_run_again),
        TEST(endless_collisions_end),
        TEST(failures_of_a_job_leave_the_connection_as_it_was),
        TEST(one_read_sees_one_snapshot),
        TEST(readers_cannot_write),
        TEST(a_database_that_takes_no_writes_is_busy),
        TEST(an_abandoned_read_ends_by_itself),
        cmocka_unit_test(a_long_statement_is_stopped),
        cmocka_unit_test(a_job_of_many_statements_has_an_end_too),
        cmocka_unit_test(short_timeouts_leave_time_for_statements),
        TEST(a_job_that_is_too_late_is_not_committed),
        cmocka_unit_test(any_timeout_is_taken),
        TEST(a_connection_lost_before_the_commit_is_run_again),
        TEST(a_connection_lost_while_reading_is_run_again),
        TEST(a_connection_lost_between_jobs_is_not_noticed),
        TEST(a_connection_lost_in_the_commit_is_told),
        TEST(rows_of_a_lost_connection_end),
        TEST(statements_forgotten_by_the_server_are_made_anew),
        TEST(tables_may_change),
        TEST(types_may_be_made_anew),
        TEST(what_postgresql_does_not_support_is_told),
        TEST(many_threads_write_and_read),
        TEST(closing_finishes_what_is_queued),
        cmocka_unit_test(a_server_that_does_not_listen),
        cmocka_unit_test(a_server_that_is_none),
        cmocka_unit_test(a_server_that_is_too_old),
        cmocka_unit_test(a_wrong_password),
        cmocka_unit_test(a_database_that_is_not_there),
        cmocka_unit_test(statements_are_logged_without_their_values),
    };
    return cmocka_run_group_tests_name("postgres_faults", tests, need_postgres, NULL);
}

/* tests/unit/test_db.c -- transactions and readers on both engines;
 * groups of writes, locks and URLs of SQLite, on files and in memory. */
#include "engine.h"

#include <ftw.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PARALLEL = 20 };

#define MEMORY_URL "sqlite+aiosqlite:///file::memory:?cache=shared&uri=true&check_same_thread=false"
#define ENDLESS "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n"

typedef struct Fixture {
    char folder[64], url[128];
    Db *db;
    Arena *arena;
} Fixture;

/* ---- helpers ---- */

static Db *open_url(const char *url, double timeout)
{
    Error error = { 0 };
    Db *db = db_open(&(DbConfig){ .url = str_from(url), .timeout = timeout, .readers = 2 }, &error);
    assert_string_equal(error.message, "");
    assert_non_null(db);
    return db;
}

typedef struct Sql {
    const char *text;
    int64_t result;
} Sql;

static bool exec_sql(Tx *tx, void *arg)
{
    Sql *sql = arg;
    sql->result = db_exec(tx, sql->text, NULL, 0);
    return sql->result >= 0;
}

static bool int_sql(Tx *tx, void *arg)
{
    Sql *sql = arg;
    sql->result = db_int(tx, -1, sql->text, NULL, 0);
    return tx->error->code == ERR_NONE;
}

static Error try_sql(Db *db, const char *text, int64_t *ret_changed)
{
    Error error = { 0 };
    Arena *arena = arena_new();
    Sql sql = { .text = text };
    bool ok = db_run(db, true, arena, exec_sql, &sql, &error);
    assert_int_equal(ok, error.code == ERR_NONE);
    arena_free(arena);
    if (ret_changed)
        *ret_changed = sql.result;
    return error;
}

static int64_t exec(Db *db, const char *text)
{
    int64_t changed;
    assert_string_equal(try_sql(db, text, &changed).message, "");
    return changed;
}

static Error try_int(Db *db, const char *text, int64_t *ret_value)
{
    Error error = { 0 };
    Arena *arena = arena_new();
    Sql sql = { .text = text };
    if (db_run(db, false, arena, int_sql, &sql, &error))
        *ret_value = sql.result;
    arena_free(arena);
    return error;
}

static int64_t integer(Db *db, const char *text)
{
    int64_t value = -1;
    assert_string_equal(try_int(db, text, &value).message, "");
    return value;
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *where)
{
    (void)info;
    (void)kind;
    (void)where;
    return remove(path);
}

static void make_folder(Fixture *f, const char *name)
{
    char path[160];
    snprintf(path, sizeof path, "%s/%s", f->folder, name);
    assert_int_equal(mkdir(path, 0777), 0);
}

static int open_file(void **state)
{
    Fixture *f = xcalloc(1, sizeof *f);
    snprintf(f->folder, sizeof f->folder, "/tmp/orion-test-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    make_folder(f, "new");
    make_folder(f, "new/folder");
    snprintf(f->url, sizeof f->url, "sqlite+aiosqlite:///%s/new/folder/orion.db", f->folder);
    f->db = open_url(f->url, 10);
    f->arena = arena_new();
    exec(f->db, "CREATE TABLE t (k INTEGER PRIMARY KEY, v TEXT UNIQUE)");
    exec(f->db, "CREATE TABLE child (parent INTEGER REFERENCES t (k) DEFERRABLE INITIALLY DEFERRED)");
    *state = f;
    return 0;
}

/* Of the engine that is asked for. */
static int open_any(void **state)
{
    if (!engine_postgres().n)
        return open_file(state);
    Fixture *f = xcalloc(1, sizeof *f);
    snprintf(f->url, sizeof f->url, "%.*s", STR_ARG(engine_postgres()));
    f->db = engine_open();
    f->arena = arena_new();
    exec(f->db, "CREATE TABLE t (k SERIAL PRIMARY KEY, v TEXT UNIQUE)");
    exec(f->db, "CREATE TABLE child (parent INTEGER REFERENCES t (k) DEFERRABLE INITIALLY DEFERRED)");
    *state = f;
    return 0;
}

static int close_any(void **state)
{
    Fixture *f = *state;
    db_close(f->db);
    arena_free(f->arena);
    if (f->folder[0])
        nftw(f->folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    free(f);
    return 0;
}

/* A job that tells that it runs and then waits to be let on, keeping its transaction open. */
typedef struct Gate {
    sem_t running, go_on, ended;
    const char *text;
} Gate;

static void gate_init(Gate *gate, const char *text)
{
    sem_init(&gate->running, 0, 0);
    sem_init(&gate->go_on, 0, 0);
    sem_init(&gate->ended, 0, 0);
    gate->text = text;
}

static bool gate_run(Tx *tx, void *arg)
{
    Gate *gate = arg;
    if (db_exec(tx, gate->text, NULL, 0) < 0)
        return false;
    sem_post(&gate->running);
    sem_wait(&gate->go_on);
    return true;
}

/* Jobs of a test: each runs its text; order and results are noted. */
typedef struct Note {
    pthread_mutex_t lock;
    sem_t ended;
    int runs, runs_before_first_done, dones;
    int done_order[PARALLEL];
} Note;

typedef struct Task {
    Job job;
    Note *note;
    int number, runs;
    Error error;
    char text[128];
    const char *then; /* a second statement; NULL: none */
} Task;

static bool task_run(Tx *tx, void *arg)
{
    Task *task = arg;
    pthread_mutex_lock(&task->note->lock);
    task->runs++;
    task->note->runs++;
    pthread_mutex_unlock(&task->note->lock);
    return db_exec(tx, task->text, NULL, 0) >= 0 && (!task->then || db_exec(tx, task->then, NULL, 0) >= 0);
}

static void task_done(void *arg, const Error *error)
{
    Task *task = arg;
    Note *note = task->note;
    task->error = *error;
    pthread_mutex_lock(&note->lock);
    if (note->dones == 0)
        note->runs_before_first_done = note->runs;
    note->done_order[note->dones++] = task->number;
    pthread_mutex_unlock(&note->lock);
    sem_post(&note->ended);
}

static void note_init(Note *note)
{
    *note = (Note){ .dones = 0 };
    pthread_mutex_init(&note->lock, NULL);
    sem_init(&note->ended, 0, 0);
}

static void gate_done(void *arg, const Error *error)
{
    Gate *gate = arg;
    (void)error;
    sem_post(&gate->ended);
}

/* Submits all tasks while the writer is held at a gate, so that they meet in one batch; waits for all. */
static void run_together(Fixture *f, Task *tasks, int count, Note *note)
{
    Gate gate;
    gate_init(&gate, "DELETE FROM t WHERE k < 0");
    Arena *arena = arena_new();
    Job holder = { .run = gate_run, .done = gate_done, .arg = &gate, .arena = arena, .write = true };
    db_submit(f->db, &holder);
    sem_wait(&gate.running);
    note_init(note);
    for (int i = 0; i < count; i++) {
        tasks[i].note = note;
        tasks[i].number = i;
        tasks[i].job = (Job){
            .run = task_run, .done = task_done, .arg = &tasks[i], .arena = arena_new(), .write = true
        };
        db_submit(f->db, &tasks[i].job);
    }
    sem_post(&gate.go_on);
    for (int i = 0; i < count; i++)
        sem_wait(&note->ended);
    for (int i = 0; i < count; i++)
        arena_free(tasks[i].job.arena);
    arena_free(arena);
}

static void insert_each(Task *tasks, int count)
{
    for (int i = 0; i < count; i++)
        snprintf(tasks[i].text, sizeof tasks[i].text, "INSERT INTO t (k, v) VALUES (%d, 'v%d')", i + 1, i + 1);
}

/* ---- transactions ---- */

static bool insert_then_fail(Tx *tx, void *arg)
{
    (void)arg;
    assert_int_equal(DB_EXEC(tx, "INSERT INTO t (v) VALUES ('gone')"), 1);
    return fail(tx->error, ERR_NOT_FOUND, "Flow not found");
}

static void failure_rolls_back(void **state)
{
    Fixture *f = *state;
    Error error = { 0 };
    assert_false(db_run(f->db, true, f->arena, insert_then_fail, NULL, &error));
    assert_int_equal(error.code, ERR_NOT_FOUND);
    assert_string_equal(error.message, "Flow not found");
    assert_int_equal(integer(f->db, "SELECT COUNT(*) FROM t"), 0);
}

static bool go_on_after_error(Tx *tx, void *arg)
{
    (void)arg;
    assert_int_equal(DB_EXEC(tx, "INSERT INTO no_such_table VALUES (1)"), -1);
    assert_int_equal(DB_EXEC(tx, "INSERT INTO t (v) VALUES ('after')"), -1);
    assert_false(db_next(DB_QUERY(tx, "SELECT 1")));
    assert_int_equal(DB_INT(tx, 7, "SELECT 1"), 7);
    assert_null(DB_TEXT(tx, "SELECT 'x'").p);
    return true;
}

static void error_is_sticky_even_if_ignored(void **state)
{
    Fixture *f = *state;
    Error error = { 0 };
    assert_false(db_run(f->db, true, f->arena, go_on_after_error, NULL, &error));
    assert_int_equal(error.code, ERR_INTERNAL);
    assert_non_null(strstr(error.message, "no_such_table"));
    assert_int_equal(integer(f->db, "SELECT COUNT(*) FROM t"), 0);
}

static bool say_nothing(Tx *tx, void *arg)
{
    (void)tx;
    (void)arg;
    return false;
}

static void failure_without_reason_is_an_error(void **state)
{
    Fixture *f = *state;
    Error error = { 0 };
    assert_false(db_run(f->db, true, f->arena, say_nothing, NULL, &error));
    assert_int_equal(error.code, ERR_INTERNAL);
    assert_false(db_run(f->db, false, f->arena, say_nothing, NULL, &error));
}

static void constraint_is_an_integrity_error(void **state)
{
    Fixture *f = *state;
    exec(f->db, "INSERT INTO t (k, v) VALUES (1, 'one')");
    assert_int_equal(try_sql(f->db, "INSERT INTO t (k, v) VALUES (2, 'one')", NULL).code, ERR_INTEGRITY);
    assert_int_equal(try_sql(f->db, "INSERT INTO child VALUES (99)", NULL).code, ERR_INTEGRITY);
    assert_int_equal(integer(f->db, "SELECT COUNT(*) FROM child"), 0);
}

static void changed_rows_are_counted(void **state)
{
    Fixture *f = *state;
    assert_int_equal(exec(f->db, "INSERT INTO t (v) VALUES ('a'), ('b'), ('c')"), 3);
    assert_int_equal(exec(f->db, "UPDATE t SET v = v || v WHERE v != 'a'"), 2);
    assert_int_equal(exec(f->db, "UPDATE t SET v = 'x' WHERE v = 'none'"), 0);
    assert_int_equal(exec(f->db, "INSERT INTO t (v) VALUES ('a') ON CONFLICT DO NOTHING"), 0);
    assert_int_equal(exec(f->db, "CREATE TABLE other (x INTEGER)"), 0);
    assert_int_equal(exec(f->db, "DELETE FROM t"), 3);
}

static void readers_cannot_write(void **state)
{
    Fixture *f = *state;
    Error error = { 0 };
    Sql sql = { .text = "INSERT INTO t (v) VALUES ('x')" };
    assert_false(db_run(f->db, false, f->arena, exec_sql, &sql, &error));
    assert_int_equal(error.code, ERR_INTERNAL);
}

/* ---- groups ---- */

static void writes_are_committed_together_in_order(void **state)
{
    Fixture *f = *state;
    Task tasks[PARALLEL] = { 0 };
    Note note;
    insert_each(tasks, PARALLEL);
    run_together(f, tasks, PARALLEL, &note);
    assert_int_equal(note.runs, PARALLEL);
    assert_int_equal(note.runs_before_first_done, PARALLEL);
    for (int i = 0; i < PARALLEL; i++) {
        assert_int_equal(note.done_order[i], i);
        assert_int_equal(tasks[i].error.code, ERR_NONE);
    }
    assert_int_equal(integer(f->db, "SELECT COUNT(*) FROM t"), PARALLEL);
}

static void one_failure_harms_no_other(void **state)
{
    Fixture *f = *state;
    Task tasks[5] = { 0 };
    Note note;
    insert_each(tasks, 5);
    snprintf(tasks[2].text, sizeof tasks[2].text, "INSERT INTO t (k, v) VALUES (100, 'new')");
    tasks[2].then = "INSERT INTO t (k, v) VALUES (101, 'v1')";
    run_together(f, tasks, 5, &note);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(tasks[i].error.code, i == 2 ? ERR_INTEGRITY : ERR_NONE);
        assert_int_equal(tasks[i].runs, 1);
    }
    assert_int_equal(integer(f->db, "SELECT COUNT(*) FROM t"), 4);
    assert_int_equal(integer(f->db, "SELECT COUNT(*) FROM t WHERE v = 'new'"), 0);
}

/* The third statement ends the transaction of all. */
static void lost_transaction_is_run_again(void **state)
{
    Fixture *f = *state;
    Task tasks[5] = { 0 };
    Note note;
    insert_each(tasks, 5);
    snprintf(tasks[2].text, sizeof tasks[2].text, "INSERT OR ROLLBACK INTO t (k, v) VALUES (100, 'v1')");
    run_together(f, tasks, 5, &note);
    for (int i = 0; i < 5; i++)
        assert_int_equal(tasks[i].error.code, i == 2 ? ERR_INTEGRITY : ERR_NONE);
    assert_int_equal(tasks[0].runs, 2);
    assert_int_equal(integer(f->db, "SELECT COUNT(*) FROM t"), 4);
}

/* A foreign key that is checked at the commit makes the commit of all fail. */
static void failed_commit_is_run_again(void **state)
{
    Fixture *f = *state;
    Task tasks[5] = { 0 };
    Note note;
    insert_each(tasks, 5);
    snprintf(tasks[3].text, sizeof tasks[3].text, "INSERT INTO child VALUES (99)");
    run_together(f, tasks, 5, &note);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(tasks[i].error.code, i == 3 ? ERR_INTEGRITY : ERR_NONE);
        assert_int_equal(tasks[i].runs, 2);
    }
    assert_int_equal(integer(f->db, "SELECT COUNT(*) FROM t"), 4);
    assert_int_equal(integer(f->db, "SELECT COUNT(*) FROM child"), 0);
}

static void closing_finishes_what_is_queued(void **state)
{
    Fixture *f = *state;
    Task tasks[PARALLEL] = { 0 };
    Note note;
    note_init(&note);
    insert_each(tasks, PARALLEL);
    for (int i = 0; i < PARALLEL; i++) {
        tasks[i].note = &note;
        tasks[i].job = (Job){
            .run = task_run, .done = task_done, .arg = &tasks[i], .arena = arena_new(), .write = true
        };
        db_submit(f->db, &tasks[i].job);
    }
    db_close(f->db);
    assert_int_equal(note.dones, PARALLEL);
    for (int i = 0; i < PARALLEL; i++)
        arena_free(tasks[i].job.arena);
    f->db = open_url(f->url, 10);
    assert_int_equal(integer(f->db, "SELECT COUNT(*) FROM t"), PARALLEL);
}

/* ---- readers ---- */

static void readers_see_what_is_committed(void **state)
{
    Fixture *f = *state;
    Gate gate;
    gate_init(&gate, "INSERT INTO t (v) VALUES ('x')");
    Job job = { .run = gate_run, .done = gate_done, .arg = &gate, .arena = f->arena, .write = true };
    db_submit(f->db, &job);
    sem_wait(&gate.running);
    assert_int_equal(integer(f->db, "SELECT COUNT(*) FROM t"), 0);
    sem_post(&gate.go_on);
    sem_wait(&gate.ended);
    assert_int_equal(integer(f->db, "SELECT COUNT(*) FROM t"), 1);
}

typedef struct Twice {
    sem_t counted, go_on, ended;
    int64_t first, second;
} Twice;

static bool count_twice(Tx *tx, void *arg)
{
    Twice *twice = arg;
    twice->first = DB_INT(tx, -1, "SELECT COUNT(*) FROM t");
    sem_post(&twice->counted);
    sem_wait(&twice->go_on);
    twice->second = DB_INT(tx, -1, "SELECT COUNT(*) FROM t");
    return true;
}

static void twice_done(void *arg, const Error *error)
{
    Twice *twice = arg;
    (void)error;
    sem_post(&twice->ended);
}

static void one_read_sees_one_snapshot(void **state)
{
    Fixture *f = *state;
    Twice twice = { .first = -1 };
    sem_init(&twice.counted, 0, 0);
    sem_init(&twice.go_on, 0, 0);
    sem_init(&twice.ended, 0, 0);
    Job job = { .run = count_twice, .done = twice_done, .arg = &twice, .arena = f->arena };
    db_submit(f->db, &job);
    sem_wait(&twice.counted);
    exec(f->db, "INSERT INTO t (v) VALUES ('x')");
    assert_int_equal(integer(f->db, "SELECT COUNT(*) FROM t"), 1);
    sem_post(&twice.go_on);
    sem_wait(&twice.ended);
    assert_int_equal(twice.first, 0);
    assert_int_equal(twice.second, 0);
}

static void long_read_is_stopped(void **state)
{
    Fixture *f = *state;
    const char *urls[] = { f->url, MEMORY_URL };
    for (size_t i = 0; i < COUNT_OF(urls); i++) {
        Db *db = open_url(urls[i], 0.2);
        int64_t value = -1;
        Error error = try_int(db, ENDLESS, &value);
        assert_int_equal(error.code, ERR_BUSY);
        assert_non_null(strstr(error.message, "longer"));
        assert_int_equal(integer(db, "SELECT 5"), 5);
        exec(db, "CREATE TABLE after (x)");
        db_close(db);
    }
}

static void wal_is_brought_home_while_running(void **state)
{
    Fixture *f = *state;
    char path[160];
    struct stat info = { .st_size = 0 };
    snprintf(path, sizeof path, "%s/new/folder/orion.db", f->folder);
    exec(f->db, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)"
                " INSERT INTO t (v) SELECT i || hex(zeroblob(1000)) FROM n");
    for (int i = 0; i < 1000 && info.st_size < 6000000; i++) {
        usleep(10000);
        stat(path, &info);
    }
    assert_true(info.st_size >= 6000000);
}

/* ---- locks of others ---- */

static void lock_of_another_is_waited_for_then_busy(void **state)
{
    Fixture *f = *state;
    Db *other = open_url(f->url, 0.3);
    Gate gate;
    gate_init(&gate, "INSERT INTO t (v) VALUES ('held')");
    Job job = { .run = gate_run, .done = gate_done, .arg = &gate, .arena = f->arena, .write = true };
    db_submit(f->db, &job);
    sem_wait(&gate.running);
    Time start = clock_now();
    Error error = try_sql(other, "INSERT INTO t (v) VALUES ('x')", NULL);
    Time waited = clock_now() - start;
    assert_int_equal(error.code, ERR_BUSY);
    assert_string_equal(error.message, "The database is locked by another process");
    assert_in_range(waited, 250000, 5000000);
    assert_int_equal(integer(other, "SELECT COUNT(*) FROM t"), 0);
    sem_post(&gate.go_on);
    sem_wait(&gate.ended);
    db_close(other);
}

static void *let_on_later(void *arg)
{
    Gate *gate = arg;
    usleep(100000);
    sem_post(&gate->go_on);
    return NULL;
}

static void lock_that_ends_in_time_is_no_error(void **state)
{
    Fixture *f = *state;
    Db *other = open_url(f->url, 10);
    Gate gate;
    gate_init(&gate, "INSERT INTO t (v) VALUES ('held')");
    Job job = { .run = gate_run, .done = gate_done, .arg = &gate, .arena = f->arena, .write = true };
    db_submit(f->db, &job);
    sem_wait(&gate.running);
    pthread_t thread;
    pthread_create(&thread, NULL, let_on_later, &gate);
    assert_int_equal(exec(other, "INSERT INTO t (v) VALUES ('x')"), 1);
    pthread_join(thread, NULL);
    sem_wait(&gate.ended);
    assert_int_equal(integer(other, "SELECT COUNT(*) FROM t"), 2);
    db_close(other);
}

/* ---- in memory, and URLs ---- */

static void memory_is_read_and_written_and_gone(void **state)
{
    (void)state;
    const char *urls[] = { MEMORY_URL, "sqlite+aiosqlite:///:memory:", "sqlite+aiosqlite://", "sqlite:///:memory:" };
    for (size_t i = 0; i < COUNT_OF(urls); i++) {
        Db *db = open_url(urls[i], 10), *second = open_url(urls[i], 10);
        exec(db, "CREATE TABLE t (v)");
        exec(db, "INSERT INTO t VALUES (1), (2)");
        assert_int_equal(integer(db, "SELECT COUNT(*) FROM t"), 2);
        assert_int_equal(integer(second, "SELECT COUNT(*) FROM sqlite_master"), 0);
        db_close(second);
        db_close(db);
    }
}

static void files_are_found_by_any_form_of_url(void **state)
{
    Fixture *f = *state;
    char url[256];
    const char *forms[] = { "sqlite:///%s/new/folder/orion.db",
                            "sqlite+aiosqlite:///file:%s/new/folder/orion.db?uri=true&cache=shared" };
    exec(f->db, "INSERT INTO t (v) VALUES ('x')");
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        const char *rest = strstr(forms[i], "%s") + 2;
        snprintf(url, sizeof url, "%.*s%s%s", (int)(rest - 2 - forms[i]), forms[i], f->folder, rest);
        Db *db = open_url(url, 10);
        assert_int_equal(integer(db, "SELECT COUNT(*) FROM t"), 1);
        db_close(db);
    }
    assert_int_equal(chdir(f->folder), 0);
    Db *db = open_url("sqlite+aiosqlite:///new/folder/orion.db", 10);
    assert_int_equal(integer(db, "SELECT COUNT(*) FROM t"), 1);
    db_close(db);
    assert_int_equal(chdir("/"), 0);
}

static Error refused(const char *url)
{
    Error error = { 0 };
    assert_null(db_open(&(DbConfig){ .url = str_from(url), .timeout = 1 }, &error));
    assert_int_not_equal(error.code, ERR_NONE);
    assert_null(strstr(error.message, "secret"));
    return error;
}

static void bad_urls_are_refused_without_their_password(void **state)
{
    Fixture *f = *state;
    char url[256];
    assert_non_null(strstr(refused("mysql+aiomysql://me:secret@host/db").message, "mysql+aiomysql"));
    assert_non_null(strstr(refused("me:secret@host").message, "PREFECT_ORION_DATABASE_CONNECTION_URL"));
    assert_non_null(strstr(refused("sqlite+aiosqlite://me:secret@host/db").message, "no host"));
    refused("");
    snprintf(url, sizeof url, "sqlite:///%s", f->folder);
    assert_non_null(strstr(refused(url).message, f->folder));
    snprintf(url, sizeof url, "sqlite:///%s/new/folder/orion.db/below", f->folder);
    assert_non_null(strstr(refused(url).message, "folder"));
}

static void a_file_of_another_kind_is_refused(void **state)
{
    Fixture *f = *state;
    char path[128], url[160];
    snprintf(path, sizeof path, "%s/text", f->folder);
    FILE *file = fopen(path, "w");
    for (int i = 0; i < 1000; i++)
        fputs("this is no database\n", file);
    fclose(file);
    snprintf(url, sizeof url, "sqlite:///%s", path);
    assert_non_null(strstr(refused(url).message, "not a database"));
}

typedef struct Steps {
    int done, fails_at; /* 0: never */
} Steps;

static bool insert_in_steps(Tx *tx, void *arg)
{
    Steps *steps = arg;
    memset(arena_alloc(tx->arena, 1 << 16), 1, 1 << 16);
    while (steps->done == 0 && tx_has_time(tx)) /* which ends */
        ;
    if (DB_EXEC(tx, "INSERT INTO t (v) VALUES (NULL)") != 1)
        return false;
    if (++steps->done == steps->fails_at)
        return fail(tx->error, ERR_CONFLICT, "enough");
    tx->again = steps->done < 200;
    return true;
}

static void a_long_write_goes_in_steps(void **state)
{
    Fixture *f = *state;
    Error error = { 0 };
    Arena *arena = arena_new();
    Steps steps = { 0 };
    assert_true(db_run(f->db, true, arena, insert_in_steps, &steps, &error));
    assert_int_equal(steps.done, 200);
    assert_int_equal(integer(f->db, "SELECT COUNT(*) FROM t"), 200);
    assert_true(arena_used(arena) < 2 << 20); /* what a step takes is given back */
    steps = (Steps){ .fails_at = 3 };
    assert_false(db_run(f->db, true, arena, insert_in_steps, &steps, &error));
    assert_string_equal(error.message, "enough");
    assert_int_equal(integer(f->db, "SELECT COUNT(*) FROM t"), 202); /* the steps before it stay */
    arena_free(arena);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_any, close_any)

int main(void)
{
    const struct CMUnitTest both[] = {
        TEST(failure_rolls_back),
        TEST(error_is_sticky_even_if_ignored),
        TEST(failure_without_reason_is_an_error),
        TEST(constraint_is_an_integrity_error),
        TEST(changed_rows_are_counted),
        TEST(readers_cannot_write),
        TEST(closing_finishes_what_is_queued),
        TEST(readers_see_what_is_committed),
        TEST(one_read_sees_one_snapshot),
        TEST(a_long_write_goes_in_steps),
    };
    const struct CMUnitTest of_sqlite[] = { /* its one writer, its file, its URLs */
        TEST(writes_are_committed_together_in_order),
        TEST(one_failure_harms_no_other),
        TEST(lost_transaction_is_run_again),
        TEST(failed_commit_is_run_again),
        TEST(long_read_is_stopped),
        TEST(wal_is_brought_home_while_running),
        TEST(lock_of_another_is_waited_for_then_busy),
        TEST(lock_that_ends_in_time_is_no_error),
        cmocka_unit_test(memory_is_read_and_written_and_gone),
        TEST(files_are_found_by_any_form_of_url),
        TEST(bad_urls_are_refused_without_their_password),
        TEST(a_file_of_another_kind_is_refused),
    };
    int failed = cmocka_run_group_tests_name("db", both, NULL, NULL);
    return engine_postgres().n ? failed : failed + cmocka_run_group_tests_name("db of SQLite", of_sqlite, NULL, NULL);
}

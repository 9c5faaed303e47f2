/* tests/unit/test_reads.c -- reads that nobody waits for any more, and long ones that must not hold up short ones. */
#include "engine.h"

#include <ftw.h>
#include <semaphore.h>
#include <unistd.h>

#include "base/clock.h"

#define ENDLESS "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n"
#define SHORT "SELECT 7"
#define LASTING "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT COUNT(*) FROM n"

enum { READERS = 3, LONG = 8, QUICK = 40, TIMEOUT = 30 };

typedef struct Fixture {
    char folder[64], url[128];
    Db *db;
} Fixture;

typedef struct Read {
    Job job;
    const char *text;
    atomic_bool unwanted;
    atomic_int runs;
    int64_t result;
    Error error;
    sem_t ended;
} Read;

static int remove_entry(const char *path, const struct stat *found, int type, struct FTW *walk)
{
    (void)found, (void)type, (void)walk;
    return remove(path);
}

static int open_file(void **state)
{
    Fixture *f = xcalloc(1, sizeof *f);
    Error error = { .code = ERR_NONE };
    snprintf(f->folder, sizeof f->folder, "/tmp/orion_test_reads_XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->url, sizeof f->url, "sqlite+aiosqlite:///%s/orion.db", f->folder);
    Str url = engine_postgres().n ? engine_postgres() : str_from(f->url);
    f->db = db_open(&(DbConfig){ .url = url, .timeout = TIMEOUT, .connect_timeout = 5, .readers = READERS,
                                 .connections = READERS }, &error);
    assert_string_equal(error.message, "");
    *state = f;
    return 0;
}

static int close_file(void **state)
{
    Fixture *f = *state;
    db_close(f->db);
    nftw(f->folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    free(f);
    return 0;
}

static bool read_run(Tx *tx, void *arg)
{
    Read *read = arg;
    atomic_fetch_add(&read->runs, 1);
    read->result = db_int(tx, -1, read->text, NULL, 0);
    return tx->error->code == ERR_NONE;
}

static void read_done(void *arg, const Error *error)
{
    Read *read = arg;
    read->error = *error;
    sem_post(&read->ended);
}

static void submit_as(Db *db, Read *read, const char *text, bool unwanted, _Atomic int64_t *usual)
{
    *read = (Read){ .text = text, .unwanted = unwanted };
    sem_init(&read->ended, 0, 0);
    read->job = (Job){ .run = read_run, .done = read_done, .arg = read, .arena = arena_new(),
                       .unwanted = &read->unwanted, .usual = usual };
    db_submit(db, &read->job);
}

static void submit_kind(Db *db, Read *read, const char *text, _Atomic int64_t *usual)
{
    submit_as(db, read, text, false, usual);
}

static void submit(Db *db, Read *read, const char *text)
{
    submit_as(db, read, text, false, NULL);
}

static void wait_for(Read *read)
{
    sem_wait(&read->ended);
    sem_destroy(&read->ended);
    arena_free(read->job.arena);
}

static bool has_ended(Read *read)
{
    int value = 0;
    sem_getvalue(&read->ended, &value);
    return value > 0;
}

static void wait_until_it_runs(const Read *read)
{
    while (atomic_load(&read->runs) == 0)
        usleep(1000);
}

static int64_t count_endless(Db *db)
{
    Read read;
    submit(db, &read, "SELECT count(*) FROM pg_stat_activity"
                      " WHERE state = 'active' AND query LIKE 'WITH RECURSIVE n%'");
    wait_for(&read);
    assert_int_equal(read.error.code, ERR_NONE);
    return read.result;
}

static void running_read_is_stopped_once_nobody_wants_it(void **state)
{
    Fixture *f = *state;
    Read read;
    submit(f->db, &read, ENDLESS);
    wait_until_it_runs(&read);
    int64_t since = clock_monotonic();
    atomic_store(&read.unwanted, true);
    wait_for(&read);
    assert_int_equal(read.error.code, ERR_BUSY);
    /* the server of PostgreSQL ends it too, and not because its time is over */
    while (engine_postgres().n && count_endless(f->db) > 0)
        usleep(10000);
    assert_true(clock_monotonic() - since < TIMEOUT / 2 * (int64_t)SECOND);
}

static void waiting_read_is_not_begun_once_nobody_wants_it(void **state)
{
    Fixture *f = *state;
    Read busy[READERS], waiting, last;
    for (int i = 0; i < READERS; i++)
        submit(f->db, &busy[i], ENDLESS);
    for (int i = 0; i < READERS; i++)
        wait_until_it_runs(&busy[i]);
    submit_as(f->db, &waiting, SHORT, true, NULL);
    submit(f->db, &last, SHORT);
    for (int i = 0; i < READERS; i++)
        atomic_store(&busy[i].unwanted, true);
    for (int i = 0; i < READERS; i++)
        wait_for(&busy[i]);
    wait_for(&waiting);
    wait_for(&last);
    assert_int_equal(last.result, 7);
    assert_int_equal(waiting.error.code, ERR_BUSY);
    assert_int_equal(atomic_load(&waiting.runs), 0);
}

/* The long ones came first, and there are more of them than threads. */
static void short_reads_pass_long_ones(void **state)
{
    Fixture *f = *state;
    Read longs[LONG], quick[QUICK];
    for (int i = 0; i < LONG; i++)
        submit(f->db, &longs[i], ENDLESS);
    for (int i = 0; i < QUICK; i++)
        submit(f->db, &quick[i], SHORT);
    for (int i = 0; i < QUICK; i++) {
        wait_for(&quick[i]);
        assert_int_equal(quick[i].error.code, ERR_NONE);
        assert_int_equal(quick[i].result, 7);
    }
    for (int i = 0; i < LONG; i++)
        assert_false(has_ended(&longs[i]));
    for (int i = 0; i < LONG; i++)
        atomic_store(&longs[i].unwanted, true);
    for (int i = 0; i < LONG; i++)
        wait_for(&longs[i]);
}

/* Once reads of a kind have been long, the next ones need not show it: a short one waits for none of them. */
static void kinds_of_reads_are_known(void **state)
{
    Fixture *f = *state;
    _Atomic int64_t usual = 0;
    Read longs[LONG], quick;
    submit_kind(f->db, &longs[0], LASTING, &usual);
    wait_for(&longs[0]);
    assert_true(usual > 0);
    atomic_store(&usual, 10 * SECOND);
    for (int i = 0; i < LONG; i++)
        submit_kind(f->db, &longs[i], ENDLESS, &usual);
    for (int i = 0; i < READERS - 1; i++)
        wait_until_it_runs(&longs[i]);
    submit(f->db, &quick, SHORT);
    wait_for(&quick);
    assert_int_equal(quick.result, 7);
    for (int i = 0; i < LONG; i++) {
        assert_true(atomic_load(&longs[i].runs) <= 1); /* none has had to make room */
        atomic_store(&longs[i].unwanted, true);
    }
    for (int i = 0; i < LONG; i++)
        wait_for(&longs[i]);
    assert_true(usual == 10 * SECOND); /* those that were stopped say nothing */
}

/* One that made room starts again elsewhere, and ends like any other. */
static void long_read_that_made_room_is_answered(void **state)
{
    Fixture *f = *state;
    Read longs[LONG], quick[QUICK];
    const char *text = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000)"
                       " SELECT COUNT(*) FROM n";
    for (int i = 0; i < LONG; i++)
        submit(f->db, &longs[i], text);
    for (int i = 0; i < QUICK; i++)
        submit(f->db, &quick[i], SHORT);
    for (int i = 0; i < QUICK; i++)
        wait_for(&quick[i]);
    for (int i = 0; i < LONG; i++) {
        wait_for(&longs[i]);
        assert_int_equal(longs[i].error.code, ERR_NONE);
        assert_int_equal(longs[i].result, 1000000);
    }
}

/* At the end all are answered, long ones too, whichever thread ends first. */
static void closing_answers_long_reads(void **state)
{
    Fixture *f = *state;
    Read longs[LONG], quick[QUICK];
    const char *text = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50000)"
                       " SELECT COUNT(*) FROM n";
    for (int i = 0; i < LONG; i++)
        submit(f->db, &longs[i], text);
    for (int i = 0; i < QUICK; i++)
        submit(f->db, &quick[i], SHORT);
    db_close(f->db);
    f->db = NULL;
    for (int i = 0; i < QUICK; i++)
        wait_for(&quick[i]);
    for (int i = 0; i < LONG; i++) {
        assert_true(has_ended(&longs[i]));
        wait_for(&longs[i]);
        assert_int_equal(longs[i].result, 50000);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_file, close_file)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(running_read_is_stopped_once_nobody_wants_it),
        TEST(waiting_read_is_not_begun_once_nobody_wants_it),
        TEST(short_reads_pass_long_ones),
        TEST(kinds_of_reads_are_known),
        TEST(long_read_that_made_room_is_answered),
        TEST(closing_answers_long_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

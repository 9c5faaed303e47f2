/* tests/unit/test_sqlite_file.c -- that a database file is not taken for truncated while another program's checkpoint
 * writes to it. */
#include "unit.h"

#include <ftw.h>
#include <sqlite3.h>
#include <stdio.h>
#include <unistd.h>

#include "db/sqlite_file.h"

typedef struct Fixture {
    char folder[64], path[128];
    Arena *arena;
    SqliteFiles *files;
    sqlite3 *server, *other;
} Fixture;

/* ---- what is called after each write to the database file ---- */

static const sqlite3_io_methods *their_methods;
static Fixture *watching;
static unsigned looks;

static void look(void)
{
    Error error = { 0 };
    bool ok = sqlite_files_check(watching->files, watching->server, &error);
    assert_string_equal(error.message, "");
    assert_true(ok);
    looks++;
}

static int write_and_look(sqlite3_file *file, const void *bytes, int count, sqlite3_int64 place)
{
    int status = their_methods->xWrite(file, bytes, count, place);
    look();
    return status;
}

static int truncate_and_look(sqlite3_file *file, sqlite3_int64 size)
{
    int status = their_methods->xTruncate(file, size);
    look();
    return status;
}

static void watch_writes(Fixture *f)
{
    static sqlite3_io_methods methods;
    sqlite3_file *file = sqlite_main_file(f->other);
    their_methods = file->pMethods;
    methods = *their_methods;
    methods.xWrite = write_and_look;
    methods.xTruncate = truncate_and_look;
    file->pMethods = &methods;
    watching = f;
    looks = 0;
}

/* ---- fixture ---- */

static void run(sqlite3 *db, const char *sql)
{
    sqlite3_exec(db, sql, NULL, NULL, NULL);
    assert_string_equal(sqlite3_errmsg(db), "not an error");
}

static sqlite3 *connect(const char *path)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    run(db, "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0");
    return db;
}

static int setup(void **state)
{
    Fixture *f = calloc(1, sizeof *f);
    snprintf(f->folder, sizeof f->folder, "/tmp/orion-sqlite-file-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    snprintf(f->path, sizeof f->path, "%s/orion.db", f->folder);
    f->arena = arena_new();
    f->files = sqlite_files_new(f->arena);
    f->server = connect(f->path);
    run(f->server, "CREATE TABLE kept (text); INSERT INTO kept VALUES ('x'); CREATE TABLE filler (text)");
    sqlite_files_remember(f->files, f->server, true);
    f->other = connect(f->path);
    *state = f;
    return 0;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *place)
{
    (void)info, (void)kind, (void)place;
    return remove(path);
}

static int teardown(void **state)
{
    Fixture *f = *state;
    sqlite3_close(f->other);
    sqlite3_close(f->server);
    arena_free(f->arena);
    nftw(f->folder, remove_one, 8, FTW_DEPTH);
    free(f);
    return 0;
}

/* ---- tests ---- */

#define FILL "INSERT INTO filler VALUES (zeroblob(300000))"
#define SHRINK "DELETE FROM filler; VACUUM"

/* The size last seen is the large one; page 1, copied first, says how large the file will be again. */
static void file_grows_again_after_a_vacuum(void **state)
{
    Fixture *f = *state;
    Error error = { 0 };
    run(f->other, FILL "; PRAGMA wal_checkpoint(PASSIVE)");
    assert_true(sqlite_files_check(f->files, f->server, &error));
    run(f->other, SHRINK "; PRAGMA wal_checkpoint(TRUNCATE); " FILL);
    watch_writes(f);
    run(f->other, "PRAGMA wal_checkpoint(PASSIVE)");
    assert_true(looks > 70); /* pages */
}

static void file_is_made_smaller_by_a_vacuum(void **state)
{
    Fixture *f = *state;
    run(f->other, FILL "; PRAGMA wal_checkpoint(PASSIVE)");
    watch_writes(f);
    look();
    run(f->other, SHRINK "; PRAGMA wal_checkpoint(TRUNCATE)");
    assert_true(looks > 2);
}

static void truncated_file_is_noticed(void **state)
{
    Fixture *f = *state;
    Error error = { 0 };
    run(f->other, FILL "; PRAGMA wal_checkpoint(PASSIVE)");
    assert_true(sqlite_files_check(f->files, f->server, &error));
    run(f->other, FILL);
    assert_int_equal(truncate(f->path, 8 * 4096), 0);
    assert_false(sqlite_files_check(f->files, f->server, &error));
    assert_non_null(strstr(error.message, "The database file was truncated"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(file_grows_again_after_a_vacuum, setup, teardown),
        cmocka_unit_test_setup_teardown(file_is_made_smaller_by_a_vacuum, setup, teardown),
        cmocka_unit_test_setup_teardown(truncated_file_is_noticed, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

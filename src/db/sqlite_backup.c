/* db/sqlite_backup.c -- SQLite files as a whole: a database is copied page by page while others write, a file is
 * checked, and put in a database's place. */
#include "db/sqlite_backup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <unistd.h>

#include "db/backup_file.h"
#include "db/sqlite_fault.h"
#include "db/sqlite_file.h"

enum {
    STEP_PAGES = 256,            /* 1 MB, as pages usually are */
    LOCK_WAIT = 10 * 1000,       /* milliseconds */
    CHECK_STEPS = 100 * 1000,    /* of SQLite's virtual machine, between two looks at how far a check is */
    /* Of a database's header, https://www.sqlite.org/fileformat2.html: how the file is read and written, with a log (2)
     * or without (1) */
    HEADER_VERSIONS = 18,
    /* Where SQLite has its locks, https://www.sqlite.org/lockingv3.html: a connection to a database with a log holds
     * one of them as long as it is open */
    LOCK_FIRST = 0x40000000,
    LOCK_COUNT = 512
};

DbPlace sqlite_file_place(Arena *arena, const char *path, bool is_read_only)
{
    Buf uri;
    buf_init(&uri, arena, strlen(path) + 32);
    buf_text(&uri, "file:");
    for (const char *p = path; *p; p++) {
        if (char_in(*p, "%?#"))
            buf_printf(&uri, "%%%02X", (unsigned)*p);
        else
            buf_char(&uri, *p);
    }
    if (is_read_only)
        buf_text(&uri, "?mode=ro&immutable=1"); /* nothing is made beside it */
    return (DbPlace){ .path = buf_cstr(&uri), .file = path, .is_single = true, .has_no_log = true,
                      .is_read_only = is_read_only };
}

static bool fail_with(sqlite3 *db, const char *what, Error *error)
{
    Error why = { .code = ERR_NONE };
    (void)sqlite_fail(db, &why, NULL);
    return fail(error, why.code, "%s: %s", what, why.message);
}

static bool run(sqlite3 *db, const char *sql, const char *what, Error *error)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK || fail_with(db, what, error);
}

static bool open_as(const char *path, int flags, sqlite3 **ret, const char *what, Error *error)
{
    bool ok = sqlite3_open_v2(path, ret, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI, NULL) == SQLITE_OK;
    if (ok)
        sqlite3_busy_timeout(*ret, LOCK_WAIT);
    return ok || fail_with(*ret, what, error);
}

/* ---- copying ---- */

/* The one number that a query has; -1: it failed. */
static int64_t number_of(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    bool ok = sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW;
    int64_t number = ok ? sqlite3_column_int64(statement, 0) : -1;
    sqlite3_finalize(statement);
    return number;
}

static bool copy_pages(sqlite3 *from, sqlite3 *to, const Onlooker *onlooker, Error *error)
{
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
    if (!backup)
        return fail_with(to, "The backup", error);
    int64_t size = number_of(from, "PRAGMA page_size");
    int code;
    bool goes_on;
    do {
        code = sqlite3_backup_step(backup, STEP_PAGES);
        int64_t of = sqlite3_backup_pagecount(backup);
        const Progress at = { .doing = "Copying", .done = (of - sqlite3_backup_remaining(backup)) * size,
                              .of = of * size };
        goes_on = onlooker_goes_on(onlooker, &at, error);
    } while (code == SQLITE_OK && goes_on);
    bool ok = sqlite3_backup_finish(backup) == SQLITE_OK && code == SQLITE_DONE && goes_on;
    return ok || fail_with(to, "The backup", error);
}

/* The copy is marked as a file without a log, so that it opens on any disk, and from a medium that cannot be written
 * to. */
static bool mark_without_log(const char *path, Error *error)
{
    static const unsigned char versions[] = { 1, 1 };
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool ok = fd >= 0 && pwrite(fd, versions, sizeof versions, HEADER_VERSIONS) == sizeof versions;
    int cause = errno;
    if (fd >= 0)
        close(fd);
    return ok || fail(error, ERR_BUSY, "Cannot write %s: %s", path, strerror(cause));
}

/* A transaction that reads holds one state of the database while others write on. Without it, each of their commits
 * would make the copy begin again. */
static bool copy_snapshot(sqlite3 *from, sqlite3 *to, const Onlooker *onlooker, Error *error)
{
    return run(from, "PRAGMA query_only = ON; BEGIN; SELECT 1 FROM sqlite_master", "The database", error)
           && run(to, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE",
                  "The backup", error)
           && copy_pages(from, to, onlooker, error);
}

bool sqlite_backup(const DbPlace *place, const char *path, const Onlooker *onlooker, Error *error)
{
    sqlite3 *from = NULL, *to = NULL;
    Arena *arena = arena_new_small(PATH_MAX);
    bool ok = (place->file || fail(error, ERR_INVALID, "The database is in memory: there is nothing to back up"))
              && open_as(place->path, SQLITE_OPEN_READWRITE, &from, "The database", error)
              && open_as(sqlite_file_place(arena, path, false).path, SQLITE_OPEN_READWRITE, &to, "The backup", error)
              && copy_snapshot(from, to, onlooker, error);
    sqlite3_close(to);
    sqlite3_close(from);
    arena_free(arena);
    return ok && mark_without_log(path, error);
}

/* ---- checking ---- */

typedef struct Checking {
    sqlite3 *db;
    const Onlooker *onlooker;
    int64_t page_size, pages;
    Error why; /* why it was to end */
} Checking;

/* Each page is read once, more or less, so that the pages that were read tell how far it is. */
static int look(void *arg)
{
    Checking *checking = arg;
    int read = 0, highest;
    sqlite3_db_status(checking->db, SQLITE_DBSTATUS_CACHE_MISS, &read, &highest, 0);
    int64_t done = read < checking->pages ? read : checking->pages - 1;
    const Progress at = { .doing = "Verifying", .done = done * checking->page_size,
                          .of = checking->pages * checking->page_size };
    return !onlooker_goes_on(checking->onlooker, &at, &checking->why);
}

static bool check_pages(Checking *checking, Error *error)
{
    sqlite3_stmt *statement = NULL;
    sqlite3_progress_handler(checking->db, CHECK_STEPS, look, checking);
    bool ok = sqlite3_prepare_v2(checking->db, "PRAGMA quick_check(1)", -1, &statement, NULL) == SQLITE_OK
              && sqlite3_step(statement) == SQLITE_ROW;
    const char *found = ok ? (const char *)sqlite3_column_text(statement, 0) : NULL;
    if (checking->why.code != ERR_NONE)
        ok = fail(error, checking->why.code, "%s", checking->why.message);
    else if (!found)
        ok = fail_with(checking->db, "It cannot be read", error);
    else if (strcmp(found, "ok") != 0)
        ok = fail(error, ERR_INVALID, "It is damaged: %s", found);
    sqlite3_finalize(statement);
    return ok;
}

static bool count_pages(Checking *checking, Error *error)
{
    checking->pages = number_of(checking->db, "PRAGMA page_count");
    checking->page_size = checking->pages < 0 ? -1 : number_of(checking->db, "PRAGMA page_size");
    return checking->page_size > 0 || fail_with(checking->db, "It cannot be read", error);
}

bool sqlite_file_check(const char *path, const Onlooker *onlooker, Error *error)
{
    Checking checking = { .onlooker = onlooker };
    Arena *arena = arena_new_small(PATH_MAX);
    bool ok = open_as(sqlite_file_place(arena, path, true).path, SQLITE_OPEN_READONLY, &checking.db,
                      "It cannot be read", error)
              && count_pages(&checking, error) && check_pages(&checking, error);
    int64_t bytes = checking.pages * checking.page_size;
    sqlite3_close(checking.db);
    arena_free(arena);
    const Progress end = { .doing = "Verifying", .done = bytes, .of = bytes };
    return ok && onlooker_goes_on(onlooker, &end, error);
}

/* ---- replacing ---- */

bool sqlite_is_free(const DbPlace *place, Error *error)
{
    struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = LOCK_FIRST, .l_len = LOCK_COUNT };
    int fd = place->file ? open(place->file, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0)
        return true; /* there is none, or whoever opens it says what is wrong */
    bool is_known = fcntl(fd, F_GETLK, &lock) == 0;
    close(fd);
    if (!is_known || lock.l_type == F_UNLCK)
        return true;
    if (lock.l_pid <= 0)
        return fail(error, ERR_CONFLICT, "The database %s is in use. Stop the server first.", place->file);
    return fail(error, ERR_CONFLICT, "The database %s is in use, by process %d. Stop the server first.", place->file,
                (int)lock.l_pid);
}

/* Takes the database for this process alone, and what its log holds into its file, so that no log is left that SQLite
 * would apply to the file that takes its place. */
static bool take_alone(sqlite3 *db, Error *error)
{
    static const char take[] = "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE";
    sqlite3_busy_timeout(db, 0);
    if (sqlite3_exec(db, take, NULL, NULL, NULL) == SQLITE_OK)
        return true;
    if (sqlite3_errcode(db) == SQLITE_BUSY)
        return fail(error, ERR_CONFLICT, "The database is in use. Stop the server first.");
    return fail_with(db, "The database cannot be read", error);
}

/* Of a database that cannot be read, which therefore no server uses either. */
static void remove_logs(Arena *arena, const char *file)
{
    static const char *const suffixes[] = { "-wal", "-shm", "-journal" };
    for (size_t i = 0; i < COUNT_OF(suffixes); i++)
        unlink(arena_printf(arena, "%s%s", file, suffixes[i]).p);
}

static bool replace_existing(Arena *arena, const char *file, const char *path, bool must_be_sound, Error *error)
{
    sqlite3 *db = NULL;
    Error why = { .code = ERR_NONE };
    bool is_alone = open_as(sqlite_file_place(arena, file, false).path, SQLITE_OPEN_READWRITE, &db,
                            "The database cannot be read", &why)
                    && take_alone(db, &why);
    bool ok = is_alone || (why.code != ERR_CONFLICT && !must_be_sound) || fail(error, why.code, "%s", why.message);
    if (ok && !is_alone)
        remove_logs(arena, file);
    ok = ok && file_rename(path, file, true, error);
    sqlite3_close(db); /* its locks last until here */
    return ok;
}

bool sqlite_replace(const DbPlace *place, const char *path, bool must_be_sound, Error *error)
{
    Arena *arena = arena_new_small(PATH_MAX);
    char real[PATH_MAX];
    bool ok;
    if (!realpath(place->file, real)) /* there is none; a link to nothing stays one */
        ok = sqlite_is_free(place, error) && file_rename(path, place->file, false, error);
    else
        ok = sqlite_is_free(place, error) && replace_existing(arena, real, path, must_be_sound, error);
    arena_free(arena);
    return ok;
}

/* ---- getting room back ---- */

static int must_end(void *arg)
{
    return onlooker_must_end(arg);
}

/* What is left goes to a temporary file, and from there into the log. */
static bool has_room_for(const char *file, int64_t left, Error *error)
{
    static const char *const names[] = { "SQLITE_TMPDIR", "TMPDIR" };
    const char *folder = "/var/tmp";
    char temporary[PATH_MAX];
    for (size_t i = COUNT_OF(names); i-- > 0;)
        folder = getenv(names[i]) ? getenv(names[i]) : folder;
    snprintf(temporary, sizeof temporary, "%s/vacuum", folder);
    bool is_shared = file_are_on_one_disk(file, temporary);
    return file_has_room(file, is_shared ? 2 * left : left, error)
           && (is_shared || file_has_room(temporary, left, error));
}

static bool vacuum(sqlite3 *db, const char *file, const Onlooker *onlooker, Error *error)
{
    int64_t left = number_of(db, "SELECT (page_count - freelist_count) * page_size"
                                 " FROM pragma_page_count, pragma_page_size, pragma_freelist_count");
    if (!has_room_for(file, left, error))
        return false;
    sqlite3_progress_handler(db, CHECK_STEPS, must_end, (void *)(uintptr_t)onlooker);
    if (sqlite3_exec(db, "PRAGMA temp_store = FILE; VACUUM", NULL, NULL, NULL) == SQLITE_OK) {
        sqlite3_progress_handler(db, 0, NULL, NULL);
        sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL); /* others may prevent it */
        return true;
    }
    if (sqlite3_errcode(db) == SQLITE_INTERRUPT)
        return fail(error, ERR_BUSY, ONLOOKER_ENDED);
    return fail_with(db, "VACUUM", error);
}

bool sqlite_vacuum(const DbPlace *place, const Onlooker *onlooker, Error *error)
{
    sqlite3 *db = NULL;
    if (!place->file)
        return fail(error, ERR_INVALID, "The database is in memory: there is no room to get back.");
    bool ok = open_as(place->path, SQLITE_OPEN_READWRITE, &db, "The database", error)
              && vacuum(db, place->file, onlooker, error);
    sqlite3_close(db);
    return ok;
}

int64_t sqlite_log_bytes(const DbPlace *place)
{
    return sqlite_files_log_bytes(place->files);
}

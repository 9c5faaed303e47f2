/* db/sqlite_file.c -- whether a database's files are still those that were opened, and whole. No file is opened for
 * that: closing it would end the locks that SQLite holds on it for this process. */
#include "db/sqlite_file.h"

#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

#define LOGGER "orion.db"

enum {
    DESCRIPTORS_SEEN = 1024,
    AGAIN_US = 200 * 1000,       /* until files that were gone are looked at again */
    /* https://www.sqlite.org/walformat.html */
    INDEX_VERSION = 3007000,
    INDEX_HEADER = 12,           /* words of 32 bits; there are two copies, equal unless one is being written */
    INDEX_FRAMES = 4,            /* the words' places: frames in the log */
    INDEX_PAGES = 5,             /* pages of the database, its log included */
    INDEX_COPIED = 24,           /* frames that are in the database file too */
    INDEX_ATTEMPTED = 32,        /* those that a checkpoint is copying, or was when it was ended */
    INDEX_READ = 33,             /* words that are read here */
    INDEX_REGION = 32768,        /* bytes that SQLite maps at once */
    LOG_HEADER = 32,             /* bytes */
    FRAME_HEADER = 24,
    HEADER_PAGES = 28            /* the database's header: its pages when page 1 was last copied, big-endian */
};

typedef enum FileKind { FILE_MAIN, FILE_LOG, FILE_INDEX, FILE_COUNT } FileKind;

typedef enum Fate {
    FATE_WHOLE,
    FATE_GONE,                   /* the open files are whole, but are not where others look for them */
    FATE_DAMAGED                 /* for good: SQLite's memory does not match them any more, even if they look whole */
} Fate;

struct SqliteFiles {
    Arena *arena;
    unsigned count;              /* 1: without a log; 0: nothing is checked */
    const char *paths[FILE_COUNT];
    struct stat opened[FILE_COUNT];
    int64_t page_size;
    const volatile uint32_t *index; /* the head of the log's index */
    int descriptor;              /* SQLite's own of the database file, wherever that is now */
    pthread_mutex_t lock;        /* protects what follows */
    atomic_int fate;             /* read without the lock too */
    Error why;
    int64_t looked;              /* monotonic, when they were found gone */
    int64_t main_size;           /* as last seen */
    struct timespec main_changed; /* when the database file was last written to before it was left alone */
};

/* As the files are named to users. */
static const struct {
    const char *name, *remedy;
} kinds[FILE_COUNT] = {
    [FILE_MAIN] = { "database file", "put it back, or stop the server, put a backup in its place and start it again" },
    [FILE_LOG] = { "database's write-ahead log (-wal)", "put it back, or restart the server" },
    [FILE_INDEX] = { "index of the database's write-ahead log (-shm)", "put it back, or restart the server" },
};

/* What the log's index says, in frames and pages. */
typedef struct LogIndex {
    uint32_t header[INDEX_HEADER];
    int64_t frames, pages, copied, attempted;
} LogIndex;

SqliteFiles *sqlite_files_new(Arena *arena)
{
    SqliteFiles *files = arena_new_of(arena, SqliteFiles);
    files->arena = arena;
    pthread_mutex_init(&files->lock, NULL);
    return files;
}

/* ---- what was opened ---- */

sqlite3_file *sqlite_main_file(sqlite3 *db)
{
    sqlite3_file *file = NULL;
    bool ok = sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file) == SQLITE_OK;
    return ok && file && file->pMethods ? file : NULL;
}

static const volatile uint32_t *map_index(sqlite3 *db)
{
    sqlite3_file *file = sqlite_main_file(db);
    void volatile *region = NULL;
    bool ok = file && file->pMethods->iVersion >= 2 && file->pMethods->xShmMap &&
              file->pMethods->xShmMap(file, 0, INDEX_REGION, 0, &region) == SQLITE_OK;
    return ok ? region : NULL;
}

static int64_t page_size_of(sqlite3 *db)
{
    sqlite3_stmt *statement = NULL;
    bool ok = sqlite3_prepare_v2(db, "PRAGMA page_size", -1, &statement, NULL) == SQLITE_OK &&
              sqlite3_step(statement) == SQLITE_ROW;
    int64_t size = ok ? sqlite3_column_int64(statement, 0) : 0;
    sqlite3_finalize(statement);
    return size;
}

/* A descriptor that is open on that file. -1: none. The process has just begun, so it is among the first: a thousand
 * million may be allowed. */
static int find_descriptor(const struct stat *wanted)
{
    struct stat found;
    for (int fd = 0; fd < DESCRIPTORS_SEEN; fd++)
        if (fstat(fd, &found) == 0 && found.st_dev == wanted->st_dev && found.st_ino == wanted->st_ino)
            return fd;
    return -1;
}

void sqlite_files_remember(SqliteFiles *files, sqlite3 *db, bool has_wal)
{
    static const char *const suffixes[FILE_COUNT] = { [FILE_MAIN] = "", [FILE_LOG] = "-wal", [FILE_INDEX] = "-shm" };
    const char *name = sqlite3_db_filename(db, "main"); /* absolute, links followed */
    if (!files || !name || !*name)
        return;
    unsigned wanted = has_wal ? FILE_COUNT : 1, found = 0;
    for (; found < wanted; found++) {
        files->paths[found] = arena_printf(files->arena, "%s%s", name, suffixes[found]).p;
        if (stat(files->paths[found], &files->opened[found]) != 0)
            break; /* another VFS may store them in another way */
    }
    files->main_size = files->opened[FILE_MAIN].st_size;
    files->page_size = page_size_of(db);
    files->index = found == FILE_COUNT ? map_index(db) : NULL;
    files->descriptor = found ? find_descriptor(&files->opened[FILE_MAIN]) : -1;
    files->count = files->index && files->page_size ? FILE_COUNT : found ? 1 : 0;
}

/* ---- what is there now ---- */

static bool is_opened(const SqliteFiles *files, FileKind kind, const struct stat *found)
{
    const struct stat *opened = &files->opened[kind];
    return found->st_dev == opened->st_dev && found->st_ino == opened->st_ino;
}

static bool check_place(const SqliteFiles *files, FileKind kind, struct stat *ret_found, Error *error)
{
    const char *name = kinds[kind].name, *remedy = kinds[kind].remedy;
    if (stat(files->paths[kind], ret_found) != 0) {
        if (errno == ENOENT || errno == ENOTDIR)
            return fail(error, ERR_BUSY, "The %s was deleted or moved. Nothing is stored any more: %s", name, remedy);
        return fail(error, ERR_BUSY, "The %s cannot be reached: %s. Nothing is stored any more", name, strerror(errno));
    }
    if (is_opened(files, kind, ret_found))
        return true;
    return fail(error, ERR_BUSY,
                "The %s was replaced by another file. Nothing is stored any more: restart the server to use the files "
                "that are there now, or put the old one back",
                name);
}

/* False: it is being written, or not in use yet. */
static bool read_index(const SqliteFiles *files, LogIndex *ret)
{
    uint32_t words[INDEX_READ];
    for (size_t i = 0; i < INDEX_READ; i++)
        words[i] = files->index[i];
    *ret = (LogIndex){ .frames = words[INDEX_FRAMES],
                       .pages = words[INDEX_PAGES],
                       .copied = words[INDEX_COPIED],
                       .attempted = words[INDEX_ATTEMPTED] };
    memcpy(ret->header, words, sizeof ret->header);
    return words[0] == INDEX_VERSION && memcmp(words, words + INDEX_HEADER, sizeof ret->header) == 0;
}

/* The header counts changes, and has other salts in each new log. */
static bool is_same_index(const LogIndex *a, const LogIndex *b)
{
    return memcmp(a->header, b->header, sizeof a->header) == 0 && a->copied == b->copied &&
           a->attempted == b->attempted;
}

/* 0: it cannot be read. */
static int64_t pages_by_header(sqlite3 *db)
{
    sqlite3_file *file = sqlite_main_file(db);
    unsigned char bytes[4];
    if (!file || file->pMethods->xRead(file, bytes, sizeof bytes, HEADER_PAGES) != SQLITE_OK)
        return 0;
    return (int64_t)bytes[0] << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3];
}

/* The frames of a log are written before the index counts them, and a log is cut only once the index counts none. */
static bool is_log_cut(const SqliteFiles *files, const LogIndex *index, int64_t size)
{
    return index->frames > 0 && size < LOG_HEADER + index->frames * (FRAME_HEADER + files->page_size);
}

/* A page that is not in the file is in a frame that was not copied. A file that another program's VACUUM has made
 * smaller has the size that its header says, unless a checkpoint is at work, which copies the header first. */
static bool is_main_cut(const SqliteFiles *files, const LogIndex *index, int64_t size, int64_t pages_by_header)
{
    int64_t pages = size / files->page_size, waiting = index->frames - index->copied;
    return pages < 1 || pages + (waiting > 0 ? waiting : 0) < index->pages ||
           (size < files->main_size && pages < pages_by_header && index->attempted <= index->copied);
}

/* Of files that are back: another program may have used them without ours, and SQLite would not know. */
static bool is_untouched(const SqliteFiles *files, const struct stat *found)
{
    return found->st_mtim.tv_sec == files->main_changed.tv_sec && found->st_mtim.tv_nsec == files->main_changed.tv_nsec;
}

static Fate look(SqliteFiles *files, sqlite3 *db, Error *error)
{
    struct stat found[FILE_COUNT];
    LogIndex before, after;
    bool is_known = files->count == FILE_COUNT && read_index(files, &before);
    for (FileKind kind = FILE_MAIN; kind < files->count; kind++)
        if (!check_place(files, kind, &found[kind], error))
            return FATE_GONE;
    if (files->fate == FATE_GONE && !is_untouched(files, &found[FILE_MAIN])) {
        fail(error, ERR_BUSY,
             "The database file was changed by another program while its files were not in order. Nothing is read or "
             "stored any more: restart the server");
        return FATE_DAMAGED;
    }
    int64_t main_size = found[FILE_MAIN].st_size;
    int64_t by_header = is_known && main_size < files->main_size ? pages_by_header(db) : 0;
    if (!is_known || !read_index(files, &after) || !is_same_index(&before, &after))
        return FATE_WHOLE; /* what was read meanwhile need not belong together */
    if (is_log_cut(files, &after, found[FILE_LOG].st_size)) {
        fail(error, ERR_BUSY,
             "The database's write-ahead log (-wal) was truncated, so what was stored last may be lost. Nothing is "
             "stored any more: stop the server, check the database with `orion database check`, and start it again");
        return FATE_DAMAGED;
    }
    if (is_main_cut(files, &after, main_size, by_header)) {
        fail(error, ERR_BUSY,
             "The database file was truncated. Nothing is read or stored any more: stop the server, put a backup in "
             "its place and start it again");
        return FATE_DAMAGED;
    }
    files->main_size = main_size;
    return FATE_WHOLE;
}

/* ---- what is known ---- */

static void note_main_changed(SqliteFiles *files)
{
    struct stat found;
    if (fstat(files->descriptor, &found) == 0)
        files->main_changed = found.st_mtim;
}

static void note(SqliteFiles *files, Fate fate, const Error *why)
{
    if (fate != FATE_WHOLE && strcmp(files->why.message, why->message) != 0)
        log_error(LOGGER, "%s: %s.", files->paths[FILE_MAIN], why->message);
    if (fate == FATE_WHOLE && files->fate != FATE_WHOLE)
        log_warning(LOGGER, "%s: The database's files are back: what is written is stored again.",
                    files->paths[FILE_MAIN]);
    if (fate == FATE_GONE && files->fate == FATE_WHOLE)
        note_main_changed(files);
    files->fate = fate;
    files->why = *why;
    files->looked = fate == FATE_WHOLE ? 0 : clock_monotonic();
}

/* What was just found is not looked at again at once: a job that was refused after its commit must not be run again
 * because the files came back meanwhile. */
static bool must_look(const SqliteFiles *files)
{
    return files->fate == FATE_WHOLE ||
           (files->fate == FATE_GONE && clock_monotonic() - files->looked >= AGAIN_US);
}

static bool fail_known(const SqliteFiles *files, Error *error)
{
    return fail(error, files->why.code, "%s", files->why.message);
}

bool sqlite_files_check(SqliteFiles *files, sqlite3 *db, Error *error)
{
    if (!files || files->count == 0)
        return true;
    pthread_mutex_lock(&files->lock);
    if (must_look(files)) {
        Error why = { .code = ERR_NONE };
        Fate fate = look(files, db, &why);
        if (fate != FATE_WHOLE || files->fate != FATE_WHOLE)
            note(files, fate, &why);
    }
    bool ok = files->fate == FATE_WHOLE || fail_known(files, error);
    pthread_mutex_unlock(&files->lock);
    return ok;
}

void sqlite_files_settle(SqliteFiles *files)
{
    pthread_mutex_lock(&files->lock);
    note_main_changed(files);
    pthread_mutex_unlock(&files->lock);
}

int64_t sqlite_files_copied(const SqliteFiles *files)
{
    return files && files->count == FILE_COUNT ? files->index[INDEX_COPIED] : 0;
}

bool sqlite_files_can_be_read(SqliteFiles *files, Error *error)
{
    if (!files || files->fate != FATE_DAMAGED)
        return true;
    pthread_mutex_lock(&files->lock);
    (void)fail_known(files, error);
    pthread_mutex_unlock(&files->lock);
    return false;
}

int64_t sqlite_files_log_bytes(const SqliteFiles *files)
{
    struct stat found;
    bool has_log = files && files->count > FILE_LOG && stat(files->paths[FILE_LOG], &found) == 0;
    return has_log ? (int64_t)found.st_size : -1;
}

/* db/backup.c -- backups: made by the engine's own means, or else row by row; and put in a database's place the same
 * ways. */
#include "db/backup.h"

#include <errno.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/file_write.h"
#include "db/backup_file.h"
#include "db/copy.h"
#include "db/driver.h"
#include "db/migrate.h"
#include "db/sqlite_backup.h"
#include "db/statistics.h"

#define FOLDER_OF_TEMPORARIES "/var/tmp" /* for what may be larger than memory; TMPDIR names another */

/* Records the failure of a part, after its name. */
static bool fail_in(Error *error, const char *part, const Error *why)
{
    return fail(error, why->code, "%s: %s", part, why->message);
}

/* For one long transaction. */
static Db *open_for_long(DbConfig config, bool must_exist, Error *error)
{
    config.timeout = 0;
    config.readers = config.connections = 1;
    config.must_exist = must_exist;
    return db_open(&config, error);
}

static Db *open_file(const char *path, bool is_read_only, Error *error)
{
    return db_open(&(DbConfig){ .file = path, .is_read_only = is_read_only }, error);
}

/* ---- the file ---- */

static bool step_look(Tx *tx, void *arg)
{
    int64_t *rows = arg, counts[TABLES_MAX];
    Generation generation;
    if (!migrate_check_any(tx, &generation) || !migrate_may_drop(tx)
        || !copy_count_rows(tx, tables_of(generation), counts))
        return false;
    *rows = 0;
    for (size_t i = 0; i < tables_of(generation)->count; i++)
        *rows += counts[i];
    return true;
}

/* Whether the file is whole, and of Orion at the revision that is known here. */
static bool check_file(const char *path, const Onlooker *onlooker, int64_t *ret_rows, Error *error)
{
    if (!sqlite_file_check(path, onlooker, error))
        return false;
    Arena *arena = arena_new();
    Db *db = open_file(path, true, error);
    bool ok = db && db_run(db, false, arena, step_look, ret_rows, error);
    db_close(db);
    arena_free(arena);
    return ok;
}

/* ---- making a backup ---- */

typedef struct Writing {
    const Onlooker *onlooker;
    NewFile *file;
} Writing;

static void show_written(void *arg, const Progress *at)
{
    Writing *writing = arg;
    if (!at->unit)
        file_flush(writing->file, at->done);
    if (writing->onlooker && writing->onlooker->show)
        writing->onlooker->show(writing->onlooker->arg, at);
}

static bool must_end_writing(void *arg)
{
    const Writing *writing = arg;
    return onlooker_must_end(writing->onlooker);
}

static bool copy_rows(const Backup *backup, Db *from, NewFile *plain, Arena *arena, Error *error)
{
    Copy copy = { .from = from, .to = open_file(plain->partial, false, error), .onlooker = backup->onlooker };
    bool ok = copy.to && copy_database(&copy, arena, error);
    db_close(copy.to);
    return ok;
}

static bool copy_file(const Backup *backup, const Driver *driver, const DbPlace *place, NewFile *plain, Error *error)
{
    struct stat found;
    Writing writing = { .onlooker = backup->onlooker, .file = plain };
    const Onlooker onlooker = { .show = show_written, .must_end = must_end_writing, .arg = &writing };
    if (place->file && stat(place->file, &found) == 0 && !file_has_room(plain->partial, found.st_size, error))
        return false;
    return driver->backup(place, plain->partial, &onlooker, error);
}

static bool step_check(Tx *tx, void *arg)
{
    (void)arg;
    Generation generation;
    return migrate_check_any(tx, &generation);
}

static bool fill_plain(Backup *backup, NewFile *plain, Arena *arena, Error *error)
{
    DbPlace place;
    Error why = { .code = ERR_NONE };
    const Driver *driver = db_locate(arena, &backup->from, &place, error);
    Db *db = driver ? open_for_long(backup->from, true, error) : NULL;
    bool ok = db && db_run(db, false, arena, step_check, NULL, error)
              && (driver->backup ? copy_file(backup, driver, &place, plain, error)
                                 : copy_rows(backup, db, plain, arena, error))
              && file_sync(plain, error);
    db_close(db);
    return ok && (check_file(plain->partial, backup->onlooker, &backup->rows, &why)
                  || fail_in(error, "The backup is not what it should be", &why));
}

/* Absolute, with its folder's links followed, but not itself. */
static const char *name_in_folder(Arena *arena, const char *path)
{
    char real[PATH_MAX];
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    const char *folder = slash ? arena_printf(arena, "%.*s/", (int)(slash - path), path).p : ".";
    return realpath(folder, real) ? arena_printf(arena, "%s/%s", real, name).p : path;
}

/* Whether the file, or what it is called until it is whole, would be in the place of the database, or of a log that
 * SQLite has beside it; these need not be there now. */
static bool would_replace(Arena *arena, const char *file, const char *database)
{
    static const char *const files[] = { "", ".partial", ".partial.unpacked" };
    static const char *const databases[] = { "", "-wal", "-shm", "-journal" };
    char real[PATH_MAX];
    if (!realpath(database, real))
        return false;
    for (size_t i = 0; i < COUNT_OF(files); i++)
        for (size_t k = 0; k < COUNT_OF(databases); k++) {
            const char *a = arena_printf(arena, "%s%s", file, files[i]).p;
            const char *b = arena_printf(arena, "%s%s", real, databases[k]).p;
            if (strcmp(name_in_folder(arena, a), name_in_folder(arena, b)) == 0)
                return true;
        }
    return false;
}

static bool may_write(const Backup *backup, Arena *arena, Error *error)
{
    struct stat found, database;
    DbPlace place = { .path = NULL };
    if (!db_locate(arena, &backup->from, &place, error))
        return false;
    if (!*backup->file)
        return fail(error, ERR_INVALID, "The file's name is empty.");
    if (place.file && would_replace(arena, backup->file, place.file))
        return fail(error, ERR_INVALID,
                    "%s is the database itself, or a backup of that name would be written over it or its log.",
                    backup->file);
    if (lstat(backup->file, &found) != 0)
        return errno == ENOENT || fail(error, ERR_INVALID, "Cannot write %s: %s", backup->file, strerror(errno));
    if (!S_ISREG(found.st_mode))
        return fail(error, ERR_INVALID, "%s is there already, and is not a regular file.", backup->file);
    if (place.file && stat(place.file, &database) == 0 && database.st_dev == found.st_dev
        && database.st_ino == found.st_ino)
        return fail(error, ERR_INVALID, "%s is the database itself.", backup->file);
    return backup->force
           || fail(error, ERR_CONFLICT, "%s is there already. Use --force to replace it.", backup->file);
}

static int64_t size_of(int fd)
{
    struct stat found;
    return fstat(fd, &found) == 0 ? found.st_size : 0;
}

bool backup_make(Backup *backup, Arena *arena, Error *error)
{
    NewFile plain = { .fd = -1 }, packed = { .fd = -1 };
    bool ok = may_write(backup, arena, error)
              && file_begin(arena, backup->file, backup->gzip ? ".unpacked" : "", &plain, error)
              && (!backup->gzip || file_begin(arena, backup->file, "", &packed, error))
              && fill_plain(backup, &plain, arena, error)
              && (!backup->gzip || file_pack(plain.fd, size_of(plain.fd), &packed, backup->onlooker, error));
    NewFile *made = backup->gzip ? &packed : &plain;
    if (ok) {
        backup->bytes = size_of(made->fd);
        ok = file_rename(made->partial, backup->file, backup->force, error);
    }
    file_end(&packed);
    file_end(&plain);
    return ok;
}

const char *backup_database_file(const DbConfig *config, Arena *arena, Error *error)
{
    DbPlace place;
    return db_locate(arena, config, &place, error) ? place.file : NULL;
}

bool backup_copy_file(const DbConfig *from, const char *file, const Onlooker *onlooker, Arena *arena, Error *error)
{
    DbPlace place;
    NewFile copy = { .fd = -1 };
    const Backup backup = { .from = *from, .file = file, .onlooker = onlooker };
    const Driver *driver = db_locate(arena, from, &place, error);
    bool ok = driver && driver->is_free(&place, error) && may_write(&backup, arena, error)
              && file_begin(arena, file, "", &copy, error) && copy_file(&backup, driver, &place, &copy, error)
              && file_sync(&copy, error) && file_rename(copy.partial, file, false, error);
    file_end(&copy);
    return ok;
}

/* ---- restoring ---- */

typedef struct Source {
    int fd;
    FileKind kind;
    int64_t size;
} Source;

/* What is in a log beside the file would be missed. Where the name is a link, it is beside the file itself. */
static bool has_no_log(Arena *arena, const char *file, Error *error)
{
    static const char *const suffixes[] = { "-wal", "-journal" };
    char real[PATH_MAX];
    const char *itself = realpath(file, real) ? real : file;
    for (size_t i = 0; i < COUNT_OF(suffixes); i++) {
        struct stat found;
        const char *log = arena_printf(arena, "%s%s", itself, suffixes[i]).p;
        if (stat(log, &found) == 0 && found.st_size > 0)
            return fail(error, ERR_INVALID,
                        "%s has a log beside it (%s): it is a database in use, or one that was not closed, rather than "
                        "a backup. `orion database copy` copies it.", file, log);
    }
    return true;
}

static bool open_source(const Restore *restore, Arena *arena, Source *ret, Error *error)
{
    ret->fd = file_open(restore->file, &ret->kind, &ret->size, error);
    if (ret->fd < 0)
        return false;
    if (ret->kind == FILE_OTHER)
        return fail(error, ERR_INVALID, "%s is no backup: neither an SQLite file nor a packed one (gzip).",
                    restore->file);
    return ret->kind == FILE_GZIP || has_no_log(arena, restore->file, error);
}

typedef struct Target {
    const Restore *restore;
    bool is_file; /* which is replaced as a whole, with what others have in it */
} Target;

/* Of an SQLite file. False: tx->error. */
static bool has_no_other_tables(Tx *tx)
{
    Buf others;
    buf_init(&others, tx->arena, 256);
    Rows *rows = DB_QUERY(tx, "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB 'sqlite_*'"
                              " AND name <> 'alembic_version' ORDER BY name");
    while (db_next(rows)) {
        Str name = row_view(rows, 0);
        const char *text = arena_cstr(tx->arena, name);
        if (!table_find(tables_of(GEN_2_7), text) && !table_find(tables_of(GEN_3), text))
            buf_printf(&others, "%s%.*s", others.n ? ", " : "", STR_ARG(name));
    }
    return tx->error->code == ERR_NONE
           && (others.n == 0 || fail(tx->error, ERR_CONFLICT, "The database has tables that are not Orion's (%s). Use "
                                     "--force to replace them, too.", buf_cstr(&others)));
}

static bool step_target(Tx *tx, void *arg)
{
    const Target *target = arg;
    const Restore *restore = target->restore;
    SchemaState state;
    Str text, user = tx->sql->users ? db_text(tx, tx->sql->users, NULL, 0) : STR_NULL;
    if (user.p)
        return fail(tx->error, ERR_CONFLICT, "The database is in use, by session %.*s. Stop the servers first.",
                    STR_ARG(user));
    if (!migrate_state(tx, &state, &text) || (target->is_file && !restore->force && !has_no_other_tables(tx)))
        return false;
    if (state == SCHEMA_EMPTY || restore->force)
        return migrate_may_drop(tx);
    Generation generation;
    if (!migrate_check_any(tx, &generation) || !copy_find_rows(tx, tables_of(generation), &text))
        return false;
    return text.n == 0 || fail(tx->error, ERR_CONFLICT,
                               "The database is not empty (rows: %.*s). Use --force to replace them.", STR_ARG(text));
}

/* Whether what is there may be replaced. *ret_is_sound: it can be read. */
static bool check_target(Restore *restore, const Driver *driver, const DbPlace *place, Arena *arena, bool *ret_is_sound,
                         Error *error)
{
    Error why = { .code = ERR_NONE };
    *ret_is_sound = false;
    if (driver->replace && !place->file)
        return fail(error, ERR_INVALID, "The database is in memory: nothing can be restored there.");
    if (driver->is_free && !driver->is_free(place, error))
        return false;
    if (place->file && access(place->file, F_OK) != 0)
        return true;
    Target target = { .restore = restore, .is_file = driver->replace };
    Db *db = open_for_long(restore->to, true, &why);
    *ret_is_sound = db && db_run(db, false, arena, step_target, &target, &why);
    db_close(db);
    bool is_damaged = why.code == ERR_BUSY && place->file;
    if (*ret_is_sound || (is_damaged && restore->force))
        return true;
    return fail(error, why.code, is_damaged ? "%s. Use --force to replace it." : "%s", why.message);
}

static bool prepare(Restore *restore, const Source *source, NewFile *copy, Error *error)
{
    Error why = { .code = ERR_NONE };
    return file_has_room(copy->partial, source->size, error)
           && ((file_copy(source->fd, source->kind, source->size, copy, restore->onlooker, &why)
                && file_sync(copy, &why) && check_file(copy->partial, restore->onlooker, &restore->rows, &why))
               || fail_in(error, restore->file, &why));
}

/* The new file is made beside the old one, and takes its name in one step. */
static bool restore_file(Restore *restore, const Source *source, const Driver *driver, const DbPlace *place,
                         bool is_sound, Arena *arena, Error *error)
{
    char real[PATH_MAX];
    const char *path = realpath(place->file, real) ? real : place->file;
    NewFile copy = { .fd = -1 };
    bool ok = file_begin(arena, path, "", &copy, error) && prepare(restore, source, &copy, error);
    if (ok && !file_make_alike(arena, copy.fd, path))
        ok = fail(error, ERR_BUSY, "Cannot give the new file the owner and mode of %s: %s", path, strerror(errno));
    ok = ok && driver->replace(place, copy.partial, is_sound, error);
    file_end(&copy);
    return ok;
}

static bool copy_from(Restore *restore, const char *path, Arena *arena, Error *error)
{
    Copy copy = { .from = open_file(path, true, error), .force = restore->force, .onlooker = restore->onlooker };
    copy.to = copy.from ? open_for_long(restore->to, false, error) : NULL;
    bool ok = copy.to && copy_database(&copy, arena, error);
    restore->was_committing = copy.was_committing;
    Error ignored = { .code = ERR_NONE }; /* all rows are there, and the engine takes statistics by itself, too */
    (void)!(ok && statistics_refresh(copy.to, true, arena, NULL, &ignored));
    db_close(copy.to);
    db_close(copy.from);
    return ok;
}

static bool restore_rows(Restore *restore, const Source *source, Arena *arena, Error *error)
{
    NewFile copy = { .fd = -1 };
    Error why = { .code = ERR_NONE };
    if (source->kind == FILE_SQLITE)
        return (check_file(restore->file, restore->onlooker, &restore->rows, &why)
                || fail_in(error, restore->file, &why))
               && copy_from(restore, restore->file, arena, error);
    const char *folder = getenv("TMPDIR"),
               *path = arena_printf(arena, "%s/orion-restore-%d", folder && *folder ? folder : FOLDER_OF_TEMPORARIES,
                                    (int)getpid()).p;
    bool ok = file_begin(arena, path, "", &copy, error) && prepare(restore, source, &copy, error)
              && copy_from(restore, copy.partial, arena, error);
    file_end(&copy);
    return ok;
}

bool backup_restore(Restore *restore, Arena *arena, Error *error)
{
    DbPlace place = { .path = NULL };
    Source source = { .fd = -1 };
    bool is_sound;
    const Driver *driver = db_locate(arena, &restore->to, &place, error);
    bool ok = driver && open_source(restore, arena, &source, error)
              && check_target(restore, driver, &place, arena, &is_sound, error)
              && (driver->replace ? restore_file(restore, &source, driver, &place, is_sound, arena, error)
                                  : restore_rows(restore, &source, arena, error));
    if (source.fd >= 0)
        close(source.fd);
    return ok;
}

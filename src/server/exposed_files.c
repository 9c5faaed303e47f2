/* server/exposed_files.c -- finds files of the server that other users can read. Files we create are private, but older
 * ones or the reference's may not be. */
#include "server/exposed_files.h"

#include <limits.h>
#include <sys/stat.h>

#include "base/log.h"

/* Settings whose values are paths. */
static const char *const kept[] = {
    "PREFECT_HOME", "ORION_KEYS_FILE", "ORION_CONFIG", "PREFECT_PROFILES_PATH",
};
static const char *const database_ends[] = { "", "-wal", "-shm", "-journal" };

/* Ignores the file's group: its members are an administrator's choice, or it is the owner's alone. */
static bool others_may(const char *path, mode_t mode)
{
    struct stat found;
    return stat(path, &found) == 0 && (found.st_mode & mode) != 0;
}

/* Others can read or change it, and can enter every folder on its path. */
static bool is_exposed(const char *path)
{
    char real[PATH_MAX];
    if (!realpath(path, real) || !others_may(real, S_IROTH | S_IWOTH))
        return false;
    for (char *slash = strrchr(real, '/'); slash && slash > real; slash = strrchr(real, '/')) {
        *slash = '\0';
        if (!others_may(real, S_IXOTH))
            return false;
    }
    return true;
}

/* Appends a shell word, quoted if needed. */
static void add_word(Buf *out, const char *text)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./-+,@%:=";
    bool is_plain = text[strspn(text, plain)] == '\0';
    buf_text(out, is_plain ? " " : " '");
    for (; *text; text++) {
        if (*text == '\'')
            buf_text(out, "'\\''");
        else
            buf_char(out, *text);
    }
    buf_text(out, is_plain ? "" : "'");
}

static void add_if_exposed(Arena *arena, Buf *out, Str path, const char *end)
{
    const char *whole = arena_printf(arena, "%.*s%s", STR_ARG(path), end).p;
    if (path.n && is_exposed(whole))
        add_word(out, whole);
}

static bool read_path(Tx *tx, void *arg)
{
    *(Str *)arg = db_text(tx, tx->sql->identity, NULL, 0);
    return tx->error->code == ERR_NONE;
}

void exposed_files_warn(const Settings *settings, Db *db)
{
    Error error = { .code = ERR_NONE };
    Arena *arena = arena_new();
    Buf words;
    Str database = STR_NULL;
    buf_init(&words, arena, 256);
    for (size_t i = 0; i < COUNT_OF(kept); i++)
        add_if_exposed(arena, &words, settings_text(settings, kept[i]), "");
    if (db_dialect(db)->is_file && !db_run(db, false, arena, read_path, &database, &error))
        database = STR_NULL;
    for (size_t i = 0; database.p && i < COUNT_OF(database_ends); i++)
        add_if_exposed(arena, &words, database, database_ends[i]);
    if (words.n)
        log_warning("orion.api",
                    "Other users of this machine can read files of this server. To shut them out: chmod o=%s",
                    buf_cstr(&words));
    arena_free(arena);
}

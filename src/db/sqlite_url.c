/* db/sqlite_url.c -- URLs of SQLite databases: the part after the scheme, the parameters that are the Python
 * driver's, folders. */
#include "db/sqlite_url.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "db/sqlite_backup.h"

bool sqlite_takes(Str scheme)
{
    return str_is(scheme, "sqlite") || str_is(scheme, "sqlite+aiosqlite");
}

static bool contains(Str s, const char *part)
{
    return memmem(s.p, s.n, part, strlen(part)) != NULL;
}

/* Cuts s at the first `separator`; returns what follows it, null if there is none. */
static Str cut(Str *s, char separator)
{
    const char *at = s->n ? memchr(s->p, separator, s->n) : NULL;
    if (!at)
        return STR_NULL;
    Str rest = { at + 1, s->n - (size_t)(at + 1 - s->p) };
    s->n = (size_t)(at - s->p);
    return rest;
}

/* Parameters that SQLAlchemy or Python's driver keep for themselves. A shared cache is silently ignored: it locks
 * whole tables between the connections of a process, and WAL does all that it is for. */
static bool is_drivers_own(Str parameter)
{
    static const char *const names[] = {
        "uri=", "check_same_thread=", "timeout=", "cache=", "isolation_level=", "detect_types=", "cached_statements="
    };
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (str_starts(parameter, names[i]))
            return true;
    return false;
}

/* A path with a question mark (that of PREFECT_HOME, say) would be cut there, and another file created. */
static bool check_parameters(Str parameters, Error *error)
{
    while (parameters.n) {
        Str one = parameters;
        parameters = cut(&one, '&');
        if (one.n && !contains(one, "="))
            return fail(error, ERR_INTERNAL,
                        "The text after the '?' of the SQLite URL is not a NAME=VALUE parameter. A path with a "
                        "question mark can only be written as a file: URI, with %%3F for it");
    }
    return true;
}

/* The file: URI with the parameters that are SQLite's own. */
static const char *uri_with(Arena *arena, Str path, Str parameters)
{
    Buf uri;
    buf_init(&uri, arena, path.n + parameters.n + 2);
    buf_str(&uri, path);
    char separator = '?';
    while (parameters.n) {
        Str one = parameters;
        parameters = cut(&one, '&');
        if (!one.n || is_drivers_own(one))
            continue;
        buf_char(&uri, separator);
        buf_str(&uri, one);
        separator = '&';
    }
    return buf_cstr(&uri);
}

/* The name of the file that a file: URI means, as SQLite reads it. */
static char *file_of_uri(Arena *arena, Str uri)
{
    Str path = { uri.p + strlen("file:"), uri.n - strlen("file:") };
    cut(&path, '#');
    if (str_starts(path, "//")) { /* an authority, which may be localhost only */
        path = (Str){ path.p + 2, path.n - 2 };
        const char *slash = path.n ? memchr(path.p, '/', path.n) : NULL;
        path = slash ? (Str){ slash, path.n - (size_t)(slash - path.p) } : STR("");
    }
    Buf name;
    buf_init(&name, arena, path.n + 1);
    for (size_t i = 0; i < path.n; i++) {
        int high = path.p[i] == '%' && i + 2 < path.n ? char_hex_value(path.p[i + 1]) : -1,
            low = high >= 0 ? char_hex_value(path.p[i + 2]) : -1;
        buf_char(&name, low >= 0 ? (char)(high * 16 + low) : path.p[i]);
        i += low >= 0 ? 2 : 0;
    }
    return arena_cstr(arena, str_from(buf_cstr(&name)));
}

/* A folder that is missing is not made, with an empty database in it: it may be a disk that is not mounted. */
static bool check_folder(Arena *arena, const char *path, Error *error)
{
    const char *slash = strrchr(path, '/');
    if (strcmp(path, "~") == 0)
        return fail(error, ERR_INTERNAL, "\"~\" is not expanded in a database URL: write the full path");
    if (!slash || slash == path)
        return true;
    const char *folder = arena_printf(arena, "%.*s", (int)(slash - path), path).p;
    struct stat status;
    if (stat(folder, &status) != 0)
        return fail(error, ERR_INTERNAL, "Cannot use the folder %s of the database: %s%s", folder, strerror(errno),
                    folder[0] == '~' ? " (\"~\" is not expanded in a URL: write the full path)" : "");
    return S_ISDIR(status.st_mode) ||
           fail(error, ERR_INTERNAL, "Cannot use the folder %s of the database: it is not a folder", folder);
}

bool sqlite_locate(Arena *arena, const DbConfig *config, DbPlace *ret_place, Error *error)
{
    if (config->file) {
        *ret_place = sqlite_file_place(arena, config->file, config->is_read_only);
        return true;
    }
    Str url = config->url;
    const char *behind = memmem(url.p, url.n, "://", 3);
    Str path = { behind + 3, url.n - (size_t)(behind + 3 - url.p) };
    Str parameters = cut(&path, '?');
    if (path.n && path.p[0] != '/')
        return fail(error, ERR_INTERNAL,
                    "A SQLite URL has no host: use sqlite+aiosqlite:///relative/path or "
                    "sqlite+aiosqlite:////absolute/path");
    if (path.n)
        path = (Str){ path.p + 1, path.n - 1 };
    bool is_uri = str_starts(path, "file:");
    if (!path.n || contains(path, ":memory:") || (is_uri && parameters.n && contains(parameters, "mode=memory"))) {
        *ret_place = (DbPlace){ .path = ":memory:", .is_single = true };
        return true;
    }
    if (!check_parameters(parameters, error))
        return false;
    char *name = is_uri ? file_of_uri(arena, path) : arena_cstr(arena, path);
    *ret_place = (DbPlace){ .path = is_uri ? uri_with(arena, path, parameters) : name, .file = name,
                            .no_references = config->no_references };
    if (config->must_exist)
        return access(name, F_OK) == 0 || fail(error, ERR_INTERNAL, "There is no database at %s", name);
    if (config->never_create && access(name, F_OK) != 0)
        *ret_place = (DbPlace){ .path = ":memory:", .is_single = true };
    return check_folder(arena, name, error);
}

/* config/setting_derive.c -- what the reference computes when a setting is read:
 * each function here is one of its value callbacks. */
#include "config/setting_derive.h"

#include <ctype.h>
#include <pwd.h>

#include "base/buf.h"
#include "base/unicode.h"
#include "config/setting_database.h"

/* ---- templates, as Python's string.Template substitutes them ---- */

/* The settings that a template may name; ends with NULL. They must not lead back to the template's own setting,
 * since deriving them recurses. */
typedef const char *const Upstream[];

static bool add_setting(Settings *settings, Buf *out, Str name, Upstream upstream, Error *error)
{
    const Setting *named = setting_find_any(name);
    for (size_t i = 0; named && upstream[i]; i++) {
        if (strcmp(named->name, upstream[i]) != 0)
            continue;
        Str value;
        if (!settings_derive(settings, upstream[i], &value, error))
            return false;
        buf_str(out, value.p ? value : STR("None"));
        return true;
    }
    /* The name is not shown: it may be part of a password with a '$' in it. */
    return fail(error, ERR_INVALID,
                "a template names a setting that cannot be used there; a literal '$' is written '$$'.");
}

static size_t name_length(const char *p, const char *end)
{
    size_t n = 0;
    while (p + n < end && (isalpha((unsigned char)p[n]) || p[n] == '_' || (n > 0 && isdigit((unsigned char)p[n]))))
        n++;
    return n;
}

static bool expand(Settings *settings, Str *value, Upstream upstream, Error *error)
{
    Buf out;
    Arena *arena = settings_arena(settings);
    const char *p = value->p, *end = value->p + value->n;
    buf_init(&out, arena, value->n + 64);
    while (p < end) {
        /* Each iteration takes a plain character, "$$", "$NAME" or "${NAME}". */
        if (*p != '$') {
            buf_char(&out, *p++);
            continue;
        }
        p++;
        if (p < end && *p == '$') {
            buf_char(&out, *p++);
            continue;
        }
        bool braced = p < end && *p == '{';
        p += braced;
        size_t n = name_length(p, end);
        if (!add_setting(settings, &out, (Str){ p, n }, upstream, error))
            return false;
        p += n;
        if (braced && (p == end || *p++ != '}'))
            return fail(error, ERR_INVALID, "a template has no closing '}'.");
    }
    *value = out.n ? buf_view(&out) : STR("");
    return true;
}

bool derive_with_home(Settings *settings, Str *value, Error *error)
{
    static Upstream upstream = { "PREFECT_HOME", NULL };
    return expand(settings, value, upstream, error);
}

bool derive_database_url(Settings *settings, Str *value, Error *error)
{
    static Upstream upstream = { "PREFECT_HOME", "PREFECT_ORION_DATABASE_PASSWORD", NULL };
    if (settings_source(settings, "PREFECT_ORION_DATABASE_CONNECTION_URL") == FROM_DEFAULT &&
        !database_default(settings, value, error))
        return false;
    return expand(settings, value, upstream, error);
}

bool derive_ui_api_url(Settings *settings, Str *value, Error *error)
{
    static Upstream upstream = { "PREFECT_ORION_API_HOST", "PREFECT_ORION_API_PORT", "PREFECT_API_URL", NULL };
    Str api;
    if (!settings_derive(settings, "PREFECT_API_URL", &api, error))
        return false;
    if (!value->p)
        *value = api.n ? STR("${PREFECT_API_URL}")
                       : STR("http://${PREFECT_ORION_API_HOST}:${PREFECT_ORION_API_PORT}/api");
    return expand(settings, value, upstream, error);
}

/* ---- the rest ---- */

/* The folder that a shell puts in place of "~" or "~USER"; NULL: *error. */
static const char *home_folder(const char *user, Error *error)
{
    const struct passwd *entry = *user ? getpwnam(user) : NULL; /* not thread-safe, but no thread runs yet */
    const char *folder = *user ? (entry ? entry->pw_dir : NULL) : getenv("HOME");
    if (folder && folder[0] == '/' && utf8_is_valid(str_from(folder)))
        return folder;
    if (*user)
        fail(error, ERR_INVALID, "there is no user %s with a home folder for ~%s", user, user);
    else /* the client and other programs go by HOME, not by the system's entry for this user */
        fail(error, ERR_INVALID, "The home folder is unknown, because HOME %s. Set HOME or PREFECT_HOME.",
             !folder ? "is not set" : !*folder ? "is empty"
             : *folder == '/' ? "is not UTF-8" : "is not an absolute path");
    return NULL;
}

/* A "~" that stayed would name a folder in the working directory. */
static bool expand_tilde(Arena *arena, Str *value, Error *error)
{
    if (value->n == 0 || value->p[0] != '~')
        return true;
    size_t n = 1;
    while (n < value->n && value->p[n] != '/')
        n++;
    const char *folder = home_folder(arena_cstr(arena, (Str){ value->p + 1, n - 1 }), error);
    if (!folder)
        return false;
    size_t length = strlen(folder);
    while (length > 0 && folder[length - 1] == '/')
        length--;
    *value = arena_printf(arena, "%.*s%.*s", (int)length, folder, (int)(value->n - n), value->p + n);
    if (value->n == 0)
        *value = STR("/");
    return true;
}

bool derive_home(Settings *settings, Str *value, Error *error)
{
    return expand_tilde(settings_arena(settings), value, error);
}

bool derive_profiles_path(Settings *settings, Str *value, Error *error)
{
    return derive_with_home(settings, value, error) && expand_tilde(settings_arena(settings), value, error);
}

/* A PREFECT_HOME in the file itself or in a profile moves everything except the file. */
bool derive_config_path(Settings *settings, Str *value, Error *error)
{
    if (!settings_file_path(settings))
        return derive_profiles_path(settings, value, error);
    *value = str_from(settings_file_path(settings));
    return true;
}

bool derive_test_setting(Settings *settings, Str *value, Error *error)
{
    Str mode;
    if (!settings_derive(settings, "PREFECT_TEST_MODE", &mode, error))
        return false;
    if (!str_is(mode, "True"))
        *value = STR_NULL;
    return true;
}

bool derive_logging_level(Settings *settings, Str *value, Error *error)
{
    Str mode;
    if (!settings_derive(settings, "PREFECT_DEBUG_MODE", &mode, error))
        return false;
    if (str_is(mode, "True"))
        *value = STR("DEBUG");
    return true;
}

bool derive_cloud_api_url(Settings *settings, Str *value, Error *error)
{
    (void)error;
    /* As given: what derives PREFECT_CLOUD_URL would lead back here. */
    Str deprecated = settings_given(settings, "PREFECT_CLOUD_URL");
    if (deprecated.n > 0)
        *value = deprecated;
    return true;
}

bool derive_cloud_url(Settings *settings, Str *value, Error *error)
{
    return value->n > 0 || settings_derive(settings, "PREFECT_CLOUD_API_URL", value, error);
}

static bool ends(Str s, const char *suffix)
{
    size_t n = strlen(suffix);
    return s.n >= n && memcmp(s.p + s.n - n, suffix, n) == 0;
}

/* Replaces every occurrence, or only the first. An empty `from` changes nothing. */
static Str replace(Arena *arena, Str s, Str from, Str to, bool all)
{
    Buf out;
    buf_init(&out, arena, s.n + 32);
    bool stop = from.n == 0;
    for (size_t i = 0; i < s.n;) {
        if (!stop && s.n - i >= from.n && memcmp(s.p + i, from.p, from.n) == 0) {
            buf_str(&out, to);
            i += from.n;
            stop = !all;
        } else {
            buf_char(&out, s.p[i++]);
        }
    }
    return out.n ? buf_view(&out) : STR("");
}

bool derive_cloud_ui_url(Settings *settings, Str *value, Error *error)
{
    if (value->p)
        return true;
    Str url;
    if (!settings_derive(settings, "PREFECT_CLOUD_API_URL", &url, error))
        return false;
    if (str_starts(url, "https://api.prefect.cloud"))
        url = replace(settings_arena(settings), url, STR("https://api.prefect.cloud"), STR("https://app.prefect.cloud"),
                      false);
    if (ends(url, "/api"))
        url.n -= 4;
    *value = url;
    return true;
}

bool derive_ui_url(Settings *settings, Str *value, Error *error)
{
    Arena *arena = settings_arena(settings);
    Str url, cloud, cloud_ui;
    if (value->p)
        return true;
    if (!settings_derive(settings, "PREFECT_API_URL", &url, error) ||
        !settings_derive(settings, "PREFECT_CLOUD_API_URL", &cloud, error) ||
        !settings_derive(settings, "PREFECT_CLOUD_UI_URL", &cloud_ui, error))
        return false;
    if (url.n == 0)
        return true;
    /* An address of Cloud's API becomes one of its UI, whose paths are in the singular. */
    if (url.n >= cloud.n && memcmp(url.p, cloud.p, cloud.n) == 0)
        url = replace(arena, url, cloud, cloud_ui, true);
    if (ends(url, "/api"))
        url.n -= 4;
    url = replace(arena, url, STR("/api/"), STR("/"), true);
    url = replace(arena, url, STR("/accounts/"), STR("/account/"), true);
    *value = replace(arena, url, STR("/workspaces/"), STR("/workspace/"), true);
    return true;
}

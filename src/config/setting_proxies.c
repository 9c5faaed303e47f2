/* config/setting_proxies.c -- proxy settings: which proxies are trusted, and the path below which they publish the
 * server. */
#include "config/setting_proxies.h"

#include "base/network.h"
#include "base/text.h"

enum { ROOT_PATH_MAX = 200 };

bool derive_trusted_proxies(Settings *settings, Str *value, Error *error)
{
    Network *networks;
    size_t count;
    return networks_parse(settings_arena(settings), *value, &networks, &count, error);
}

static bool is_segment(Str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!char_is_letter(s.p[i]) && !char_is_digit(s.p[i]) && !char_in(s.p[i], "-._~"))
            return false;
    return s.n > 0 && !str_is(s, ".") && !str_is(s, "..");
}

bool root_path_parse(Str text, Str *ret)
{
    if (text.n && text.p[text.n - 1] == '/')
        text.n--;
    if (text.n > ROOT_PATH_MAX || (text.n && text.p[0] != '/'))
        return false;
    for (size_t start = 1, end; start <= text.n && text.n; start = end + 1) {
        end = start + str_find(str_cut(text, start, text.n), '/');
        Str segment = str_cut(text, start, end);
        if (!is_segment(segment) || (start == 1 && str_is(segment, "api")))
            return false;
    }
    *ret = text.n ? text : STR("");
    return true;
}

static bool fail_root_path(const char *name, Str value, Error *error)
{
    return fail(error, ERR_INVALID,
                "\"%.*s\" in %s is not a path such as /prefect: a slash, then letters, digits and \"-._~\" between "
                "single slashes, and not /api.",
                STR_ARG(value), name);
}

/* 3.x sets the path of the API; ours is the part before /api. */
static bool root_of_api(Str base, Str *ret, Error *error)
{
    static const char name[] = "PREFECT_SERVER_API_BASE_PATH";
    Str path = base;
    if (path.n && path.p[path.n - 1] == '/')
        path.n--;
    if (path.n < 4 || memcmp(path.p + path.n - 4, "/api", 4) != 0)
        return fail(error, ERR_INVALID, "\"%.*s\" in %s does not end in /api, where this server has its API.",
                    STR_ARG(base), name);
    return root_path_parse(str_cut(path, 0, path.n - 4), ret) || fail_root_path(name, base, error);
}

bool derive_root_path(Settings *settings, Str *value, Error *error)
{
    Str base = settings_given(settings, "PREFECT_SERVER_API_BASE_PATH"), given = *value, path, root;
    if (!root_path_parse(given, &path))
        return fail_root_path("ORION_ROOT_PATH", given, error);
    *value = path;
    if (!base.n)
        return true;
    if (!root_of_api(base, &root, error))
        return false;
    if (given.n && !str_eq(path, root))
        return fail(error, ERR_INVALID,
                    "ORION_ROOT_PATH says \"%.*s\", but PREFECT_SERVER_API_BASE_PATH \"%.*s\" (which ends in /api).",
                    STR_ARG(path), STR_ARG(base));
    *value = root;
    return true;
}

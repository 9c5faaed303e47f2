/* config/shown_url.c -- hides the passwords of a database's URL. */
#include "config/shown_url.h"

#include "base/buf.h"

/* Hides passwords among the parameters: both libpq's password and sslpassword. */
static const char *hide_parameters(Arena *arena, const char *url)
{
    static const char name[] = "password=";
    const char *rest = url + strcspn(url, "?"), *value;
    Buf out;
    buf_init(&out, arena, strlen(url) + 16);
    buf_add(&out, url, (size_t)(rest - url));
    while ((value = strstr(rest, name))) {
        value += strlen(name);
        buf_add(&out, rest, (size_t)(value - rest));
        buf_text(&out, "***");
        rest = value + strcspn(value, "&");
    }
    buf_text(&out, rest);
    return buf_cstr(&out);
}

const char *url_shown(Arena *arena, Str url)
{
    const char *text = hide_parameters(arena, arena_cstr(arena, url)), *slashes = strstr(text, "://");
    const char *user = slashes ? slashes + 3 : text;
    size_t authority = strcspn(user, "/?");
    /* A password may hold an unescaped '@': everything up to the last one is hidden, rather too much than too
     * little. */
    const char *at = memrchr(user, '@', strlen(user));
    if (at && (size_t)(at - user) > authority && !memchr(user, ':', authority))
        return text; /* an '@' in the path or the query */
    const char *colon = at ? memchr(user, ':', (size_t)(at - user)) : NULL;
    if (!colon)
        return text;
    return arena_printf(arena, "%.*s:***%s", (int)(colon - text), text, at).p;
}

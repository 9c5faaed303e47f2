/* python/json_pointer.c -- "#/definitions/a~1b" to the value that it points at. */
#include "python/json_pointer.h"

#include <ctype.h>

/* One part of a JSON pointer, with %41 and ~1 decoded. */
static Str unescape(Arena *arena, Str part)
{
    Buf out;
    buf_init(&out, arena, part.n + 1);
    for (size_t i = 0; i < part.n; i++) {
        char next = i + 1 < part.n ? part.p[i + 1] : '\0', second = i + 2 < part.n ? part.p[i + 2] : '\0';
        if (part.p[i] == '%' && isxdigit((unsigned char)next) && isxdigit((unsigned char)second))
            buf_char(&out, (char)strtol((char[]){ next, second, '\0' }, NULL, 16)), i += 2;
        else if (part.p[i] == '~' && (next == '0' || next == '1'))
            buf_char(&out, next == '0' ? '~' : '/'), i++;
        else
            buf_char(&out, part.p[i]);
    }
    return buf_view(&out);
}

static const Json *member_at(const Json *object, Str key, size_t *steps)
{
    const Json *member = object->kind == JSON_OBJECT ? object->child : NULL;
    for (; member && !str_eq(member->key, key); member = member->next)
        (*steps)++;
    return member;
}

static const Json *child_at(const Json *array, Str index, size_t *steps)
{
    const Json *item = array->child;
    for (long i = strtol(index.p, NULL, 10); item && i > 0; i--, (*steps)++)
        item = item->next;
    return item;
}

const Json *json_pointer(Arena *arena, const Json *root, Str pointer, size_t *steps)
{
    const Json *at = root;
    *steps += pointer.n;
    if (pointer.n == 0 || pointer.p[0] != '#' || (pointer.n > 1 && pointer.p[1] != '/'))
        return NULL;
    /* pointer.p[i] is a '/', and `at` is what the parts before it lead to. */
    for (size_t i = 1; at && i < pointer.n;) {
        size_t from = ++i;
        while (i < pointer.n && pointer.p[i] != '/')
            i++;
        Str part = unescape(arena, (Str){ pointer.p + from, i - from });
        at = at->kind == JSON_ARRAY ? child_at(at, arena_str(arena, part), steps) : member_at(at, part, steps);
    }
    return at;
}

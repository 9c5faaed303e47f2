/* config/dotenv.c -- reads .env files. */
#include "config/dotenv.h"

#include <ctype.h>

#include "base/buf.h"

typedef struct Reader {
    Arena *arena;
    const char *p, *end;
    unsigned line;
    DotenvEntry *first, **place;
} Reader;

static bool at_end(const Reader *r)
{
    return r->p == r->end || *r->p == '\n' || *r->p == '\r';
}

static void skip_blanks(Reader *r)
{
    while (!at_end(r) && isspace((unsigned char)*r->p))
        r->p++;
}

static void skip_rest(Reader *r)
{
    while (!at_end(r))
        r->p++;
}

static void skip_lines(Reader *r)
{
    for (; r->p < r->end && isspace((unsigned char)*r->p); r->p++)
        r->line += *r->p == '\n';
}

static bool skip_word(Reader *r, const char *word)
{
    size_t n = strlen(word);
    bool found = (size_t)(r->end - r->p) > n && strncmp(r->p, word, n) == 0 && isblank((unsigned char)r->p[n]);
    if (found)
        r->p += n;
    return found;
}

/* What stands between two quotes, perhaps over several lines. False: it is not closed. */
static bool read_quoted(Reader *r, Str *ret)
{
    static const char from[] = "abfnrtv\\'\"", to[] = "\a\b\f\n\r\t\v\\'\"";
    char quote = *r->p++;
    Buf out;
    buf_init(&out, r->arena, 64);
    for (; r->p < r->end && *r->p != quote; r->p++) {
        r->line += *r->p == '\n';
        const char *found = *r->p == '\\' && r->p + 1 < r->end && r->p[1] ? strchr(from, r->p[1]) : NULL;
        bool is_escape = found && (quote == '"' || *found == '\\' || *found == '\'');
        buf_char(&out, is_escape ? to[found - from] : *r->p);
        r->p += is_escape;
    }
    if (r->p == r->end)
        return false;
    r->p++;
    *ret = out.n ? buf_view(&out) : STR("");
    return true;
}

static Str read_plain(Reader *r)
{
    const char *start = r->p;
    while (!at_end(r) && !(*r->p == '#' && r->p > start && isspace((unsigned char)r->p[-1])))
        r->p++;
    Str value = str_trim((Str){ start, (size_t)(r->p - start) });
    skip_rest(r);
    return value.n ? value : STR("");
}

static Str read_name(Reader *r)
{
    const char *start = r->p;
    while (!at_end(r) && *r->p != '=' && *r->p != '#' && !isspace((unsigned char)*r->p))
        r->p++;
    return (Str){ start, (size_t)(r->p - start) };
}

/* "NAME" or "NAME:-otherwise" between braces. */
static Str looked_up(const Reader *r, Str inside)
{
    const char *colon = memmem(inside.p, inside.n, ":-", 2);
    Str name = { inside.p, colon ? (size_t)(colon - inside.p) : inside.n };
    Str otherwise = colon ? (Str){ colon + 2, inside.n - name.n - 2 } : STR("");
    Str value = str_from(getenv(arena_cstr(r->arena, name)));
    for (const DotenvEntry *entry = r->first; entry; entry = entry->next)
        if (str_eq(entry->name, name))
            value = entry->value;
    return value.p ? value : otherwise;
}

static Str expand(const Reader *r, Str value)
{
    Buf out;
    buf_init(&out, r->arena, value.n + 16);
    for (size_t i = 0; i < value.n; i++) {
        const char *p = value.p + i;
        const char *close = value.n - i > 2 && p[0] == '$' && p[1] == '{' ? memchr(p, '}', value.n - i) : NULL;
        if (!close) {
            buf_char(&out, *p);
            continue;
        }
        buf_str(&out, looked_up(r, (Str){ p + 2, (size_t)(close - p) - 2 }));
        i += (size_t)(close - p);
    }
    return out.n ? buf_view(&out) : STR("");
}

static void add(Reader *r, Str name, Str value, unsigned line)
{
    value = expand(r, value);
    *r->place = arena_new_of(r->arena, DotenvEntry);
    **r->place = (DotenvEntry){ .name = name, .value = value, .line = line };
    r->place = &(*r->place)->next;
}

static void read_line(Reader *r)
{
    unsigned line = r->line;
    Str name, value;
    if (skip_word(r, "export"))
        skip_blanks(r);
    if (r->p < r->end && *r->p == '\'') {
        if (!read_quoted(r, &name))
            return;
    } else {
        name = read_name(r);
    }
    skip_blanks(r);
    if (name.n == 0 || at_end(r) || *r->p != '=') {
        skip_rest(r);
        return;
    }
    r->p++;
    skip_blanks(r);
    bool is_quoted = !at_end(r) && (*r->p == '\'' || *r->p == '"');
    if (is_quoted && !read_quoted(r, &value))
        return;
    if (!is_quoted)
        value = read_plain(r);
    skip_blanks(r);
    if (at_end(r) || *r->p == '#')
        add(r, name, value, line);
    skip_rest(r);
}

DotenvEntry *dotenv_parse(Arena *arena, Str text)
{
    Reader r = { .arena = arena, .p = text.p, .end = text.p + text.n, .line = 1 };
    r.place = &r.first;
    for (skip_lines(&r); r.p < r.end; skip_lines(&r))
        read_line(&r);
    return r.first;
}

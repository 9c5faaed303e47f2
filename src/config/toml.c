/* config/toml.c -- a small reader of TOML 1.0. It is lenient where that does no harm (dates and arrays are only kept
 * as text) and strict where a value could be misread. */
#include "config/toml.h"

#include <ctype.h>
#include <errno.h>

#include "base/json.h"

typedef struct Reader {
    Arena *arena;
    Error *error;
    const char *file; /* for errors; NULL: only the line is reported */
    const char *p, *end;
    unsigned line;
    bool is_shared;   /* takes arrays of tables */
} Reader;

enum { TOML_DEPTH_MAX = 32 };

static bool read_value(Reader *r, Toml *node, unsigned depth);

static bool refuse(Reader *r, const char *what)
{
    if (r->file)
        return fail(r->error, ERR_INVALID, "%s:%u: %s", r->file, r->line, what);
    return fail(r->error, ERR_INVALID, "line %u: %s", r->line, what);
}

static int peek(const Reader *r, size_t ahead)
{
    return (size_t)(r->end - r->p) > ahead ? (unsigned char)r->p[ahead] : -1;
}

static bool at(const Reader *r, const char *text)
{
    size_t n = strlen(text);
    return (size_t)(r->end - r->p) >= n && memcmp(r->p, text, n) == 0;
}

static void skip_blanks(Reader *r)
{
    while (peek(r, 0) == ' ' || peek(r, 0) == '\t')
        r->p++;
}

static void skip_comment(Reader *r)
{
    if (peek(r, 0) != '#')
        return;
    while (r->p < r->end && *r->p != '\n')
        r->p++;
}

/* Blanks, comments and line ends. */
static void skip_lines(Reader *r)
{
    for (;;) {
        skip_blanks(r);
        skip_comment(r);
        if (peek(r, 0) == '\r' && peek(r, 1) == '\n')
            r->p++;
        if (peek(r, 0) != '\n')
            return;
        r->p++;
        r->line++;
    }
}

static bool end_line(Reader *r)
{
    skip_blanks(r);
    skip_comment(r);
    if (peek(r, 0) == -1 || peek(r, 0) == '\n' || (peek(r, 0) == '\r' && peek(r, 1) == '\n'))
        return true;
    return refuse(r, "unexpected text after the value");
}

static void add_utf8(Buf *out, uint32_t c)
{
    if (c < 0x80) {
        buf_char(out, (char)c);
    } else if (c < 0x800) {
        buf_char(out, (char)(0xC0 | c >> 6));
        buf_char(out, (char)(0x80 | (c & 0x3F)));
    } else if (c < 0x10000) {
        buf_char(out, (char)(0xE0 | c >> 12));
        buf_char(out, (char)(0x80 | (c >> 6 & 0x3F)));
        buf_char(out, (char)(0x80 | (c & 0x3F)));
    } else {
        buf_char(out, (char)(0xF0 | c >> 18));
        buf_char(out, (char)(0x80 | (c >> 12 & 0x3F)));
        buf_char(out, (char)(0x80 | (c >> 6 & 0x3F)));
        buf_char(out, (char)(0x80 | (c & 0x3F)));
    }
}

static bool read_code_point(Reader *r, Buf *out, size_t digits)
{
    uint32_t c = 0;
    for (size_t i = 0; i < digits; i++) {
        int ch = peek(r, 0);
        if (ch == -1 || !isxdigit(ch))
            return refuse(r, "a \\u escape needs hexadecimal digits");
        c = c * 16 + (uint32_t)(ch <= '9' ? ch - '0' : (ch | 32) - 'a' + 10);
        r->p++;
    }
    if (c == 0 || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000))
        return refuse(r, "a \\u escape is not a valid character");
    add_utf8(out, c);
    return true;
}

/* A backslash at the end of a line joins it with the next text, whatever white space lies between. */
static bool skip_joined_lines(Reader *r, bool multi)
{
    const char *start = r->p;
    skip_blanks(r);
    if (!multi || (peek(r, 0) != '\n' && peek(r, 0) != '\r')) {
        r->p = start;
        return refuse(r, "unknown escape in a string");
    }
    while (peek(r, 0) == ' ' || peek(r, 0) == '\t' || peek(r, 0) == '\r' || peek(r, 0) == '\n') {
        r->line += *r->p == '\n';
        r->p++;
    }
    return true;
}

static bool read_escape(Reader *r, Buf *out, bool multi)
{
    static const char from[] = "btnfre\"\\", to[] = "\b\t\n\f\r\033\"\\";
    int c = peek(r, 0);
    if (c == 'x' || c == 'u' || c == 'U') {
        r->p++;
        return read_code_point(r, out, c == 'x' ? 2 : c == 'u' ? 4 : 8);
    }
    const char *found = c > 0 ? strchr(from, c) : NULL;
    if (!found)
        return skip_joined_lines(r, multi);
    buf_char(out, to[found - from]);
    r->p++;
    return true;
}

/* The four kinds of string: "basic" and 'literal', each on one line or in three quotes over several. */
static bool read_string(Reader *r, Str *ret)
{
    char quote = *r->p;
    bool multi = peek(r, 1) == quote && peek(r, 2) == quote;
    r->p += multi ? 3 : 1;
    if (multi && peek(r, 0) == '\r' && peek(r, 1) == '\n')
        r->p++;
    if (multi && peek(r, 0) == '\n') {
        r->p++;
        r->line++;
    }
    Buf out;
    buf_init(&out, r->arena, 32);
    while (r->p < r->end) {
        char c = *r->p;
        /* Of more than three quotes in a row the last three close the string. */
        if (c == quote && (!multi || (peek(r, 1) == quote && peek(r, 2) == quote && peek(r, 3) != quote))) {
            r->p += multi ? 3 : 1;
            *ret = out.n ? buf_view(&out) : STR("");
            return true;
        }
        if (c == '\n' && !multi)
            break;
        r->line += c == '\n';
        r->p++;
        if (c != '\\' || quote == '\'')
            buf_char(&out, c);
        else if (!read_escape(r, &out, multi))
            return false;
    }
    return refuse(r, "a string is not closed");
}

static bool is_bare(int c)
{
    return c > 0 && (isalnum(c) || c == '_' || c == '-');
}

static bool read_key(Reader *r, Str *ret)
{
    skip_blanks(r);
    int c = peek(r, 0);
    if ((c == '"' || c == '\'') && peek(r, 1) == c && peek(r, 2) == c)
        return refuse(r, "a key is on one line");
    if (c == '"' || c == '\'')
        return read_string(r, ret);
    const char *start = r->p;
    while (is_bare(peek(r, 0)))
        r->p++;
    *ret = (Str){ start, (size_t)(r->p - start) };
    return ret->n > 0 || refuse(r, "a key is expected");
}

static Toml *find(const Toml *table, Str key)
{
    for (Toml *node = table->child; node; node = node->next)
        if (str_eq(node->key, key))
            return node;
    return NULL;
}

static Toml *append(Reader *r, Toml *table, Str key, TomlKind kind)
{
    Toml *node = arena_new_of(r->arena, Toml);
    *node = (Toml){ .kind = kind, .key = key, .line = r->line };
    Toml **place = &table->child;
    while (*place)
        place = &(*place)->next;
    return *place = node;
}

/* Reads a.b.c: enters (or makes) the tables a and b, and leaves the last key to the caller. */
static bool read_dotted(Reader *r, Toml *table, Toml **ret_table, Str *ret_last)
{
    for (;;) {
        Str key;
        if (!read_key(r, &key))
            return false;
        skip_blanks(r);
        if (peek(r, 0) != '.') {
            *ret_table = table;
            *ret_last = key;
            return true;
        }
        r->p++;
        Toml *inner = find(table, key);
        if (!inner)
            inner = append(r, table, key, TOML_TABLE);
        if (inner->kind != TOML_TABLE)
            return refuse(r, "a key is used both for a value and for a table");
        table = inner;
    }
}

static bool read_member(Reader *r, Toml *table, unsigned depth)
{
    Toml *inner;
    Str key;
    if (!read_dotted(r, table, &inner, &key))
        return false;
    if (peek(r, 0) != '=')
        return refuse(r, "'=' is expected after a key");
    r->p++;
    skip_blanks(r);
    if (find(inner, key))
        return refuse(r, "a key is defined twice");
    return read_value(r, append(r, inner, key, TOML_OTHER), depth + 1);
}

static bool read_inline_table(Reader *r, Toml *node, unsigned depth)
{
    r->p++;
    node->kind = TOML_TABLE;
    node->closed = true;
    skip_lines(r);
    while (peek(r, 0) != '}') {
        if (!read_member(r, node, depth))
            return false;
        skip_lines(r);
        if (peek(r, 0) == ',')
            r->p++;
        else if (peek(r, 0) != '}')
            return refuse(r, "',' or '}' is expected in a table");
        skip_lines(r);
    }
    r->p++;
    return true;
}

static bool read_array(Reader *r, unsigned depth)
{
    r->p++;
    skip_lines(r);
    while (peek(r, 0) != ']') {
        /* Elements are only checked for their syntax. */
        Toml ignored = { .kind = TOML_OTHER };
        if (!read_value(r, &ignored, depth + 1))
            return false;
        skip_lines(r);
        if (peek(r, 0) == ',')
            r->p++;
        else if (peek(r, 0) != ']')
            return refuse(r, "',' or ']' is expected in an array");
        skip_lines(r);
    }
    r->p++;
    return true;
}

/* A number's word without underscores; false if one of those is not between two digits. */
static bool strip_underscores(Str word, char *out, size_t size)
{
    size_t n = 0;
    for (size_t i = 0; i < word.n; i++) {
        if (word.p[i] != '_') {
            if (n + 1 >= size)
                return false;
            out[n++] = word.p[i];
        } else if (i == 0 || i + 1 == word.n || !isxdigit((unsigned char)word.p[i - 1]) ||
                   !isxdigit((unsigned char)word.p[i + 1])) {
            return false;
        }
    }
    out[n] = '\0';
    return n > 0;
}

static int base_of(const char *digits)
{
    if (digits[0] != '0')
        return 10;
    return digits[1] == 'x' ? 16 : digits[1] == 'o' ? 8 : digits[1] == 'b' ? 2 : 10;
}

static bool read_integer(Reader *r, Toml *node, const char *digits)
{
    int base = base_of(digits);
    const char *start = base == 10 ? digits : digits + 2;
    char *end;
    if (base != 10 && !isxdigit((unsigned char)*start))
        return false;
    errno = 0;
    long long value = strtoll(start, &end, base);
    if (*end || end == start || (errno && base != 10))
        return false;
    node->kind = TOML_INT; /* beyond 64 bits the digits themselves */
    node->text = errno ? arena_str(r->arena, str_from(digits + (digits[0] == '+')))
                       : arena_printf(r->arena, "%lld", value);
    return true;
}

static bool read_float(Reader *r, Toml *node, const char *digits)
{
    if (strspn(digits, "0123456789+-.eE") != strlen(digits))
        return false;
    char *end, repr[32];
    double value = strtod(digits, &end);
    if (*end || end == digits)
        return false;
    size_t n = json_float_repr(value, repr);
    node->kind = TOML_FLOAT;
    node->text = arena_str(r->arena, (Str){ repr, n });
    return true;
}

/* A word without quotes: true, false, a number, or a date, which is kept as written. */
static bool read_word(Reader *r, Toml *node)
{
    const char *start = r->p;
    while (r->p < r->end && (is_bare((unsigned char)*r->p) || char_in(*r->p, "+.:")))
        r->p++;
    Str word = { start, (size_t)(r->p - start) };
    char digits[128];
    if (str_is(word, "true") || str_is(word, "false")) {
        node->kind = TOML_BOOL;
        node->text = word.n == 4 ? STR("True") : STR("False");
        return true;
    }
    if (word.n == 0 || !strip_underscores(word, digits, sizeof digits))
        return refuse(r, "a value is expected");
    if (read_integer(r, node, digits) || read_float(r, node, digits))
        return true;
    bool dated = isdigit((unsigned char)word.p[0]) && word.n >= 8 && (word.p[2] == ':' || word.p[4] == '-');
    const char *special = digits + (digits[0] == '+' || digits[0] == '-');
    if (strcmp(special, "inf") == 0 || strcmp(special, "nan") == 0) {
        node->kind = TOML_FLOAT;
        node->text = special[0] == 'n' ? STR("nan") : digits[0] == '-' ? STR("-inf") : STR("inf");
        return true;
    }
    if (!dated)
        return refuse(r, "a value must be a quoted string, a number, true or false");
    node->text = word;
    return true;
}

static bool read_value(Reader *r, Toml *node, unsigned depth)
{
    if (depth > TOML_DEPTH_MAX)
        return refuse(r, "values are nested too deeply");
    const char *start = r->p;
    bool ok;
    int c = peek(r, 0);
    if (c == '"' || c == '\'') {
        node->kind = TOML_STRING;
        ok = read_string(r, &node->text);
    } else if (c == '{') {
        ok = read_inline_table(r, node, depth);
    } else if (c == '[') {
        ok = read_array(r, depth);
    } else {
        ok = read_word(r, node);
    }
    /* For what is written back as it was: everything but strings. */
    node->literal = (Str){ start, (size_t)(r->p - start) };
    return ok;
}

static bool open_element(Reader *r, Toml *node)
{
    if (!node->is_array && (node->kind != TOML_TABLE || node->closed || node->child))
        return refuse(r, "a key is used both for a value and for an array of tables");
    node->is_array = node->closed = true;
    node->child = NULL;
    return true;
}

static bool read_header(Reader *r, Toml *root, Toml **ret_table)
{
    bool is_element = at(r, "[[");
    if (is_element && !r->is_shared)
        return refuse(r, "arrays of tables are not supported in this file");
    r->p += is_element ? 2 : 1;
    Toml *table;
    Str key;
    if (!read_dotted(r, root, &table, &key))
        return false;
    if (peek(r, 0) != ']' || (is_element && peek(r, 1) != ']'))
        return refuse(r, is_element ? "']]' is expected after a table's name" : "']' is expected after a table's name");
    r->p += is_element ? 2 : 1;
    Toml *node = find(table, key);
    if (!node)
        node = append(r, table, key, TOML_TABLE);
    *ret_table = node;
    if (is_element)
        return open_element(r, node) && end_line(r);
    /* A table that dotted keys or deeper headers have made may still get its own header, once. */
    if (node->kind != TOML_TABLE || node->closed)
        return refuse(r, "a table is defined twice");
    node->closed = true;
    return end_line(r);
}

unsigned toml_bare_return(Str text)
{
    unsigned line = 1;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '\r' && (i + 1 == text.n || text.p[i + 1] != '\n'))
            return line;
        line += text.p[i] == '\n';
    }
    return 0;
}

static bool parse(Arena *arena, const char *file, Str text, bool is_shared, Toml **ret_root, Error *error)
{
    Reader r = { .arena = arena, .error = error, .file = file, .p = text.p, .end = text.p + text.n, .line = 1,
                 .is_shared = is_shared };
    Toml *root = arena_new_of(arena, Toml), *table = root;
    const char *zero = text.n ? memchr(text.p, '\0', text.n) : NULL;
    root->kind = TOML_TABLE;
    for (const char *p = text.p; zero && p < zero; p++)
        r.line += *p == '\n';
    if (zero) /* which could not be written in any form that is accepted again */
        return refuse(&r, "the character U+0000 is not allowed");
    unsigned bare = file ? toml_bare_return(text) : 0;
    if (bare) {
        r.line = bare;
        return refuse(&r, TOML_BARE_RETURN);
    }
    if (at(&r, "\xEF\xBB\xBF"))
        r.p += 3;
    for (skip_lines(&r); r.p < r.end; skip_lines(&r)) {
        if (*r.p == '[') {
            if (!read_header(&r, root, &table))
                return false;
        } else if (!read_member(&r, table, 0) || !end_line(&r)) {
            return false;
        }
    }
    *ret_root = root;
    return true;
}

bool toml_parse_file(Arena *arena, const char *file, Str text, Toml **ret_root, Error *error)
{
    return parse(arena, file, text, false, ret_root, error);
}

bool toml_parse_shared(Arena *arena, const char *file, Str text, Toml **ret_root, Error *error)
{
    return parse(arena, file, text, true, ret_root, error);
}

bool toml_parse(Arena *arena, Str text, Toml **ret_root, Error *error)
{
    return parse(arena, NULL, text, false, ret_root, error);
}

Toml *toml_get(const Toml *table, const char *key)
{
    return find(table, str_from(key));
}

void toml_write_string(Buf *out, Str s)
{
    static const char named[] = "\b\t\n\f\r\"\\", letters[] = "btnfr\"\\";
    buf_char(out, '"');
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        const char *found = c ? strchr(named, c) : NULL;
        if (found)
            buf_printf(out, "\\%c", letters[found - named]);
        else if (c < 0x20 || c == 0x7F)
            buf_printf(out, "\\u%04x", c);
        else
            buf_char(out, (char)c);
    }
    buf_char(out, '"');
}

void toml_write_key(Buf *out, Str key)
{
    bool bare = key.n > 0;
    for (size_t i = 0; i < key.n; i++)
        bare = bare && is_bare((unsigned char)key.p[i]);
    if (bare)
        buf_str(out, key);
    else
        toml_write_string(out, key);
}

static void write_inline(Buf *out, const Toml *node)
{
    if (node->literal.p) {
        buf_str(out, node->literal);
        return;
    }
    buf_char(out, '{');
    for (const Toml *member = node->child; member; member = member->next) {
        buf_text(out, member == node->child ? " " : ", ");
        toml_write_key(out, member->key);
        buf_text(out, " = ");
        write_inline(out, member);
    }
    buf_text(out, " }");
}

Str toml_inline(Arena *arena, const Toml *table)
{
    Buf out;
    buf_init(&out, arena, 64);
    write_inline(&out, table);
    return str_from(buf_cstr(&out));
}

/* base/json_write.c -- JSON out: the writer, values of a tree, and Python's repr() of floats and strings. */
#include "base/json_scan.h"

#include <assert.h>
#include <math.h>

enum { LARGE = 64 << 10 }; /* bytes of JSON text that is written without a tree, which takes up to 64 for each */

/* Characters */

/* The character at *p; moves *p past it. Text was validated when it came in; if a database holds invalid bytes
 * nevertheless, the replacement character. */
static uint32_t next_character(const unsigned char **p, const unsigned char *end)
{
    unsigned char lead = *(*p)++;
    if (lead < 0x80)
        return lead;
    size_t more = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
    if (lead < 0xC2 || lead > 0xF4 || (size_t)(end - *p) < more)
        return 0xFFFD;
    uint32_t c = lead & (0x3Fu >> more);
    for (size_t i = 0; i < more; i++) {
        if (((*p)[i] & 0xC0) != 0x80)
            return 0xFFFD;
        c = c << 6 | ((*p)[i] & 0x3F);
    }
    *p += more;
    return c;
}

static void put_hex(Buf *out, const char *prefix, uint32_t value, int digits)
{
    static const char hex[] = "0123456789abcdef";
    buf_text(out, prefix);
    while (digits-- > 0)
        buf_char(out, hex[value >> (4 * digits) & 15]);
}

static void put_escape(Buf *out, uint32_t c)
{
    static const char from[] = "\"\\\n\r\t\f\b", to[] = "\"\\nrtfb";
    const char *found = c && c < 0x80 ? strchr(from, (int)c) : NULL;
    if (found) {
        buf_char(out, '\\');
        buf_char(out, to[found - from]);
    } else if (c < 0x10000) {
        put_hex(out, "\\u", c, 4);
    } else {
        put_hex(out, "\\u", 0xD800 + ((c - 0x10000) >> 10), 4);
        put_hex(out, "\\u", 0xDC00 + (c & 0x3FF), 4);
    }
}

static bool is_plain(unsigned char c, JsonStyle style)
{
    return c >= 0x20 && c != '"' && c != '\\' && (style == JSON_WIRE || c < 0x7F);
}

/* Eight at once, in both styles: printable ASCII but for quote and backslash. A byte that is not has, or gives when the
 * limit is taken from it, a highest bit of 1; subtractions borrow only from bytes above one that is not. */
static bool are_plain(const unsigned char p[8])
{
    const uint64_t each = 0x0101010101010101u;
    uint64_t word;
    memcpy(&word, p, sizeof word);
    uint64_t bad = word | (word - 0x20 * each) | ((word ^ '"' * each) - each) | ((word ^ '\\' * each) - each)
                   | ((word ^ 0x7F * each) - each);
    return !(bad & 0x80 * each);
}

/* After a value that another one follows (','), or a key (':'). */
static void put_separator(Buf *out, char c, JsonStyle style)
{
    buf_char(out, c);
    if (style == JSON_STORED)
        buf_char(out, ' ');
}

static void put_string(Buf *out, Str s, JsonStyle style)
{
    const unsigned char *p = (const unsigned char *)s.p, *end = p + s.n;
    buf_char(out, '"');
    while (p < end) {
        const unsigned char *from = p;
        while (end - p >= 8 && are_plain(p))
            p += 8;
        while (p < end && is_plain(*p, style))
            p++;
        buf_add(out, from, (size_t)(p - from));
        if (p < end)
            put_escape(out, next_character(&p, end));
    }
    buf_char(out, '"');
}

static void put_key(Buf *out, Str key, JsonStyle style)
{
    put_string(out, key, style);
    put_separator(out, ':', style);
}

/* Numbers */

/* Adds one to the last digit of "d.ddde±xx". */
static void count_up(char *text)
{
    for (char *p = strchr(text, 'e'); p-- > text;) {
        if (*p == '.')
            continue;
        if (*p != '9') {
            ++*p;
            return;
        }
        *p = '0';
    }
}

/* The fewest digits that read back as v, by "%.*e": "d.ddde±xx". 15 digits always survive the way from text to
 * double and back, so that a shorter number has trailing zeros there; only for subnormals 15 is too many. Above a
 * power of two the doubles are twice as far apart as below it, so there the 16 digits that read back need not be the
 * nearest. */
static void shortest_digits(double v, char out[32])
{
    int binary_exponent;
    bool power_of_two = frexp(v, &binary_exponent) == 0.5;
    for (int precision = v < 0x1p-1022 ? 1 : 15; precision <= 17; precision++) {
        snprintf(out, 32, "%.*e", precision - 1, v);
        if (strtod(out, NULL) == v)
            return;
        if (precision != 16 || !power_of_two)
            continue;
        count_up(out);
        if (strtod(out, NULL) == v)
            return;
    }
}

/* Digits without the dot and without trailing zeros; returns the exponent. */
static int split_digits(const char *text, char digits[20], size_t *ret_n)
{
    size_t n = 0;
    for (; *text != 'e'; text++)
        if (*text != '.')
            digits[n++] = *text;
    while (n > 1 && digits[n - 1] == '0')
        n--;
    *ret_n = n;
    return (int)strtol(text + 1, NULL, 10);
}

/* Without an exponent: repr() does so if it is from -4 to 15. */
static size_t put_fixed(char *out, const char *digits, size_t n, int exponent)
{
    size_t at = 0;
    if (exponent < 0) {
        memcpy(out, "0.000", 5);
        at = 2 + (size_t)(-exponent - 1);
        memcpy(out + at, digits, n);
        return at + n;
    }
    size_t whole = (size_t)exponent + 1;
    for (; at < whole; at++)
        out[at] = at < n ? digits[at] : '0';
    out[at++] = '.';
    if (n <= whole) {
        out[at++] = '0';
        return at;
    }
    memcpy(out + at, digits + whole, n - whole);
    return at + n - whole;
}

/* Nearly all numbers here are whole, or seconds with microseconds, and need no search: if the division gives v, the
 * decimal reads back as v, and no two decimals of 15 digits read as the same double. Returns 0 if v is not such a
 * number. */
static size_t put_micros(char *out, double v)
{
    if (v >= 1e9 || (v < 1e-4 && v > 0))
        return 0;
    double scaled = round(v * 1e6);
    if (scaled / 1e6 < v || scaled / 1e6 > v)
        return 0;
    char digits[20];
    size_t n = 0, at = 0;
    uint64_t rest = (uint64_t)scaled;
    for (; n < 7 || rest > 0; rest /= 10)
        digits[n++] = (char)('0' + rest % 10);
    size_t last = 0;
    while (last < 5 && digits[last] == '0')
        last++;
    while (n-- > last) {
        out[at++] = digits[n];
        if (n == 6)
            out[at++] = '.';
    }
    return at;
}

size_t json_float_repr(double v, char *out)
{
    if (!isfinite(v))
        return (size_t)snprintf(out, 32, "%s", isnan(v) ? "nan" : v < 0 ? "-inf" : "inf");
    char text[32], digits[20];
    size_t n, at = 0;
    if (signbit(v)) {
        out[at++] = '-';
        v = -v;
    }
    n = put_micros(out + at, v);
    if (n > 0) {
        out[at + n] = '\0';
        return at + n;
    }
    shortest_digits(v, text);
    int exponent = split_digits(text, digits, &n);
    if (exponent >= -4 && exponent < 16) {
        at += put_fixed(out + at, digits, n, exponent);
        out[at] = '\0';
        return at;
    }
    out[at++] = digits[0];
    if (n > 1) {
        out[at++] = '.';
        memcpy(out + at, digits + 1, n - 1);
        at += n - 1;
    }
    return at + (size_t)snprintf(out + at, 8, "e%c%02d", exponent < 0 ? '-' : '+', abs(exponent));
}

static void put_float(Buf *out, double v)
{
    char text[32];
    if (!isfinite(v))
        buf_text(out, "null");
    else
        buf_add(out, text, json_float_repr(v, text));
}

/* Values */

static double parse_float(Arena *arena, Str digits)
{
    char small[64];
    if (digits.n >= sizeof small)
        return strtod(arena_cstr(arena, digits), NULL);
    memcpy(small, digits.p, digits.n);
    small[digits.n] = '\0';
    return strtod(small, NULL);
}

static void put_number(Buf *out, const Json *json)
{
    if (json->kind == JSON_FLOAT)
        put_float(out, parse_float(out->arena, json->text));
    else if (json->text.n == 2 && json->text.p[0] == '-' && json->text.p[1] == '0')
        buf_char(out, '0');
    else
        buf_str(out, json->text);
}

/* The reader bounds the recursion: JSON_DEPTH_MAX. */
static void put_members(Buf *out, const Json *json, JsonStyle style)
{
    buf_char(out, json->kind == JSON_OBJECT ? '{' : '[');
    for (const Json *child = json->child; child; child = child->next) {
        if (child != json->child)
            put_separator(out, ',', style);
        if (json->kind == JSON_OBJECT)
            put_key(out, child->key, style);
        json_write_value(out, child, style);
    }
    buf_char(out, json->kind == JSON_OBJECT ? '}' : ']');
}

void json_write_value(Buf *out, const Json *json, JsonStyle style)
{
    switch (json->kind) {
    case JSON_NULL: buf_text(out, "null"); break;
    case JSON_FALSE: buf_text(out, "false"); break;
    case JSON_TRUE: buf_text(out, "true"); break;
    case JSON_INT:
    case JSON_FLOAT: put_number(out, json); break;
    case JSON_STRING: put_string(out, json->text, style); break;
    case JSON_ARRAY:
    case JSON_OBJECT: put_members(out, json, style); break;
    }
}

Str json_format(Arena *arena, const Json *json, JsonStyle style)
{
    Buf out;
    buf_init(&out, arena, json->text.n + json->text.n / 8);
    json_write_value(&out, json, style);
    buf_cstr(&out);
    return buf_view(&out);
}

typedef struct TextWriter {
    Buf *out;
    JsonStyle style;
    bool comma; /* due before the next value */
} TextWriter;

static void write_event(void *arg, JsonEvent event, const Json *value)
{
    TextWriter *w = arg;
    if (event == JSON_CLOSES) {
        buf_char(w->out, value->kind == JSON_OBJECT ? '}' : ']');
        w->comma = true;
        return;
    }
    if (w->comma)
        put_separator(w->out, ',', w->style);
    if (value->key.p)
        put_key(w->out, value->key, w->style);
    if (event == JSON_OPENS)
        buf_char(w->out, value->kind == JSON_OBJECT ? '{' : '[');
    else
        json_write_value(w->out, value, w->style);
    w->comma = event == JSON_IS;
}

static void write_by_tree(Buf *out, Arena *arena, Str json_text, JsonStyle style)
{
    const Json *json = json_read(arena, json_text);
    if (json)
        json_write_value(out, json, style);
    else
        buf_text(out, "null");
}

/* It is read twice, since what has been written cannot be taken back. Only a tree unites members with equal keys; no
 * known writer of databases leaves any. */
static void write_large(Buf *out, Str json_text, JsonStyle style)
{
    Arena *arena = arena_new();
    TextWriter w = { out, style, false };
    JsonScan check = { .find_twice = true }, scan = { .visit = write_event, .arg = &w };
    if (!json_scan(arena, json_text, &check) || check.key_twice || !json_scan(arena, json_text, &scan))
        write_by_tree(out, arena, json_text, style);
    arena_free(arena);
}

void json_write_text(Buf *out, Str json_text, JsonStyle style)
{
    if (json_text.n > LARGE) {
        write_large(out, json_text, style);
        return;
    }
    const char *bytes = out->p;
    ArenaMark mark = arena_mark(out->arena);
    write_by_tree(out, out->arena, json_text, style);
    /* The tree can go, since a list would pile up hundreds; it stays if the buffer was moved past the mark. */
    if (out->p == bytes)
        arena_release(out->arena, mark);
}

void json_write_ascii(Buf *out, Str json_text)
{
    const unsigned char *p = (const unsigned char *)json_text.p, *end = p + json_text.n;
    while (p < end) {
        if (*p < 0x7F)
            buf_char(out, (char)*p++);
        else
            put_escape(out, next_character(&p, end));
    }
}

/* The writer */

void json_writer_init(JsonWriter *w, Buf *out, JsonStyle style)
{
    *w = (JsonWriter){ .out = out, .style = style };
}

/* Before every value and key: the comma that is due. */
static void separate(JsonWriter *w)
{
    if (w->after_key)
        w->after_key = false;
    else if (w->comma[w->depth])
        put_separator(w->out, ',', w->style);
    w->comma[w->depth] = true;
}

static void begin(JsonWriter *w, char bracket)
{
    separate(w);
    buf_char(w->out, bracket);
    assert(w->depth + 1 < COUNT_OF(w->comma));
    w->comma[++w->depth] = false;
}

static void end(JsonWriter *w, char bracket)
{
    assert(w->depth > 0 && !w->after_key);
    w->depth--;
    buf_char(w->out, bracket);
}

void json_object(JsonWriter *w)
{
    begin(w, '{');
}

void json_object_end(JsonWriter *w)
{
    end(w, '}');
}

void json_array(JsonWriter *w)
{
    begin(w, '[');
}

void json_array_end(JsonWriter *w)
{
    end(w, ']');
}

void json_key_str(JsonWriter *w, Str key)
{
    assert(!w->after_key && w->depth > 0);
    separate(w);
    put_key(w->out, key, w->style);
    w->after_key = true;
}

void json_key(JsonWriter *w, const char *key)
{
    json_key_str(w, str_from(key));
}

void json_str(JsonWriter *w, Str s)
{
    separate(w);
    if (s.p)
        put_string(w->out, s, w->style);
    else
        buf_text(w->out, "null");
}

void json_text(JsonWriter *w, const char *s)
{
    json_str(w, str_from(s));
}

void json_int(JsonWriter *w, int64_t v)
{
    separate(w);
    buf_int(w->out, v);
}

void json_float(JsonWriter *w, double v)
{
    separate(w);
    put_float(w->out, v);
}

void json_bool(JsonWriter *w, bool v)
{
    separate(w);
    buf_text(w->out, v ? "true" : "false");
}

void json_null(JsonWriter *w)
{
    separate(w);
    buf_text(w->out, "null");
}

void json_value(JsonWriter *w, const Json *json)
{
    separate(w);
    if (json)
        json_write_value(w->out, json, w->style);
    else
        buf_text(w->out, "null");
}

void json_raw(JsonWriter *w, Str text)
{
    separate(w);
    buf_str(w->out, text);
}

void json_stored(JsonWriter *w, Str text)
{
    separate(w);
    json_write_text(w->out, text, w->style);
}

/* Python's repr(str) */

/* What str.isprintable() rejects, in ascending order: separators other than the space, controls, formats, private
 * use. Unassigned code points are left out, since they change with every version of Unicode. */
static const struct { uint32_t first, last; } unprintable[] = {
    { 0x0000, 0x001F },   { 0x007F, 0x00A0 },   { 0x00AD, 0x00AD },   { 0x0600, 0x0605 },   { 0x061C, 0x061C },
    { 0x06DD, 0x06DD },   { 0x070F, 0x070F },   { 0x1680, 0x1680 },   { 0x180E, 0x180E },   { 0x2000, 0x200F },
    { 0x2028, 0x202F },   { 0x205F, 0x206F },   { 0x3000, 0x3000 },   { 0xD800, 0xF8FF },   { 0xFEFF, 0xFEFF },
    { 0xFFF0, 0xFFFB },   { 0xFFFE, 0xFFFF },   { 0xE0000, 0xE00FF }, { 0xE01F0, 0x10FFFF },
};

static bool is_printable(uint32_t c)
{
    for (size_t i = 0; i < COUNT_OF(unprintable) && c >= unprintable[i].first; i++)
        if (c <= unprintable[i].last)
            return false;
    return true;
}

static void put_repr_character(Buf *out, uint32_t c, Str raw, char quote)
{
    if (c == '\\' || c == (unsigned char)quote) {
        buf_char(out, '\\');
        buf_char(out, (char)c);
    } else if (is_printable(c)) {
        buf_str(out, raw);
    } else if (c == '\n' || c == '\r' || c == '\t') {
        buf_text(out, c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t");
    } else if (c < 0x100) {
        put_hex(out, "\\x", c, 2);
    } else if (c < 0x10000) {
        put_hex(out, "\\u", c, 4);
    } else {
        put_hex(out, "\\U", c, 8);
    }
}

/* As in Python, the quotes are double only if the text has single ones and no double ones. */
Str json_python_repr(Arena *arena, Str s)
{
    Buf out;
    buf_init(&out, arena, s.n + 16);
    const unsigned char *p = (const unsigned char *)s.p, *stop = p + s.n;
    bool single = s.n && memchr(s.p, '\'', s.n), twice = s.n && memchr(s.p, '"', s.n);
    char quote = single && !twice ? '"' : '\'';
    buf_char(&out, quote);
    while (p < stop) {
        const unsigned char *from = p;
        uint32_t c = next_character(&p, stop);
        put_repr_character(&out, c, (Str){ (const char *)from, (size_t)(p - from) }, quote);
    }
    buf_char(&out, quote);
    buf_cstr(&out);
    return buf_view(&out);
}

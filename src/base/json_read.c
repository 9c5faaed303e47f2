/* base/json_read.c -- JSON text to a tree, or to a visitor without one, by recursive descent.
 * Where text is malformed, message and position are those of Python's decoder: clients see them. */
#include "base/json_scan.h"

#include <errno.h>
#include <limits.h>
#include <math.h>

#include "base/text.h"
#include "base/unicode.h"

enum { SORT_FROM = 17 }; /* an object with at least so many members is searched for duplicates by sorting */

typedef struct Reader {
    Arena *arena;
    const char *start, *p, *end;
    unsigned depth;
    JsonScan *scan;             /* NULL: a tree is made */
    uint64_t *key_hashes;       /* of the objects that are open, if scan->find_twice */
    size_t key_count, key_capacity;
    /* Well-formed for Python, but refused by us. Reported only if no syntax error follows, since Python would report
     * that one. */
    const char *refused_at, *refused_why;
    const char *failed_at, *failed_why;
} Reader;

static bool read_value(Reader *r, Json *out);

static bool stop(Reader *r, const char *at, const char *why)
{
    r->failed_at = at;
    r->failed_why = why;
    return false;
}

static void refuse(Reader *r, const char *at, const char *why)
{
    if (r->refused_at)
        return;
    r->refused_at = at;
    r->refused_why = why;
}

static void skip_space(Reader *r)
{
    while (r->p < r->end && (*r->p == ' ' || *r->p == '\n' || *r->p == '\r' || *r->p == '\t'))
        r->p++;
}

static bool at_char(const Reader *r, char c)
{
    return r->p < r->end && *r->p == c;
}

static bool take_word(Reader *r, const char *word)
{
    size_t n = strlen(word);
    if ((size_t)(r->end - r->p) < n || memcmp(r->p, word, n) != 0)
        return false;
    r->p += n;
    return true;
}

/* Strings */

/* The four hexadecimal digits after "\u", with `u` at the u; -1 if they are not there. As in Python, something must
 * follow them. */
static int32_t read_hex4(const Reader *r, const char *u)
{
    if (r->end - u <= 5)
        return -1;
    int32_t value = 0;
    for (int i = 1; i <= 4; i++) {
        int digit = char_hex_value(u[i]);
        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

static char *put_utf8(char *out, uint32_t c)
{
    if (c < 0x80) {
        *out++ = (char)c;
    } else if (c < 0x800) {
        *out++ = (char)(0xC0 | c >> 6);
        *out++ = (char)(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
        *out++ = (char)(0xE0 | c >> 12);
        *out++ = (char)(0x80 | (c >> 6 & 0x3F));
        *out++ = (char)(0x80 | (c & 0x3F));
    } else {
        *out++ = (char)(0xF0 | c >> 18);
        *out++ = (char)(0x80 | (c >> 12 & 0x3F));
        *out++ = (char)(0x80 | (c >> 6 & 0x3F));
        *out++ = (char)(0x80 | (c & 0x3F));
    }
    return out;
}

/* r->p is at the u of "\uXXXX"; a high surrogate takes the low one that follows it. */
static bool read_unicode_escape(Reader *r, char **out)
{
    const char *u = r->p;
    int32_t c = read_hex4(r, u);
    if (c < 0)
        return stop(r, u, "Invalid \\uXXXX escape");
    r->p += 5;
    if (c >= 0xD800 && c <= 0xDBFF && r->end - r->p >= 2 && r->p[0] == '\\' && r->p[1] == 'u') {
        int32_t low = read_hex4(r, r->p + 1);
        if (low < 0)
            return stop(r, r->p + 1, "Invalid \\uXXXX escape");
        if (low >= 0xDC00 && low <= 0xDFFF) {
            c = 0x10000 + ((c - 0xD800) << 10 | (low - 0xDC00));
            r->p += 6;
        }
    }
    if (c >= 0xD800 && c <= 0xDFFF)
        refuse(r, u - 1, "Lone surrogate");
    *out = put_utf8(*out, (uint32_t)c);
    return true;
}

/* r->p is after the backslash. */
static bool read_escape(Reader *r, char **out)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    if (*r->p == 'u')
        return read_unicode_escape(r, out);
    const char *found = *r->p ? strchr(from, *r->p) : NULL;
    if (!found)
        return stop(r, r->p - 1, "Invalid \\escape");
    *(*out)++ = to[found - from];
    r->p++;
    return true;
}

/* Moves r->p past the characters that need no decoding. */
static void skip_plain(Reader *r)
{
    const char *p = r->p;
    while (p < r->end && *p != '"' && *p != '\\' && (unsigned char)*p >= 0x20)
        p++;
    r->p = p;
}

/* How long the decoded text can be at most: the bytes up to the closing quote. */
static size_t rest_of_string(const Reader *r)
{
    const char *p = r->p;
    while (p < r->end && *p != '"')
        p += *p == '\\' && r->end - p > 1 ? 2 : 1;
    return (size_t)(p - r->p);
}

/* Copies from the first backslash on; `start` is the first character of the string. read_string judges what ended
 * the copy. */
static bool read_escaped(Reader *r, const char *start, Str *ret)
{
    size_t plain = (size_t)(r->p - start);
    char *text = arena_alloc(r->arena, plain + rest_of_string(r) + 1);
    memcpy(text, start, plain);
    char *out = text + plain;
    for (;;) {
        const char *from = r->p;
        skip_plain(r);
        memcpy(out, from, (size_t)(r->p - from));
        out += r->p - from;
        if (!at_char(r, '\\'))
            break;
        if (++r->p == r->end)
            break;
        if (!read_escape(r, &out))
            return false;
    }
    *out = '\0';
    *ret = (Str){ text, (size_t)(out - text) };
    return true;
}

/* r->p is at the opening quote. */
static bool read_string(Reader *r, Str *ret)
{
    const char *quote = r->p++;
    skip_plain(r);
    if (at_char(r, '\\')) {
        if (!read_escaped(r, quote + 1, ret))
            return false;
    } else {
        *ret = (Str){ quote + 1, (size_t)(r->p - quote - 1) };
    }
    if (r->p == r->end)
        return stop(r, quote, "Unterminated string starting at");
    if (*r->p != '"')
        return stop(r, r->p, "Invalid control character at");
    r->p++;
    return true;
}

/* Numbers */

static bool is_digit(const char *p, const char *end)
{
    return p < end && char_is_digit(*p);
}

static const char *skip_digits(const char *p, const char *end)
{
    while (is_digit(p, end))
        p++;
    return p;
}

/* Only a large exponent, or very many digits, can exceed the range of doubles: nothing else needs to be computed. */
static bool is_finite(Reader *r, Str number, size_t exponent_digits)
{
    return (exponent_digits < 3 && number.n < 300) || isfinite(strtod(arena_cstr(r->arena, number), NULL));
}

/* The longest number at r->p: of "1." that is 1, of "01" it is 0, and the rest is for the caller to refuse. */
static bool read_number(Reader *r, Json *out)
{
    size_t exponent_digits = 0;
    const char *p = r->p + (*r->p == '-');
    if (!is_digit(p, r->end))
        return stop(r, r->p, "Expecting value");
    p = *p == '0' ? p + 1 : skip_digits(p, r->end);
    out->kind = JSON_INT;
    if (p < r->end && *p == '.' && is_digit(p + 1, r->end)) {
        out->kind = JSON_FLOAT;
        p = skip_digits(p + 1, r->end);
    }
    if (p < r->end && (*p == 'e' || *p == 'E')) {
        const char *digits = p + 1;
        if (digits < r->end && (*digits == '+' || *digits == '-'))
            digits++;
        if (is_digit(digits, r->end)) {
            out->kind = JSON_FLOAT;
            p = skip_digits(digits, r->end);
            exponent_digits = (size_t)(p - digits);
        }
    }
    out->text = (Str){ r->p, (size_t)(p - r->p) };
    if (out->kind == JSON_FLOAT && !is_finite(r, out->text, exponent_digits))
        refuse(r, r->p, "Not a finite number");
    r->p = p;
    return true;
}

/* Arrays and objects */

static void tell(const Reader *r, JsonEvent event, const Json *value)
{
    if (r->scan && r->scan->visit)
        r->scan->visit(r->scan->arg, event, value);
}

typedef bool ReadElement(Reader *r, Json *element);

/* The next element or member of `out`, by `read`. */
static bool read_element(Reader *r, ReadElement *read, Json *out, Json ***tail)
{
    out->count++;
    if (!r->scan) {
        Json *element = arena_new_of(r->arena, Json);
        **tail = element;
        *tail = &element->next;
        return read(r, element);
    }
    Json element = { .kind = JSON_NULL };
    ArenaMark mark = arena_mark(r->arena);
    bool ok = read(r, &element);
    arena_release(r->arena, mark);
    return ok;
}

/* What is between two brackets. Before the first element or after a comma a closing one is an error, as in Python. */
static bool read_elements(Reader *r, ReadElement *read, char closes, Json *out)
{
    Json **tail = &out->child;
    r->p++;
    skip_space(r);
    while (!at_char(r, closes) || out->count > 0) {
        if (!read_element(r, read, out, &tail))
            return false;
        skip_space(r);
        if (at_char(r, closes))
            break;
        if (!at_char(r, ','))
            return stop(r, r->p, "Expecting ',' delimiter");
        r->p++;
        skip_space(r);
    }
    r->p++;
    return true;
}

/* `first` gets the value of `last`, which is marked for removal by a null key. */
static void take_value(Json *first, Json *last)
{
    first->kind = last->kind;
    first->text = last->text;
    first->child = last->child;
    first->count = last->count;
    last->key = STR_NULL;
}

static bool mark_by_comparing(Json *object)
{
    bool found = false;
    for (Json *later = object->child; later; later = later->next) {
        for (Json *first = object->child; first != later; first = first->next) {
            if (first->key.n == later->key.n && str_eq(first->key, later->key)) {
                take_value(first, later);
                found = true;
                break;
            }
        }
    }
    return found;
}

typedef struct Place { Json *member; size_t index; } Place;

static int compare_places(const void *a, const void *b)
{
    const Place *x = a, *y = b;
    size_t n = x->member->key.n;
    if (n != y->member->key.n)
        return n < y->member->key.n ? -1 : 1;
    int order = n ? memcmp(x->member->key.p, y->member->key.p, n) : 0;
    return order ? order : x->index < y->index ? -1 : 1;
}

static bool mark_by_sorting(Arena *arena, Json *object)
{
    ArenaMark mark = arena_mark(arena);
    Place *places = arena_alloc(arena, object->count * sizeof *places);
    size_t n = 0;
    for (Json *member = object->child; member; member = member->next, n++)
        places[n] = (Place){ member, n };
    qsort(places, n, sizeof *places, compare_places);
    bool found = false;
    /* Equal keys are neighbours, in the document's order: the first one takes each later value, and ends with the
     * last. */
    for (size_t i = 1, first = 0; i < n; i++) {
        if (str_eq(places[first].member->key, places[i].member->key)) {
            take_value(places[first].member, places[i].member);
            found = true;
        } else {
            first = i;
        }
    }
    arena_release(arena, mark);
    return found;
}

static void unite_duplicates(Arena *arena, Json *object)
{
    bool found = object->count >= SORT_FROM ? mark_by_sorting(arena, object) : mark_by_comparing(object);
    if (!found)
        return;
    for (Json **link = &object->child; *link;) {
        if ((*link)->key.p) {
            link = &(*link)->next;
        } else {
            *link = (*link)->next;
            object->count--;
        }
    }
}

/* Without a tree, only a hash is kept of each key: two keys that look alike are as good as equal, since who asks makes
 * a tree then. */
static void note_key(Reader *r, Str key)
{
    uint64_t hash = 0xCBF29CE484222325; /* FNV-1a */
    for (size_t i = 0; i < key.n; i++)
        hash = (hash ^ (unsigned char)key.p[i]) * 0x100000001B3;
    if (r->key_count == r->key_capacity) {
        r->key_capacity = r->key_capacity ? 2 * r->key_capacity : 64;
        r->key_hashes = xrealloc(r->key_hashes, r->key_capacity * sizeof *r->key_hashes);
    }
    r->key_hashes[r->key_count++] = hash;
}

static int compare_hashes(const void *a, const void *b)
{
    const uint64_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* The keys of an object that ends are those noted from `first` on. */
static void find_twice(Reader *r, size_t first)
{
    if (r->key_count > first)
        qsort(r->key_hashes + first, r->key_count - first, sizeof *r->key_hashes, compare_hashes);
    for (size_t i = first + 1; i < r->key_count; i++)
        r->scan->key_twice |= r->key_hashes[i] == r->key_hashes[i - 1];
    r->key_count = first;
}

static bool read_member(Reader *r, Json *member)
{
    if (!at_char(r, '"'))
        return stop(r, r->p, "Expecting property name enclosed in double quotes");
    if (!read_string(r, &member->key))
        return false;
    if (r->scan && r->scan->find_twice)
        note_key(r, member->key);
    skip_space(r);
    if (!at_char(r, ':'))
        return stop(r, r->p, "Expecting ':' delimiter");
    r->p++;
    skip_space(r);
    return read_value(r, member);
}

static bool read_object(Reader *r, Json *out)
{
    size_t first = r->key_count;
    if (!read_elements(r, read_member, '}', out))
        return false;
    if (r->scan)
        find_twice(r, first);
    else
        unite_duplicates(r->arena, out);
    return true;
}

/* Values */

static bool read_nested(Reader *r, Json *out)
{
    if (r->depth == JSON_DEPTH_MAX)
        return stop(r, r->p, "Nested too deeply");
    const char *start = r->p;
    out->kind = *start == '{' ? JSON_OBJECT : JSON_ARRAY;
    r->depth++;
    tell(r, JSON_OPENS, out);
    if (!(*start == '{' ? read_object(r, out) : read_elements(r, read_value, ']', out)))
        return false;
    r->depth--;
    out->text = (Str){ start, (size_t)(r->p - start) };
    tell(r, JSON_CLOSES, out);
    return true;
}

static bool read_word(Reader *r, Json *out)
{
    static const struct { const char *text; JsonKind kind; bool refused; } words[] = {
        { "null", JSON_NULL, false },    { "true", JSON_TRUE, false },     { "false", JSON_FALSE, false },
        { "NaN", JSON_NULL, true },      { "Infinity", JSON_NULL, true },  { "-Infinity", JSON_NULL, true },
    };
    const char *start = r->p;
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (!take_word(r, words[i].text))
            continue;
        out->kind = words[i].kind;
        out->text = (Str){ start, (size_t)(r->p - start) };
        if (words[i].refused)
            refuse(r, start, "Not a finite number");
        return true;
    }
    return false;
}

static bool read_scalar(Reader *r, Json *out)
{
    switch (*r->p) {
    case '"':
        out->kind = JSON_STRING;
        return read_string(r, &out->text);
    case '0': case '1': case '2': case '3': case '4': case '5': case '6': case '7': case '8': case '9':
        return read_number(r, out);
    default:
        return read_word(r, out) || read_number(r, out);
    }
}

static bool read_value(Reader *r, Json *out)
{
    if (r->p == r->end)
        return stop(r, r->p, "Expecting value");
    if (*r->p == '{' || *r->p == '[')
        return read_nested(r, out);
    if (!read_scalar(r, out))
        return false;
    tell(r, JSON_IS, out);
    return true;
}

static bool read_document(Reader *r, Json *root)
{
    const char *invalid = utf8_find_invalid((Str){ r->start, (size_t)(r->end - r->start) });
    if (invalid)
        return stop(r, invalid, "Invalid UTF-8");
    skip_space(r);
    if (!read_value(r, root))
        return false;
    skip_space(r);
    if (r->p != r->end)
        return stop(r, r->p, "Extra data");
    return !r->refused_at || stop(r, r->refused_at, r->refused_why);
}

static Reader reader_of(Arena *arena, Str text)
{
    if (str_starts(text, "\xEF\xBB\xBF")) /* json.loads(bytes) drops it */
        text = (Str){ text.p + 3, text.n - 3 };
    if (!text.p)
        text = STR("");
    return (Reader){ .arena = arena, .start = text.p, .p = text.p, .end = text.p + text.n };
}

bool json_parse(Arena *arena, Str text, const Json **ret_json, JsonError *error)
{
    Reader r = reader_of(arena, text);
    Json *root = arena_new_of(arena, Json);
    if (!read_document(&r, root)) {
        *error = (JsonError){ utf8_count((Str){ r.start, (size_t)(r.failed_at - r.start) }), r.failed_why };
        return false;
    }
    *ret_json = root;
    return true;
}

bool json_scan(Arena *arena, Str text, JsonScan *scan)
{
    ArenaMark mark = arena_mark(arena);
    Reader r = reader_of(arena, text);
    Json root = { .kind = JSON_NULL };
    r.scan = scan;
    bool ok = read_document(&r, &root);
    free(r.key_hashes);
    arena_release(arena, mark);
    return ok;
}

bool json_is_valid(Arena *arena, Str text)
{
    JsonScan scan = { .visit = NULL };
    return text.p && json_scan(arena, text, &scan);
}

const Json *json_read(Arena *arena, Str text)
{
    const Json *json;
    JsonError unused;
    return text.p && json_parse(arena, text, &json, &unused) ? json : NULL;
}

const Json *json_get(const Json *object, const char *key)
{
    if (!object || object->kind != JSON_OBJECT)
        return NULL;
    size_t n = strlen(key);
    for (const Json *member = object->child; member; member = member->next)
        if (member->key.n == n && memcmp(member->key.p, key, n) == 0)
            return member;
    return NULL;
}

const char *json_shape_fault(Str json_text, char opens)
{
    if (!opens || json_text.n == 0 || json_text.p[0] == opens || str_is(json_text, "null"))
        return NULL;
    return opens == '{' ? "is not a JSON object" : "is not a JSON array";
}

bool json_is_beyond_int64(const Json *json)
{
    if (!json || json->kind != JSON_INT)
        return false;
    errno = 0;
    long long held = strtoll(json->text.p, NULL, 10); /* ends at what follows the number, which is not a digit */
    return errno == ERANGE && (held == LLONG_MAX || held == LLONG_MIN);
}

bool json_is_null(const Json *json)
{
    return !json || json->kind == JSON_NULL;
}

static bool holds_zero(Str s)
{
    return s.p && memchr(s.p, '\0', s.n);
}

bool json_holds_zero(const Json *json)
{
    if ((json->kind == JSON_STRING && holds_zero(json->text)) || holds_zero(json->key))
        return true;
    for (const Json *child = json->child; child; child = child->next)
        if (json_holds_zero(child))
            return true;
    return false;
}

/* db/copy_value.c -- values between engines: what can be copied, and when two of them are equal. */
#include "db/copy_value.h"

#include "base/json.h"
#include "base/unicode.h"
#include "base/uuid.h"
#include "db/driver.h"

/* ---- reading ---- */

static bool holds_zero(Str s)
{
    return memchr(s.p, '\0', s.n) != NULL;
}

static const char *read_text(Str text, unsigned flags, Value *ret)
{
    *ret = v_text(text);
    if (!(flags & COPY_STRICT))
        return NULL;
    if (holds_zero(text))
        return "contains the character U+0000, which PostgreSQL cannot store";
    return utf8_is_valid(text) ? NULL : "is not UTF-8";
}

static const char *read_state_type(Str text, unsigned flags, Value *ret)
{
    static const char *const types[] = { "SCHEDULED", "PENDING", "RUNNING", "COMPLETED", "FAILED",
                                         "CANCELLED", "CRASHED", "PAUSED",  "CANCELLING" };
    *ret = v_text(text);
    for (size_t i = 0; i < COUNT_OF(types); i++)
        if (str_is(text, types[i]))
            return NULL;
    return flags & COPY_STRICT ? "is not a state type" : NULL;
}

static const char *read_uuid(Arena *arena, Str text, unsigned flags, Value *ret)
{
    Str usual;
    *ret = v_uuid(text);
    if (!(flags & COPY_STRICT) || (uuid_parse(arena, text, &usual) && str_eq(text, usual)))
        return NULL;
    return "is not a UUID in the usual form";
}

/* SQLite's integer columns accept any text, so the text is checked. */
static const char *read_int(Str text, int64_t most, unsigned flags, Value *ret)
{
    char digits[24];
    char *end;
    if (text.n == 0 || text.n >= sizeof digits)
        return "is not an integer";
    memcpy(digits, text.p, text.n);
    digits[text.n] = '\0';
    int64_t value = strtoll(digits, &end, 10);
    if (*end)
        return "is not an integer";
    if (flags & COPY_STRICT && (value > most || value < -most - 1))
        return "is out of range for PostgreSQL's column";
    *ret = v_int(value);
    return NULL;
}

static const char *read_real(Arena *arena, Rows *rows, int column, Value *ret)
{
    if (!row_is_typed(rows)) {
        char *end;
        const char *digits = arena_cstr(arena, row_text(rows, column));
        (void)strtod(digits, &end);
        if (!*digits || *end)
            return "is not a number";
    }
    *ret = v_real(row_real(rows, column)); /* its text may have fewer digits */
    return NULL;
}

static const char *read_bool(Str text, Value *ret)
{
    bool is_true = str_is(text, "1") || str_is(text, "true");
    *ret = v_bool(is_true);
    return is_true || str_is(text, "0") || str_is(text, "false") ? NULL : "is neither true nor false";
}

static const char *read_time(const Driver *driver, Rows *rows, int column, Value *ret)
{
    Time time;
    if (!driver->time(rows, column, &time))
        return "is not a valid time";
    *ret = v_time(time);
    return time >= TIME_FIRST && time < TIME_END ? NULL : "is a time outside of the years 1 to 9999";
}

static const char *read_interval(const Driver *driver, Rows *rows, int column, Value *ret)
{
    int64_t us;
    if (!driver->interval(rows, column, &us))
        return "is not a valid duration";
    *ret = v_interval(us);
    return us >= TIME_FIRST && us < TIME_END ? NULL : "is a duration out of range";
}

static const char *check_json(Arena *arena, Str text)
{
    ArenaMark mark = arena_mark(arena);
    const Json *json = json_read(arena, text);
    const char *reason = NULL;
    if (!json)
        reason = "is not JSON that PostgreSQL accepts (NaN and Infinity are not)";
    else if (memmem(text.p, text.n, "\\u0000", 6) && json_holds_zero(json))
        reason = "contains the character U+0000, which PostgreSQL cannot store";
    arena_release(arena, mark);
    return reason;
}

/* Apart from the spelling of some numbers, this is all in which PostgreSQL's text of a JSON value differs from
 * Python's. */
static Str json_in_ascii(Arena *arena, Str text)
{
    Buf out;
    buf_init(&out, arena, text.n + 64);
    json_write_ascii(&out, text);
    return buf_view(&out);
}

static const char *read_json(Arena *arena, Str text, unsigned flags, Value *ret)
{
    *ret = v_json(flags & COPY_RESPELL ? json_in_ascii(arena, text) : text);
    return flags & COPY_STRICT ? check_json(arena, text) : NULL;
}

const char *copy_value_read(Rows *rows, int column, ColumnKind kind, unsigned flags, Value *ret_value)
{
    const Driver *driver = ((const DbConnection *)rows->tx->connection)->driver;
    Arena *arena = rows->tx->arena;
    *ret_value = v_null();
    if (row_is_null(rows, column))
        return NULL;
    switch (kind) {
    case KIND_TIME: return read_time(driver, rows, column, ret_value);
    case KIND_INTERVAL: return read_interval(driver, rows, column, ret_value);
    case KIND_BOOL: return read_bool(row_view(rows, column), ret_value);
    case KIND_SMALL: return read_int(row_view(rows, column), INT16_MAX, flags, ret_value);
    case KIND_REAL: return read_real(arena, rows, column, ret_value);
    case KIND_INT: return read_int(row_view(rows, column), INT32_MAX, flags, ret_value);
    case KIND_UUID: return read_uuid(arena, row_text(rows, column), flags, ret_value);
    case KIND_TEXT:
    case KIND_STATUS: return read_text(row_text(rows, column), flags, ret_value);
    case KIND_STATE_TYPE: return read_state_type(row_text(rows, column), flags, ret_value);
    case KIND_JSON: return read_json(arena, row_text(rows, column), flags, ret_value);
    }
    return "is of an unknown kind";
}

/* ---- the canonical form: a letter for the kind, then the value; texts with their length before them ---- */

static void put_bytes(Buf *out, char letter, Str s)
{
    buf_char(out, letter);
    buf_int(out, (int64_t)s.n);
    buf_char(out, ':');
    buf_str(out, s);
}

static void put_int(Buf *out, int64_t value)
{
    buf_char(out, 'i');
    buf_int(out, value);
    buf_char(out, ';');
}

/* The digits without zeros at either end, and the power of ten of the last: 1.10, 11e-1 and 110E-2 are all 11e-1. */
static void put_number(Buf *out, Str text)
{
    const char *p = text.p, *end = text.p + text.n;
    int64_t power = 0, given = 0, sign = 1, zeros = 0;
    size_t start = out->n;
    bool is_behind_dot = false, is_below_zero = p < end && *p == '-';
    for (p += is_below_zero; p < end && *p != 'e' && *p != 'E'; p++) {
        if (*p == '.') {
            is_behind_dot = true;
            continue;
        }
        power -= is_behind_dot;
        if (*p == '0') { /* kept back until a digit follows */
            zeros += out->n > start;
            continue;
        }
        if (out->n == start)
            buf_text(out, is_below_zero ? "#-" : "#");
        for (; zeros > 0; zeros--)
            buf_char(out, '0');
        buf_char(out, *p);
    }
    if (out->n == start) {
        buf_text(out, "#0;");
        return;
    }
    if (p < end) {
        p++;
        sign = p < end && *p == '-' ? -1 : 1;
        for (p += p < end && (*p == '-' || *p == '+'); p < end; p++)
            given = given < INT32_MAX ? given * 10 + (*p - '0') : given; /* beyond what any engine holds */
    }
    buf_char(out, 'e');
    buf_int(out, power + zeros + sign * given);
    buf_char(out, ';');
}

static int compare_keys(const void *a, const void *b)
{
    Str x = (*(const Json *const *)a)->key, y = (*(const Json *const *)b)->key;
    int order = memcmp(x.p, y.p, x.n < y.n ? x.n : y.n);
    return order ? order : (x.n > y.n) - (x.n < y.n);
}

static void put_json(Buf *out, const Json *json);

static void put_object(Buf *out, const Json *object)
{
    const Json **members = arena_alloc(out->arena, (object->count + 1) * sizeof *members);
    size_t n = 0;
    for (const Json *member = object->child; member; member = member->next)
        members[n++] = member;
    qsort(members, n, sizeof *members, compare_keys);
    buf_char(out, '{');
    for (size_t i = 0; i < n; i++) {
        put_bytes(out, 'k', members[i]->key);
        put_json(out, members[i]);
    }
    buf_char(out, '}');
}

static void put_json(Buf *out, const Json *json)
{
    switch (json->kind) {
    case JSON_NULL: buf_char(out, 'N'); break;
    case JSON_FALSE: buf_char(out, 'F'); break;
    case JSON_TRUE: buf_char(out, 'T'); break;
    case JSON_INT:
    case JSON_FLOAT: put_number(out, json->text); break;
    case JSON_STRING: put_bytes(out, 's', json->text); break;
    case JSON_OBJECT: put_object(out, json); break;
    case JSON_ARRAY:
        buf_char(out, '[');
        for (const Json *element = json->child; element; element = element->next)
            put_json(out, element);
        buf_char(out, ']');
        break;
    }
}

static void put_json_text(Buf *out, Str text)
{
    const Json *json = json_read(out->arena, text);
    if (json)
        put_json(out, json);
    else /* NaN and the like, from SQLite to SQLite */
        put_bytes(out, 'j', text);
}

void copy_value_canonical(Buf *out, const Value *value)
{
    switch (value->kind) {
    case VAL_NULL: buf_char(out, 'n'); break;
    case VAL_INT:
    case VAL_BOOL:
    case VAL_TIME:
    case VAL_INTERVAL: put_int(out, value->i); break;
    case VAL_REAL: buf_add(out, &value->r, sizeof value->r); break;
    case VAL_ARRAY: break; /* no column is of this kind */
    case VAL_TEXT:
    case VAL_UUID: put_bytes(out, 't', value->s); break;
    case VAL_LIST:
    case VAL_JSON: put_json_text(out, value->s); break;
    }
}

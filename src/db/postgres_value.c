/* db/postgres_value.c -- values on the way to PostgreSQL as text, whose type the server infers from the statement,
 * and on the way back in binary, which no setting of a session changes. */
#include "base/json.h"
#include "db/postgres.h"

enum { /* pg_type's numbers, which never change */
    OID_BOOL = 16, OID_NAME = 19, OID_INT8 = 20, OID_INT2 = 21, OID_INT4 = 23, OID_TEXT = 25, OID_OID = 26,
    OID_JSON = 114, OID_FLOAT4 = 700, OID_FLOAT8 = 701, OID_BPCHAR = 1042, OID_VARCHAR = 1043, OID_TIMESTAMP = 1114,
    OID_TIMESTAMPTZ = 1184, OID_INTERVAL = 1186, OID_UUID = 2950, OID_JSONB = 3802,
    OID_FIRST_OWN = 16384 /* of types that were created: our enums */
};

#define EPOCH_2000 (946684800 * SECOND) /* PostgreSQL counts from there */
#define DAY (86400 * SECOND)

/* ---- in ---- */

static const char *text_parameter(Tx *tx, Str s)
{
    if (!memchr(s.p, '\0', s.n))
        return arena_cstr(tx->arena, s);
    fail(tx->error, ERR_INVALID, "A text contains the character U+0000, which PostgreSQL cannot store");
    return NULL;
}

static const char *json_parameter(Tx *tx, Str s)
{
    const Json *json;
    /* either the escape, or an escaped backslash before "u0000" */
    if (memmem(s.p, s.n, "\\u0000", 6) && (json = json_read(tx->arena, s)) && json_holds_zero(json)) {
        fail(tx->error, ERR_INVALID, "A JSON value contains the character U+0000, which PostgreSQL cannot store");
        return NULL;
    }
    return text_parameter(tx, s);
}

/* Null: NULL. */
static void add_element(Buf *out, Str text)
{
    if (!text.p) {
        buf_text(out, "NULL");
        return;
    }
    buf_char(out, '"');
    bool is_plain = !memchr(text.p, '"', text.n) && !memchr(text.p, '\\', text.n);
    if (is_plain)
        buf_str(out, text);
    for (size_t i = 0; i < text.n && !is_plain; i++) {
        if (text.p[i] == '"' || text.p[i] == '\\')
            buf_char(out, '\\');
        buf_char(out, text.p[i]);
    }
    buf_char(out, '"');
}

/* ["a", "b"] -> {"a","b"} */
static const char *list_parameter(Tx *tx, Str s)
{
    const Json *list = json_read(tx->arena, s);
    if (!list || list->kind != JSON_ARRAY) {
        fail(tx->error, ERR_INTERNAL, "a list value is not a JSON array");
        return NULL;
    }
    Buf out;
    buf_init(&out, tx->arena, s.n + 16);
    buf_char(&out, '{');
    for (const Json *item = list->child; item; item = item->next) {
        add_element(&out, item->kind == JSON_NULL ? STR_NULL : item->text);
        if (item->next)
            buf_char(&out, ',');
    }
    buf_char(&out, '}');
    return text_parameter(tx, buf_view(&out));
}

static const char *array_parameter(Tx *tx, const Value *items, size_t count)
{
    Buf out;
    buf_init(&out, tx->arena, 40 * count + 16);
    buf_char(&out, '{');
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            buf_char(&out, ',');
        add_element(&out, str_from(pg_parameter(tx, &items[i])));
    }
    buf_char(&out, '}');
    return buf_cstr(&out);
}

/* The earliest and latest times of Python are infinities, as in asyncpg: the latest would otherwise become the year
 * 10000, which asyncpg cannot read. */
static const char *time_parameter(Tx *tx, Time time)
{
    Buf text;
    if (time == TIME_FIRST || time == TIME_END - 1)
        return time == TIME_FIRST ? "-infinity" : "infinity";
    buf_init(&text, tx->arena, 40);
    time_format_stored(&text, time);
    buf_text(&text, "+00");
    return buf_cstr(&text);
}

/* In days and seconds, as asyncpg sends them; before version 15 no number in an interval may be beyond 32 bits. */
static const char *interval_parameter(Tx *tx, int64_t us)
{
    bool is_below = us % DAY < 0;
    int64_t days = us / DAY - is_below, rest = us % DAY + (is_below ? DAY : 0);
    return arena_printf(tx->arena, "%lld days +%lld.%06lld seconds", (long long)days,
                        (long long)(rest / SECOND), (long long)(rest % SECOND)).p;
}

const char *pg_parameter(Tx *tx, const Value *value)
{
    switch (value->kind) {
    case VAL_NULL: return NULL;
    case VAL_INT: return arena_printf(tx->arena, "%lld", (long long)value->i).p;
    case VAL_BOOL: return value->i ? "true" : "false";
    case VAL_REAL: return arena_printf(tx->arena, "%.17g", value->r).p;
    case VAL_TIME: return time_parameter(tx, value->i);
    case VAL_INTERVAL: return interval_parameter(tx, value->i);
    case VAL_LIST: return list_parameter(tx, value->s);
    case VAL_ARRAY: return array_parameter(tx, value->items, value->count);
    case VAL_JSON: return json_parameter(tx, value->s);
    case VAL_TEXT:
    case VAL_UUID: return text_parameter(tx, value->s);
    }
    return NULL;
}

/* ---- out ---- */

static uint64_t big_endian(const char *bytes, int n)
{
    uint64_t value = 0;
    for (int i = 0; i < n; i++)
        value = value << 8 | (unsigned char)bytes[i];
    return value;
}

/* Integer columns have 2, 4 or 8 bytes. */
static int64_t signed_of(const char *bytes, int n)
{
    uint64_t value = big_endian(bytes, n);
    switch (n) {
    case 2: return (int16_t)value;
    case 4: return (int32_t)value;
    default: return (int64_t)value;
    }
}

static double real_of(const char *bytes, int n)
{
    uint64_t bits = big_endian(bytes, n);
    uint32_t half = (uint32_t)bits;
    double real;
    float single;
    memcpy(&real, &bits, sizeof real);
    memcpy(&single, &half, sizeof single);
    return n == 4 ? (double)single : real;
}

int64_t pg_integer(const Libpq *pq, const PGresult *row, int column, bool *ret_ok)
{
    const char *bytes = pq->getvalue(row, 0, column);
    int n = pq->getlength(row, 0, column);
    *ret_ok = true;
    switch (pq->ftype(row, column)) {
    case OID_BOOL: return bytes[0] != 0;
    case OID_INT2:
    case OID_INT4:
    case OID_INT8: return signed_of(bytes, n);
    case OID_OID: return (int64_t)big_endian(bytes, n);
    default: *ret_ok = false; return 0;
    }
}

double pg_real(const Libpq *pq, const PGresult *row, int column, bool *ret_ok)
{
    switch (pq->ftype(row, column)) {
    case OID_FLOAT4:
    case OID_FLOAT8: *ret_ok = true; return real_of(pq->getvalue(row, 0, column), pq->getlength(row, 0, column));
    default: return (double)pg_integer(pq, row, column, ret_ok);
    }
}

static Str uuid_text(Arena *arena, const char *bytes)
{
    static const char digits[] = "0123456789abcdef";
    char *text = arena_alloc(arena, 37), *p = text;
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *p++ = '-';
        *p++ = digits[(unsigned char)bytes[i] >> 4];
        *p++ = digits[bytes[i] & 15];
    }
    *p = '\0';
    return (Str){ text, 36 };
}

Str pg_text(Arena *arena, const Libpq *pq, const PGresult *row, int column, bool *ret_ok)
{
    const char *bytes = pq->getvalue(row, 0, column);
    size_t n = (size_t)pq->getlength(row, 0, column);
    Oid type = pq->ftype(row, column);
    *ret_ok = true;
    switch (type) {
    case OID_UUID: return uuid_text(arena, bytes);
    case OID_JSONB: return (Str){ bytes + 1, n - 1 }; /* after the byte with the format's version */
    case OID_BOOL: return bytes[0] ? STR("true") : STR("false");
    case OID_INT2:
    case OID_INT4:
    case OID_INT8: return arena_printf(arena, "%lld", (long long)signed_of(bytes, (int)n));
    case OID_NAME:
    case OID_TEXT:
    case OID_BPCHAR:
    case OID_VARCHAR:
    case OID_JSON: return (Str){ bytes, n };
    default:
        *ret_ok = type >= OID_FIRST_OWN;
        return *ret_ok ? (Str){ bytes, n } : STR("");
    }
}

/* The infinities are the earliest and latest times of Python. The year 10000, which asyncpg can also make of the
 * latest, stays out of range. */
bool pg_time(const Libpq *pq, const PGresult *row, int column, Time *ret)
{
    Oid type = pq->ftype(row, column);
    if (type != OID_TIMESTAMPTZ && type != OID_TIMESTAMP)
        return false;
    int64_t since_2000 = signed_of(pq->getvalue(row, 0, column), 8);
    if (since_2000 == INT64_MIN)
        *ret = TIME_FIRST;
    else if (since_2000 == INT64_MAX)
        *ret = TIME_END - 1;
    else if (__builtin_add_overflow(since_2000, EPOCH_2000, ret))
        *ret = INT64_MAX;
    return true;
}

/* A year counts as 365 days and a month as 30, as in asyncpg. */
bool pg_interval(const Libpq *pq, const PGresult *row, int column, int64_t *ret_us)
{
    if (pq->ftype(row, column) != OID_INTERVAL)
        return false;
    const char *bytes = pq->getvalue(row, 0, column);
    int64_t us = signed_of(bytes, 8), days = signed_of(bytes + 8, 4), months = signed_of(bytes + 12, 4), more;
    days += months / 12 * 365 + months % 12 * 30;
    return !__builtin_mul_overflow(days, DAY, &more) && !__builtin_add_overflow(us, more, ret_us);
}

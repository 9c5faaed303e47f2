/* entity/pydantic2.c -- one JSON value to one C value: accepts what pydantic 2 accepts of Python's values in lax mode
 * (FastAPI has read the body before), and refuses in its words. */
#include "entity/decode.h"

#include "base/text.h"
#include "base/unicode.h"
#include "base/uuid.h"

#include <math.h>

static bool refuse(Invalid *invalid, const char *type, const char *message)
{
    return invalid_as(invalid, type, NULL, message);
}

static bool to_str(Invalid *invalid, const Json *json, Str *ret)
{
    if (json->kind != JSON_STRING)
        return refuse(invalid, "string_type", "Input should be a valid string");
    *ret = json->text;
    return true;
}

/* ---- UUIDs, and the complaints of Rust's crate about them ---- */

enum { GROUPS = 5 };
static const size_t group_starts[GROUPS] = { 0, 9, 14, 19, 24 };
static const size_t group_sizes[GROUPS] = { 8, 4, 4, 4, 12 };

static const char urn[] = "urn:uuid:";

static bool has_urn(Str text)
{
    return text.n >= strlen(urn) && memcmp(text.p, urn, strlen(urn)) == 0;
}

/* Without "{…}" or "urn:uuid:". */
static Str unwrap_uuid(Str text)
{
    if (text.n >= 2 && text.p[0] == '{' && text.p[text.n - 1] == '}')
        return str_cut(text, 1, text.n - 1);
    return has_urn(text) ? str_cut(text, strlen(urn), text.n) : text;
}

static Str wrong_group(Arena *arena, Str whole, const size_t *hyphens)
{
    size_t i = 0;
    while (i < GROUPS - 1 && hyphens[i] == group_starts[i + 1] - 1)
        i++;
    size_t end = i < GROUPS - 1 ? hyphens[i] : whole.n;
    return arena_printf(arena, "invalid group length in group %zu: expected %zu, found %zu", i, group_sizes[i],
                        end - group_starts[i]);
}

static Str why_no_uuid(Arena *arena, Str whole)
{
    if (unwrap_uuid(whole).n == UUID_TEXT) /* by its length it is a wrapped one, and only what it wraps is looked at */
        whole = unwrap_uuid(whole);
    Str text = unwrap_uuid(whole);
    size_t first = 1 + (size_t)(text.p - whole.p), hyphens[GROUPS - 1], count = 0, size; /* places count from one */
    for (size_t at = 0; at < text.n; at += size) {
        uint32_t c = unicode_at(text, at, &size);
        if (c == '-') {
            if (count < COUNT_OF(hyphens))
                hyphens[count] = at;
            count++;
        } else if (size > 1 || char_hex_value(text.p[at]) < 0) {
            return arena_printf(arena, "invalid character: found `%.*s` at %zu", (int)size, text.p + at,
                                first + at);
        }
    }
    if (count == 0 && text.n == whole.n)
        return arena_printf(arena, "invalid length: expected length 32 for simple format, found %zu", whole.n);
    if (count != COUNT_OF(hyphens))
        return arena_printf(arena, "invalid group count: expected 5, found %zu", count + 1);
    return wrong_group(arena, whole, hyphens);
}

/* With hyphens, which have their places, or, without a prefix, without any. */
static bool is_uuid(Str whole)
{
    Str text = unwrap_uuid(whole);
    bool simple = text.n == 32 && text.n == whole.n;
    if (!simple && text.n != UUID_TEXT)
        return false;
    for (size_t i = 0; i < text.n; i++) {
        bool hyphen = !simple && (i == 8 || i == 13 || i == 18 || i == 23);
        if (hyphen ? text.p[i] != '-' : char_hex_value(text.p[i]) < 0)
            return false;
    }
    return true;
}

static bool to_uuid(Invalid *invalid, const Json *json, Str *ret)
{
    if (json->kind != JSON_STRING)
        return refuse(invalid, "uuid_type", "UUID input should be a string, bytes or UUID object");
    if (is_uuid(json->text) && uuid_parse(invalid->arena, json->text, ret))
        return true;
    return invalid_because(invalid, "uuid_parsing", "Input should be a valid UUID",
                           why_no_uuid(invalid->arena, json->text).p);
}

/* ---- numbers ---- */

/* Rust's White_Space: Python's spaces but for the four separators of ASCII. */
static bool is_rust_space(uint32_t c)
{
    return unicode_is_space(c) && !(c >= 0x1c && c <= 0x1f);
}

static Str trim(Str s)
{
    size_t size, end = 0, start = 0;
    while (start < s.n && is_rust_space(unicode_at(s, start, &size)))
        start += size;
    for (size_t at = start; at < s.n; at += size) {
        if (!is_rust_space(unicode_at(s, at, &size)))
            end = at + size;
    }
    return str_cut(s, start, end > start ? end : start);
}

/* Single underscores are taken out wherever they are but at the ends. False: the text may not have those it has. */
static bool drop_underscores(char *s)
{
    size_t n = strlen(s), kept = 0;
    if (n && (s[0] == '_' || s[n - 1] == '_' || strstr(s, "__")))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (s[i] != '_')
            s[kept++] = s[i];
    }
    s[kept] = '\0';
    return true;
}

/* "12.000" -> "12" */
static void drop_zero_fraction(char *s)
{
    char *dot = strchr(s, '.');
    if (dot && dot[1] && dot[1 + strspn(dot + 1, "0")] == '\0')
        *dot = '\0';
}

/* Leading zeros may have any number of underscores among them; even a minus may follow, but
 * then no zero before other digits. */
static char *skip_zeros(char *s)
{
    if (*s != '0')
        return s;
    char *rest = s + strspn(s, "0_");
    bool minus = *rest == '-' && (rest[1] != '0' || !rest[2]);
    return minus || char_is_digit(*rest) ? rest : rest - 1;
}

static bool has_zero(Str text)
{
    return strnlen(text.p, text.n) < text.n;
}

/* The number as "-12"; NULL: the text is none. */
static const char *digits_of(Arena *arena, Str text)
{
    char *s = arena_cstr(arena, trim(text));
    if (has_zero(text))
        return NULL;
    if (s[0] == '+' && s[1] != '-' && s[1] != '+')
        s++;
    bool negative = *s == '-';
    s = skip_zeros(s + negative);
    if (negative && *s != '_')
        *--s = '-';
    drop_zero_fraction(s);
    const char *digits = s + (*s == '-');
    return drop_underscores(s) && *digits && digits[strspn(digits, "0123456789")] == '\0' ? s : NULL;
}

static bool int_of_text(Invalid *invalid, Str text, int64_t *ret)
{
    const char *s = digits_of(invalid->arena, text);
    if (!s)
        return refuse(invalid, "int_parsing", "Input should be a valid integer, unable to parse string as an integer");
    return coerce_parse_int(s, ret) ||
           refuse(invalid, "int_parsing_size",
                  "Unable to parse input string as an integer, exceeded maximum size");
}

static bool int_of_float(Invalid *invalid, double value, int64_t *ret)
{
    if (!isfinite(value))
        return refuse(invalid, "finite_number", "Input should be a finite number");
    if (value != trunc(value))
        return refuse(invalid, "int_from_float",
                      "Input should be a valid integer, got a number with a fractional part");
    if (value <= -0x1p63 || value >= 0x1p63)
        return refuse(invalid, "int_parsing_size",
                      "Unable to parse input string as an integer, exceeded maximum size");
    *ret = (int64_t)value;
    return true;
}

static bool to_int(Invalid *invalid, const Json *json, int64_t *ret)
{
    switch (json->kind) {
    case JSON_TRUE:
    case JSON_FALSE:
        *ret = json->kind == JSON_TRUE;
        return true;
    case JSON_INT:
    case JSON_STRING:
        return int_of_text(invalid, json->text, ret);
    case JSON_FLOAT:
        return int_of_float(invalid, coerce_number(invalid, json), ret);
    default:
        return refuse(invalid, "int_type", "Input should be a valid integer");
    }
}

static bool is_word_for_no_number(const char *s)
{
    s += *s == '+' || *s == '-';
    return coerce_is_word(str_from(s), "nan") || coerce_is_word(str_from(s), "inf") ||
           coerce_is_word(str_from(s), "infinity");
}

static bool parse_float(Arena *arena, Str text, double *ret)
{
    bool plain = memchr(text.p, '_', text.n) == NULL; /* a text with underscores must have no spaces */
    char *s = arena_cstr(arena, plain ? trim(text) : text);
    if (has_zero(text) || !drop_underscores(s))
        return false;
    if (is_word_for_no_number(s)) {
        *ret = strtod(s, NULL);
        return true;
    }
    return coerce_parse_float(s, ret);
}

/* Of finite values only: nothing else can be written as JSON again. */
static bool float_of_text(Invalid *invalid, Str text, double *ret)
{
    double value;
    if (!parse_float(invalid->arena, text, &value))
        return refuse(invalid, "float_parsing", "Input should be a valid number, unable to parse string as a number");
    if (!isfinite(value))
        return refuse(invalid, "finite_number", "Input should be a finite number");
    *ret = value;
    return true;
}

static bool to_float(Invalid *invalid, const Json *json, double *ret)
{
    switch (json->kind) {
    case JSON_TRUE:
    case JSON_FALSE:
        *ret = json->kind == JSON_TRUE;
        return true;
    case JSON_INT:
    case JSON_FLOAT:
        *ret = str_is(json->text, "-0") ? 0 : coerce_number(invalid, json); /* of integers, zero has no sign */
        return isfinite(*ret) || refuse(invalid, "finite_number", "Input should be a finite number");
    case JSON_STRING:
        return float_of_text(invalid, json->text, ret);
    default:
        return refuse(invalid, "float_type", "Input should be a valid number");
    }
}

static bool is_far_below(Invalid *invalid, const Json *json, bool of_int)
{
    int64_t unused;
    double value;
    const char *digits;
    if (json->kind != JSON_STRING)
        return of_int && json_is_beyond_int64(json) && json->text.p[0] == '-';
    if (!of_int)
        return parse_float(invalid->arena, json->text, &value) && !(value > -INFINITY);
    digits = digits_of(invalid->arena, json->text);
    return digits && *digits == '-' && !coerce_parse_int(digits, &unused);
}

static bool to_bool(Invalid *invalid, const Json *json, bool *ret)
{
    double value = json->kind == JSON_INT || json->kind == JSON_FLOAT ? coerce_number(invalid, json) : NAN;
    bool is_true = json->kind == JSON_TRUE || value == 1 || (json->kind == JSON_STRING && coerce_says_yes(json->text));
    bool is_false = json->kind == JSON_FALSE || value == 0 || (json->kind == JSON_STRING && coerce_says_no(json->text));
    *ret = is_true;
    if (is_true || is_false)
        return true;
    bool is_whole = json->kind == JSON_INT ? !json_is_beyond_int64(json)
                                           : value == trunc(value) && fabs(value) < 0x1p63;
    if (json->kind == JSON_STRING || is_whole)
        return refuse(invalid, "bool_parsing", "Input should be a valid boolean, unable to interpret input");
    return refuse(invalid, "bool_type", "Input should be a valid boolean");
}

/* ---- times ---- */

/* Whether what begins the text has hyphens, but not as 2020-01, 2020-001 or 2020-01-01 has them; or a date with hyphens
 * is followed by a time without colons; or a year by a time. */
static bool is_mixed(Str text)
{
    size_t n = 0, hyphens = 0;
    if (text.n > 4 && text.p[4] == ' ')
        return true;
    for (; n < text.n && (char_is_digit(text.p[n]) || text.p[n] == '-'); n++)
        hyphens += text.p[n] == '-';
    if (n < text.n && text.p[n] == 'W') /* 2020-W01-1 */
        return n + 2 >= text.n || !char_is_digit(text.p[n + 2]);
    if (hyphens == 0)
        return false;
    if (n + 3 < text.n && char_is_digit(text.p[n + 3]))
        return true;
    return text.p[4] != '-' || !((hyphens == 1 && (n == 7 || n == 8)) || (hyphens == 2 && n == 10 && text.p[7] == '-'));
}

static bool has_bare_point(Str text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (char_in(text.p[i], ".,") && (i + 1 == text.n || !char_is_digit(text.p[i + 1])))
            return true;
    }
    return false;
}

/* What pydantic refuses is given to pendulum. Its third version, unlike the second that moment_parse follows, wants a
 * digit after the point and separators everywhere or nowhere, and knows the date 2020/0101. */
static bool by_pendulum(Invalid *invalid, Str text, Moment *ret)
{
    if (text.n == 9 && text.p[4] == '/')
        text = arena_printf(invalid->arena, "%.7s/%.2s", text.p, text.p + 7);
    return text.n > 0 && !is_mixed(text) && !has_bare_point(text) && moment_parse(text, invalid->now, ret);
}

static bool to_moment(Invalid *invalid, const Json *json, Moment *ret)
{
    bool is_text = json->kind == JSON_STRING;
    bool is_number = json->kind == JSON_INT || json->kind == JSON_FLOAT;
    if (is_text && (moment_of_text(invalid->arena, json->text, ret) || by_pendulum(invalid, json->text, ret)))
        return true;
    if (is_number && moment_of_number(invalid->arena, json->text, ret))
        return true;
    if (!is_text)
        return invalid_add(invalid, "value_error.datetime", NULL, "value is not a valid datetime");
    if (json->text.n == 0 || str_is(json->text, "\n"))
        return invalid_add(invalid, "value_error", NULL, "year 0 is out of range");
    return invalid_add(invalid, "value_error", NULL, "Unable to parse string [%.*s]", STR_ARG(json->text));
}

static bool to_duration(Invalid *invalid, const Json *json, int64_t *ret_us)
{
    const char *why = NULL;
    switch (json->kind) {
    case JSON_TRUE:
    case JSON_FALSE:
        *ret_us = json->kind == JSON_TRUE ? SECOND : 0;
        break;
    case JSON_INT:
    case JSON_FLOAT:
        why = duration_of_number(coerce_number(invalid, json), ret_us);
        break;
    case JSON_STRING:
        why = has_zero(json->text) ? "invalid digit in duration"
                                   : duration_of_text(arena_cstr(invalid->arena, json->text), ret_us);
        break;
    default:
        return refuse(invalid, "time_delta_type", "Input should be a valid timedelta");
    }
    return !why || invalid_because(invalid, "time_delta_parsing", "Input should be a valid timedelta", why);
}

/* ---- objects ---- */

static const Json *to_object(Invalid *invalid, const Json *json, bool model)
{
    if (json->kind == JSON_OBJECT)
        return json;
    if (model) /* FastAPI validates with from_attributes=True */
        (void)!refuse(invalid, "model_attributes_type",
                      "Input should be a valid dictionary or object to extract fields from");
    else
        (void)!refuse(invalid, "dict_type", "Input should be a valid dictionary");
    return NULL;
}

const Pydantic pydantic2 = {
    .to_str = to_str, .to_uuid = to_uuid, .to_int = to_int, .to_float = to_float, .to_bool = to_bool,
    .to_moment = to_moment, .to_duration = to_duration, .to_object = to_object, .is_far_below = is_far_below,
};

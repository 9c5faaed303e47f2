/* entity/pydantic1.c -- one JSON value to one C value: accepts what pydantic 1 accepts for each type,
 * and refuses in its words. */
#include "entity/decode.h"

#include "base/text.h"
#include "base/uuid.h"

#include <math.h>

/* Python allows an underscore between two digits of a number. The text without them; NULL if one is anywhere else. */
static char *without_underscores(Arena *arena, Str s)
{
    char *out = arena_alloc(arena, s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] != '_')
            out[n++] = s.p[i];
        else if (i == 0 || i + 1 == s.n || !char_is_digit(s.p[i - 1]) || !char_is_digit(s.p[i + 1]))
            return NULL;
    }
    out[n] = '\0';
    return out;
}

/* int(text). False also if it does not fit into an int64. */
static bool parse_int(Arena *arena, Str text, int64_t *ret)
{
    char *s = without_underscores(arena, coerce_strip(text));
    return s && coerce_parse_int(s, ret);
}

/* float(text), of finite values only: nothing else can be written as JSON again. */
static bool parse_float(Arena *arena, Str text, double *ret)
{
    char *s = without_underscores(arena, coerce_strip(text));
    return s && coerce_parse_float(s, ret) && isfinite(*ret);
}

static bool to_str(Invalid *invalid, const Json *json, Str *ret)
{
    char text[32];
    switch (json->kind) {
    case JSON_STRING:
        *ret = json->text;
        return true;
    case JSON_INT:
        *ret = str_is(json->text, "-0") ? STR("0") : json->text;
        return true;
    case JSON_TRUE:
        *ret = STR("True");
        return true;
    case JSON_FALSE:
        *ret = STR("False");
        return true;
    case JSON_FLOAT: {
        double value = coerce_number(invalid, json);
        if (isinf(value))
            *ret = value > 0 ? STR("inf") : STR("-inf");
        else
            *ret = arena_str(invalid->arena, (Str){ text, json_float_repr(value, text) });
        return true;
    }
    default:
        return invalid_add(invalid, "type_error.str", NULL, "str type expected");
    }
}

static bool to_uuid(Invalid *invalid, const Json *json, Str *ret)
{
    if (json->kind == JSON_STRING && uuid_parse(invalid->arena, json->text, ret))
        return true;
    return invalid_add(invalid, "type_error.uuid", NULL, "value is not a valid uuid");
}

static bool to_int(Invalid *invalid, const Json *json, int64_t *ret)
{
    bool ok = false;
    if (json->kind == JSON_TRUE || json->kind == JSON_FALSE) {
        *ret = json->kind == JSON_TRUE;
        return true;
    }
    if (json->kind == JSON_INT || json->kind == JSON_STRING)
        ok = parse_int(invalid->arena, json->text, ret);
    if (json->kind == JSON_FLOAT) {
        double value = trunc(coerce_number(invalid, json));
        ok = value >= -0x1p63 && value < 0x1p63;
        if (ok)
            *ret = (int64_t)value;
    }
    return ok || invalid_add(invalid, "type_error.integer", NULL, "value is not a valid integer");
}

static bool to_float(Invalid *invalid, const Json *json, double *ret)
{
    bool ok = false;
    if (json->kind == JSON_TRUE || json->kind == JSON_FALSE) {
        *ret = json->kind == JSON_TRUE;
        return true;
    }
    if (json->kind == JSON_INT || json->kind == JSON_FLOAT || json->kind == JSON_STRING)
        ok = parse_float(invalid->arena, json->text, ret);
    return ok || invalid_add(invalid, "type_error.float", NULL, "value is not a valid float");
}

static bool is_far_below(Invalid *invalid, const Json *json, bool of_int)
{
    (void)invalid;
    return of_int && json_is_beyond_int64(json) && json->text.p[0] == '-';
}

static bool to_bool(Invalid *invalid, const Json *json, bool *ret)
{
    bool is_true = json->kind == JSON_TRUE, is_false = json->kind == JSON_FALSE;
    if (json->kind == JSON_INT || json->kind == JSON_FLOAT) {
        double value = coerce_number(invalid, json);
        is_true = value == 1;
        is_false = value == 0;
    } else if (json->kind == JSON_STRING) {
        is_true = coerce_says_yes(json->text);
        is_false = coerce_says_no(json->text);
    }
    if (!is_true && !is_false)
        return invalid_add(invalid, "type_error.bool", NULL, "value could not be parsed to a boolean");
    *ret = is_true;
    return true;
}

static bool to_moment(Invalid *invalid, const Json *json, Moment *ret)
{
    if (json->kind != JSON_STRING)
        return invalid_add(invalid, "value_error", NULL, "Unrecognized datetime.");
    if (moment_parse(json->text, invalid->now, ret))
        return true;
    if (json->text.n == 0)
        return invalid_add(invalid, "value_error", NULL, "year 0 is out of range");
    return invalid_add(invalid, "value_error.parser", NULL, "Unable to parse string [%.*s]", STR_ARG(json->text));
}

/* A number of seconds counts to six decimals: pydantic prints it before it parses it. */
static bool seconds_parse(double seconds, int64_t *ret_us)
{
    char text[400];
    const double most = 86400.0 * 999999999; /* the longest timedelta */
    int n = snprintf(text, sizeof text, "%.6f", seconds);
    return fabs(seconds) <= most && duration_parse((Str){ text, (size_t)n }, ret_us);
}

static bool to_duration(Invalid *invalid, const Json *json, int64_t *ret_us)
{
    bool ok;
    switch (json->kind) {
    case JSON_STRING:
        ok = duration_parse(json->text, ret_us);
        break;
    case JSON_INT:
    case JSON_FLOAT:
        ok = seconds_parse(coerce_number(invalid, json), ret_us);
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        ok = seconds_parse(json->kind == JSON_TRUE, ret_us);
        break;
    default:
        return invalid_add(invalid, "type_error", NULL,
                           "invalid type; expected timedelta, string, bytes, int or float");
    }
    return ok || invalid_add(invalid, "value_error.duration", NULL, "invalid duration format");
}

/* ---- objects ---- */

static size_t character_size(char first)
{
    unsigned char c = (unsigned char)first;
    return c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
}

static Json *json_string(Arena *arena, Str text)
{
    Json *json = arena_new_of(arena, Json);
    json->kind = JSON_STRING;
    json->text = text;
    return json;
}

/* dict() takes anything with two elements as a pair: an array, a string of two characters, an object with two keys. */
static bool pair_of(Arena *arena, const Json *json, const Json **ret_key, const Json **ret_value)
{
    if (json->kind == JSON_STRING) {
        size_t n = json->text.n ? character_size(json->text.p[0]) : 0;
        if (n == 0 || n >= json->text.n || n + character_size(json->text.p[n]) != json->text.n)
            return false;
        *ret_key = json_string(arena, (Str){ json->text.p, n });
        *ret_value = json_string(arena, (Str){ json->text.p + n, json->text.n - n });
        return true;
    }
    if ((json->kind != JSON_ARRAY && json->kind != JSON_OBJECT) || json->count != 2)
        return false;
    *ret_key = json->child;
    *ret_value = json->child->next;
    if (json->kind == JSON_OBJECT) {
        *ret_key = json_string(arena, json->child->key);
        *ret_value = json_string(arena, json->child->next->key);
    }
    /* Python cannot hash lists and dicts. */
    return (*ret_key)->kind != JSON_ARRAY && (*ret_key)->kind != JSON_OBJECT;
}

static const Json *refuse_dict(Invalid *invalid)
{
    (void)!invalid_add(invalid, "type_error.dict", NULL, "value is not a valid dict");
    return NULL;
}

/* `model`: the pairs become keyword arguments, whose names must be strings; other keys are coerced. */
static bool key_of_pair(Invalid *invalid, const Json *key, bool model, Str *ret)
{
    if (model && key->kind != JSON_STRING)
        return invalid_add(invalid, "type_error", NULL, "keywords must be strings");
    if (key->kind != JSON_NULL)
        return to_str(invalid, key, ret);
    invalid_enter(invalid, "__key__");
    (void)!invalid_null(invalid);
    invalid_leave(invalid);
    return false;
}

/* The pairs are written as an object and read again: the reader knows how to resolve repeated keys. */
static const Json *object_of_pairs(Invalid *invalid, const Json *pairs, bool model)
{
    Buf text;
    JsonWriter w;
    const Json *key, *value;
    buf_init(&text, invalid->arena, 256);
    json_writer_init(&w, &text, JSON_WIRE);
    json_object(&w);
    for (const Json *pair = pairs->child; pair; pair = pair->next) {
        Str name;
        if (!pair_of(invalid->arena, pair, &key, &value) || !key_of_pair(invalid, key, model, &name))
            return NULL;
        json_key_str(&w, name);
        json_value(&w, value);
    }
    json_object_end(&w);
    return json_read(invalid->arena, buf_view(&text));
}

static const Json *to_object(Invalid *invalid, const Json *json, bool model)
{
    if (json->kind == JSON_OBJECT)
        return json;
    if (json->kind != JSON_ARRAY && !(json->kind == JSON_STRING && json->text.n == 0))
        return refuse_dict(invalid);
    const Json *key, *value;
    for (const Json *pair = json->child; pair; pair = pair->next) {
        if (!pair_of(invalid->arena, pair, &key, &value))
            return refuse_dict(invalid);
    }
    return object_of_pairs(invalid, json, model);
}

const Pydantic pydantic1 = {
    .to_str = to_str, .to_uuid = to_uuid, .to_int = to_int, .to_float = to_float, .to_bool = to_bool,
    .to_moment = to_moment, .to_duration = to_duration, .to_object = to_object, .is_far_below = is_far_below,
    .refuses_null = true, .finishes_after_errors = true,
};

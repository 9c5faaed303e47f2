/* entity/coerce.c -- one JSON value to one C value, by the pydantic of the generation; and what both have in common. */
#include "entity/decode.h"

#include "base/text.h"

#include <strings.h>

const Pydantic *coerce_rules(const Invalid *invalid)
{
    return invalid->generation == GEN_3 ? &pydantic2 : &pydantic1;
}

bool coerce_str(Invalid *invalid, const Json *json, Str *ret)
{
    return coerce_rules(invalid)->to_str(invalid, json, ret);
}

bool coerce_uuid(Invalid *invalid, const Json *json, Str *ret)
{
    return coerce_rules(invalid)->to_uuid(invalid, json, ret);
}

bool coerce_int(Invalid *invalid, const Json *json, int64_t *ret)
{
    return coerce_rules(invalid)->to_int(invalid, json, ret);
}

bool coerce_float(Invalid *invalid, const Json *json, double *ret)
{
    return coerce_rules(invalid)->to_float(invalid, json, ret);
}

bool coerce_bool(Invalid *invalid, const Json *json, bool *ret)
{
    return coerce_rules(invalid)->to_bool(invalid, json, ret);
}

bool coerce_moment(Invalid *invalid, const Json *json, Moment *ret)
{
    return coerce_rules(invalid)->to_moment(invalid, json, ret);
}

bool coerce_duration(Invalid *invalid, const Json *json, int64_t *ret_us)
{
    return coerce_rules(invalid)->to_duration(invalid, json, ret_us);
}

const Json *coerce_object(Invalid *invalid, const Json *json, bool model)
{
    return coerce_rules(invalid)->to_object(invalid, json, model);
}

bool coerce_enum(Invalid *invalid, const Json *json, const char *const *names, int *ret)
{
    for (int i = 0; json->kind == JSON_STRING && names[i]; i++) {
        if (str_is(json->text, names[i])) {
            *ret = i;
            return true;
        }
    }
    return invalid_enum(invalid, names);
}

/* ---- for both ---- */

Str coerce_strip(Str s)
{
    while (s.n && char_is_python_space(s.p[0]))
        s.p++, s.n--;
    while (s.n && char_is_python_space(s.p[s.n - 1]))
        s.n--;
    return s;
}

static const char *skip_digits(const char *p)
{
    while (char_is_digit(*p))
        p++;
    return p;
}

bool coerce_parse_int(const char *s, int64_t *ret)
{
    const char *p = s + (*s == '+' || *s == '-');
    const char *end = skip_digits(p);
    if (end == p || *end)
        return false;
    /* Built up as a negative number, since -INT64_MIN does not fit. */
    int64_t value = 0;
    for (; p < end; p++) {
        if (__builtin_mul_overflow(value, (int64_t)10, &value) ||
            __builtin_sub_overflow(value, (int64_t)(*p - '0'), &value))
            return false;
    }
    if (*s != '-' && __builtin_sub_overflow((int64_t)0, value, &value))
        return false;
    *ret = value;
    return true;
}

bool coerce_parse_float(const char *s, double *ret)
{
    const char *p = s + (*s == '+' || *s == '-');
    const char *whole = skip_digits(p);
    const char *end = *whole == '.' ? skip_digits(whole + 1) : whole;
    if (whole == p && end <= whole + 1)
        return false;
    if (*end == 'e' || *end == 'E') {
        const char *exponent = end + 1 + (end[1] == '+' || end[1] == '-');
        end = skip_digits(exponent);
        if (end == exponent)
            return false;
    }
    if (*end)
        return false;
    *ret = strtod(s, NULL);
    return true;
}

double coerce_number(Invalid *invalid, const Json *json)
{
    return strtod(arena_cstr(invalid->arena, json->text), NULL);
}

bool coerce_is_word(Str s, const char *word)
{
    return strlen(word) == s.n && strncasecmp(word, s.p, s.n) == 0;
}

static bool is_one_of(Str s, const char *const *words)
{
    for (; *words; words++) {
        if (coerce_is_word(s, *words))
            return true;
    }
    return false;
}

bool coerce_says_yes(Str s)
{
    static const char *const yes[] = { "1", "on", "t", "true", "y", "yes", NULL };
    return is_one_of(s, yes);
}

bool coerce_says_no(Str s)
{
    static const char *const no[] = { "0", "off", "f", "false", "n", "no", NULL };
    return is_one_of(s, no);
}

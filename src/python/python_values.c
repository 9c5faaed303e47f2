/* python/python_values.c -- repr(), == and < of values read from JSON. */
#include "python/python_values.h"

static void repr_items(Buf *out, const Json *json)
{
    for (const Json *item = json->child; item; item = item->next) {
        if (item != json->child)
            buf_text(out, ", ");
        if (json->kind == JSON_OBJECT) {
            buf_str(out, json_python_repr(out->arena, item->key));
            buf_text(out, ": ");
        }
        python_repr(out, item);
    }
}

static void repr_float(Buf *out, const Json *json)
{
    char text[32];
    double value = python_number(json);
    if (value > 1e308 * 10 || value < -1e308 * 10)
        buf_text(out, value > 0 ? "inf" : "-inf");
    else
        buf_add(out, text, json_float_repr(value, text));
}

void python_repr(Buf *out, const Json *json)
{
    switch (json->kind) {
    case JSON_NULL: buf_text(out, "None"); break;
    case JSON_FALSE: buf_text(out, "False"); break;
    case JSON_TRUE: buf_text(out, "True"); break;
    case JSON_INT: buf_str(out, str_is(json->text, "-0") ? STR("0") : json->text); break;
    case JSON_FLOAT: repr_float(out, json); break;
    case JSON_STRING: buf_str(out, json_python_repr(out->arena, json->text)); break;
    case JSON_ARRAY:
        buf_char(out, '[');
        repr_items(out, json);
        buf_char(out, ']');
        break;
    case JSON_OBJECT:
        buf_char(out, '{');
        repr_items(out, json);
        buf_char(out, '}');
        break;
    }
}

bool python_is_number(const Json *json)
{
    return json && (json->kind == JSON_INT || json->kind == JSON_FLOAT);
}

double python_number(const Json *json)
{
    return strtod(json->text.p, NULL); /* what follows in the document is not a digit */
}

bool python_is_truthy(const Json *json)
{
    if (json_is_null(json) || json->kind == JSON_FALSE)
        return false;
    if (json->kind == JSON_STRING)
        return json->text.n > 0;
    if (python_is_number(json))
        return python_number(json) != 0;
    return json->kind == JSON_TRUE || json->count > 0;
}

/* Of integers as JSON writes them: without leading zeros, so the longer one is further from 0. */
static int compare_digits(Str a, Str b)
{
    bool a_negative = a.p[0] == '-', b_negative = b.p[0] == '-';
    if (str_is(a, "-0"))
        a = STR("0"), a_negative = false;
    if (str_is(b, "-0"))
        b = STR("0"), b_negative = false;
    if (a_negative != b_negative)
        return a_negative ? -1 : 1;
    int order = a.n != b.n ? (a.n < b.n ? -1 : 1) : memcmp(a.p, b.p, a.n);
    order = (order > 0) - (order < 0);
    return a_negative ? -order : order;
}

int python_compare(const Json *a, const Json *b)
{
    if (a->kind == JSON_INT && b->kind == JSON_INT)
        return compare_digits(a->text, b->text);
    long double x = strtold(a->text.p, NULL), y = strtold(b->text.p, NULL);
    if (a->kind == JSON_FLOAT)
        x = python_number(a);
    if (b->kind == JSON_FLOAT)
        y = python_number(b);
    return (x > y) - (x < y);
}

static const Json *member(const Json *object, Str key)
{
    for (const Json *item = object->child; item; item = item->next)
        if (str_eq(item->key, key))
            return item;
    return NULL;
}

static bool equal_items(const Json *a, const Json *b)
{
    if (a->count != b->count)
        return false;
    /* The item of b in the same place, for arrays. */
    const Json *other = b->child;
    for (const Json *item = a->child; item; item = item->next) {
        const Json *match = a->kind == JSON_OBJECT ? member(b, item->key) : other;
        if (!match || !python_equal(item, match))
            return false;
        other = other->next;
    }
    return true;
}

bool python_equal(const Json *a, const Json *b)
{
    if (python_is_number(a) && python_is_number(b))
        return python_compare(a, b) == 0;
    if (a->kind != b->kind)
        return false;
    if (a->kind == JSON_STRING)
        return str_eq(a->text, b->text);
    return (a->kind != JSON_ARRAY && a->kind != JSON_OBJECT) || equal_items(a, b);
}

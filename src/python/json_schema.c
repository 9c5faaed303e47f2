/* python/json_schema.c -- the keywords of JSON Schema, each a function that adds the errors it finds; then the
 * choice of the error to report. */
#include "python/json_schema.h"

#include <math.h>

#include "base/str_list.h"
#include "base/unicode.h"
#include "python/json_pointer.h"
#include "python/python_values.h"

enum {
    WORK_MAX = 5000000, /* steps of some nanoseconds: a check runs among the writes of others */
    APPLY_COST = 8,      /* steps to look for a keyword */
    DEPTH_MAX = 200,
    WORDS_MAX = 16 << 20 /* bytes of messages, each of which shows a value */
};

typedef struct Place { /* a step into the value */
    Str key;
    int64_t index;
    const struct Place *next;
} Place;

typedef struct Fault { /* a ValidationError */
    Str message;
    const char *keyword;
    const Json *value, *schema;
    const Place *path;    /* from the value that the check, or the anyOf around it, began with */
    size_t depth;         /* of the path */
    struct Fault *context, *next;
} Fault;

typedef struct Faults {
    Fault *first, **end;
} Faults;

/* One call of json_schema_check; `work` and `words` count up to WORK_MAX and WORDS_MAX. */
typedef struct Check {
    Arena *arena;
    const Json *root;
    size_t work, words;
    unsigned depth;
    bool is_exhausted;
} Check;

typedef struct Keyword {
    const char *name;
    /* `given` is the keyword's value in `schema`. */
    void (*check)(Check *check, const Json *given, const Json *schema, const Json *value, Faults *out);
} Keyword;

static void apply(Check *check, const Json *schema, const Json *value, Faults *out);

/* False: the check has used up its budget, and looks at nothing any more. */
static bool spend(Check *check, size_t steps)
{
    check->work += steps;
    check->is_exhausted = check->is_exhausted || check->work > WORK_MAX || check->words > WORDS_MAX;
    return !check->is_exhausted;
}

static void faults_init(Faults *faults)
{
    faults->first = NULL;
    faults->end = &faults->first;
}

static Fault *fault_add(Check *check, Faults *out, const Buf *message)
{
    Fault *fault = arena_new_of(check->arena, Fault);
    fault->message = buf_view(message);
    check->words += message->n;
    *out->end = fault;
    out->end = &fault->next;
    return fault;
}

/* The value's repr, then the text. */
static Fault *fault_of_value(Check *check, Faults *out, const Json *value, const char *text)
{
    Buf message;
    buf_init(&message, check->arena, 128);
    python_repr(&message, value);
    buf_text(&message, text);
    return fault_add(check, out, &message);
}

static Fault *fault_of_two(Check *check, Faults *out, const Json *value, const char *text, const Json *other)
{
    Buf message;
    buf_init(&message, check->arena, 128);
    python_repr(&message, value);
    buf_text(&message, text);
    python_repr(&message, other);
    return fault_add(check, out, &message);
}

/* Applies the schema to a part of the value. Errors of a schema `false` count as errors of
 * the whole, as in jsonschema. */
static void descend(Check *check, const Json *schema, const Json *value, Place place, Faults *out)
{
    Fault **added = out->end;
    apply(check, schema, value, out);
    for (Fault *fault = schema->kind == JSON_FALSE ? NULL : *added; fault; fault = fault->next) {
        Place *step = arena_new_of(check->arena, Place);
        *step = place;
        step->next = fault->path;
        fault->path = step;
        fault->depth++;
    }
}

static bool is_valid(Check *check, const Json *schema, const Json *value)
{
    Faults faults;
    faults_init(&faults);
    apply(check, schema, value, &faults);
    return !faults.first;
}

static const Json *find(Check *check, const Json *object, Str key)
{
    if (!object || object->kind != JSON_OBJECT || !spend(check, object->count))
        return NULL;
    for (const Json *member = object->child; member; member = member->next)
        if (str_eq(member->key, key))
            return member;
    return NULL;
}

static bool is_equal(Check *check, const Json *a, const Json *b)
{
    enum { BYTES = 32 }; /* what a member takes at least, roughly: objects are compared member by member */
    return spend(check, 1 + a->text.n / BYTES * (b->text.n / BYTES)) && python_equal(a, b);
}

/* What cannot be tried any more counts as found, as in python_search. */
static bool is_found(Check *check, Str pattern, Str text)
{
    size_t steps = 0;
    bool found = check->is_exhausted || python_search(check->arena, pattern, text, &steps);
    (void)spend(check, steps);
    return found;
}

/* ---- values alone ---- */

static bool is_type(const Json *value, Str type)
{
    switch (value->kind) {
    case JSON_NULL: return str_is(type, "null");
    case JSON_FALSE:
    case JSON_TRUE: return str_is(type, "boolean");
    case JSON_INT: return str_is(type, "integer") || str_is(type, "number");
    case JSON_FLOAT:
        return str_is(type, "number") ||
               (str_is(type, "integer") && python_number(value) == trunc(python_number(value)));
    case JSON_STRING: return str_is(type, "string");
    case JSON_ARRAY: return str_is(type, "array");
    case JSON_OBJECT: return str_is(type, "object");
    }
    return false;
}

static bool is_of_types(const Json *value, const Json *types)
{
    if (types->kind == JSON_STRING)
        return is_type(value, types->text);
    for (const Json *type = types->child; type; type = type->next)
        if (type->kind == JSON_STRING && is_type(value, type->text))
            return true;
    return false;
}

static void check_type(Check *check, const Json *given, const Json *schema, const Json *value, Faults *out)
{
    (void)schema;
    if ((given->kind != JSON_STRING && given->kind != JSON_ARRAY) || is_of_types(value, given))
        return;
    Buf message;
    buf_init(&message, check->arena, 128);
    python_repr(&message, value);
    buf_text(&message, " is not of type ");
    if (given->kind == JSON_STRING)
        python_repr(&message, given);
    for (const Json *type = given->kind == JSON_ARRAY ? given->child : NULL; type; type = type->next) {
        python_repr(&message, type);
        buf_text(&message, type->next ? ", " : "");
    }
    fault_add(check, out, &message);
}

static void check_enum(Check *check, const Json *given, const Json *schema, const Json *value, Faults *out)
{
    (void)schema;
    if (given->kind != JSON_ARRAY)
        return;
    for (const Json *each = given->child; each; each = each->next)
        if (is_equal(check, each, value))
            return;
    fault_of_two(check, out, value, " is not one of ", given);
}

static void check_const(Check *check, const Json *given, const Json *schema, const Json *value, Faults *out)
{
    (void)schema;
    if (!is_equal(check, value, given))
        fault_of_value(check, out, given, " was expected");
}

static bool both_numbers(const Json *a, const Json *b)
{
    return python_is_number(a) && python_is_number(b);
}

static void check_minimum(Check *check, const Json *given, const Json *schema, const Json *value, Faults *out)
{
    (void)schema;
    if (both_numbers(value, given) && python_compare(value, given) < 0)
        fault_of_two(check, out, value, " is less than the minimum of ", given);
}

static void check_maximum(Check *check, const Json *given, const Json *schema, const Json *value, Faults *out)
{
    (void)schema;
    if (both_numbers(value, given) && python_compare(value, given) > 0)
        fault_of_two(check, out, value, " is greater than the maximum of ", given);
}

static void check_exclusive_minimum(Check *check, const Json *given, const Json *schema, const Json *value, Faults *out)
{
    (void)schema;
    if (both_numbers(value, given) && python_compare(value, given) <= 0)
        fault_of_two(check, out, value, " is less than or equal to the minimum of ", given);
}

static void check_exclusive_maximum(Check *check, const Json *given, const Json *schema, const Json *value, Faults *out)
{
    (void)schema;
    if (both_numbers(value, given) && python_compare(value, given) >= 0)
        fault_of_two(check, out, value, " is greater than or equal to the maximum of ", given);
}

static uint64_t remainder_of_digits(Str digits, uint64_t divisor)
{
    uint64_t rest = 0;
    for (size_t i = digits.p[0] == '-'; i < digits.n; i++)
        rest = (rest * 10 + (uint64_t)(digits.p[i] - '0')) % divisor;
    return rest;
}

static bool is_multiple(const Json *value, const Json *given)
{
    enum { DIGITS_MAX = 18 }; /* of a divisor that fits ten times over */
    double divisor = python_number(given);
    if (given->kind == JSON_INT && value->kind == JSON_INT && given->text.n <= DIGITS_MAX)
        return remainder_of_digits(value->text, (uint64_t)strtoll(given->text.p, NULL, 10)) == 0;
    if (given->kind == JSON_INT)
        return fmod(python_number(value), divisor) == 0;
    double quotient = python_number(value) / divisor;
    return isfinite(quotient) ? quotient == trunc(quotient) : fmod(python_number(value), divisor) == 0;
}

static void check_multiple_of(Check *check, const Json *given, const Json *schema, const Json *value, Faults *out)
{
    (void)schema;
    if (both_numbers(value, given) && python_number(given) > 0 && !is_multiple(value, given))
        fault_of_two(check, out, value, " is not a multiple of ", given);
}

static void check_pattern(Check *check, const Json *given, const Json *schema, const Json *value, Faults *out)
{
    (void)schema;
    if (value->kind == JSON_STRING && given->kind == JSON_STRING && !is_found(check, given->text, value->text))
        fault_of_two(check, out, value, " does not match ", given);
}

/* ---- sizes ---- */

static void check_least(Check *check, const Json *given, const Json *value, double size, const char *otherwise,
                        Faults *out)
{
    if (python_is_number(given) && size < python_number(given))
        fault_of_value(check, out, value, python_number(given) == 1 ? " should be non-empty" : otherwise);
}

static void check_most(Check *check, const Json *given, const Json *value, double size, const char *otherwise,
                       Faults *out)
{
    if (python_is_number(given) && size > python_number(given))
        fault_of_value(check, out, value, python_number(given) == 0 ? " is expected to be empty" : otherwise);
}

static void check_min_length(Check *check, const Json *given, const Json *schema, const Json *value, Faults *out)
{
    (void)schema;
    if (value->kind == JSON_STRING)
        check_least(check, given, value, (double)utf8_count(value->text), " is too short", out);
}

static void check_max_length(Check *check, const Json *given, const Json *schema, const Json *value, Faults *out)
{
    (void)schema;
    if (value->kind == JSON_STRING)
        check_most(check, given, value, (double)utf8_count(value->text), " is too long", out);
}

static void check_min_items(Check *check, const Json *given, const Json *schema, const Json *value, Faults *out)
{
    (void)schema;
    if (value->kind == JSON_ARRAY)
        check_least(check, given, value, (double)value->count, " is too short", out);
}

static void check_max_items(Check *check, const Json *given, const Json *schema, const Json *value, Faults *out)
{
    (void)schema;
    if (value->kind == JSON_ARRAY)
        check_most(check, given, value, (double)value->count, " is too long", out);
}

static void check_min_properties(Check *check, const Json *given, const Json *schema, const Json *value, Faults *out)
{
    (void)schema;
    if (value->kind == JSON_OBJECT)
        check_least(check, given, value, (double)value->count, " does not have enough properties", out);
}

static void check_max_properties(Check *check, const Json *given, const Json *schema, const Json *value, Faults *out)
{
    (void)schema;
    if (value->kind == JSON_OBJECT)
        check_most(check, given, value, (double)value->count, " has too many properties", out);
}

/* ---- arrays ---- */

static void check_unique_items(Check *check, const Json *given, const Json *schema, const Json *value, Faults *out)
{
    (void)schema;
    if (value->kind != JSON_ARRAY || !python_is_truthy(given))
        return;
    for (const Json *a = value->child; a && !check->is_exhausted; a = a->next)
        for (const Json *b = a->next; b && !check->is_exhausted; b = b->next) {
            if (!is_equal(check, a, b))
                continue;
            fault_of_value(check, out, value, " has non-unique elements");
            return;
        }
}

static void check_prefix_items(Check *check, const Json *given, const Json *schema, const Json *value, Faults *out)
{
    (void)schema;
    if (value->kind != JSON_ARRAY || given->kind != JSON_ARRAY)
        return;
    int64_t index = 0;
    const Json *item = value->child;
    for (const Json *each = given->child; each && item; each = each->next, item = item->next)
        descend(check, each, item, (Place){ .index = index++ }, out);
}

/* No items beyond the prefix are allowed. */
static void refuse_items(Check *check, const Json *item, size_t prefix, size_t extra, Faults *out)
{
    Buf message;
    buf_init(&message, check->arena, 128);
    buf_printf(&message, "Expected at most %zu %s but found %zu extra: ", prefix, prefix == 1 ? "item" : "items",
               extra);
    if (extra == 1)
        python_repr(&message, item);
    else
        python_repr(&message, &(Json){ .kind = JSON_ARRAY, .child = (Json *)(uintptr_t)item, .count = extra });
    fault_add(check, out, &message);
}

static void check_items(Check *check, const Json *given, const Json *schema, const Json *value, Faults *out)
{
    const Json *prefix = json_get(schema, "prefixItems");
    size_t skipped = prefix && prefix->kind == JSON_ARRAY ? prefix->count : 0;
    if (value->kind != JSON_ARRAY || value->count <= skipped)
        return;
    const Json *item = value->child;
    for (size_t i = 0; i < skipped; i++)
        item = item->next;
    if (given->kind == JSON_FALSE) {
        refuse_items(check, item, skipped, value->count - skipped, out);
        return;
    }
    for (int64_t index = (int64_t)skipped; item; item = item->next)
        descend(check, given, item, (Place){ .index = index++ }, out);
}

static void check_contains(Check *check, const Json *given, const Json *schema, const Json *value, Faults *out)
{
    if (value->kind != JSON_ARRAY)
        return;
    const Json *least = json_get(schema, "minContains"), *most = json_get(schema, "maxContains");
    double matches = 0;
    Buf message;
    buf_init(&message, check->arena, 128);
    for (const Json *item = value->child; item; item = item->next)
        matches += is_valid(check, given, item);
    if (python_is_number(most) && matches > python_number(most)) {
        buf_text(&message, "Too many items match the given schema (expected at most ");
        python_repr(&message, most);
        buf_char(&message, ')');
        fault_add(check, out, &message);
    } else if (matches == 0 && (!python_is_number(least) || python_number(least) > 0)) {
        fault_of_value(check, out, value, " does not contain items matching the given schema");
    } else if (python_is_number(least) && matches < python_number(least)) {
        buf_text(&message, "Too few items match the given schema (expected at least ");
        python_repr(&message, least);
        buf_printf(&message, " but only %.0f matched)", matches);
        fault_add(check, out, &message);
    }
}

/* ---- objects ---- */

static void check_properties(Check *check, const Json *given, const Json *schema, const Json *value, Faults *out)
{
    (void)schema;
    if (value->kind != JSON_OBJECT || given->kind != JSON_OBJECT)
        return;
    for (const Json *property = given->child; property; property = property->next) {
        const Json *part = find(check, value, property->key);
        if (part)
            descend(check, property, part, (Place){ .key = property->key }, out);
    }
}

static void check_required(Check *check, const Json *given, const Json *schema, const Json *value, Faults *out)
{
    (void)schema;
    if (value->kind != JSON_OBJECT || given->kind != JSON_ARRAY)
        return;
    for (const Json *name = given->child; name; name = name->next)
        if (name->kind == JSON_STRING && !find(check, value, name->text))
            fault_of_value(check, out, name, " is a required property");
}

static void check_property_names(Check *check, const Json *given, const Json *schema, const Json *value, Faults *out)
{
    (void)schema;
    if (value->kind != JSON_OBJECT)
        return;
    for (const Json *property = value->child; property; property = property->next) {
        Json *name = arena_new_of(check->arena, Json);
        *name = (Json){ .kind = JSON_STRING, .text = property->key };
        apply(check, given, name, out);
    }
}

static void check_pattern_properties(Check *check, const Json *given, const Json *schema, const Json *value,
                                     Faults *out)
{
    (void)schema;
    if (value->kind != JSON_OBJECT || given->kind != JSON_OBJECT)
        return;
    for (const Json *pattern = given->child; pattern && !check->is_exhausted; pattern = pattern->next)
        for (const Json *part = value->child; part && !check->is_exhausted; part = part->next)
            if (is_found(check, pattern->key, part->key))
                descend(check, pattern, part, (Place){ .key = part->key }, out);
}

static int compare_keys(const void *a, const void *b)
{
    return str_compare((*(const Json *const *)a)->key, (*(const Json *const *)b)->key);
}

/* "'a', 'b'", sorted. */
static void add_sorted_keys(Check *check, Buf *message, const Json **members, size_t count)
{
    qsort(members, count, sizeof *members, compare_keys);
    for (size_t i = 0; i < count; i++) {
        buf_text(message, i ? ", " : "");
        buf_str(message, json_python_repr(check->arena, members[i]->key));
    }
}

static bool is_additional(Check *check, const Json *schema, Str key)
{
    if (find(check, json_get(schema, "properties"), key))
        return false;
    const Json *patterns = json_get(schema, "patternProperties");
    for (const Json *pattern = patterns && patterns->kind == JSON_OBJECT ? patterns->child : NULL; pattern;
         pattern = pattern->next)
        if (is_found(check, pattern->key, key))
            return false;
    return true;
}

static void refuse_properties(Check *check, const Json *schema, const Json **extras, size_t count, Faults *out)
{
    const Json *patterns = json_get(schema, "patternProperties");
    Buf message;
    buf_init(&message, check->arena, 128);
    if (!patterns || patterns->kind != JSON_OBJECT) {
        buf_text(&message, "Additional properties are not allowed (");
        add_sorted_keys(check, &message, extras, count);
        buf_text(&message, count == 1 ? " was unexpected)" : " were unexpected)");
    } else {
        const Json **keys = arena_alloc(check->arena, (patterns->count + 1) * sizeof(Json *));
        size_t n = 0;
        for (const Json *pattern = patterns->child; pattern; pattern = pattern->next)
            keys[n++] = pattern;
        add_sorted_keys(check, &message, extras, count);
        buf_text(&message, count == 1 ? " does not match any of the regexes: " : " do not match any of the regexes: ");
        add_sorted_keys(check, &message, keys, n);
    }
    fault_add(check, out, &message);
}

static void check_additional_properties(Check *check, const Json *given, const Json *schema, const Json *value,
                                        Faults *out)
{
    if (value->kind != JSON_OBJECT)
        return;
    const Json **extras = arena_alloc(check->arena, (value->count + 1) * sizeof(Json *));
    size_t count = 0;
    for (const Json *part = value->child; part && !check->is_exhausted; part = part->next)
        if (is_additional(check, schema, part->key))
            extras[count++] = part;
    if (given->kind == JSON_OBJECT) {
        for (size_t i = 0; i < count; i++)
            descend(check, given, extras[i], (Place){ .key = extras[i]->key }, out);
    } else if (given->kind == JSON_FALSE && count) {
        refuse_properties(check, schema, extras, count, out);
    }
}

static void check_dependent_required(Check *check, const Json *given, const Json *schema, const Json *value,
                                     Faults *out)
{
    (void)schema;
    if (value->kind != JSON_OBJECT || given->kind != JSON_OBJECT)
        return;
    for (const Json *property = given->child; property; property = property->next) {
        if (!find(check, value, property->key) || property->kind != JSON_ARRAY)
            continue;
        const Json of = { .kind = JSON_STRING, .text = property->key };
        for (const Json *name = property->child; name; name = name->next)
            if (name->kind == JSON_STRING && !find(check, value, name->text))
                fault_of_two(check, out, name, " is a dependency of ", &of);
    }
}

static void check_dependent_schemas(Check *check, const Json *given, const Json *schema, const Json *value, Faults *out)
{
    (void)schema;
    if (value->kind != JSON_OBJECT || given->kind != JSON_OBJECT)
        return;
    for (const Json *property = given->child; property; property = property->next)
        if (find(check, value, property->key))
            apply(check, property, value, out);
}

/* ---- schemas of schemas ---- */

static void check_all_of(Check *check, const Json *given, const Json *schema, const Json *value, Faults *out)
{
    (void)schema;
    for (const Json *each = given->kind == JSON_ARRAY ? given->child : NULL; each; each = each->next)
        apply(check, each, value, out);
}

/* The first alternative that the value fits; NULL: none, and a fault says so. */
static const Json *first_valid(Check *check, const Json *given, const Json *value, Faults *out)
{
    Faults all;
    faults_init(&all);
    for (const Json *each = given->child; each; each = each->next) {
        Fault **before = all.end;
        apply(check, each, value, &all);
        if (!*before)
            return each;
    }
    fault_of_value(check, out, value, " is not valid under any of the given schemas")->context = all.first;
    return NULL;
}

static void check_any_of(Check *check, const Json *given, const Json *schema, const Json *value, Faults *out)
{
    (void)schema;
    if (given->kind == JSON_ARRAY)
        (void)first_valid(check, given, value, out);
}

static void check_one_of(Check *check, const Json *given, const Json *schema, const Json *value, Faults *out)
{
    (void)schema;
    const Json *first = given->kind == JSON_ARRAY ? first_valid(check, given, value, out) : NULL;
    Buf message;
    buf_init(&message, check->arena, 128);
    for (const Json *each = first ? first->next : NULL; each; each = each->next) {
        if (!is_valid(check, each, value))
            continue;
        if (message.n == 0) {
            python_repr(&message, value);
            buf_text(&message, " is valid under each of ");
        }
        python_repr(&message, each);
        buf_text(&message, ", ");
    }
    if (message.n == 0)
        return;
    python_repr(&message, first);
    fault_add(check, out, &message);
}

static void check_not(Check *check, const Json *given, const Json *schema, const Json *value, Faults *out)
{
    (void)schema;
    if (is_valid(check, given, value))
        fault_of_two(check, out, value, " should not be valid under ", given);
}

static void check_if(Check *check, const Json *given, const Json *schema, const Json *value, Faults *out)
{
    const Json *then = json_get(schema, is_valid(check, given, value) ? "then" : "else");
    if (then)
        apply(check, then, value, out);
}

static void check_ref(Check *check, const Json *given, const Json *schema, const Json *value, Faults *out)
{
    (void)schema;
    if (given->kind != JSON_STRING)
        return;
    size_t steps = 0;
    const Json *target = json_pointer(check->arena, check->root, given->text, &steps);
    if (!spend(check, steps))
        return;
    if (target)
        apply(check, target, value, out);
    else
        fault_of_value(check, out, given, " cannot be resolved");
}

static const Keyword keywords[] = {
    { "$ref", check_ref },
    { "additionalProperties", check_additional_properties },
    { "allOf", check_all_of },
    { "anyOf", check_any_of },
    { "const", check_const },
    { "contains", check_contains },
    { "dependentRequired", check_dependent_required },
    { "dependentSchemas", check_dependent_schemas },
    { "enum", check_enum },
    { "exclusiveMaximum", check_exclusive_maximum },
    { "exclusiveMinimum", check_exclusive_minimum },
    { "if", check_if },
    { "items", check_items },
    { "maxItems", check_max_items },
    { "maxLength", check_max_length },
    { "maxProperties", check_max_properties },
    { "maximum", check_maximum },
    { "minItems", check_min_items },
    { "minLength", check_min_length },
    { "minProperties", check_min_properties },
    { "minimum", check_minimum },
    { "multipleOf", check_multiple_of },
    { "not", check_not },
    { "oneOf", check_one_of },
    { "pattern", check_pattern },
    { "patternProperties", check_pattern_properties },
    { "prefixItems", check_prefix_items },
    { "properties", check_properties },
    { "propertyNames", check_property_names },
    { "required", check_required },
    { "type", check_type },
    { "uniqueItems", check_unique_items },
};

static void apply_keyword(Check *check, const Json *given, const Json *schema, const Json *value, Faults *out)
{
    for (size_t i = 0; i < COUNT_OF(keywords); i++) {
        if (!str_is(given->key, keywords[i].name))
            continue;
        Fault **added = out->end;
        if (!spend(check, given->count))
            return;
        keywords[i].check(check, given, schema, value, out);
        for (Fault *fault = *added; fault; fault = fault->next) {
            if (fault->schema)
                continue; /* from deeper in */
            fault->keyword = keywords[i].name;
            fault->schema = schema;
            fault->value = value;
        }
        return;
    }
}

/* Adds every error. */
static void apply(Check *check, const Json *schema, const Json *value, Faults *out)
{
    check->is_exhausted = check->is_exhausted || check->depth >= DEPTH_MAX;
    if (!spend(check, APPLY_COST * (1 + schema->count) + (value->kind == JSON_STRING ? value->text.n / APPLY_COST : 0)))
        return;
    check->depth++;
    if (schema->kind == JSON_FALSE) {
        Buf message;
        buf_init(&message, check->arena, 128);
        buf_text(&message, "False schema does not allow ");
        python_repr(&message, value);
        Fault *fault = fault_add(check, out, &message);
        fault->schema = schema;
        fault->value = value;
    }
    for (const Json *given = schema->kind == JSON_OBJECT ? schema->child : NULL; given; given = given->next)
        apply_keyword(check, given, schema, value, out);
    check->depth--;
}

/* ---- which error to report ---- */

static int compare_paths(const Place *a, const Place *b)
{
    for (; a && b; a = a->next, b = b->next) {
        int order = 0;
        if (a->key.p && b->key.p)
            order = str_compare(a->key, b->key);
        else
            order = (a->index > b->index) - (a->index < b->index);
        if (order)
            return order;
    }
    return (a != NULL) - (b != NULL);
}

static bool is_weak(const Fault *fault)
{
    return fault->keyword && (strcmp(fault->keyword, "anyOf") == 0 || strcmp(fault->keyword, "oneOf") == 0);
}

static bool matches_type(const Fault *fault)
{
    const Json *types = json_get(fault->schema, "type");
    return types && (types->kind == JSON_STRING || types->kind == JSON_ARRAY) && is_of_types(fault->value, types);
}

/* jsonschema.exceptions.relevance: < 0 if a is less relevant than b, > 0 if it is more. */
static int compare_relevance(const Fault *a, const Fault *b)
{
    if (a->depth != b->depth)
        return a->depth > b->depth ? -1 : 1;
    int order = compare_paths(a->path, b->path);
    if (order)
        return order;
    if (is_weak(a) != is_weak(b))
        return is_weak(a) ? -1 : 1;
    return (int)matches_type(b) - (int)matches_type(a);
}

/* Among alternatives, the deepest error says most; NULL if two are equal in that. */
static const Fault *least_relevant(const Fault *faults)
{
    const Fault *least = faults;
    bool is_alone = true;
    for (const Fault *fault = faults->next; fault; fault = fault->next) {
        int order = compare_relevance(fault, least);
        if (order < 0)
            least = fault;
        is_alone = order < 0 || (is_alone && order > 0);
    }
    return is_alone ? least : NULL;
}

static const Fault *best_match(const Fault *faults)
{
    const Fault *best = faults;
    for (const Fault *fault = faults->next; fault; fault = fault->next)
        if (compare_relevance(fault, best) > 0)
            best = fault;
    while (best->context) {
        const Fault *deeper = least_relevant(best->context);
        if (!deeper)
            return best;
        best = deeper;
    }
    return best;
}

bool json_schema_check(Arena *arena, const Json *schema, const Json *value, Buf *message)
{
    Check check = { .arena = arena, .root = schema };
    Faults faults;
    faults_init(&faults);
    apply(&check, schema, value, &faults);
    if (check.is_exhausted)
        buf_text(message, "The schema is too deep or too large, or refers to itself for ever");
    else if (faults.first)
        buf_str(message, best_match(faults.first)->message);
    return !check.is_exhausted && !faults.first;
}

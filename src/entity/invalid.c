/* entity/invalid.c -- the list of validation errors, and the decoder's current place. */
#include "entity/decode.h"

void invalid_init(Invalid *invalid, Arena *arena, Time now)
{
    *invalid = (Invalid){ .arena = arena, .now = now };
    buf_init(&invalid->items, arena, 0);
}

/* Places too deep for the table are counted, so that leaving stays balanced, but not reported. */
static void enter(Invalid *invalid, Str key, int64_t index)
{
    if (invalid->depth < COUNT_OF(invalid->loc)) {
        invalid->loc[invalid->depth].key = key;
        invalid->loc[invalid->depth].index = index;
    }
    invalid->depth++;
}

void invalid_enter(Invalid *invalid, const char *key)
{
    enter(invalid, str_from(key), 0);
}

void invalid_enter_str(Invalid *invalid, Str key)
{
    enter(invalid, key, 0);
}

void invalid_enter_index(Invalid *invalid, int64_t index)
{
    enter(invalid, STR_NULL, index);
}

void invalid_leave(Invalid *invalid)
{
    invalid->depth--;
}

static void write_loc(JsonWriter *w, const Invalid *invalid)
{
    json_key(w, "loc");
    json_array(w);
    for (size_t i = 0; i < invalid->depth && i < COUNT_OF(invalid->loc); i++) {
        if (invalid->loc[i].key.p)
            json_str(w, invalid->loc[i].key);
        else
            json_int(w, invalid->loc[i].index);
    }
    json_array_end(w);
}

/* What pydantic 2 calls an error that both have, and its words where they are always the same. */
static const struct { const char *type1, *type2, *message2; } translations[] = {
    { "value_error.missing", "missing", "Field required" },
    { "value_error.extra", "extra_forbidden", "Extra inputs are not permitted" },
    { "type_error.list", "list_type", "Input should be a valid list" },
    { "type_error.dict", "dict_type", "Input should be a valid dictionary" },
    { "type_error.set", "set_type", "Input should be a valid set" },
    { "value_error.datetime", "value_error", "value is not a valid datetime" },
    { "type_error.uuid", "uuid_parsing", NULL },
};

/* {"key": "text"} */
static const char *context_of(Arena *arena, const char *key, const char *text)
{
    Buf ctx;
    JsonWriter w;
    buf_init(&ctx, arena, 64);
    json_writer_init(&w, &ctx, JSON_WIRE);
    json_object(&w);
    json_key(&w, key);
    json_text(&w, text);
    json_object_end(&w);
    return buf_cstr(&ctx);
}

typedef struct Words { const char *type; Str message; const char *ctx; } Words;

/* A validator's ValueError has its words in `msg`; the exception itself, in ctx, is encoded as an object without
 * attributes. */
static Words words_of_pydantic2(Arena *arena, Words words)
{
    for (size_t i = 0; i < COUNT_OF(translations); i++) {
        if (strcmp(words.type, translations[i].type1) != 0)
            continue;
        Str message = translations[i].message2 ? str_from(translations[i].message2) : words.message;
        return (Words){ translations[i].type2, message, NULL };
    }
    if (strncmp(words.type, "value_error", strlen("value_error")) == 0)
        return (Words){ "value_error", arena_printf(arena, "Value error, %.*s", STR_ARG(words.message)),
                        "{\"error\":{}}" };
    return words;
}

static void write_words(JsonWriter *w, const Invalid *invalid, Words words)
{
    json_object(w);
    write_loc(w, invalid);
    json_key(w, "msg");
    json_str(w, words.message);
    json_key(w, "type");
    json_text(w, words.type);
}

static void write_words_and_input(JsonWriter *w, const Invalid *invalid, Words words)
{
    json_object(w);
    json_key(w, "type");
    json_text(w, words.type);
    write_loc(w, invalid);
    json_key(w, "msg");
    json_str(w, words.message);
    json_key(w, "input");
    json_value(w, invalid->input);
}

static bool add(Invalid *invalid, Words words, void (*write)(JsonWriter *w, const Invalid *invalid, Words words))
{
    if (invalid->count++)
        buf_char(&invalid->items, ',');
    JsonWriter w;
    json_writer_init(&w, &invalid->items, JSON_WIRE);
    write(&w, invalid, words);
    if (words.ctx) {
        json_key(&w, "ctx");
        json_stored(&w, str_from(words.ctx));
    }
    json_object_end(&w);
    return false;
}

static bool add1(Invalid *invalid, Words words)
{
    return add(invalid, words, write_words);
}

static bool add2(Invalid *invalid, Words words)
{
    return add(invalid, words_of_pydantic2(invalid->arena, words), write_words_and_input);
}

bool invalid_as(Invalid *invalid, const char *type, const char *ctx, const char *message)
{
    return add(invalid, (Words){ type, str_from(message), ctx }, write_words_and_input);
}

bool invalid_because(Invalid *invalid, const char *type, const char *message, const char *why)
{
    Arena *arena = invalid->arena;
    return invalid_as(invalid, type, context_of(arena, "error", why), arena_printf(arena, "%s, %s", message, why).p);
}

bool invalid_pattern(Invalid *invalid, const char *pattern)
{
    return invalid_as(invalid, "string_pattern_mismatch", context_of(invalid->arena, "pattern", pattern),
                      arena_printf(invalid->arena, "String should match pattern '%s'", pattern).p);
}

static const struct { const char *words, *type1, *type2, *name2; } bounds[] = {
    [BOUND_GE] = { "greater than or equal to", "value_error.number.not_ge", "greater_than_equal", "ge" },
    [BOUND_GT] = { "greater than", "value_error.number.not_gt", "greater_than", "gt" },
    [BOUND_LE] = { "less than or equal to", "value_error.number.not_le", "less_than_equal", "le" },
    [BOUND_LT] = { "less than", "value_error.number.not_lt", "less_than", "lt" },
};

static bool bound_of_pydantic1(Invalid *invalid, Bound kind, const char *bound)
{
    Arena *arena = invalid->arena;
    return add1(invalid, (Words){ bounds[kind].type1,
                                  arena_printf(arena, "ensure this value is %s %s", bounds[kind].words, bound),
                                  arena_printf(arena, "{\"limit_value\":%s}", bound).p });
}

static bool bound_of_pydantic2(Invalid *invalid, Bound kind, const char *bound)
{
    Arena *arena = invalid->arena;
    size_t n = strcspn(bound, "."); /* the message has 0.0 as 0 */
    return invalid_as(invalid, bounds[kind].type2, arena_printf(arena, "{\"%s\":%s}", bounds[kind].name2, bound).p,
                      arena_printf(arena, "Input should be %s %.*s", bounds[kind].words, (int)n, bound).p);
}

/* pydantic 1: 'A', 'B', 'C'. pydantic 2: 'A', 'B' or 'C'. */
static const char *list_names(Arena *arena, const char *const *names, const char *last)
{
    Buf list;
    buf_init(&list, arena, 256);
    for (size_t i = 0; names[i]; i++)
        buf_printf(&list, "%s'%s'", i == 0 ? "" : names[i + 1] ? ", " : last, names[i]);
    return buf_cstr(&list);
}

static bool enum_of_pydantic1(Invalid *invalid, const char *const *names)
{
    Buf ctx;
    buf_init(&ctx, invalid->arena, 256);
    JsonWriter w;
    json_writer_init(&w, &ctx, JSON_WIRE);
    json_object(&w);
    json_key(&w, "enum_values");
    json_array(&w);
    for (size_t i = 0; names[i]; i++)
        json_text(&w, names[i]);
    json_array_end(&w);
    json_object_end(&w);
    return add1(invalid, (Words){ "type_error.enum",
                                  arena_printf(invalid->arena, "value is not a valid enumeration member; permitted: %s",
                                               list_names(invalid->arena, names, ", ")),
                                  buf_cstr(&ctx) });
}

static bool enum_of_pydantic2(Invalid *invalid, const char *const *names)
{
    const char *expected = list_names(invalid->arena, names, " or ");
    return invalid_as(invalid, "enum", context_of(invalid->arena, "expected", expected),
                      arena_printf(invalid->arena, "Input should be %s", expected).p);
}

/* With the place in lines and columns, and the whole body. */
static bool malformed_of_pydantic1(Invalid *invalid, Str body, JsonError error)
{
    size_t line = 1, column = 1, seen = 0;
    for (size_t i = 0; i < body.n && seen < error.position; i++) {
        if (i + 1 < body.n && ((unsigned char)body.p[i + 1] & 0xC0) == 0x80)
            continue; /* not yet the last byte of its character */
        seen++;
        column = body.p[i] == '\n' ? 1 : column + 1;
        line += body.p[i] == '\n';
    }
    Buf ctx;
    JsonWriter w;
    buf_init(&ctx, invalid->arena, body.n + 128);
    json_writer_init(&w, &ctx, JSON_WIRE);
    json_object(&w);
    json_key(&w, "msg");
    json_text(&w, error.message);
    json_key(&w, "doc");
    json_str(&w, body);
    json_key(&w, "pos");
    json_int(&w, (int64_t)error.position);
    json_key(&w, "lineno");
    json_int(&w, (int64_t)line);
    json_key(&w, "colno");
    json_int(&w, (int64_t)column);
    json_object_end(&w);
    return add1(invalid, (Words){ "value_error.jsondecode",
                                  arena_printf(invalid->arena, "%s: line %zu column %zu (char %zu)", error.message,
                                               line, column, error.position),
                                  buf_cstr(&ctx) });
}

static bool malformed_of_pydantic2(Invalid *invalid, Str body, JsonError error)
{
    static const Json nothing = { .kind = JSON_OBJECT };
    (void)body;
    invalid->input = &nothing;
    return invalid_as(invalid, "json_invalid", context_of(invalid->arena, "error", error.message), "JSON decode error");
}

/* ---- what each generation's pydantic says ---- */

typedef struct Vocabulary {
    bool (*add)(Invalid *invalid, Words words); /* in pydantic 1's words */
    bool (*bound)(Invalid *invalid, Bound kind, const char *bound);
    bool (*enumeration)(Invalid *invalid, const char *const *names);
    bool (*malformed)(Invalid *invalid, Str body, JsonError error);
    bool sorts_extras; /* unknown members are listed by name; else as they come */
} Vocabulary;

static const Vocabulary *vocabulary_of(const Invalid *invalid)
{
    static const Vocabulary of_pydantic1 = { add1, bound_of_pydantic1, enum_of_pydantic1, malformed_of_pydantic1,
                                             true };
    static const Vocabulary of_pydantic2 = { add2, bound_of_pydantic2, enum_of_pydantic2, malformed_of_pydantic2,
                                             false };
    return invalid->generation == GEN_3 ? &of_pydantic2 : &of_pydantic1;
}

bool invalid_add(Invalid *invalid, const char *type, const char *ctx, const char *message, ...)
{
    va_list args;
    va_start(args, message);
    Words words = { type, arena_vprintf(invalid->arena, message, args), ctx };
    va_end(args);
    return vocabulary_of(invalid)->add(invalid, words);
}

bool invalid_bound(Invalid *invalid, Bound kind, const char *bound)
{
    return vocabulary_of(invalid)->bound(invalid, kind, bound);
}

bool invalid_enum(Invalid *invalid, const char *const *names)
{
    return vocabulary_of(invalid)->enumeration(invalid, names);
}

bool invalid_missing(Invalid *invalid)
{
    return invalid_add(invalid, "value_error.missing", NULL, "field required");
}

bool invalid_list(Invalid *invalid)
{
    return invalid_add(invalid, "type_error.list", NULL, "value is not a valid list");
}

bool invalid_null(Invalid *invalid)
{
    return invalid_add(invalid, "type_error.none.not_allowed", NULL, "none is not an allowed value");
}

bool invalid_malformed(Invalid *invalid, Str body, JsonError error)
{
    invalid_enter(invalid, "body");
    invalid_enter_index(invalid, (int64_t)error.position);
    (void)!vocabulary_of(invalid)->malformed(invalid, body, error);
    invalid_leave(invalid);
    invalid_leave(invalid);
    return false;
}

static int compare_keys(const void *a, const void *b)
{
    Str x = (*(const Json *const *)a)->key, y = (*(const Json *const *)b)->key;
    int order = memcmp(x.p, y.p, x.n < y.n ? x.n : y.n);
    return order ? order : (x.n > y.n) - (x.n < y.n);
}

bool invalid_extras(Invalid *invalid, const Json *object, bool (*known)(const void *table, Str key), const void *table)
{
    const Json **extras = NULL;
    size_t count = 0;
    for (const Json *member = object->child; member; member = member->next) {
        if (known(table, member->key))
            continue;
        if (!extras)
            extras = arena_alloc(invalid->arena, object->count * sizeof *extras);
        extras[count++] = member;
    }
    if (count && vocabulary_of(invalid)->sorts_extras)
        qsort(extras, count, sizeof *extras, compare_keys);
    for (size_t i = 0; i < count; i++) {
        invalid->input = extras[i];
        invalid_enter_str(invalid, extras[i]->key);
        (void)!invalid_add(invalid, "value_error.extra", NULL, "extra fields not permitted");
        invalid_leave(invalid);
    }
    return count == 0;
}

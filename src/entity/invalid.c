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

bool invalid_add(Invalid *invalid, const char *type, const char *ctx, const char *message, ...)
{
    va_list args;
    va_start(args, message);
    Str text = arena_vprintf(invalid->arena, message, args);
    va_end(args);
    if (invalid->count++)
        buf_char(&invalid->items, ',');
    JsonWriter w;
    json_writer_init(&w, &invalid->items, JSON_WIRE);
    json_object(&w);
    write_loc(&w, invalid);
    json_key(&w, "msg");
    json_str(&w, text);
    json_key(&w, "type");
    json_text(&w, type);
    if (ctx) {
        json_key(&w, "ctx");
        json_stored(&w, str_from(ctx));
    }
    json_object_end(&w);
    return false;
}

bool invalid_null(Invalid *invalid)
{
    return invalid_add(invalid, "type_error.none.not_allowed", NULL, "none is not an allowed value");
}

bool invalid_enum(Invalid *invalid, const char *const *names)
{
    Buf permitted, ctx;
    buf_init(&permitted, invalid->arena, 256);
    buf_init(&ctx, invalid->arena, 256);
    JsonWriter w;
    json_writer_init(&w, &ctx, JSON_WIRE);
    json_object(&w);
    json_key(&w, "enum_values");
    json_array(&w);
    for (size_t i = 0; names[i]; i++) {
        buf_printf(&permitted, "%s'%s'", i ? ", " : "", names[i]);
        json_text(&w, names[i]);
    }
    json_array_end(&w);
    json_object_end(&w);
    return invalid_add(invalid, "type_error.enum", buf_cstr(&ctx),
                       "value is not a valid enumeration member; permitted: %s", buf_cstr(&permitted));
}

static int compare_str(const void *a, const void *b)
{
    const Str *x = a, *y = b;
    int order = memcmp(x->p, y->p, x->n < y->n ? x->n : y->n);
    return order ? order : (x->n > y->n) - (x->n < y->n);
}

bool invalid_extras(Invalid *invalid, const Json *object, bool (*known)(const void *table, Str key), const void *table)
{
    Str *extras = NULL;
    size_t count = 0;
    for (const Json *member = object->child; member; member = member->next) {
        if (known(table, member->key))
            continue;
        if (!extras)
            extras = arena_alloc(invalid->arena, object->count * sizeof *extras);
        extras[count++] = member->key;
    }
    if (!count)
        return true;
    qsort(extras, count, sizeof *extras, compare_str);
    for (size_t i = 0; i < count; i++) {
        invalid_enter_str(invalid, extras[i]);
        (void)!invalid_add(invalid, "value_error.extra", NULL, "extra fields not permitted");
        invalid_leave(invalid);
    }
    return false;
}

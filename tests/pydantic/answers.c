/* tests/pydantic/answers.c -- what generation 3 makes of JSON values: reads lines {"kind": …, "json": …} and prints a
 * line for each, {"v": value} or {"errors": […]}. The kinds and models are those of oracle.py. */
#include "entity/checks.h"
#include "entity/codec.h"

#include <stdio.h>
#include <stdlib.h>

static const char *const colours[] = { "RED", "GREEN", "BLUE", NULL };

typedef struct Inner {
    Str name;
    OptInt count;
    Moment when;
    Str tags;
} Inner;

static const Field inner_fields[] = {
    FIELD(Inner, name, F_STR, .flags = REQUIRED),
    FIELD(Inner, count, F_OPT_INT, .flags = NULLABLE),
    FIELD(Inner, when, F_MOMENT, .flags = NULLABLE),
    FIELD(Inner, tags, F_STRS, .fallback = "[]"),
};
static const Model inner_model = MODEL(Inner, inner_fields);

typedef struct Strict {
    Str id;
    int colour;
    Inner *inner;
} Strict;

static const Field strict_fields[] = {
    FIELD(Strict, id, F_UUID, .flags = REQUIRED),
    FIELD(Strict, colour, F_ENUM, .names = colours, .fallback = "\"RED\""),
    FIELD(Strict, inner, F_OPT_MODEL, .model = &inner_model, .flags = NULLABLE),
};
static const Model strict_model = MODEL(Strict, strict_fields, .forbid_extra = true);

typedef struct Outer {
    Str s, u;
    int64_t i;
    double f;
    bool b;
    Moment t;
    int64_t d;
    int e;
    Str dd, a, ss, us;
    Inner inner;
    Strict *strict;
} Outer;

static const Field outer_fields[] = {
    FIELD(Outer, s, F_STR, .flags = REQUIRED, .check = check_name_pattern),
    FIELD(Outer, u, F_UUID, .flags = NULLABLE),
    FIELD(Outer, i, F_INT, .check = check_int_ge_0),
    FIELD(Outer, f, F_FLOAT),
    FIELD(Outer, b, F_BOOL),
    FIELD(Outer, t, F_MOMENT, .flags = NULLABLE),
    FIELD(Outer, d, F_DURATION),
    FIELD(Outer, e, F_ENUM, .flags = REQUIRED, .names = colours),
    FIELD(Outer, dd, F_DICT, .fallback = "{}"),
    FIELD(Outer, a, F_ANY),
    FIELD(Outer, ss, F_STRS, .fallback = "[]"),
    FIELD(Outer, us, F_UUIDS, .flags = NULLABLE),
    FIELD(Outer, inner, F_MODEL, .model = &inner_model, .fallback = "{\"name\": \"x\"}"),
    FIELD(Outer, strict, F_OPT_MODEL, .model = &strict_model, .flags = NULLABLE),
};
static const Model outer_model = MODEL(Outer, outer_fields);

/* Single values: of the kind itself, and of the kind for the optional one. */
static const struct { const char *name; Field plain, optional; } kinds[] = {
    { "str", { .kind = F_STR }, { .kind = F_STR } },
    { "uuid", { .kind = F_UUID }, { .kind = F_UUID } },
    { "int", { .kind = F_INT }, { .kind = F_OPT_INT } },
    { "float", { .kind = F_FLOAT }, { .kind = F_OPT_FLOAT } },
    { "bool", { .kind = F_BOOL }, { .kind = F_OPT_BOOL } },
    { "moment", { .kind = F_MOMENT }, { .kind = F_MOMENT } },
    { "duration", { .kind = F_DURATION }, { .kind = F_DURATION } },
    { "enum", { .kind = F_ENUM, .names = colours }, { .kind = F_ENUM, .names = colours } },
    { "dict", { .kind = F_DICT }, { .kind = F_DICT } },
    { "any", { .kind = F_ANY }, { .kind = F_ANY } },
    { "strs", { .kind = F_STRS }, { .kind = F_STRS } },
    { "uuids", { .kind = F_UUIDS }, { .kind = F_UUIDS } },
    { "int_ge_0", { .kind = F_INT, .check = check_int_ge_0 }, { .kind = F_OPT_INT, .check = check_opt_int_ge_0 } },
    { "int_ge_1", { .kind = F_INT, .check = check_int_gt_0 }, { .kind = F_OPT_INT, .check = check_opt_int_gt_0 } },
    { "float_ge_0", { .kind = F_FLOAT, .check = check_float_ge_0 },
      { .kind = F_OPT_FLOAT, .check = check_opt_float_ge_0 } },
    { "name", { .kind = F_STR, .check = check_name_pattern }, { .kind = F_STR, .check = check_name_pattern } },
    { "inner", { .kind = F_OPT_MODEL, .model = &inner_model }, { .kind = F_OPT_MODEL, .model = &inner_model } },
    { "strict", { .kind = F_OPT_MODEL, .model = &strict_model }, { .kind = F_OPT_MODEL, .model = &strict_model } },
    { "outer", { .kind = F_OPT_MODEL, .model = &outer_model }, { .kind = F_OPT_MODEL, .model = &outer_model } },
};

static Field field_of(Str kind)
{
    static const char prefix[] = "opt_";
    bool optional = kind.n > strlen(prefix) && memcmp(kind.p, prefix, strlen(prefix)) == 0;
    if (optional)
        kind = (Str){ kind.p + strlen(prefix), kind.n - strlen(prefix) };
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        if (!str_is(kind, kinds[i].name))
            continue;
        Field field = optional ? kinds[i].optional : kinds[i].plain;
        field.name = "v";
        field.flags |= optional ? NULLABLE : 0;
        return field;
    }
    fprintf(stderr, "unknown kind: %.*s\n", STR_ARG(kind));
    abort();
}

static void answer(Arena *arena, Str line, Buf *out)
{
    union { Str s; int64_t i; OptInt oi; OptReal of; Moment m; int e; void *p; double f; bool b; } value;
    const Json *request = json_read(arena, line);
    const Json *json = json_read(arena, json_get(request, "json")->text);
    Field field = field_of(json_get(request, "kind")->text);
    const Model model = { .name = "Value", .fields = &field, .count = 1, .size = sizeof value };
    Invalid invalid;
    invalid_init(&invalid, arena, (Time)10958 * 86400 * SECOND); /* 2000-01-02 */
    invalid.generation = GEN_3;
    if (json && codec_decode_field(&invalid, &field, json, &value)) {
        JsonWriter w;
        json_writer_init(&w, out, JSON_WIRE);
        codec_write(&w, &model, &value);
    } else {
        buf_printf(out, "{\"errors\":[%.*s]}", STR_ARG(buf_view(&invalid.items)));
    }
}

int main(void)
{
    char *line = NULL;
    size_t size = 0;
    for (ssize_t n; (n = getline(&line, &size, stdin)) > 0;) {
        Arena *arena = arena_new();
        Buf out;
        buf_init(&out, arena, 256);
        answer(arena, (Str){ line, (size_t)n }, &out);
        puts(buf_cstr(&out));
        arena_free(arena);
    }
    free(line);
    return 0;
}

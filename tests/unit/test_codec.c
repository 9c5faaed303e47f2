/* tests/unit/test_codec.c -- decoding, encoding and rows by tables.
 * Every expected text of the first three tables is what pydantic 1.10 answered for a model of the same fields. */
#include "engine.h"

#include "entity/codec.h"

static const char *const colours[] = { "RED", "GREEN", NULL };

typedef struct Part {
    Str s, u;
    OptInt i;
    OptReal f;
    OptBool b;
    Moment t;
    int64_t d;
    int e;
    Str dd, a, ss, us;
} Part;

static const Field part_fields[] = {
    FIELD(Part, s, F_STR, .flags = NULLABLE),
    FIELD(Part, u, F_UUID, .flags = NULLABLE),
    FIELD(Part, i, F_OPT_INT, .flags = NULLABLE),
    FIELD(Part, f, F_OPT_FLOAT, .flags = NULLABLE),
    FIELD(Part, b, F_OPT_BOOL, .flags = NULLABLE),
    FIELD(Part, t, F_MOMENT, .flags = NULLABLE),
    FIELD(Part, d, F_DURATION, .flags = NULLABLE),
    FIELD(Part, e, F_ENUM, .flags = NULLABLE, .names = colours),
    FIELD(Part, dd, F_DICT, .flags = NULLABLE),
    FIELD(Part, a, F_ANY, .flags = NULLABLE),
    FIELD(Part, ss, F_STRS, .flags = NULLABLE),
    FIELD(Part, us, F_UUIDS, .flags = NULLABLE),
};
static const Model part_model = MODEL(Part, part_fields, .forbid_extra = true);

typedef struct Case {
    const char *key, *json; /* the body is {key: json} */
    const char *expected;   /* refused: the error without its place; else the value as it is written */
} Case;

#define U "\"12345678-1234-5678-1234-567812345678\""

static const Case accepted[] = {
    { "s", "5", "\"5\"" },
    { "s", "-0", "\"0\"" },
    { "s", "-0.0", "\"-0.0\"" },
    { "s", "1.10", "\"1.1\"" },
    { "s", "1e22", "\"1e+22\"" },
    { "s", "true", "\"True\"" },
    { "s", "1000000000000000000000000000000", "\"1000000000000000000000000000000\"" },
    { "s", "null", "null" },
    { "u", "\"{12345678-1234-5678-1234-567812345678}\"", U },
    { "u", "\"12345678123456781234567812345678\"", U },
    { "i", "\" +3 \"", "3" },
    { "i", "\"1_000\"", "1000" },
    { "i", "\"-9223372036854775808\"", "-9223372036854775808" },
    { "i", "9223372036854775807", "9223372036854775807" },
    { "i", "-3.9", "-3" },
    { "i", "true", "1" },
    { "f", "\" 3.5 \"", "3.5" },
    { "f", "\"1_0.5\"", "10.5" },
    { "f", "\"5.\"", "5.0" },
    { "f", "\".5\"", "0.5" },
    { "f", "true", "1.0" },
    { "b", "\"ON\"", "true" },
    { "b", "\"t\"", "true" },
    { "b", "1.0", "true" },
    { "b", "-0", "false" },
    { "b", "\"off\"", "false" },
    { "t", "\"2020-01-01\"", "\"2020-01-01T00:00:00+00:00\"" },
    { "t", "\"2020-01-01T10:00:00.5+02:00\"", "\"2020-01-01T10:00:00.500000+02:00\"" },
    { "d", "5", "5.0" },
    { "d", "true", "1.0" },
    { "d", "-1.5", "-1.5" },
    { "d", "0.0000015", "2e-06" },
    { "d", "\"PT1.5S\"", "1.5" },
    { "d", "\"1:00\"", "60.0" },
    { "e", "\"GREEN\"", "\"GREEN\"" },
    { "e", "null", "null" },
    { "dd", "[]", "{}" },
    { "dd", "\"\"", "{}" },
    { "dd", "[[\"a\",1]]", "{\"a\":1}" },
    { "dd", "[\"ab\"]", "{\"a\":\"b\"}" },
    { "dd", "[[1,2]]", "{\"1\":2}" },
    { "dd", "[[true,{}]]", "{\"True\":{}}" },
    { "dd", "[{\"x\":1,\"y\":2},\"日本\"]", "{\"x\":\"y\",\"日\":\"本\"}" },
    { "a", "null", "null" },
    { "a", "{\"é\":[1.10,null]}", "{\"é\":[1.1,null]}" },
    { "ss", "[\"a\",1,true,1.5]", "[\"a\",\"1\",\"True\",\"1.5\"]" },
    { "us", "[\"12345678123456781234567812345678\"]", "[" U "]" },
};

#define ERR(message, type) "\"msg\":\"" message "\",\"type\":\"" type "\""
#define NOT_STR ERR("str type expected", "type_error.str")
#define NOT_UUID ERR("value is not a valid uuid", "type_error.uuid")
#define NOT_INT ERR("value is not a valid integer", "type_error.integer")
#define NOT_FLOAT ERR("value is not a valid float", "type_error.float")
#define NOT_BOOL ERR("value could not be parsed to a boolean", "type_error.bool")
#define NOT_DICT ERR("value is not a valid dict", "type_error.dict")
#define NOT_LIST ERR("value is not a valid list", "type_error.list")
#define NO_NULL ERR("none is not an allowed value", "type_error.none.not_allowed")
#define EXTRA ERR("extra fields not permitted", "value_error.extra")
#define MISSING ERR("field required", "value_error.missing")
#define NOT_COLOUR \
    ERR("value is not a valid enumeration member; permitted: 'RED', 'GREEN'", "type_error.enum") \
    ",\"ctx\":{\"enum_values\":[\"RED\",\"GREEN\"]}"

static const Case refused[] = {
    { "s", "[]", NOT_STR },
    { "s", "{}", NOT_STR },
    { "u", "5", NOT_UUID },
    { "u", "\"x\"", NOT_UUID },
    { "i", "\"3.0\"", NOT_INT },
    { "i", "\"\"", NOT_INT },
    { "i", "\"_1\"", NOT_INT },
    { "i", "\"1__0\"", NOT_INT },
    { "i", "1e300", NOT_INT },
    { "i", "[]", NOT_INT },
    { "f", "\".\"", NOT_FLOAT },
    { "f", "\"1_\"", NOT_FLOAT },
    { "f", "\"1e\"", NOT_FLOAT },
    { "f", "\"0x1p3\"", NOT_FLOAT },
    { "f", "{}", NOT_FLOAT },
    { "b", "2", NOT_BOOL },
    { "b", "\"true \"", NOT_BOOL },
    { "b", "[]", NOT_BOOL },
    { "t", "5", ERR("Unrecognized datetime.", "value_error") },
    { "t", "\"\"", ERR("year 0 is out of range", "value_error") },
    { "t", "\"2021-02-29\"", ERR("Unable to parse string [2021-02-29]", "value_error.parser") },
    { "d", "\"x\"", ERR("invalid duration format", "value_error.duration") },
    { "d", "[]", ERR("invalid type; expected timedelta, string, bytes, int or float", "type_error") },
    { "e", "\"green\"", NOT_COLOUR },
    { "e", "5", NOT_COLOUR },
    { "dd", "\"ab\"", NOT_DICT },
    { "dd", "[1]", NOT_DICT },
    { "dd", "[[\"a\"]]", NOT_DICT },
    { "dd", "[[[1],2]]", NOT_DICT },
    { "ss", "\"abc\"", NOT_LIST },
    { "us", "{}", NOT_LIST },
    { "zz", "1", EXTRA },
};

static const Json *parse(Arena *arena, Str text)
{
    const Json *json;
    JsonError error;
    assert_true(json_parse(arena, text, &json, &error));
    return json;
}

/* What a body becomes: the object as written again, or the errors in brackets. */
static Str outcome_in(Arena *arena, Generation generation, const Model *model, Str body, FieldSet *ret_sent)
{
    Invalid invalid;
    Buf out;
    JsonWriter w;
    invalid_init(&invalid, arena, 0);
    invalid.generation = generation;
    invalid_enter(&invalid, "body");
    buf_init(&out, arena, 256);
    json_writer_init(&w, &out, JSON_WIRE);
    void *object = arena_alloc(arena, model->size);
    memset(object, 0xa5, model->size);
    bool ok = codec_decode(&invalid, model, parse(arena, body), object, ret_sent);
    assert_int_equal(ok, invalid.count == 0);
    assert_int_equal(invalid.depth, 1);
    if (ok)
        codec_write(&w, model, object);
    else
        buf_printf(&out, "[%.*s]", STR_ARG(buf_view(&invalid.items)));
    return (Str){ buf_cstr(&out), out.n };
}

static Str outcome(Arena *arena, const Model *model, Str body, FieldSet *ret_sent)
{
    return outcome_in(arena, GEN_2_7, model, body, ret_sent);
}

static void values_are_coerced_as_pydantic_does(void **state)
{
    for (size_t i = 0; i < COUNT_OF(accepted); i++) {
        Arena *arena = arena_new();
        const Case *c = &accepted[i];
        Str got = outcome(arena, &part_model, arena_printf(arena, "{\"%s\":%s}", c->key, c->json), NULL);
        const Json *value = json_get(parse(arena, got), c->key);
        assert_non_null(value);
        assert_string_equal(arena_cstr(arena, json_format(arena, value, JSON_WIRE)), c->expected);
        arena_free(arena);
    }
    (void)state;
}

static void values_are_refused_in_pydantics_words(void **state)
{
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        Arena *arena = arena_new();
        const Case *c = &refused[i];
        Str got = outcome(arena, &part_model, arena_printf(arena, "{\"%s\":%s}", c->key, c->json), NULL);
        Str expected = arena_printf(arena, "[{\"loc\":[\"body\",\"%s\"],%s}]", c->key, c->expected);
        assert_string_equal(got.p, expected.p);
        arena_free(arena);
    }
    (void)state;
}

typedef struct Whole {
    Part x;
    Part *y;
    Str z, w;
    int64_t k;
    bool q;
    int e;
    Str ignored;
} Whole;

static const Field whole_fields[] = {
    FIELD(Whole, x, F_MODEL, .model = &part_model, .flags = NULLABLE),
    FIELD(Whole, y, F_OPT_MODEL, .model = &part_model, .flags = NULLABLE | HIDDEN),
    FIELD(Whole, z, F_STRS, .fallback = "[\"q\"]"),
    FIELD(Whole, w, F_STR, .flags = REQUIRED),
    FIELD(Whole, k, F_INT, .fallback = "7"),
    FIELD(Whole, q, F_BOOL, .fallback = "true"),
    FIELD(Whole, e, F_ENUM, .names = colours, .fallback = "\"GREEN\""),
    FIELD(Whole, ignored, F_UUID, .flags = IGNORED | NULLABLE),
};
static const Model whole_model = MODEL(Whole, whole_fields);

#define EMPTY_PART(s) \
    "{\"s\":" s ",\"u\":null,\"i\":null,\"f\":null,\"b\":null,\"t\":null,\"d\":0.0,\"e\":null,\"dd\":null,\"a\":null," \
    "\"ss\":null,\"us\":null}"
#define AT(...) "{\"loc\":[\"body\"," __VA_ARGS__ "],"

static const struct { const char *body, *expected; } bodies[] = {
    { "{}", "[" AT("\"w\"") MISSING "}]" },
    { "[]", "[" AT("\"w\"") MISSING "}]" },
    { "\"w\"", "[{\"loc\":[\"body\"]," NOT_DICT "}]" },
    { "{\"w\":null,\"x\":null,\"k\":null}", "[" AT("\"w\"") NO_NULL "}," AT("\"k\"") NO_NULL "}]" },
    { "{\"w\":\"\",\"x\":[[1,2]]}", "[" AT("\"x\"") ERR("keywords must be strings", "type_error") "}]" },
    { "{\"w\":\"\",\"x\":{\"dd\":[[null,1]]}}", "[" AT("\"x\",\"dd\",\"__key__\"") NO_NULL "}]" },
    { "{\"q\":\"maybe\",\"z\":null,\"x\":5,\"w\":\"a\"}", "[" AT("\"x\"") NOT_DICT "}," AT("\"z\"") NO_NULL "},"
      AT("\"q\"") NOT_BOOL "}]" },
    { "{\"w\":\"a\",\"extra\":1,\"x\":{\"B\":1,\"é\":2,\"_\":3,\"a\":null,\"aa\":4,\"s\":[]},"
      "\"y\":{\"t\":1,\"ss\":[\"a\",{},null]}}",
      "[" AT("\"x\",\"s\"") NOT_STR "}," AT("\"x\",\"B\"") EXTRA "}," AT("\"x\",\"_\"") EXTRA "},"
      AT("\"x\",\"aa\"") EXTRA "}," AT("\"x\",\"é\"") EXTRA "},"
      AT("\"y\",\"t\"") ERR("Unrecognized datetime.", "value_error") "},"
      AT("\"y\",\"ss\",1") NOT_STR "},"
      AT("\"y\",\"ss\",2") NO_NULL "}]" },
    { "{\"w\":\"\",\"ignored\":\"x\"}", "[" AT("\"ignored\"") NOT_UUID "}]" },
    { "{\"w\":1,\"x\":[[\"s\",5]],\"unknown\":2,\"ignored\":" U "}",
      "{\"x\":" EMPTY_PART("\"5\"") ",\"z\":[\"q\"],\"w\":\"1\",\"k\":7,\"q\":true,\"e\":\"GREEN\",\"ignored\":null}" },
    { "[[\"w\",\"b\"],[\"w\",\"c\"],[\"e\",\"RED\"]]",
      "{\"x\":" EMPTY_PART("null") ",\"z\":[\"q\"],\"w\":\"c\",\"k\":7,\"q\":true,\"e\":\"RED\",\"ignored\":null}" },
};

static void models_report_fields_in_order_then_extras(void **state)
{
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        Arena *arena = arena_new();
        assert_string_equal(outcome(arena, &whole_model, str_from(bodies[i].body), NULL).p, bodies[i].expected);
        arena_free(arena);
    }
    (void)state;
}

static void sent_fields_are_told_from_fallbacks(void **state)
{
    Arena *arena = arena_new();
    FieldSet sent;
    outcome(arena, &whole_model, STR("{\"w\":1,\"k\":7,\"x\":null,\"ignored\":null}"), &sent);
    assert_int_equal(sent, 1u << 0 | 1u << 3 | 1u << 4);
    arena_free(arena);
    (void)state;
}

static bool refuse_short(Invalid *invalid, void *member)
{
    return ((Str *)member)->n > 2 || invalid_add(invalid, "value_error", "{\"limit\":2}", "%s", "too short");
}

static bool refuse_x(Invalid *invalid, void *object)
{
    return !str_is(*(Str *)object, "x") || invalid_add(invalid, "value_error", NULL, "no x");
}

typedef struct Name {
    Str name;
} Name;

static void checks_run_after_the_kind_and_finish_after_all(void **state)
{
    static const Field fields[] = { FIELD(Name, name, F_STR, .flags = NULLABLE, .check = refuse_short,
                                          .fallback = "\"x\"") };
    static const Model plain = MODEL(Name, fields), strict = MODEL(Name, fields, .finish = refuse_x);
    static const char short_error[] = "[" AT("\"name\"") ERR("too short", "value_error") ",\"ctx\":{\"limit\":2}}]";
    Arena *arena = arena_new();
    assert_string_equal(outcome(arena, &plain, STR("{\"name\":12}"), NULL).p, short_error);
    assert_string_equal(outcome(arena, &plain, STR("{\"name\":123}"), NULL).p, "{\"name\":\"123\"}");
    assert_string_equal(outcome(arena, &plain, STR("{\"name\":null}"), NULL).p, "{\"name\":null}");
    assert_string_equal(outcome(arena, &plain, STR("{}"), NULL).p, "{\"name\":\"x\"}");
    /* What was wrong has its fallback when finish looks. */
    assert_string_equal(outcome(arena, &strict, STR("{\"name\":12}"), NULL).p,
                        "[" AT("\"name\"") ERR("too short", "value_error") ",\"ctx\":{\"limit\":2}},"
                        "{\"loc\":[\"body\"]," ERR("no x", "value_error") "}]");
    assert_string_equal(outcome(arena, &strict, STR("{}"), NULL).p,
                        "[{\"loc\":[\"body\"]," ERR("no x", "value_error") "}]");
    assert_string_equal(outcome(arena, &strict, STR("{\"name\":123}"), NULL).p, "{\"name\":\"123\"}");
    arena_free(arena);
    (void)state;
}

/* What is not in tests/pydantic: the words of validators, the order of finish, a body that is no JSON. */
static void generation_3_speaks_as_pydantic_2(void **state)
{
    static const Field fields[] = { FIELD(Name, name, F_STR, .flags = REQUIRED, .check = refuse_short) };
    static const Model model = MODEL(Name, fields, .finish = refuse_x);
    static const char short_error[] = "[{\"type\":\"value_error\",\"loc\":[\"body\",\"name\"],"
        "\"msg\":\"Value error, too short\",\"input\":\"x\",\"ctx\":{\"error\":{}}}]";
    static const char no_name[] = "[{\"type\":\"missing\",\"loc\":[\"body\",\"name\"],"
        "\"msg\":\"Field required\",\"input\":{\"a\":1}}]";
    Arena *arena = arena_new();
    Invalid invalid;
    assert_string_equal(outcome_in(arena, GEN_3, &model, STR("{\"name\":\"x\"}"), NULL).p, short_error);
    assert_string_equal(outcome_in(arena, GEN_3, &model, STR("{\"a\":1}"), NULL).p, no_name);
    assert_string_equal(outcome_in(arena, GEN_3, &model, STR("{\"name\":\"xyz\"}"), NULL).p, "{\"name\":\"xyz\"}");
    invalid_init(&invalid, arena, 0);
    invalid.generation = GEN_3;
    assert_false(invalid_malformed(&invalid, STR("{"), (JsonError){ 1, "Expecting value" }));
    assert_string_equal(buf_cstr(&invalid.items), "{\"type\":\"json_invalid\",\"loc\":[\"body\",1],"
                        "\"msg\":\"JSON decode error\",\"input\":{},\"ctx\":{\"error\":\"Expecting value\"}}");
    arena_free(arena);
    (void)state;
}

static bool double_it(Invalid *invalid, void *object)
{
    (void)invalid;
    *(int64_t *)object *= 2;
    return true;
}

static void stored_json_is_loaded_leniently(void **state)
{
    Arena *arena = arena_new();
    Whole whole;
    codec_load(arena, &whole_model,
               STR("{\"k\": \"x\", \"e\": \"BLUE\", \"q\": false, \"x\": {\"i\": 4, \"old\": 1}, \"z\": null}"),
               &whole);
    assert_int_equal(whole.k, 7);
    assert_int_equal(whole.e, 1);
    assert_false(whole.q);
    assert_true(str_is(whole.z, "[\"q\"]"));
    assert_null(whole.y);
    codec_load(arena, &whole_model, STR("not json"), &whole);
    assert_int_equal(whole.k, 7);
    assert_int_equal(whole.x.e, -1);
    assert_true(whole.x.t.us == TIME_NULL);
    assert_false(whole.x.i.has);
    static const Field count_fields[] = { { .name = "count", .kind = F_INT } };
    static const Model count_model = {
        .name = "Count", .fields = count_fields, .count = 1, .size = sizeof(int64_t), .finish = double_it
    };
    int64_t count;
    codec_load(arena, &count_model, STR("{\"count\": 4}"), &count);
    assert_int_equal(count, 8);
    codec_load(arena, &part_model, STR("{\"a\": {\"x\":\"é\"}, \"d\": 1}"), &whole.x);
    assert_true(str_is(whole.x.a, "{\"x\": \"\\u00e9\"}"));
    assert_string_equal(arena_cstr(arena, codec_stored(arena, &part_model, &whole.x)),
                        "{\"s\": null, \"u\": null, \"i\": null, \"f\": null, \"b\": null, \"t\": null, \"d\": 1.0, "
                        "\"e\": null, \"dd\": null, \"a\": {\"x\": \"\\u00e9\"}, \"ss\": null, \"us\": null}");
    arena_free(arena);
    (void)state;
}

/* ---- rows, in a database of its own in memory ---- */

typedef struct Thing {
    Str id;
    Time updated;
    Str name;
    int64_t n;
    OptInt maybe_n;
    double r;
    OptReal maybe_r;
    bool b;
    OptBool maybe_b;
    Time at;
    int64_t took;
    int colour;
    Str tags;
    Part part;
    Part *maybe_part;
    int64_t twice; /* computed by the SELECT */
    Str unstored;
} Thing;

static const Field thing_fields[] = {
    FIELD(Thing, id, F_UUID, .flags = KEY),
    FIELD(Thing, updated, F_TIME),
    FIELD(Thing, name, F_STR),
    FIELD(Thing, n, F_INT, .flags = KEPT),
    FIELD(Thing, maybe_n, F_OPT_INT, .flags = KEPT_FOR_NULL),
    FIELD(Thing, r, F_FLOAT),
    FIELD(Thing, maybe_r, F_OPT_FLOAT),
    FIELD(Thing, b, F_BOOL),
    FIELD(Thing, maybe_b, F_OPT_BOOL),
    FIELD(Thing, at, F_TIME),
    FIELD(Thing, took, F_DURATION),
    FIELD(Thing, twice, F_INT, .flags = VIRTUAL, .sql = "2 * thing.n"),
    FIELD(Thing, colour, F_ENUM, .names = colours),
    FIELD(Thing, unstored, F_STR, .flags = VIRTUAL),
    FIELD(Thing, tags, F_STRS),
    FIELD(Thing, part, F_MODEL, .model = &part_model),
    FIELD(Thing, maybe_part, F_OPT_MODEL, .model = &part_model),
};
static const Model thing_model = MODEL(Thing, thing_fields, .table = "thing");
enum { SET_NAME = 1 << 2, SET_COLOUR = 1 << 12 };

static Thing sample(void)
{
    return (Thing){ .id = STR("12345678-1234-5678-1234-567812345678"), .updated = 5 * SECOND, .name = STR("é"), .n = -3,
                    .maybe_n = { 4, true }, .r = 0.5, .maybe_r = { 0, false }, .b = true, .maybe_b = { false, true },
                    .at = TIME_NULL, .took = 90500000, .colour = 1, .tags = STR("[\"a\", \"b\"]"),
                    .part = { .i = { 9, true }, .e = -1, .t = { 7 * SECOND, 3600 } } };
}

/* What jobs leave to the test: they run on a database thread, where cmocka's assertions can only end the program. */
typedef struct Found {
    Str select;
    int64_t inserted, again, upserted, updated_other, updated, updated_nothing, deleted;
    Thing thing, upsert, renamed, touched;
    Str part;
} Found;

static void read_thing(Tx *tx, Found *found, Thing *thing)
{
    Buf sql;
    buf_init(&sql, tx->arena, 512);
    codec_select(&sql, &thing_model);
    found->select = arena_str(tx->arena, buf_view(&sql));
    const Thing *first = codec_read(tx, &thing_model, "WHERE thing.n <> $1", v_int(0));
    if (first)
        *thing = *first;
}

static bool insert_thing(Tx *tx, void *arg)
{
    Found *found = arg;
    Thing thing = sample();
    const char *create = by_engine(
        "CREATE TABLE thing (id TEXT PRIMARY KEY, updated TEXT, name TEXT, n INTEGER, maybe_n INTEGER, r FLOAT, "
        "maybe_r FLOAT, b BOOLEAN, maybe_b BOOLEAN, at TEXT, took TEXT, colour TEXT, tags TEXT, part TEXT, maybe_part"
        " TEXT)",
        "CREATE TABLE thing (id UUID PRIMARY KEY, updated TIMESTAMPTZ, name VARCHAR, n INTEGER, maybe_n INTEGER,"
        " r FLOAT, maybe_r FLOAT, b BOOLEAN, maybe_b BOOLEAN, at TIMESTAMPTZ, took INTERVAL, colour VARCHAR,"
        " tags JSONB, part JSON, maybe_part JSON)");
    db_exec(tx, create, NULL, 0);
    found->inserted = codec_insert(tx, &thing_model, &thing);
    found->again = codec_insert_new(tx, &thing_model, &thing);
    found->part = DB_TEXT(tx, "SELECT part FROM thing");
    read_thing(tx, found, &found->thing);
    return tx->error->code == ERR_NONE;
}

static bool update_thing(Tx *tx, void *arg)
{
    Found *found = arg;
    Thing thing = sample();
    thing.name = STR("new");
    thing.colour = -1;
    thing.n = 100;
    found->updated_other = codec_update(tx, &thing_model, STR("87654321-1234-5678-1234-567812345678"), &thing,
                                        SET_NAME);
    found->updated = codec_update(tx, &thing_model, thing.id, &thing, SET_NAME | SET_COLOUR);
    read_thing(tx, found, &found->renamed);
    DB_EXEC(tx, "UPDATE thing SET updated = NULL");
    found->updated_nothing = codec_update(tx, &thing_model, thing.id, &thing, 0);
    read_thing(tx, found, &found->touched);
    return tx->error->code == ERR_NONE;
}

static bool upsert_thing(Tx *tx, void *arg)
{
    Found *found = arg;
    Thing thing = sample();
    thing.name = STR("upserted");
    thing.n = 7;
    thing.maybe_n.has = false;
    thing.maybe_b.has = false;
    thing.updated = 4 * SECOND;
    found->upserted = codec_upsert(tx, &thing_model, &thing);
    read_thing(tx, found, &found->upsert);
    return tx->error->code == ERR_NONE;
}

static bool delete_thing(Tx *tx, void *arg)
{
    Found *found = arg;
    found->deleted = codec_delete(tx, &thing_model, sample().id);
    return tx->error->code == ERR_NONE;
}

static void run_job(bool (*run)(Tx *, void *), Db *db, Arena *arena, Found *found)
{
    Error error = { .code = ERR_NONE };
    bool ok = db_run(db, true, arena, run, found, &error);
    assert_string_equal(error.message, "");
    assert_true(ok);
}

static void assert_is_sample(const Thing *thing)
{
    Thing expected = sample();
    assert_true(str_eq(thing->id, expected.id) && str_eq(thing->name, expected.name) &&
                str_eq(thing->tags, expected.tags));
    assert_int_equal(thing->updated, 5 * SECOND);
    assert_int_equal(thing->n, -3);
    assert_int_equal(thing->twice, -6);
    assert_true(thing->maybe_n.has && thing->maybe_n.v == 4);
    assert_true(thing->r >= 0.5 && thing->r <= 0.5 && !thing->maybe_r.has);
    assert_true(thing->b && thing->maybe_b.has && !thing->maybe_b.v);
    assert_true(thing->at == TIME_NULL);
    assert_int_equal(thing->took, 90500000);
    assert_int_equal(thing->colour, 1);
    assert_true(thing->part.i.has && thing->part.i.v == 9 && thing->part.t.us == 7 * SECOND &&
                thing->part.t.offset == 3600);
    assert_null(thing->maybe_part);
}

static void rows_carry_every_kind(void **state)
{
    Db *db = engine_open();
    Arena *arena = arena_new();
    Found found = { .inserted = 0 };
    run_job(insert_thing, db, arena, &found);
    assert_int_equal(found.inserted, 1);
    assert_int_equal(found.again, 0);
    assert_string_equal(found.select.p,
                        "SELECT thing.id, thing.updated, thing.name, thing.n, thing.maybe_n, thing.r, thing.maybe_r, "
                        "thing.b, thing.maybe_b, thing.at, thing.took, 2 * thing.n, thing.colour, thing.tags,"
                        " thing.part, thing.maybe_part FROM thing");
    assert_is_sample(&found.thing);
    assert_string_equal(arena_cstr(arena, found.part),
                        "{\"s\": null, \"u\": null, \"i\": 9, \"f\": null, \"b\": null, \"t\": "
                        "\"1970-01-01T01:00:07+01:00\", \"d\": 0.0, \"e\": null, \"dd\": null, \"a\": null, "
                        "\"ss\": null, \"us\": null}");
    run_job(upsert_thing, db, arena, &found);
    assert_int_equal(found.upserted, 1);
    assert_true(str_is(found.upsert.name, "upserted") && !found.upsert.maybe_b.has);
    assert_int_equal(found.upsert.n, -3);
    assert_true(found.upsert.maybe_n.has && found.upsert.maybe_n.v == 4);
    assert_int_equal(found.upsert.updated, 5 * SECOND);
    run_job(update_thing, db, arena, &found);
    assert_int_equal(found.updated_other, 0);
    assert_int_equal(found.updated, 1);
    assert_true(str_is(found.renamed.name, "new"));
    assert_int_equal(found.renamed.colour, -1);
    assert_int_equal(found.renamed.n, -3);
    assert_true(found.renamed.updated > 1000000000 * SECOND);
    assert_int_equal(found.updated_nothing, 1);
    assert_true(found.touched.updated > 1000000000 * SECOND);
    run_job(delete_thing, db, arena, &found);
    assert_int_equal(found.deleted, 1);
    arena_free(arena);
    db_close(db);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_coerced_as_pydantic_does),
        cmocka_unit_test(values_are_refused_in_pydantics_words),
        cmocka_unit_test(models_report_fields_in_order_then_extras),
        cmocka_unit_test(sent_fields_are_told_from_fallbacks),
        cmocka_unit_test(checks_run_after_the_kind_and_finish_after_all),
        cmocka_unit_test(generation_3_speaks_as_pydantic_2),
        cmocka_unit_test(stored_json_is_loaded_leniently),
        cmocka_unit_test(rows_carry_every_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

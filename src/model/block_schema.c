/* model/block_schema.c -- the fields of a block type at one version, found by their checksum. */
#include "model/block.h"

#include "base/crypto.h"
#include "base/ident.h"

static const Field columns[] = { /* order: of the keys in responses */
    FIELD(BlockSchema, id, F_UUID),
    FIELD(BlockSchema, created, F_TIME),
    FIELD(BlockSchema, updated, F_TIME),
    FIELD(BlockSchema, checksum, F_STR),
    FIELD(BlockSchema, fields, F_DICT),
    FIELD(BlockSchema, block_type_id, F_UUID),
    FIELD(BlockSchema, block_type, F_OPT_MODEL, .flags = VIRTUAL, .model = &block_type_model),
    FIELD(BlockSchema, capabilities, F_STRS),
    FIELD(BlockSchema, version, F_STR),
};
static const Field create_fields[] = {
    FIELD(BlockSchema, fields, F_DICT, .fallback = "{}"),
    FIELD(BlockSchema, block_type_id, F_UUID, .flags = NULLABLE),
    FIELD(BlockSchema, capabilities, F_STRS, .fallback = "[]"),
    FIELD(BlockSchema, version, F_STR, .fallback = "\"non-versioned\""),
};
const Model block_schema_model = MODEL(BlockSchema, columns);
const Model block_schema_create_model = MODEL(BlockSchema, create_fields, .forbid_extra = true);

/* ---- the checksum ---- */

static int compare_keys(const void *a, const void *b)
{
    Str x = (*(const Json *const *)a)->key, y = (*(const Json *const *)b)->key;
    int order = memcmp(x.p, y.p, x.n < y.n ? x.n : y.n);
    return order ? order : (x.n > y.n) - (x.n < y.n);
}

/* `in_dicts`: only objects directly inside objects lose secret_fields, as remove_nested_keys does. */
static void write_sorted(JsonWriter *w, Arena *arena, const Json *json, bool in_dicts)
{
    if (json->kind == JSON_ARRAY) {
        json_array(w);
        for (const Json *item = json->child; item; item = item->next)
            write_sorted(w, arena, item, false);
        json_array_end(w);
        return;
    }
    if (json->kind != JSON_OBJECT) {
        json_value(w, json);
        return;
    }
    const Json **members = arena_alloc(arena, (json->count + 1) * sizeof *members);
    size_t count = 0;
    for (const Json *member = json->child; member; member = member->next)
        if (!in_dicts || !str_is(member->key, "secret_fields"))
            members[count++] = member;
    qsort(members, count, sizeof *members, compare_keys);
    json_object(w);
    for (size_t i = 0; i < count; i++) {
        json_key_str(w, members[i]->key);
        write_sorted(w, arena, members[i], in_dicts);
    }
    json_object_end(w);
}

Str block_schema_checksum(Arena *arena, Str fields)
{
    const Json *json;
    JsonError unused;
    if (!json_parse(arena, fields, &json, &unused))
        return STR_NULL;
    Buf text;
    JsonWriter w;
    buf_init(&text, arena, fields.n + 16);
    json_writer_init(&w, &text, JSON_STORED);
    json_array(&w); /* the reference hashes (args, kwargs) */
    json_array(&w);
    write_sorted(&w, arena, json, true);
    json_array_end(&w);
    json_object(&w);
    json_object_end(&w);
    json_array_end(&w);
    return arena_printf(arena, "sha256:%.*s", STR_ARG(sha256_hex(arena, buf_view(&text))));
}

/* ---- reading and creating ---- */

/* The stored fields with `block_schema_references` last, as responses show them. */
static Str fields_with_references(Arena *arena, Str fields, const Json *references)
{
    const Json *json;
    JsonError unused;
    if (!json_parse(arena, fields, &json, &unused) || json->kind != JSON_OBJECT)
        return fields;
    Buf out;
    JsonWriter w;
    buf_init(&out, arena, fields.n + 64);
    json_writer_init(&w, &out, JSON_STORED);
    json_object(&w);
    for (const Json *member = json->child; member; member = member->next) {
        if (str_is(member->key, "block_schema_references"))
            continue;
        json_key_str(&w, member->key);
        json_value(&w, member);
    }
    if (references) {
        json_key(&w, "block_schema_references");
        json_value(&w, references);
    }
    json_object_end(&w);
    return buf_view(&out);
}

static const Json no_references = { .kind = JSON_OBJECT, .text = { "{}", 2 } };

#define SELECT_BLOCK_SCHEMA \
    "SELECT id, created, updated, checksum, fields, block_type_id, capabilities, version FROM block_schema "

static BlockSchema *first_block_schema(Tx *tx, Rows *rows)
{
    BlockSchema *schema = codec_first_row(tx, rows, &block_schema_model);
    if (!schema)
        return NULL;
    schema->fields = fields_with_references(tx->arena, schema->fields, &no_references);
    schema->block_type = block_type_read(tx, schema->block_type_id);
    return schema;
}

BlockSchema *block_schema_read(Tx *tx, Str id)
{
    return first_block_schema(tx, DB_QUERY(tx, SELECT_BLOCK_SCHEMA "WHERE id = $1", v_uuid(id)));
}

BlockSchema *block_schema_read_by_checksum(Tx *tx, Str checksum, Str version)
{
    if (!version.p)
        return first_block_schema(tx, DB_QUERY(tx, SELECT_BLOCK_SCHEMA "WHERE checksum = $1 ORDER BY created DESC LIMIT 1", v_text(checksum)));
    return first_block_schema(tx, DB_QUERY(tx, SELECT_BLOCK_SCHEMA "WHERE checksum = $1 AND version = $2 ORDER BY created DESC LIMIT 1",
                                           v_text(checksum), v_text(version)));
}

static bool has_references(Arena *arena, Str fields)
{
    const Json *json;
    JsonError unused;
    if (!json_parse(arena, fields, &json, &unused))
        return false;
    const Json *references = json_get(json, "block_schema_references");
    return references && references->kind == JSON_OBJECT && references->count > 0;
}

BlockSchema *block_schema_create(Tx *tx, const BlockSchema *wanted, bool *ret_created)
{
    Str checksum = block_schema_checksum(tx->arena, wanted->fields);
    BlockSchema *existing = block_schema_read_by_checksum(tx, checksum, wanted->version);
    *ret_created = false;
    if (existing || tx->error->code != ERR_NONE)
        return existing;
    if (has_references(tx->arena, wanted->fields)) {
        (void)fail(tx->error, ERR_INVALID, "Block schemas that nest other blocks are not supported by this server yet.");
        return NULL;
    }
    BlockSchema *schema = arena_new_of(tx->arena, BlockSchema);
    *schema = *wanted;
    schema->id = uuid_new(tx->arena);
    schema->created = schema->updated = tx->now;
    schema->checksum = checksum;
    schema->fields = fields_with_references(tx->arena, wanted->fields, NULL);
    if (codec_insert(tx, &block_schema_model, "block_schema", schema, NULL) != 1)
        return NULL;
    *ret_created = true;
    return block_schema_read(tx, schema->id);
}

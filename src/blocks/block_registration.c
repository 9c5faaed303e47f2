/* blocks/block_registration.c -- registers block types with their schemas: those in block_types.json, those of the
 * collections (extracted from the published package when the program is built), and files that users supply. */
#include "blocks/block_registration.h"

#include "blocks/block.h"

/* made by tools/embed.py; the latter may be empty */
extern const char block_types_builtin[], block_types_collections[];

typedef enum Existing { LEAVE, UPDATE } Existing;

/* One run over one or two files, in one transaction, on the stack of the three functions at the end;
 * they differ in the flags. */
typedef struct Registration {
    Tx *tx;
    BlockCatalog *catalog;  /* read once a file is known to be one */
    Existing existing;      /* what to do with a type that exists */
    bool system_only;       /* only the protected types */
    Buf *report;            /* NULL: none */
    size_t types;
} Registration;

/* As the reference reads such a file: unknown members are ignored, slugs are not checked. */
static const Field type_fields[] = {
    FIELD(BlockType, name, F_STR, .flags = REQUIRED),
    FIELD(BlockType, slug, F_STR, .flags = REQUIRED),
    FIELD(BlockType, logo_url, F_STR, .flags = NULLABLE, .check = block_check_url),
    FIELD(BlockType, documentation_url, F_STR, .flags = NULLABLE, .check = block_check_url),
    FIELD(BlockType, description, F_STR, .flags = NULLABLE),
    FIELD(BlockType, code_example, F_STR, .flags = NULLABLE),
    FIELD(BlockType, is_protected, F_BOOL, .fallback = "false"),
};
static const Field schema_fields[] = {
    FIELD(BlockSchema, checksum, F_STR, .flags = REQUIRED),
    FIELD(BlockSchema, fields, F_DICT, .fallback = "{}"),
    FIELD(BlockSchema, capabilities, F_STRS, .fallback = "[]"),
    FIELD(BlockSchema, version, F_STR, .fallback = "\"non-versioned\""),
};
static const Model type_model = MODEL(BlockType, type_fields, .table = "block_type");
static const Model schema_model = MODEL(BlockSchema, schema_fields);

/* ---- what is wrong with a file ---- */

/* The first of the errors: "block_schemas.0.checksum: field required". */
static Str first_error(const Invalid *invalid)
{
    Str items = buf_view(&invalid->items);
    const Json *errors = json_read(invalid->arena, arena_printf(invalid->arena, "[%.*s]", STR_ARG(items)));
    Buf text;
    buf_init(&text, invalid->arena, 64);
    if (!errors || !errors->child)
        return STR("not valid");
    const Json *loc = json_get(errors->child, "loc"), *message = json_get(errors->child, "msg");
    for (const Json *place = loc ? loc->child : NULL; place; place = place->next) {
        buf_str(&text, place->text);
        buf_text(&text, place->next ? "." : ": ");
    }
    if (message)
        buf_str(&text, message->text);
    return buf_view(&text);
}

static bool refuse(Registration *registration, const char *collection, Str type, Str what)
{
    return fail(registration->tx->error, ERR_INVALID, "block type \"%.*s\" of %s: %.*s", STR_ARG(type), collection,
                STR_ARG(what));
}

static bool decode(Registration *registration, const Model *model, const Json *json, void *object, FieldSet *ret_sent,
                   Str *ret_error)
{
    Invalid invalid;
    invalid_init(&invalid, registration->tx->arena, registration->tx->now);
    if (codec_decode(&invalid, model, json, object, ret_sent))
        return true;
    *ret_error = first_error(&invalid);
    return false;
}

/* ---- one type ---- */

/* Overwrites the row with the file's values; protection is never taken away. */
static bool update_type(Registration *registration, BlockType *type, FieldSet sent)
{
    const BlockType *there = block_type_read_by_slug(registration->tx, type->slug);
    if (!there)
        return false;
    const FieldSet is_protected = (FieldSet)1 << (COUNT_OF(type_fields) - 1);
    if (registration->system_only)
        block_type_escape(registration->tx->arena, type); /* recreated; a mere update stores the text as it is */
    if (!type->is_protected)
        sent &= ~is_protected;
    if (codec_update(registration->tx, &type_model, there->id, type, sent) != 1)
        return false;
    /* Recreated as by an upsert, which leaves the time of the last update as it was. */
    return !registration->system_only || DB_EXEC(registration->tx, "UPDATE block_type SET updated = $1 WHERE id = $2",
                                                 v_time(there->updated), v_uuid(there->id)) == 1;
}

/* *ret_word: what happened to it, for the report. */
static bool register_type(Registration *registration, BlockType *type, FieldSet sent, Str *ret_id,
                          const char **ret_word)
{
    Tx *tx = registration->tx;
    const KnownType *there = block_catalog_type(registration->catalog, type->slug);
    if (!there) {
        *ret_word = "registered";
        const BlockType *made = tx->error->code == ERR_NONE ? block_type_insert(tx, type) : NULL;
        *ret_id = made ? made->id : STR_NULL;
        if (made)
            block_catalog_add_type(registration->catalog, made->id, made->slug, made->is_protected);
        return made != NULL;
    }
    bool unprotected = type->is_protected && !there->is_protected;
    *ret_id = there->id;
    *ret_word = "updated";
    return (registration->existing == LEAVE && !unprotected) || update_type(registration, type, sent);
}

static bool register_schemas(Registration *registration, const Json *schemas, Str type_id, size_t *ret_new,
                             Str *ret_error)
{
    Tx *tx = registration->tx;
    *ret_new = 0;
    for (const Json *item = schemas ? schemas->child : NULL; item; item = item->next) {
        BlockSchema schema;
        bool created;
        if (!decode(registration, &schema_model, item, &schema, NULL, ret_error))
            return false;
        /* Trusting the file's checksum saves computing it, on every start but the first. */
        if (block_catalog_schema(registration->catalog, schema.checksum, schema.version).p)
            continue;
        schema.block_type_id = type_id;
        if (!block_schema_register(tx, &schema, registration->catalog, &created))
            return false;
        *ret_new += created;
    }
    return tx->error->code == ERR_NONE;
}

static bool register_block(Registration *registration, const char *collection, const Json *json)
{
    BlockType type;
    Str id, error = STR_NULL;
    const char *word;
    FieldSet sent;
    size_t count;
    if (!decode(registration, &type_model, json, &type, &sent, &error))
        return refuse(registration, collection, json->key, error);
    if (registration->report)
        type.is_protected = false; /* a user's file may add types, but not protect them */
    if (registration->system_only && !type.is_protected)
        return true;
    const Json *schemas = json_get(json, "block_schemas");
    if (!json_is_null(schemas) && schemas->kind != JSON_ARRAY)
        return refuse(registration, collection, json->key, STR("block_schemas: value is not a valid list"));
    if (!register_type(registration, &type, sent, &id, &word))
        return false;
    if (!register_schemas(registration, schemas, id, &count, &error))
        return error.p ? refuse(registration, collection, json->key, error) : false;
    registration->types++;
    if (registration->report)
        buf_printf(registration->report, "%.*s: %s, %zu new schema%s\n", STR_ARG(type.slug), word, count,
                   count == 1 ? "" : "s");
    return true;
}

/* ---- a file ---- */

static bool register_collection(Registration *registration, const Json *collection)
{
    const Json *types = json_get(collection, "block_types");
    const char *name = arena_cstr(registration->tx->arena, collection->key);
    if (!types || types->kind != JSON_OBJECT)
        return fail(registration->tx->error, ERR_INVALID, "%s has no object \"block_types\"", name);
    for (const Json *type = types->child; type; type = type->next) {
        ArenaMark mark = arena_mark(registration->tx->arena);
        if (!register_block(registration, name, type))
            return false;
        if (!registration->report) /* the report is in that arena */
            arena_release(registration->tx->arena, mark);
    }
    return true;
}

static bool register_file(Registration *registration, Str text)
{
    const Json *json;
    JsonError error;
    Error *failure = registration->tx->error;
    if (!json_parse(registration->tx->arena, text, &json, &error))
        return fail(failure, ERR_INVALID, "it is not JSON: %s at character %zu", error.message, error.position);
    const Json *collections = json_get(json, "collections");
    if (!collections || collections->kind != JSON_OBJECT)
        return fail(failure, ERR_INVALID, "it has no object \"collections\"");
    if (!registration->catalog)
        registration->catalog = block_catalog_read(registration->tx);
    for (const Json *collection = collections->child; collection; collection = collection->next)
        if (!register_collection(registration, collection))
            return false;
    return true;
}

/* The texts are NULL at the end. Several servers may start at once. */
static bool register_files(Registration *registration, const Str *texts)
{
    bool ok = true;
    db_lock(registration->tx, LOCK_BLOCKS);
    for (; ok && texts->p; texts++)
        ok = register_file(registration, *texts);
    if (registration->catalog)
        block_catalog_free(registration->catalog);
    return ok;
}

bool block_registration_run(Tx *tx)
{
    Registration registration = { .tx = tx, .existing = LEAVE };
    Str collections = block_types_collections[0] ? str_from(block_types_collections) : STR_NULL;
    const Str texts[] = { str_from(block_types_builtin), collections, STR_NULL };
    return register_files(&registration, texts);
}

bool block_registration_install_system(Tx *tx)
{
    Registration registration = { .tx = tx, .existing = UPDATE, .system_only = true };
    const Str texts[] = { str_from(block_types_builtin), STR_NULL };
    return register_files(&registration, texts);
}

bool block_registration_import(Tx *tx, Str text, Str *ret_report)
{
    Buf report;
    buf_init(&report, tx->arena, 1024);
    Registration registration = { .tx = tx, .existing = UPDATE, .report = &report };
    const Str texts[] = { text, STR_NULL };
    if (!register_files(&registration, texts))
        return false;
    if (registration.types == 0)
        return fail(tx->error, ERR_INVALID, "it has no block types");
    *ret_report = (Str){ buf_cstr(&report), report.n };
    return true;
}

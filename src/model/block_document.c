/* model/block_document.c -- documents: a schema's fields filled in, encrypted as one Fernet token. */
#include "model/block.h"

#include "base/ident.h"
#include "model/block_data.h"
#include "model/encryption.h"
#include "model/flow.h"

static bool check_document_name(Invalid *invalid, void *member)
{
    Str name = *(Str *)member;
    if (name.p && !check_name(invalid, member))
        return false;
    return block_name_is_plain(name) || invalid_add(invalid, "value_error", NULL, "name must only contain lowercase letters, numbers, and dashes");
}

static bool named_unless_anonymous(Invalid *invalid, void *object)
{
    const BlockDocument *document = object;
    if (document->is_anonymous || document->name.n)
        return true;
    invalid_enter(invalid, "__root__");
    invalid_add(invalid, "value_error", NULL, "Names must be provided for block documents.");
    invalid_leave(invalid);
    return false;
}

static const Field columns[] = { /* order: of the keys in responses */
    FIELD(BlockDocument, id, F_UUID),
    FIELD(BlockDocument, created, F_TIME),
    FIELD(BlockDocument, updated, F_TIME),
    FIELD(BlockDocument, name, F_STR),
    FIELD(BlockDocument, data, F_DICT),
    FIELD(BlockDocument, block_schema_id, F_UUID),
    FIELD(BlockDocument, block_schema, F_OPT_MODEL, .flags = VIRTUAL, .model = &block_schema_model),
    FIELD(BlockDocument, block_type_id, F_UUID),
    FIELD(BlockDocument, block_type, F_OPT_MODEL, .flags = VIRTUAL, .model = &block_type_model),
    FIELD(BlockDocument, block_document_references, F_DICT, .flags = VIRTUAL),
    FIELD(BlockDocument, is_anonymous, F_BOOL),
};
static const Field create_fields[] = {
    FIELD(BlockDocument, name, F_STR, .flags = NULLABLE, .check = check_document_name),
    FIELD(BlockDocument, data, F_DICT, .fallback = "{}"),
    FIELD(BlockDocument, block_schema_id, F_UUID, .flags = REQUIRED),
    FIELD(BlockDocument, block_type_id, F_UUID, .flags = REQUIRED),
    FIELD(BlockDocument, is_anonymous, F_BOOL, .fallback = "false"),
};
static const Field update_fields[] = {
    FIELD(BlockDocumentUpdate, block_schema_id, F_UUID, .flags = NULLABLE),
    FIELD(BlockDocumentUpdate, data, F_DICT, .fallback = "{}"),
    FIELD(BlockDocumentUpdate, merge_existing_data, F_BOOL, .fallback = "true"),
};
const Model block_document_model = MODEL(BlockDocument, columns);
const Model block_document_create_model = MODEL(BlockDocument, create_fields, .forbid_extra = true, .finish = named_unless_anonymous);
const Model block_document_update_model = MODEL(BlockDocumentUpdate, update_fields, .forbid_extra = true);

static const Json *parse_object(Arena *arena, Str text)
{
    static const Json empty = { .kind = JSON_OBJECT };
    const Json *json;
    JsonError unused;
    bool ok = text.p && json_parse(arena, text, &json, &unused) && json->kind == JSON_OBJECT;
    return ok ? json : &empty;
}

/* The column holds the token as a JSON string; a token has nothing to escape. */
static Str unquote(Str json)
{
    bool quoted = json.n >= 2 && json.p[0] == '"' && json.p[json.n - 1] == '"';
    return quoted ? (Str){ json.p + 1, json.n - 2 } : json;
}

static Value v_token(Tx *tx, Str token)
{
    return v_json(arena_printf(tx->arena, "\"%.*s\"", STR_ARG(token)));
}

/* The row with its schema; `data` is the token still. */
static BlockDocument *read_encrypted(Tx *tx, Str id)
{
    Rows *rows = DB_QUERY(tx,
                          "SELECT id, created, updated, name, data, block_schema_id, block_type_id, is_anonymous"
                          " FROM block_document WHERE id = $1",
                          v_uuid(id));
    if (!db_next(rows))
        return NULL;
    BlockDocument *document = arena_new_of(tx->arena, BlockDocument);
    document->id = row_text(rows, 0);
    document->created = row_time(rows, 1);
    document->updated = row_time(rows, 2);
    document->name = row_text(rows, 3);
    document->data = unquote(row_text(rows, 4));
    document->block_schema_id = row_text(rows, 5);
    document->block_type_id = row_text(rows, 6);
    document->is_anonymous = row_bool(rows, 7);
    db_done(rows);
    document->block_schema = block_schema_read(tx, document->block_schema_id);
    document->block_type = block_type_read(tx, document->block_type_id);
    document->block_document_references = STR("{}");
    return tx->error->code == ERR_NONE ? document : NULL;
}

static const Json *schema_fields(Tx *tx, const BlockDocument *document)
{
    return parse_object(tx->arena, document->block_schema ? document->block_schema->fields : STR_NULL);
}

BlockDocument *block_document_read(Tx *tx, Str id, bool include_secrets)
{
    BlockDocument *document = read_encrypted(tx, id);
    if (!document)
        return NULL;
    Str data = decrypt_data(tx, document->data);
    if (!data.p)
        return NULL;
    const Json *json = parse_object(tx->arena, data);
    if (!include_secrets)
        json = block_data_obfuscate(tx->arena, json, schema_fields(tx, document));
    document->data = json_format(tx->arena, json, JSON_STORED);
    return document;
}

static bool refuse_references(Tx *tx, Str data)
{
    const Json *json = parse_object(tx->arena, data);
    for (const Json *member = json->child; member; member = member->next)
        if (member->kind == JSON_OBJECT && json_get(member, "$ref"))
            return fail(tx->error, ERR_INVALID, "Block documents that refer to other documents are not supported by this server yet.");
    return true;
}

BlockDocument *block_document_create(Tx *tx, const BlockDocument *wanted)
{
    Str name = wanted->name, id = uuid_new(tx->arena);
    if (wanted->is_anonymous && name.n == 0) {
        name = arena_printf(tx->arena, "anonymous-%.*s", STR_ARG(uuid_new(tx->arena)));
    } else if (DB_INT(tx, 0, "SELECT count(*) FROM block_document WHERE block_type_id = $1 AND name = $2",
                      v_uuid(wanted->block_type_id), v_text(name)) > 0) {
        (void)fail(tx->error, ERR_CONFLICT, "Block already exists");
        return NULL;
    }
    if (!refuse_references(tx, wanted->data))
        return NULL;
    Str token = encrypt_data(tx, wanted->data);
    if (!token.p)
        return NULL;
    DB_EXEC(tx,
            "INSERT INTO block_document (id, created, updated, name, data, is_anonymous, block_type_id, block_schema_id)"
            " VALUES ($1, $2, $2, $3, $4, $5, $6, $7)",
            v_uuid(id), v_time(tx->now), v_text(name), v_token(tx, token),
            v_bool(wanted->is_anonymous), v_uuid(wanted->block_type_id), v_uuid(wanted->block_schema_id));
    return block_document_read(tx, id, false);
}

/* A document may move to another schema of the same type only. */
static bool move_to_schema(Tx *tx, const BlockDocument *document, Str schema_id)
{
    if (!schema_id.p || str_eq(schema_id, document->block_schema_id))
        return true;
    const BlockSchema *schema = block_schema_read(tx, schema_id);
    if (!schema)
        return fail(tx->error, ERR_INTEGRITY, "block document update names a schema that does not exist");
    if (!str_eq(schema->block_type_id, document->block_type_id))
        return fail(tx->error, ERR_BAD_REQUEST, "Must migrate block document to a block schema of the same block type.");
    return DB_EXEC(tx, "UPDATE block_document SET block_schema_id = $1 WHERE id = $2", v_uuid(schema_id), v_uuid(document->id)) >= 0;
}

bool block_document_update(Tx *tx, Str id, const BlockDocumentUpdate *update, FieldSet sent)
{
    enum { SENT_DATA = 2 };
    const BlockDocument *document = read_encrypted(tx, id);
    if (!document)
        return fail(tx->error, ERR_NOT_FOUND, "Block document not found");
    if (update->merge_existing_data && !(sent & SENT_DATA))
        return true;
    Str current = decrypt_data(tx, document->data);
    if (!current.p || !refuse_references(tx, update->data))
        return false;
    const Json *data = block_data_update(tx->arena, parse_object(tx->arena, current), parse_object(tx->arena, update->data),
                                         schema_fields(tx, document), update->merge_existing_data);
    Str token = encrypt_data(tx, json_format(tx->arena, data, JSON_STORED));
    if (!token.p)
        return false;
    Buf sql;
    buf_init(&sql, tx->arena, 128);
    buf_printf(&sql, "UPDATE block_document SET data = $1, updated = %s WHERE id = $2", tx->sql->now);
    Value values[] = { v_token(tx, token), v_uuid(id) };
    return db_exec(tx, buf_cstr(&sql), values, COUNT_OF(values)) >= 0 && move_to_schema(tx, document, update->block_schema_id);
}

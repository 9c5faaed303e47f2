/* blocks/block_document.c -- documents: a schema's fields filled in, encrypted as one Fernet token. A field that holds
 * another document is a row of block_document_reference; what is read has that document's data in its place. */
#include "blocks/block.h"

#include "base/uuid.h"
#include "blocks/block_data.h"
#include "blocks/block_dict.h"
#include "blocks/encryption.h"
#include "entity/checks.h"

enum {
    NESTED_MAX = 10000,     /* documents read by a reader: one that several refer to counts each time */
    NESTED_DEPTH_MAX = 50,
    NESTED_BYTES_MAX = 64 << 20
};

static bool check_document_name(Invalid *invalid, void *member)
{
    Str name = *(Str *)member;
    if (name.p && !check_name(invalid, member))
        return false;
    return block_name_is_plain(name) ||
           invalid_add(invalid, "value_error", NULL, "name must only contain lowercase letters, numbers, and dashes");
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
    FIELD(BlockDocument, name, F_STR, .flags = NULLABLE),
    FIELD(BlockDocument, data, F_ANY, .schema = "{\"type\": \"object\"}"), /* stored as a token, in a JSON string */
    FIELD(BlockDocument, block_schema_id, F_UUID),
    FIELD(BlockDocument, block_schema, F_OPT_MODEL, .flags = NULLABLE | VIRTUAL, .model = &block_schema_model),
    FIELD(BlockDocument, block_type_id, F_UUID),
    FIELD(BlockDocument, block_type, F_OPT_MODEL, .flags = NULLABLE | VIRTUAL, .model = &block_type_model),
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
const Model block_document_model = MODEL(BlockDocument, columns, .table = "block_document");
const Model block_document_create_model = MODEL(BlockDocument, create_fields,
    .forbid_extra = true, .finish = named_unless_anonymous, .schema = "BlockDocumentCreate");
const Model block_document_update_model = MODEL(BlockDocumentUpdate, update_fields,
                                                .forbid_extra = true, .schema = "BlockDocumentUpdate");

/* The column holds the token as a JSON string; a token has nothing to escape. */
static Str unquote(Str json)
{
    bool quoted = json.n >= 2 && json.p[0] == '"' && json.p[json.n - 1] == '"';
    return quoted ? (Str){ json.p + 1, json.n - 2 } : json;
}

/* Null: tx->error. */
static Str encrypted(Tx *tx, const Json *data)
{
    Str token = block_data_encrypt(tx, json_format(tx->arena, data, JSON_STORED));
    return token.p ? arena_printf(tx->arena, "\"%.*s\"", STR_ARG(token)) : STR_NULL;
}

/* The row; `data` is still the token. */
static BlockDocument *read_encrypted(Tx *tx, Str id)
{
    BlockDocument *document = codec_read(tx, &block_document_model, "WHERE block_document.id = $1", v_uuid(id));
    if (!document)
        return NULL;
    document->data = unquote(document->data);
    document->block_document_references = STR("{}");
    return document;
}

/* ---- reading ---- */

/* A schema that the reader has read; in its list, newest first. */
struct KnownSchema {
    BlockSchema *schema;
    const Json *fields;
    struct KnownSchema *next;
};

static const struct KnownSchema *known_schema(BlockReader *reader, Str id)
{
    struct KnownSchema *known = reader->schemas;
    while (known && !str_eq(known->schema->id, id))
        known = known->next;
    if (known)
        return known;
    Tx *tx = reader->tx;
    Arena *of_document = tx->arena;
    tx->arena = reader->arena;
    BlockSchema *schema = block_schema_read(tx, id);
    if (schema) {
        known = arena_new_of(tx->arena, struct KnownSchema);
        *known = (struct KnownSchema){ schema, json_object_of(tx->arena, schema->fields), reader->schemas };
        reader->schemas = known;
    }
    tx->arena = of_document;
    return known;
}

/* A document being read, and the one that refers to it. On the stack: the chain of parents shows circles. */
typedef struct Reading {
    const struct Reading *parent;
    BlockDocument *document;
    const Json *data;
    size_t depth;
} Reading;

static bool read_below(BlockReader *reader, Reading *reading);

static bool read_one(BlockReader *reader, Reading *reading, Str id)
{
    Tx *tx = reader->tx;
    BlockDocument *document = reading->document = read_encrypted(tx, id);
    if (!document)
        return false;
    if (++reader->count > NESTED_MAX || reading->depth > NESTED_DEPTH_MAX)
        return fail(tx->error, ERR_TOO_LARGE, "Block documents refer to too many others: at most %d on %d levels.",
                    NESTED_MAX, NESTED_DEPTH_MAX);
    const struct KnownSchema *known = known_schema(reader, document->block_schema_id);
    if (!known)
        return false;
    document->block_schema = known->schema;
    document->block_type = str_eq(document->block_type_id, known->schema->block_type_id)
                               ? known->schema->block_type
                               : block_type_read(tx, document->block_type_id);
    Str data = block_data_decrypt(tx, document->data);
    if (!data.p || !document->block_type)
        return false;
    reader->nested_bytes += reading->parent ? data.n : 0;
    if (reader->nested_bytes > NESTED_BYTES_MAX)
        return fail(tx->error, ERR_TOO_LARGE, "Block documents refer to too much: at most %d MB.",
                    NESTED_BYTES_MAX >> 20);
    reading->data = json_object_of(tx->arena, data);
    if (!reader->include_secrets)
        reading->data = block_data_obfuscate(tx->arena, reading->data, known->fields);
    return read_below(reader, reading);
}

static void write_reference(JsonWriter *w, Str name, const BlockDocument *document)
{
    json_key_str(w, name);
    json_object(w);
    json_key(w, "block_document");
    json_object(w);
    json_key(w, "id");
    json_str(w, document->id);
    json_key(w, "name");
    json_str(w, document->name);
    json_key(w, "block_type");
    codec_write(w, &block_type_model, document->block_type);
    json_key(w, "is_anonymous");
    json_bool(w, document->is_anonymous);
    json_key(w, "block_document_references");
    json_stored(w, document->block_document_references);
    json_object_end(w);
    json_object_end(w);
}

static bool is_under_way(const Reading *reading, Str id)
{
    for (; reading; reading = reading->parent)
        if (str_eq(reading->document->id, id))
            return true;
    return false;
}

static BlockReference *read_references(Tx *tx, Str id)
{
    BlockReference *first = NULL, **tail = &first;
    Rows *rows = DB_QUERY(tx,
                          "SELECT reference.name, reference.reference_block_document_id"
                          " FROM block_document_reference AS reference"
                          " JOIN block_document ON block_document.id = reference.reference_block_document_id"
                          " WHERE reference.parent_block_document_id = $1 ORDER BY block_document.name, reference.name",
                          v_uuid(id));
    while (db_next(rows)) {
        BlockReference *reference = arena_new_of(tx->arena, BlockReference);
        reference->name = row_text(rows, 0);
        reference->document_id = row_text(rows, 1);
        *tail = reference;
        tail = &reference->next;
    }
    return first;
}

/* Adds the data of the documents that it refers to, and lists them. A reference back to one that
 * is being read is left out. */
static bool read_below(BlockReader *reader, Reading *reading)
{
    Tx *tx = reader->tx;
    BlockReference *references = read_references(tx, reading->document->id);
    Dict data;
    Buf text;
    JsonWriter w;
    if (tx->error->code != ERR_NONE || !references)
        return tx->error->code == ERR_NONE;
    dict_init(&data, tx->arena, reading->data);
    buf_init(&text, tx->arena, 512);
    json_writer_init(&w, &text, JSON_STORED);
    json_object(&w);
    for (; references; references = references->next) {
        Reading child = { .parent = reading, .depth = reading->depth + 1 };
        if (is_under_way(reading, references->document_id))
            continue;
        if (!read_one(reader, &child, references->document_id))
            return false;
        dict_put(&data, references->name, child.data);
        write_reference(&w, references->name, child.document);
    }
    json_object_end(&w);
    reading->data = dict_object(&data);
    reading->document->block_document_references = buf_view(&text);
    return true;
}

static BlockDocument *read_whole(BlockReader *reader, Str id)
{
    Reading reading = { .parent = NULL };
    if (!read_one(reader, &reading, id))
        return NULL;
    reading.document->data = json_format(reader->tx->arena, reading.data, JSON_STORED);
    return reading.document;
}

const void *block_reader_document(void *reader, Str id)
{
    return read_whole(reader, id);
}

BlockDocument *block_document_read(Tx *tx, Str id, bool include_secrets)
{
    BlockReader reader = { .tx = tx, .include_secrets = include_secrets, .arena = tx->arena };
    return read_whole(&reader, id);
}

/* ---- writing ---- */

/* Documents that contain each other could not be read again. */
static bool check_no_circle(Tx *tx, Str parent_id, const BlockReference *reference)
{
    int64_t leads_back =
        DB_INT(tx, 0,
               "WITH RECURSIVE below (id) AS (SELECT block_document.id FROM block_document WHERE block_document.id = $1"
               " UNION SELECT reference.reference_block_document_id"
               " FROM block_document_reference AS reference"
               " JOIN below ON below.id = reference.parent_block_document_id)"
               " SELECT count(*) FROM below WHERE id = $2",
               v_uuid(reference->document_id), v_uuid(parent_id));
    if (leads_back)
        return fail(tx->error, ERR_BAD_REQUEST,
                    "The block document in key %.*s refers to the one that would contain it.",
                    STR_ARG(reference->name));
    return tx->error->code == ERR_NONE;
}

static bool add_reference(Tx *tx, Str parent_id, const BlockReference *reference)
{
    return check_no_circle(tx, parent_id, reference) &&
           DB_SEND(tx,
                   "INSERT INTO block_document_reference (id, created, updated, name, parent_block_document_id, "
                   "reference_block_document_id)"
                   " VALUES ($1, $2, $2, $3, $4, $5)",
                   v_uuid(uuid_new(tx->arena)), v_time(tx->now), v_text(reference->name), v_uuid(parent_id),
                   v_uuid(reference->document_id));
}

BlockDocument *block_document_create(Tx *tx, const BlockDocument *wanted)
{
    BlockDocument row = *wanted;
    BlockReference *references;
    if (row.name.p && DB_INT(tx, 0, "SELECT count(*) FROM block_document WHERE block_type_id = $1 AND name = $2",
                             v_uuid(row.block_type_id), v_text(row.name))) {
        (void)fail(tx->error, ERR_CONFLICT, "Block already exists");
        return NULL;
    }
    row.id = uuid_new(tx->arena);
    row.created = row.updated = tx->now;
    if (row.is_anonymous && row.name.n == 0)
        row.name = arena_printf(tx->arena, "anonymous-%.*s", STR_ARG(uuid_new(tx->arena)));
    const Json *data = block_data_separate(tx->arena, json_object_of(tx->arena, wanted->data), &references, tx->error);
    row.data = data ? encrypted(tx, data) : STR_NULL;
    if (!row.data.p || !codec_send_insert(tx, &block_document_model, &row))
        return NULL;
    for (; references; references = references->next)
        if (!add_reference(tx, row.id, references))
            return NULL;
    return block_document_read(tx, row.id, false);
}

/* A document may only move to another schema of the same type. */
static bool move_to_schema(Tx *tx, const BlockDocument *document, Str schema_id)
{
    if (!schema_id.p || str_eq(schema_id, document->block_schema_id))
        return true;
    Str type_id = DB_TEXT(tx, "SELECT block_type_id FROM block_schema WHERE id = $1", v_uuid(schema_id));
    if (!type_id.p)
        return fail(tx->error, ERR_INTEGRITY, "block document update names a schema that does not exist");
    if (!str_eq(type_id, document->block_type_id))
        return fail(tx->error, ERR_BAD_REQUEST,
                    "Must migrate block document to a block schema of the same block type.");
    return DB_SEND(tx, "UPDATE block_document SET block_schema_id = $1 WHERE id = $2", v_uuid(schema_id),
                   v_uuid(document->id));
}

/* Makes the rows of references match the data; a row that already does is kept. */
static bool replace_references(Tx *tx, Str id, const BlockReference *wanted)
{
    /* The wanted references by name, less those that have a row: in the end, those to be added. */
    Dict kept;
    dict_init(&kept, tx->arena, NULL);
    for (const BlockReference *reference = wanted; reference; reference = reference->next)
        dict_put(&kept, reference->name, json_of_str(tx->arena, reference->document_id));
    for (const BlockReference *there = read_references(tx, id); there; there = there->next) {
        const Json *same = dict_get(&kept, there->name);
        if (same && str_eq(same->text, there->document_id))
            dict_drop(&kept, there->name);
        else
            DB_SEND(tx,
                    "DELETE FROM block_document_reference"
                    " WHERE parent_block_document_id = $1 AND name = $2 AND reference_block_document_id = $3",
                    v_uuid(id), v_text(there->name), v_uuid(there->document_id));
    }
    for (const Json *added = dict_object(&kept)->child; added; added = added->next) {
        BlockReference reference = { .name = added->key, .document_id = added->text };
        if (!add_reference(tx, id, &reference))
            return false;
    }
    return tx->error->code == ERR_NONE;
}

static bool write_data(Tx *tx, Str id, const Json *data)
{
    Str column = encrypted(tx, data);
    return column.p && row_send_set(tx, "block_document", id, "data", v_json(column));
}

bool block_document_update(Tx *tx, Str id, const BlockDocumentUpdate *update, FieldSet sent)
{
    /* The bit of update_fields' `data`. */
    enum { SENT_DATA = 2 };
    BlockReference *references;
    const BlockDocument *document = read_encrypted(tx, id);
    if (!document)
        return fail(tx->error, ERR_NOT_FOUND, "Block document not found");
    if (update->merge_existing_data && !(sent & SENT_DATA))
        return true;
    Str current = block_data_decrypt(tx, document->data);
    Str fields = DB_TEXT(tx, "SELECT fields FROM block_schema WHERE id = $1", v_uuid(document->block_schema_id));
    if (!current.p || tx->error->code != ERR_NONE)
        return false;
    const Json *data = block_data_update(tx->arena, json_object_of(tx->arena, current),
                                         json_object_of(tx->arena, update->data), json_object_of(tx->arena, fields),
                                         update->merge_existing_data);
    data = block_data_separate(tx->arena, data, &references, tx->error);
    return data && write_data(tx, id, data) && move_to_schema(tx, document, update->block_schema_id) &&
           replace_references(tx, id, references);
}

/* ---- documents of a type ---- */

Rows *block_type_document_ids(Tx *tx, Str type_id)
{
    return DB_QUERY(tx, "SELECT id FROM block_document WHERE block_type_id = $1 AND is_anonymous = $2 ORDER BY name",
                    v_uuid(type_id), v_bool(false));
}

Str block_type_document_id(Tx *tx, Str type_slug, Str name)
{
    return DB_TEXT(tx,
                   "SELECT block_document.id FROM block_document"
                   " JOIN block_type ON block_type.id = block_document.block_type_id"
                   " WHERE block_type.slug = $1 AND block_document.name = $2",
                   v_text(type_slug), v_text(name));
}

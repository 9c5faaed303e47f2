/* api/routes/block_schemas.c -- /block_schemas: the routes stand at the end. */
#include "api/routes/families.h"

#include "blocks/block.h"
#include "model/filters.h"

typedef struct Version {
    Str version;
} Version;

static const Field version_fields[] = { FIELD(Version, version, F_STR, .flags = NULLABLE) };
static const Model version_model = MODEL(Version, version_fields);

static bool reply_block_schema(Req *req, const BlockSchema *schema)
{
    if (!schema)
        return req_fail(req, ERR_NOT_FOUND, "Block schema not found");
    reply_model(req, &block_schema_model, schema);
    return true;
}

static bool create_block_schema(Req *req)
{
    const BlockSchema *wanted = req->object;
    bool created;
    if (!wanted->block_type_id.p || !block_type_read(req->tx, wanted->block_type_id)) {
        Str id = wanted->block_type_id.p ? wanted->block_type_id : STR("None");
        return req_fail(req, ERR_NOT_FOUND, arena_printf(req->arena, "Block type %.*s not found.", STR_ARG(id)).p);
    }
    BlockSchema *schema = block_schema_create(req->tx, wanted, &created);
    if (!schema)
        return false;
    reply_status(req, created ? 201 : 200);
    return reply_block_schema(req, schema);
}

static bool delete_block_schema(Req *req)
{
    const BlockSchema *schema = block_schema_read(req->tx, req->params[0]);
    if (!schema)
        return reply_block_schema(req, NULL);
    if (schema->block_type && schema->block_type->is_protected)
        return req_fail(req, ERR_FORBIDDEN, "Block schemas for protected block types cannot be deleted.");
    return DB_EXEC(req->tx, "DELETE FROM block_schema WHERE id = $1", v_uuid(req->params[0])) > 0;
}

static bool read_block_schema(Req *req)
{
    return reply_block_schema(req, block_schema_read(req->tx, req->params[0]));
}

static bool read_block_schema_by_checksum(Req *req)
{
    const Version *wanted = req->object;
    return reply_block_schema(req, block_schema_read_by_checksum(req->tx, req->params[0], wanted->version));
}

/* Newest first; each is read anew, with what is nested in it. */
static bool read_block_schemas(Req *req)
{
    struct Id { Str id; struct Id *next; } *first = NULL, **tail = &first;
    req->order_by = "block_schema.created DESC, block_schema.id DESC";
    for (Rows *rows = list_rows(req, STR("SELECT block_schema.id FROM block_schema")); db_next(rows); tail = &(*tail)->next) {
        *tail = arena_new_of(req->arena, struct Id);
        (*tail)->id = row_text(rows, 0);
    }
    JsonWriter *w = reply_json(req);
    json_array(w);
    for (; first; first = first->next) {
        const BlockSchema *schema = block_schema_read(req->tx, first->id);
        if (list_leaves_out(req, first->id))
            continue;
        if (!schema)
            return false;
        codec_write(w, &block_schema_model, schema);
    }
    json_array_end(w);
    return req->tx->error->code == ERR_NONE;
}

static const ListSpec schema_list = { .links = block_schema_links, .link_count = BLOCK_SCHEMA_LINKS, .table = "block_schema", .offset_last = true };

static const Route block_schema_routes[] = {
    { HTTP_POST,   "/block_schemas/",                        create_block_schema,           TX_WRITE, 201, .lock = LOCK_BLOCKS,
      .body = &block_schema_create_model, .name = "create_block_schema", .reply = &block_schema_model },
    { HTTP_DELETE, "/block_schemas/{id}",                    delete_block_schema,           TX_WRITE, 204, .lock = LOCK_BLOCKS, .name = "delete_block_schema" },
    { HTTP_POST,   "/block_schemas/filter",                  read_block_schemas,            TX_READ,  200, .prepare = prepare_list,
      .spec = &schema_list, .name = "read_block_schemas", .reply = &block_schema_model, .reply_list = true },
    { HTTP_GET,    "/block_schemas/{id}",                    read_block_schema,             TX_READ,  200, .name = "read_block_schema_by_id",
      .reply = &block_schema_model },
    { HTTP_GET,    "/block_schemas/checksum/{checksum:str}", read_block_schema_by_checksum, TX_READ,  200, .query = &version_model,
      .name = "read_block_schema_by_checksum", .reply = &block_schema_model },
};
const RouteFamily block_schema_family = FAMILY(block_schema_routes, .tag = "Block schemas");

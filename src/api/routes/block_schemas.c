/* api/routes/block_schemas.c -- /block_schemas: found by id or checksum; its table of routes is at the end. */
#include "api/routes/families.h"

#include "blocks/block.h"
#include "model/filters.h"
#include "model/removal.h"

typedef struct Version {
    Str version;
} Version;

static const Field version_fields[] = { FIELD(Version, version, F_STR, .flags = NULLABLE) };
static const Model version_model = MODEL(Version, version_fields);

static bool create_block_schema(Req *req)
{
    const BlockSchema *wanted = req->object;
    bool created;
    if (!wanted->block_type_id.p || !block_type_read(req->tx, wanted->block_type_id)) {
        Str id = wanted->block_type_id.p ? wanted->block_type_id : STR("None");
        return req_fail(req, ERR_NOT_FOUND, arena_printf(req->arena, "Block type %.*s not found.", STR_ARG(id)).p);
    }
    BlockSchema *schema = block_schema_create(req->tx, wanted, &created);
    if (schema && !created)
        reply_status(req, 200);
    return crud_reply(req, schema);
}

static bool delete_block_schema(Req *req)
{
    const BlockSchema *schema = block_schema_read(req->tx, req->params[0]);
    if (!schema)
        return crud_missing(req);
    if (schema->block_type && schema->block_type->is_protected)
        return req_fail(req, ERR_FORBIDDEN, "Block schemas for protected block types cannot be deleted.");
    return crud_delete(req);
}

static bool read_block_schema(Req *req)
{
    return crud_reply(req, block_schema_read(req->tx, req->params[0]));
}

static bool read_block_schema_by_checksum(Req *req)
{
    const Version *wanted = req->object;
    return crud_reply(req, block_schema_read_by_checksum(req->tx, req->params[0], wanted->version));
}

/* Each is read by its id, with what is nested in it. */
static const void *read_one(void *tx, Str id)
{
    return block_schema_read(tx, id);
}

static bool read_block_schemas(Req *req)
{
    StrList ids = list_ids(req, list_columns(req, "block_schema.id", &block_schema_model));
    return list_reply_each(req, ids, &block_schema_model, read_one, req->tx);
}

static const ListSpec list = {
    .links = block_schema_links, .order_by = "block_schema.created DESC, block_schema.id DESC",
};

#define SCHEMA .model = &block_schema_model, .missing = "Block schema not found"
#define BY_CHECKSUM "/block_schemas/checksum/{checksum:str}"

static const Route block_schema_routes[] = {
    { HTTP_POST,   "/block_schemas/",       create_block_schema,           TX_WRITE, 201, SCHEMA, .lock = LOCK_BLOCKS,
      .body = &block_schema_create_model, .doc = { "create_block_schema", .other_status = 200 } },
    { HTTP_DELETE, "/block_schemas/{id}",   delete_block_schema,           TX_WRITE, 204, SCHEMA, .lock = LOCK_BLOCKS,
      .remove = block_schema_delete, .doc = { "delete_block_schema" } },
    { HTTP_POST,   "/block_schemas/filter", read_block_schemas,            TX_READ,  200, SCHEMA, .list = &list,
      .order = ORDER(BODY_LIMIT, BODY_FILTERS, BODY_OFFSET), .doc = { "read_block_schemas" } },
    { HTTP_GET,    "/block_schemas/{id}",   read_block_schema,             TX_READ,  200, SCHEMA,
      .doc = { "read_block_schema_by_id" } },
    { HTTP_GET,    BY_CHECKSUM,             read_block_schema_by_checksum, TX_READ,  200, SCHEMA,
      .query = &version_model, .doc = { "read_block_schema_by_checksum" } },
};
const RouteFamily block_schema_family = FAMILY(block_schema_routes, .tag = "Block schemas");

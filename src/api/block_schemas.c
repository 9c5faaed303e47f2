/* api/block_schemas.c -- /block_schemas: the routes stand at the end. */
#include "api/families.h"

#include "model/block.h"

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
    reply_status(req, created ? 201 : 200);
    return schema && reply_block_schema(req, schema);
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

static const Route block_schema_routes[] = {
    { HTTP_POST,   "/block_schemas/",                        create_block_schema,           TX_WRITE, 201, .body = &block_schema_create_model },
    { HTTP_DELETE, "/block_schemas/{id}",                    delete_block_schema,           TX_WRITE, 204 },
    { HTTP_GET,    "/block_schemas/{id}",                    read_block_schema,             TX_READ,  200 },
    { HTTP_GET,    "/block_schemas/checksum/{checksum:str}", read_block_schema_by_checksum, TX_READ,  200, .query = &version_model },
};
const RouteFamily block_schema_family = FAMILY(block_schema_routes);

/* api/block_types.c -- /block_types: the routes stand at the end. */
#include "api/families.h"

#include <strings.h>

#include "model/block.h"

static bool not_found(Req *req)
{
    return req_fail(req, ERR_NOT_FOUND, "Block type not found");
}

static bool reply_block_type(Req *req, const BlockType *type)
{
    if (!type)
        return not_found(req);
    reply_model(req, &block_type_model, type);
    return true;
}

static bool create_block_type(Req *req)
{
    const BlockType *wanted = req->object;
    if (wanted->name.n >= 7 && strncasecmp(wanted->name.p, "prefect", 7) == 0)
        return req_fail(req, ERR_FORBIDDEN, "Block type names beginning with 'Prefect' are reserved.");
    BlockType *type = block_type_create(req->tx, wanted);
    return type && reply_block_type(req, type);
}

static bool read_block_type(Req *req)
{
    return reply_block_type(req, block_type_read(req->tx, req->params[0]));
}

static bool read_block_type_by_slug(Req *req)
{
    return reply_block_type(req, block_type_read_by_slug(req->tx, req->params[0]));
}

static bool update_block_type(Req *req)
{
    return codec_update(req->tx, &block_type_update_model, "block_type", req->params[0], req->object, req->sent) > 0 || not_found(req);
}

static const Route block_type_routes[] = {
    { HTTP_POST,  "/block_types/",                create_block_type,       TX_WRITE, 201, .body = &block_type_create_model },
    { HTTP_GET,   "/block_types/{id}",            read_block_type,         TX_READ,  200 },
    { HTTP_GET,   "/block_types/slug/{slug:str}", read_block_type_by_slug, TX_READ,  200 },
    { HTTP_PATCH, "/block_types/{id}",            update_block_type,       TX_WRITE, 204, .body = &block_type_update_model },
};
const RouteFamily block_type_family = FAMILY(block_type_routes);

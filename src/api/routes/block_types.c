/* api/routes/block_types.c -- /block_types, and the documents of a type; its table of routes is at the end. */
#include "api/routes/families.h"

#include <strings.h>

#include "api/routes/block_secrets.h"
#include "blocks/block.h"
#include "blocks/block_registration.h"
#include "model/filters.h"
#include "model/removal.h"

static bool create_block_type(Req *req)
{
    const BlockType *wanted = req->object;
    if (wanted->name.n >= 7 && strncasecmp(wanted->name.p, "prefect", 7) == 0)
        return req_fail(req, ERR_FORBIDDEN, "Block type names beginning with 'Prefect' are reserved.");
    return crud_reply(req, block_type_create(req->tx, wanted));
}

static bool read_block_type_by_slug(Req *req)
{
    return crud_reply(req, block_type_read_by_slug(req->tx, req->params[0]));
}

static bool delete_block_type(Req *req)
{
    const BlockType *type = block_type_read(req->tx, req->params[0]);
    if (!type)
        return crud_missing(req);
    if (type->is_protected)
        return req_fail(req, ERR_FORBIDDEN, "protected block types cannot be deleted.");
    return crud_delete(req);
}

/* ---- documents of a type ---- */

static bool read_block_documents_for_block_type(Req *req)
{
    const Secrets *secrets = req->object;
    const BlockType *type = block_type_read_by_slug(req->tx, req->params[0]);
    if (!type)
        return crud_missing(req);
    BlockReader reader = { .tx = req->tx, .include_secrets = secrets->include_secrets, .arena = req->arena };
    StrList ids = list_ids(req, block_type_document_ids(req->tx, type->id));
    return list_reply_each(req, ids, &block_document_model, block_reader_document, &reader);
}

static bool read_block_document_by_name_for_block_type(Req *req)
{
    const Secrets *secrets = req->object;
    Str id = block_type_document_id(req->tx, req->params[0], req->params[1]);
    return crud_reply(req, id.p ? block_document_read(req->tx, id, secrets->include_secrets) : NULL);
}

static bool install_system_block_types(Req *req)
{
    return block_registration_install_system(req->tx) && reply_null(req);
}

static const ListSpec list = {
    .links = block_type_links, .order_by = "block_type.name, block_type.id",
};

#define TYPE .model = &block_type_model, .missing = "Block type not found"
#define DOCUMENT .model = &block_document_model, .missing = "Block document not found"
#define DOCUMENTS "/block_types/slug/{slug:str}/block_documents"

static const Route block_type_routes[] = {
    { HTTP_POST,   "/block_types/",                create_block_type,       TX_WRITE, 201, TYPE, .lock = LOCK_BLOCKS,
      .body = &block_type_create_model, .slow = true, .doc = { "create_block_type" } },
    { HTTP_GET,    "/block_types/{id}",            crud_read,               TX_READ,  200, TYPE,
      .doc = { "read_block_type_by_id" } },
    { HTTP_GET,    "/block_types/slug/{slug:str}", read_block_type_by_slug, TX_READ,  200, TYPE,
      .doc = { "read_block_type_by_slug" } },
    { HTTP_POST,   "/block_types/filter",          crud_list,               TX_READ,  200, TYPE, .list = &list,
      .order = ORDER(BODY_LIMIT, BODY_FILTERS, BODY_OFFSET), .doc = { "read_block_types" } },
    { HTTP_PATCH,  "/block_types/{id}",            crud_update,             TX_WRITE, 204, TYPE, .lock = LOCK_BLOCKS,
      .body = &block_type_update_model, .slow = true, .doc = { "update_block_type" } },
    { HTTP_DELETE, "/block_types/{id}",            delete_block_type,       TX_WRITE, 204, TYPE, .lock = LOCK_BLOCKS,
      .remove = block_type_delete, .doc = { "delete_block_type" } },
    { HTTP_GET,    DOCUMENTS, read_block_documents_for_block_type, TX_READ, 200, .query = &secrets_model,
      .missing = "Block type not found",
      .doc = { "read_block_documents_for_block_type", .reply = &block_document_model, .reply_list = true } },
    { HTTP_GET,    DOCUMENTS "/name/{block_document_name:str}", read_block_document_by_name_for_block_type,
      TX_READ, 200, DOCUMENT, .query = &secrets_model, .doc = { "read_block_document_by_name_for_block_type" } },
    { HTTP_POST,   "/block_types/install_system_block_types", install_system_block_types, TX_WRITE, 200,
      .doc = { "install_system_block_types" } },
};
const RouteFamily block_type_family = FAMILY(block_type_routes, .tag = "Block types");

/* api/routes/block_types.c -- /block_types: the routes stand at the end. */
#include "api/routes/families.h"

#include <strings.h>

#include "blocks/block.h"
#include "blocks/block_registration.h"
#include "model/filters.h"

typedef struct Secrets {
    bool include_secrets;
} Secrets;

static const Field secrets_fields[] = { FIELD(Secrets, include_secrets, F_BOOL, .fallback = "false") };
static const Model secrets_model = MODEL(Secrets, secrets_fields);

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
    return codec_update(req->tx, &block_type_update_model, req->params[0], req->object, req->sent) > 0 || not_found(req);
}

static bool read_block_types(Req *req)
{
    req->order_by = "block_type.name, block_type.id";
    return reply_list(req, &block_type_model, "block_type");
}

static bool delete_block_type(Req *req)
{
    const BlockType *type = block_type_read(req->tx, req->params[0]);
    if (!type)
        return not_found(req);
    if (type->is_protected)
        return req_fail(req, ERR_FORBIDDEN, "protected block types cannot be deleted.");
    return DB_EXEC(req->tx, "DELETE FROM block_type WHERE id = $1", v_uuid(type->id)) > 0;
}

/* ---- documents of a type ---- */

static bool reply_documents(Req *req, Rows *ids)
{
    const Secrets *secrets = req->object;
    BlockReader reader = { .tx = req->tx, .include_secrets = secrets->include_secrets };
    struct Id { Str id; struct Id *next; } *first = NULL, **tail = &first;
    while (db_next(ids)) {
        *tail = arena_new_of(req->arena, struct Id);
        (*tail)->id = row_text(ids, 0);
        tail = &(*tail)->next;
    }
    JsonWriter *w = reply_json(req);
    json_array(w);
    for (; first; first = first->next) {
        const BlockDocument *document = block_reader_document(&reader, first->id);
        if (list_leaves_out(req, first->id))
            continue;
        if (!document)
            return false;
        codec_write(w, &block_document_model, document);
    }
    json_array_end(w);
    return req->tx->error->code == ERR_NONE;
}

static bool read_block_documents_for_block_type(Req *req)
{
    const BlockType *type = block_type_read_by_slug(req->tx, req->params[0]);
    if (!type)
        return not_found(req);
    return reply_documents(req, DB_QUERY(req->tx,
                                         "SELECT id FROM block_document WHERE block_type_id = $1 AND is_anonymous = $2 ORDER BY name",
                                         v_uuid(type->id), v_bool(false)));
}

static bool read_block_document_by_name_for_block_type(Req *req)
{
    const Secrets *secrets = req->object;
    Str id = DB_TEXT(req->tx,
                     "SELECT block_document.id FROM block_document JOIN block_type ON block_type.id = block_document.block_type_id"
                     " WHERE block_type.slug = $1 AND block_document.name = $2",
                     v_text(req->params[0]), v_text(req->params[1]));
    const BlockDocument *document = id.p ? block_document_read(req->tx, id, secrets->include_secrets) : NULL;
    if (!document)
        return req_fail(req, ERR_NOT_FOUND, "Block document not found");
    reply_model(req, &block_document_model, document);
    return true;
}

static bool install_system_block_types(Req *req)
{
    if (!block_registration_install_system(req->tx))
        return false;
    json_null(reply_json(req));
    return true;
}

static const ListSpec type_list = { .links = block_type_links, .link_count = BLOCK_TYPE_LINKS, .table = "block_type", .offset_last = true };

#define DOCUMENTS "/block_types/slug/{slug:str}/block_documents"

static const Route block_type_routes[] = {
    { HTTP_POST,   "/block_types/",                create_block_type,       TX_WRITE, 201, .lock = LOCK_BLOCKS, .body = &block_type_create_model, .slow = true,
      .name = "create_block_type", .reply = &block_type_model },
    { HTTP_GET,    "/block_types/{id}",            read_block_type,         TX_READ,  200,
      .name = "read_block_type_by_id", .reply = &block_type_model },
    { HTTP_GET,    "/block_types/slug/{slug:str}", read_block_type_by_slug, TX_READ,  200,
      .name = "read_block_type_by_slug", .reply = &block_type_model },
    { HTTP_POST,   "/block_types/filter",          read_block_types,        TX_READ,  200, .prepare = prepare_list, .spec = &type_list,
      .name = "read_block_types", .reply = &block_type_model, .reply_list = true },
    { HTTP_PATCH,  "/block_types/{id}",            update_block_type,       TX_WRITE, 204, .lock = LOCK_BLOCKS, .body = &block_type_update_model, .slow = true,
      .name = "update_block_type" },
    { HTTP_DELETE, "/block_types/{id}",            delete_block_type,       TX_WRITE, 204, .lock = LOCK_BLOCKS, .name = "delete_block_type" },
    { HTTP_GET,    DOCUMENTS, read_block_documents_for_block_type, TX_READ, 200, .query = &secrets_model,
      .name = "read_block_documents_for_block_type", .reply = &block_document_model, .reply_list = true },
    { HTTP_GET,    DOCUMENTS "/name/{block_document_name:str}", read_block_document_by_name_for_block_type, TX_READ, 200,
      .query = &secrets_model, .name = "read_block_document_by_name_for_block_type", .reply = &block_document_model },
    { HTTP_POST,   "/block_types/install_system_block_types", install_system_block_types, TX_WRITE, 200,
      .name = "install_system_block_types" },
};
const RouteFamily block_type_family = FAMILY(block_type_routes, .tag = "Block types");

/* api/routes/block_documents.c -- /block_documents: secrets are hidden unless the client asks for them; its
 * table of routes is at the end. */
#include "api/routes/families.h"

#include "api/routes/block_secrets.h"
#include "blocks/block.h"
#include "blocks/block_dict.h"
#include "entity/decode.h"
#include "model/filters.h"
#include "model/removal.h"

static const Field secrets_fields[] = { FIELD(Secrets, include_secrets, F_BOOL, .fallback = "false") };
const Model secrets_model = MODEL(Secrets, secrets_fields);

static bool create_block_document(Req *req)
{
    return crud_reply(req, block_document_create(req->tx, req->object));
}

static bool read_block_document(Req *req)
{
    const Secrets *secrets = req->object;
    return crud_reply(req, block_document_read(req->tx, req->params[0], secrets->include_secrets));
}

static bool update_block_document(Req *req)
{
    return block_document_update(req->tx, req->params[0], req->object, req->sent);
}

/* ---- the list: anonymous documents are left out unless the filter mentions them ---- */

/* The body with the filter's default in it, so that it takes part as if it had been sent: under "or_", too. What is not
 * a valid filter is left for decoding to refuse. */
static const Json *with_default(Arena *arena, const Json *body)
{
    const Json *sent = json_get(body, "block_documents");
    Invalid unused;
    Dict whole, inner;
    invalid_init(&unused, arena, TIME_NULL);
    const Json *filter = json_is_null(sent) ? NULL : coerce_object(&unused, sent, true);
    if (unused.count || json_get(filter, "is_anonymous"))
        return body;
    dict_init(&inner, arena, filter);
    dict_put(&inner, STR("is_anonymous"), json_read(arena, STR("{\"eq_\": false}")));
    dict_init(&whole, arena, body);
    dict_put(&whole, STR("block_documents"), dict_object(&inner));
    return dict_object(&whole);
}

typedef struct Found {
    Str id, name;
} Found;

static int compare_names(const void *a, const void *b)
{
    return str_compare(((const Found *)a)->name, ((const Found *)b)->name);
}

/* One page, in the order in which documents were made, then sorted by name, as the reference does. */
static StrList read_page(Req *req)
{
    Found *page = NULL;
    size_t count = 0, capacity = 0;
    Rows *rows = list_columns(req, "block_document.id, block_document.name", &block_document_model);
    for (; db_next(rows); count++) {
        page = arena_grow(req->arena, page, count, &capacity, sizeof *page);
        page[count] = (Found){ .id = row_text(rows, 0), .name = row_text(rows, 1) };
    }
    if (count > 0)
        qsort(page, count, sizeof *page, compare_names);
    StrList ids = { 0 };
    for (size_t i = 0; i < count; i++)
        str_list_add(&ids, req->arena, page[i].id);
    return ids;
}

static bool read_block_documents(Req *req)
{
    const Secrets *secrets = req->object;
    BlockReader reader = { .tx = req->tx, .include_secrets = secrets->include_secrets, .arena = req->arena };
    return list_reply_each(req, read_page(req), &block_document_model, block_reader_document, &reader);
}

static const ListSpec list = {
    .links = block_document_links,
    .order_by = "block_document.created, block_document.id", .with_default = with_default,
};

#define DOCUMENT .model = &block_document_model, .missing = "Block document not found"

static const Route block_document_routes[] = {
    { HTTP_POST,   "/block_documents/",          create_block_document, TX_WRITE, 201, DOCUMENT, .lock = LOCK_BLOCKS,
      .body = &block_document_create_model, .doc = { "create_block_document" } },
    { HTTP_POST,   "/block_documents/filter",    read_block_documents,  TX_READ,  200, DOCUMENT, .list = &list,
      .order = ORDER(BODY_LIMIT, BODY_FILTERS, BODY_PARAMETERS, BODY_OFFSET), .parameters = &secrets_model,
      .doc = { "read_block_documents" } },
    { HTTP_GET,    "/block_documents/{id:uuid}", read_block_document,   TX_READ,  200, DOCUMENT,
      .query = &secrets_model, .doc = { "read_block_document_by_id" } },
    { HTTP_DELETE, "/block_documents/{id:uuid}", crud_delete,           TX_WRITE, 204, DOCUMENT, .lock = LOCK_BLOCKS,
      .remove = block_document_delete, .doc = { "delete_block_document" } },
    { HTTP_PATCH,  "/block_documents/{id:uuid}", update_block_document, TX_WRITE, 204, .lock = LOCK_BLOCKS,
      .body = &block_document_update_model, .doc = { "update_block_document_data" } },
};
const RouteFamily block_document_family = FAMILY(block_document_routes, .tag = "Block documents");

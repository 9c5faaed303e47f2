/* api/block_documents.c -- /block_documents: the routes stand at the end. */
#include "api/families.h"

#include "model/block.h"

typedef struct Secrets {
    bool include_secrets;
} Secrets;

static const Field secrets_fields[] = { FIELD(Secrets, include_secrets, F_BOOL, .fallback = "false") };
static const Model secrets_model = MODEL(Secrets, secrets_fields);

static bool create_block_document(Req *req)
{
    BlockDocument *document = block_document_create(req->tx, req->object);
    if (!document)
        return false;
    reply_model(req, &block_document_model, document);
    return true;
}

static bool read_block_document(Req *req)
{
    const Secrets *secrets = req->object;
    BlockDocument *document = block_document_read(req->tx, req->params[0], secrets->include_secrets);
    if (!document)
        return req_fail(req, ERR_NOT_FOUND, "Block document not found");
    reply_model(req, &block_document_model, document);
    return true;
}

static bool update_block_document(Req *req)
{
    return block_document_update(req->tx, req->params[0], req->object, req->sent);
}

static const Route block_document_routes[] = {
    { HTTP_POST,  "/block_documents/",          create_block_document, TX_WRITE, 201, .body = &block_document_create_model },
    { HTTP_GET,   "/block_documents/{id:uuid}", read_block_document,   TX_READ,  200, .query = &secrets_model },
    { HTTP_PATCH, "/block_documents/{id:uuid}", update_block_document, TX_WRITE, 204, .body = &block_document_update_model },
};
const RouteFamily block_document_family = FAMILY(block_document_routes);

/* api/request.c -- how handlers answer. */
#include "api/request.h"

enum { /* bytes from which an answer goes to a file, once its buffer is full */
    READS_IN_MEMORY = 1 << 20,
    WRITES_IN_MEMORY = 16 << 20 /* mostly what the client has just sent: it should not need a file to be stored */
};

JsonWriter *reply_json(Req *req)
{
    buf_init(&req->reply, req->arena, 1024);
    if (req->tx)
        spool_begin(&req->spool, req->app->spool, req->route->tx == TX_WRITE ? WRITES_IN_MEMORY : READS_IN_MEMORY,
                    &req->reply, req->tx->error);
    json_writer_init(&req->out, &req->reply, JSON_WIRE);
    return &req->out;
}

bool reply_model(Req *req, const Model *model, const void *object)
{
    codec_write(reply_json(req), model, object);
    return true;
}

bool reply_null(Req *req)
{
    json_null(reply_json(req));
    return true;
}

void reply_status(Req *req, int status)
{
    req->status = status;
}

bool req_fail(Req *req, ErrorCode code, const char *message)
{
    return fail(req->tx ? req->tx->error : &req->error, code, "%s", message);
}

bool req_sends(const Req *req, const char *field)
{
    const Model *model = req->route->body;
    for (size_t i = 0; i < model->count; i++)
        if ((req->sent >> i & 1) && strcmp(model->fields[i].name, field) == 0)
            return true;
    return false;
}

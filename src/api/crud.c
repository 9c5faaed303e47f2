/* api/crud.c -- handlers that need no more than a row's `model`. */
#include "api/crud.h"

#include "api/list.h"

bool crud_missing(Req *req)
{
    return req_fail(req, ERR_NOT_FOUND, req->route->missing);
}

bool crud_reply(Req *req, const void *object)
{
    return object ? reply_model(req, req->route->model, object) : crud_missing(req);
}

bool crud_created(Req *req, const void *object, bool created)
{
    if (object && created)
        reply_status(req, 201);
    return crud_reply(req, object);
}

bool crud_changed(Req *req, int64_t rows)
{
    return rows > 0 || crud_missing(req);
}

bool crud_conflict(Req *req, const char *message)
{
    if (req->tx->error->code == ERR_INTEGRITY)
        *req->tx->error = (Error){ .code = ERR_NONE };
    return req_fail(req, ERR_CONFLICT, message);
}

bool crud_read(Req *req)
{
    const Model *model = req->route->model;
    Buf where;
    buf_init(&where, req->arena, 64);
    buf_text(&where, "WHERE ");
    buf_text(&where, model->table);
    buf_text(&where, ".id = $1");
    Rows *rows = codec_query_values(req->tx, model, buf_cstr(&where), DB_VALUES(v_uuid(req->params[0])));
    return crud_reply(req, codec_first(req->tx, rows, model));
}

bool crud_list(Req *req)
{
    const Model *model = req->route->model;
    return list_reply(req, list_models(req, model), model);
}

bool crud_count(Req *req)
{
    Rows *rows = list_columns(req, "count(*)", req->route->model);
    if (!db_next(rows))
        return false;
    json_int(reply_json(req), row_int(rows, 0));
    db_done(rows);
    return true;
}

bool crud_update(Req *req)
{
    return crud_changed(req, codec_update(req->tx, req->route->body, req->params[0], req->object, req->sent));
}

bool crud_delete(Req *req)
{
    const Route *route = req->route;
    Str id = req->params[0];
    int64_t rows = route->remove ? route->remove(req->tx, id) : codec_delete(req->tx, route->model, id);
    if (req->tx->again)
        return true;
    return crud_changed(req, rows) && (route->status == 204 || reply_null(req));
}

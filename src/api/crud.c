/* api/crud.c -- handlers that a row's `model` is enough for. */
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

static void begin_select(Buf *sql, Req *req)
{
    const Model *model = req->route->model;
    buf_init(sql, req->arena, 2048);
    buf_text(sql, "SELECT ");
    codec_select(sql, model, model->table);
    buf_printf(sql, " FROM %s", model->from ? model->from : model->table);
}

bool crud_read(Req *req)
{
    const Model *model = req->route->model;
    Buf sql;
    begin_select(&sql, req);
    buf_printf(&sql, " WHERE %s.id = $1", model->table);
    Rows *rows = db_query(req->tx, buf_cstr(&sql), DB_VALUES(v_uuid(req->params[0])));
    return crud_reply(req, codec_first_row(req->tx, rows, model));
}

bool crud_list(Req *req)
{
    const Model *model = req->route->model;
    Buf select;
    begin_select(&select, req);
    Rows *rows = list_rows(req, buf_view(&select));
    void *object = arena_zalloc(req->arena, model->size);
    JsonWriter *w = reply_json(req);
    json_array(w);
    while (db_next(rows)) {
        int column = 0;
        codec_read_row(req->arena, rows, &column, model, object);
        if (row_is_sound(rows))
            codec_write(w, model, object);
    }
    json_array_end(w);
    return req->tx->error->code == ERR_NONE;
}

bool crud_count(Req *req)
{
    Rows *rows = list_rows(req, arena_printf(req->arena, "SELECT count(*) FROM %s", req->route->model->table));
    if (!db_next(rows))
        return false;
    json_int(reply_json(req), row_int(rows, 0));
    db_done(rows);
    return true;
}

bool crud_update(Req *req)
{
    const Model *model = req->route->body;
    return crud_changed(req, codec_update(req->tx, model, model->table, req->params[0], req->object, req->sent));
}

bool crud_delete(Req *req)
{
    const Route *route = req->route;
    Str id = req->params[0];
    int64_t rows;
    if (route->remove) {
        rows = route->remove(req->tx, id);
    } else {
        Str sql = arena_printf(req->arena, "DELETE FROM %s WHERE id = $1", route->model->table);
        rows = db_exec(req->tx, sql.p, DB_VALUES(v_uuid(id)));
    }
    return crud_changed(req, rows) && (route->status == 204 || reply_null(req));
}

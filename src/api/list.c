/* api/list.c -- the statements of lists and counts. */
#include "api/list.h"

#include "api/decode.h"
#include "base/log.h"

Rows *list_rows(Req *req, Str select)
{
    Query q = req->query; /* a copy: the transaction may run again */
    const ListSpec *list = req->route->list;
    const char *order_by = req->order_by ? req->order_by : list->order_by;
    buf_init(&q.sql, req->arena, select.n + req->query.sql.n + 128);
    buf_str(&q.sql, select);
    buf_text(&q.sql, " WHERE 1 = 1");
    buf_str(&q.sql, buf_view(&req->query.sql));
    if (route_takes(req->route, BODY_OFFSET)) {
        buf_printf(&q.sql, " ORDER BY %s LIMIT ", order_by);
        query_bind(&q, v_int(req->limit));
        buf_text(&q.sql, " OFFSET ");
        query_bind(&q, v_int(req->offset));
    }
    return query_run(req->tx, &q);
}

Rows *list_columns(Req *req, const char *columns, const Model *model)
{
    Buf select;
    buf_init(&select, req->arena, 128);
    buf_text(&select, "SELECT ");
    buf_text(&select, columns);
    buf_text(&select, " FROM ");
    buf_text(&select, model->table);
    return list_rows(req, buf_view(&select));
}

bool list_reply(Req *req, Rows *rows, const Model *model)
{
    void *object = arena_zalloc(req->arena, model->size);
    JsonWriter *w = reply_json(req);
    Arena *of_job = tx_arena_begin(req->tx);
    json_array(w);
    while (codec_next(req->tx, rows, model, object)) {
        codec_write(w, model, object);
        arena_reset(req->tx->arena);
    }
    json_array_end(w);
    tx_arena_end(req->tx, of_job);
    return req->tx->error->code == ERR_NONE;
}

StrList list_ids(Req *req, Rows *rows)
{
    StrList ids = { 0 };
    while (db_next(rows))
        str_list_add(&ids, req->arena, row_text(rows, 0));
    return ids;
}

/* True: reading this row failed because of a value in it. That is logged, and the list goes on without the row. */
static bool is_left_out(Req *req, Str id)
{
    Error *error = req->tx->error;
    if (error->code != ERR_SPOILED)
        return false;
    log_warning("orion.api", "%.*s is left out of a list: %s", STR_ARG(id), error->message);
    error->code = ERR_NONE;
    return true;
}

/* False: tx->error. */
static bool write_each(Req *req, StrList ids, const Model *model, ListRead *read, void *arg)
{
    for (size_t i = 0; i < ids.count; i++) {
        const void *object = read(arg, ids.items[i]);
        if (is_left_out(req, ids.items[i]))
            continue;
        if (!object)
            return false;
        codec_write(&req->out, model, object);
        arena_reset(req->tx->arena);
    }
    return req->tx->error->code == ERR_NONE;
}

bool list_reply_each(Req *req, StrList ids, const Model *model, ListRead *read, void *arg)
{
    JsonWriter *w = reply_json(req);
    Arena *of_job = tx_arena_begin(req->tx);
    json_array(w);
    bool ok = write_each(req, ids, model, read, arg);
    json_array_end(w);
    tx_arena_end(req->tx, of_job);
    return ok;
}

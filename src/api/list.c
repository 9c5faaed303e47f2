/* api/list.c -- the statements of lists and counts. */
#include "api/list.h"

#include "api/decode.h"
#include "base/log.h"

static const char *order_of(const Req *req)
{
    return req->order_by ? req->order_by : req->route->list->order_by;
}

/* Conditions, order and page, after a SELECT. */
static void add_page(const Req *req, Query *q)
{
    buf_text(&q->sql, " WHERE 1 = 1");
    buf_str(&q->sql, buf_view(&req->query.sql));
    if (!route_takes(req->route, BODY_OFFSET))
        return;
    const bool sorts_few = q->names_few && !(q->index_order && str_starts(str_from(order_of(req)), q->index_order));
    buf_printf(&q->sql, " ORDER BY %s%s LIMIT ", sorts_few ? q->dialect->sort_few : "", order_of(req));
    query_bind(q, v_int(req->limit));
    buf_text(&q->sql, " OFFSET ");
    query_bind(q, v_int(req->offset));
}

/* A copy of the request's query with a text of its own: the transaction may run again. */
static Query begin_query(const Req *req, size_t size)
{
    Query q = req->query;
    buf_init(&q.sql, req->arena, req->query.sql.n + size);
    return q;
}

Rows *list_rows(Req *req, Str select)
{
    Query q = begin_query(req, select.n + 128);
    buf_str(&q.sql, select);
    add_page(req, &q);
    return query_run(req->tx, &q);
}

/* The page is ordered and cut by row keys, which an index holds or which take little room to sort; only then are the
 * page's rows read. */
Rows *list_models(Req *req, const Model *model)
{
    const Dialect *dialect = req->tx->sql;
    Query q = begin_query(req, 2048);
    codec_columns(&q.sql, model);
    buf_printf(&q.sql, " FROM (SELECT %s.%s AS row_key FROM %s", model->table, dialect->row_key, model->table);
    add_page(req, &q);
    buf_printf(&q.sql, ") AS page CROSS JOIN %s WHERE %s.%s = page.row_key", codec_from(model), model->table,
               dialect->row_key);
    if (!dialect->keeps_left_order)
        buf_printf(&q.sql, " ORDER BY %s", order_of(req));
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
    buf_str(&select, buf_view(&req->query.joins));
    return list_rows(req, buf_view(&select));
}

bool list_reply(Req *req, Rows *rows, const Model *model)
{
    const ListSpec *list = req->route->list;
    void *object = arena_zalloc(req->arena, model->size);
    JsonWriter *w = reply_json(req);
    Arena *of_job = tx_arena_begin(req->tx);
    json_array(w);
    while (codec_next(req->tx, rows, model, object)) {
        if (list && list->add)
            list->add(req, object);
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

/* api/list.c -- the statements of lists and counts. */
#include "api/list.h"

#include "api/decode.h"
#include "base/log.h"

static const char *order_of(const Req *req)
{
    return req->sort ? req->sort->order_by : req->route->list->order_by;
}

/* Conditions, after a SELECT. */
static void add_conditions(const Req *req, Query *q)
{
    buf_text(&q->sql, " WHERE 1 = 1");
    buf_str(&q->sql, buf_view(&req->query.sql));
}

static void add_limits(const Req *req, Query *q)
{
    buf_text(&q->sql, " LIMIT ");
    query_bind(q, v_int(req->limit));
    buf_text(&q->sql, " OFFSET ");
    query_bind(q, v_int(req->offset));
}

/* Conditions, order and page, after a SELECT. */
static void add_page(const Req *req, Query *q)
{
    add_conditions(req, q);
    if (!route_takes(req->route, BODY_OFFSET))
        return;
    const bool sorts_few = q->names_few && !(q->index_order && str_starts(str_from(order_of(req)), q->index_order));
    buf_printf(&q->sql, " ORDER BY %s%s", sorts_few ? q->dialect->sort_few : "", order_of(req));
    add_limits(req, q);
}

/* The order of the list, if an index has the rows that fit in one that is nearly the same, and should be read so. */
static const Sort *sort_apart(const Req *req, const Query *q)
{
    const char *of_one = q->dialect->apart.of_one ? q->index_order : NULL;
    const char *column = of_one ? of_one : q->names_few ? NULL : q->range_of;
    const Sort *sort = req->sort;
    const bool is_near = column && sort && sort->nearly && strcmp(sort->nearly, column) == 0;
    return is_near && sort->is_descending == q->dialect->apart.if_descending ? sort : NULL;
}

/* The keys of a page's rows. */
static void add_keys(const Req *req, Query *q, const Model *model)
{
    const char *table = model->table, *key = q->dialect->row_key;
    const Sort *sort = sort_apart(req, q);
    if (!sort) {
        buf_printf(&q->sql, "SELECT %s.%s AS row_key FROM %s", table, key, table);
        add_page(req, q);
        return;
    }
    buf_printf(&q->sql, "SELECT row_key FROM (SELECT %s.%s AS row_key, %s FROM %s", table, key, sort->columns, table);
    add_conditions(req, q);
    buf_printf(&q->sql, " ORDER BY %s%s %s) AS %s ORDER BY %s", sort->nearly, sort->is_descending ? " DESC" : "",
               q->dialect->apart.end, table, sort->order_by);
    add_limits(req, q);
}

/* A copy of the request's query with a text of its own: the transaction may run again. */
static Query begin_query(const Req *req, size_t size)
{
    Query q = req->query;
    buf_init(&q.sql, req->arena, req->query.sql.n + size);
    return q;
}

/* The page is ordered and cut by row keys, which an index holds or which take little room to sort; only then are the
 * page's rows read. */
Rows *list_models(Req *req, const Model *model)
{
    const Dialect *dialect = req->tx->sql;
    Query q = begin_query(req, 2048);
    codec_columns(&q.sql, model);
    buf_text(&q.sql, " FROM (");
    add_keys(req, &q, model);
    buf_printf(&q.sql, ") AS page CROSS JOIN %s WHERE %s.%s = page.row_key", codec_from(model), model->table,
               dialect->row_key);
    if (!dialect->keeps_left_order)
        buf_printf(&q.sql, " ORDER BY %s", order_of(req));
    return query_run(req->tx, &q);
}

Rows *list_columns(Req *req, const char *columns, const Model *model)
{
    Query q = begin_query(req, 256);
    buf_printf(&q.sql, "SELECT %s FROM %s", columns, model->table);
    buf_str(&q.sql, buf_view(&req->query.joins));
    add_page(req, &q);
    return query_run(req->tx, &q);
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

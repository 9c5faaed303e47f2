/* api/list.c -- what the /filter and /count routes share: limit, offset, sort, filters. */
#include "api/request.h"

#include "base/log.h"
#include "entity/checks.h"

typedef struct Page {
    OptInt limit;
    int64_t offset;
} Page;

static const Field limit_field = FIELD(Page, limit, F_OPT_INT);
static const Field offset_field = FIELD(Page, offset, F_INT, .fallback = "0", .check = check_int_ge_0);

/* Python's integers have no end: one that we cannot hold is out of range, not malformed. */
bool limit_decode(Invalid *invalid, const Json *json, void *member)
{
    static const Field plain = { .name = "limit", .kind = F_OPT_INT };
    if (!json_is_beyond_int64(json))
        return codec_decode_field(invalid, &plain, json, member);
    *(OptInt *)member = (OptInt){ .v = json->text.p[0] == '-' ? INT64_MIN : INT64_MAX, .has = true };
    return true;
}

bool limit_check(Req *req, OptInt limit)
{
    int64_t most = req->app->default_limit;
    req->limit = limit.has ? limit.v : most;
    if (req->limit < 0)
        return fail(&req->error, ERR_INVALID, "Invalid limit: must be greater than or equal to 0.");
    if (req->limit > most)
        return fail(&req->error, ERR_INVALID, "Invalid limit: must be less than or equal to %lld.", (long long)most);
    return true;
}

/* dependencies.LimitBody: a limit out of range ends the request before any other check is reported. */
static bool decode_limit(Req *req)
{
    static const Field field = FIELD(Page, limit, F_OPT_INT, .decode = limit_decode);
    Page page = { 0 };
    return !body_field(req, &field, &page) || limit_check(req, page.limit);
}

static void decode_checked_limit(Req *req, int64_t most)
{
    Page page = { 0 };
    const Json *json = json_get(req->body, "limit");
    bool beyond = json_is_beyond_int64(json) && json->text.p[0] != '-';
    req->limit = most;
    if (!beyond && !body_field(req, &limit_field, &page))
        return;
    if (page.limit.has)
        req->limit = page.limit.v;
    if (!beyond && req->limit <= most)
        return;
    const char *ctx = arena_printf(req->arena, "{\"limit_value\":%lld}", (long long)most).p;
    invalid_enter(&req->invalid, "limit");
    invalid_add(&req->invalid, "value_error.number.not_le", ctx, "ensure this value is less than or equal to %lld", (long long)most);
    invalid_leave(&req->invalid);
}

static void decode_offset(Req *req)
{
    Page page = { 0 };
    if (body_field(req, &offset_field, &page))
        req->offset = page.offset;
}

/* A body that is no object lacks every parameter, the filters too. */
static void decode_filters(Req *req, const ListSpec *spec)
{
    bool missing;
    if (req->body && req->body->kind == JSON_OBJECT) {
        (void)!filter_where(&req->invalid, spec->links, spec->link_count, req->body, &req->query);
        return;
    }
    for (size_t i = 0; i < spec->link_count; i++)
        (void)body_parameter(req, spec->links[i].key, false, &missing);
}

static void decode_sort(Req *req, const ListSpec *spec)
{
    bool missing;
    if (!req->body_text.p && (json_is_null(req->body) || req->body->kind == JSON_OBJECT))
        req->order_by = sort_order(&req->invalid, spec->sorts, spec->sort_default, req->body);
    else
        (void)body_parameter(req, "sort", false, &missing);
}

bool prepare_list(Req *req)
{
    const ListSpec *spec = req->route->spec;
    query_init(&req->query, req->arena, db_dialect(req->app->db));
    if (!spec->limit_most && !decode_limit(req))
        return false;
    if (spec->sorts && !spec->sort_last)
        decode_sort(req, spec);
    if (spec->limit_most)
        decode_checked_limit(req, spec->limit_most);
    if (!spec->offset_last)
        decode_offset(req);
    decode_filters(req, spec);
    if (spec->offset_last && req->route->parameters)
        (void)body_parameters(req);
    if (spec->offset_last)
        decode_offset(req);
    if (spec->sorts && spec->sort_last)
        decode_sort(req, spec);
    return req->invalid.count == 0;
}

bool prepare_count(Req *req)
{
    query_init(&req->query, req->arena, db_dialect(req->app->db));
    decode_filters(req, req->route->spec);
    return req->invalid.count == 0;
}

/* The statement is the given beginning, then what prepare_* left. */
static void query_of(Req *req, Str select, Query *q)
{
    *q = req->query;
    buf_init(&q->sql, req->arena, select.n + req->query.sql.n + 128);
    buf_str(&q->sql, select);
    buf_text(&q->sql, " WHERE 1 = 1");
    buf_str(&q->sql, buf_view(&req->query.sql));
}

Rows *list_rows(Req *req, Str select)
{
    Query q;
    query_of(req, select, &q);
    if (req->order_by) {
        buf_text(&q.sql, " ORDER BY ");
        buf_text(&q.sql, req->order_by);
    }
    buf_text(&q.sql, " LIMIT ");
    query_bind(&q, v_int(req->limit));
    buf_text(&q.sql, " OFFSET ");
    query_bind(&q, v_int(req->offset));
    return query_run(req->tx, &q);
}

bool reply_count(Req *req, const char *table)
{
    Query q;
    query_of(req, arena_printf(req->arena, "SELECT count(*) FROM %s", table), &q);
    Rows *rows = query_run(req->tx, &q);
    if (!db_next(rows))
        return false;
    json_int(reply_json(req), row_int(rows, 0));
    db_done(rows);
    return true;
}

bool list_leaves_out(Req *req, Str id)
{
    Error *error = req->tx->error;
    if (error->code != ERR_SPOILED)
        return false;
    log_warning("orion.api", "%.*s is left out of a list: %s", STR_ARG(id), error->message);
    error->code = ERR_NONE;
    return true;
}

bool reply_list(Req *req, const Model *model, const char *table)
{
    (void)table; /* the model's own */
    Buf select;
    buf_init(&select, req->arena, 2048);
    codec_select(&select, model);
    Rows *rows = list_rows(req, buf_view(&select));
    JsonWriter *w = reply_json(req);
    void *object = arena_zalloc(req->arena, model->size);
    json_array(w);
    while (codec_next(req->tx, rows, model, object))
        codec_write(w, model, object);
    json_array_end(w);
    return req->tx->error->code == ERR_NONE;
}

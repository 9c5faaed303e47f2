/* api/routes/logs.c -- /logs: the routes stand at the end. */
#include "api/routes/families.h"

#include "base/ident.h"
#include "model/filters.h"
#include "model/log.h"

typedef struct LogBatch {
    LogRow *rows;
    size_t count;
} LogBatch;

/* The whole body is one list of logs: List[LogCreate]. */
static bool prepare_create(Req *req)
{
    Invalid *invalid = &req->invalid;
    if (json_is_null(req->body) && !req->body_text.p)
        return invalid_add(invalid, "value_error.missing", NULL, "field required");
    if (!req->body || req->body->kind != JSON_ARRAY)
        return invalid_add(invalid, "type_error.list", NULL, "value is not a valid list");
    LogBatch *batch = arena_new_of(req->arena, LogBatch);
    batch->rows = arena_zalloc(req->arena, (req->body->count + 1) * sizeof(LogRow));
    for (const Json *item = req->body->child; item; item = item->next) {
        invalid_enter_index(invalid, (int64_t)batch->count);
        if (json_is_null(item))
            invalid_add(invalid, "type_error.none.not_allowed", NULL, "none is not an allowed value");
        else
            (void)!codec_decode(invalid, &log_create_model, item, &batch->rows[batch->count], NULL);
        batch->count++;
        invalid_leave(invalid);
    }
    req->object = batch;
    return invalid->count == 0;
}

static bool create_logs(Req *req)
{
    LogBatch *batch = req->object;
    for (size_t i = 0; i < batch->count; i++) {
        LogRow *row = &batch->rows[i];
        row->id = uuid_new(req->arena);
        row->created = row->updated = req->tx->now;
        if (!codec_send_insert(req->tx, &log_model, row))
            return false;
    }
    json_null(reply_json(req));
    return true;
}

static bool read_logs(Req *req)
{
    return reply_list(req, &log_model, "log");
}

static const ListSpec list = {
    .sorts = log_sorts, .sort_default = "TIMESTAMP_ASC", .sort_last = true,
    .links = log_links, .link_count = LOG_LINKS,
};

static const Route log_routes[] = {
    { HTTP_POST, "/logs/",       create_logs, TX_WRITE, 201, .prepare = prepare_create, .reads_body = true, .name = "create_logs", .body_items = &log_create_model },
    { HTTP_POST, "/logs/filter", read_logs,   TX_READ,  200, .prepare = prepare_list, .spec = &list, .reads_body = true,
      .name = "read_logs", .reply = &log_model, .reply_list = true },
};
const RouteFamily log_family = FAMILY(log_routes);

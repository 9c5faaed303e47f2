/* api/routes/logs.c -- /logs: one request writes many; its table of routes is at the end. */
#include "api/routes/families.h"

#include "base/uuid.h"
#include "entity/batch.h"
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
    }
    return batch_send_insert(req->tx, &log_model, batch->rows, batch->count) && reply_null(req);
}

static const ListSpec list = {
    .links = log_links, .sorts = log_sorts, .sort_default = "TIMESTAMP_ASC",
};

static const Route log_routes[] = {
    { HTTP_POST, "/logs/",       create_logs, TX_WRITE, 201, .prepare = prepare_create,
      .doc = { "create_logs", .body_items = &log_create_model } },
    { HTTP_POST, "/logs/filter", crud_list,   TX_READ,  200, .model = &log_model, .list = &list,
      .order = ORDER(BODY_LIMIT, BODY_OFFSET, BODY_FILTERS, BODY_SORT), .doc = { "read_logs" } },
};
const RouteFamily log_family = FAMILY(log_routes);

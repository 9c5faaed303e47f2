/* api/routes/ui_flow_runs.c -- /ui/flow_runs: the points of the dashboard's chart of runs; its
 * table of routes is at the end. */
#include "api/routes/families.h"

#include "model/filters.h"
#include "model/run.h"

enum { POINTS_MAX = 1000 };

/* SimpleFlowRun of the reference. */
typedef struct RunPoint {
    Str id;
    int state_type; /* StateType */
    Time timestamp;
    int64_t duration, lateness; /* microseconds */
} RunPoint;

static const Field point_fields[] = {
    FIELD(RunPoint, id, F_UUID, .flags = REQUIRED),
    FIELD(RunPoint, state_type, F_ENUM, .flags = REQUIRED, .names = state_type_names),
    FIELD(RunPoint, timestamp, F_TIME, .flags = REQUIRED),
    FIELD(RunPoint, duration, F_DURATION, .flags = REQUIRED),
    FIELD(RunPoint, lateness, F_DURATION, .flags = REQUIRED),
};
static const Model point_model = MODEL(RunPoint, point_fields, .schema = "SimpleFlowRun");

/* What a point is made of: far less than a whole run with its state. */
static const Field point_columns[] = {
    FIELD(Run, id, F_UUID),
    FIELD(Run, state_type, F_ENUM, .names = state_type_names),
    FIELD(Run, state_timestamp, F_TIME),
    FIELD(Run, expected_start_time, F_TIME),
    FIELD(Run, start_time, F_TIME),
    FIELD(Run, total_run_time, F_DURATION),
};
static const Model columns_model = MODEL(Run, point_columns, .table = "flow_run");

static void write_point(JsonWriter *w, Run *run, Time now)
{
    run_estimate(run, now);
    RunPoint point = {
        .id = run->id,
        .state_type = run->state_type,
        .timestamp = run->start_time != TIME_NULL ? run->start_time : run->expected_start_time,
        .duration = run->estimated_run_time,
        .lateness = run->estimated_start_time_delta,
    };
    codec_write(w, &point_model, &point);
}

/* ---- the body's limit: unlike in other lists, an ordinary parameter ---- */

typedef struct PointsBody {
    int64_t limit;
} PointsBody;

/* Python's integers are unbounded: one beyond ours is too large, not malformed. */
static bool decode_limit(Invalid *invalid, const Json *json, void *member)
{
    static const Field plain = { .kind = F_INT };
    int64_t *limit = member;
    if (json_is_beyond_int64(json) && json->text.p[0] != '-')
        *limit = INT64_MAX;
    else if (!codec_decode_field(invalid, &plain, json, limit))
        return false;
    return *limit <= POINTS_MAX || invalid_add(invalid, "value_error.number.not_le", "{\"limit_value\":1000}",
                                               "ensure this value is less than or equal to %d", POINTS_MAX);
}

static const Field body_fields[] = {
    FIELD(PointsBody, limit, F_INT, .decode = decode_limit, .fallback = "1000",
          .schema = "{\"type\": \"integer\", \"maximum\": 1000, \"default\": 1000}"),
};
static const Model body_model = MODEL(PointsBody, body_fields);

/* Runs without a state, or without any time, have no place in the chart: the reference fails on them. */
static bool read_flow_run_history(Req *req)
{
    req->limit = ((const PointsBody *)req->object)->limit;
    Rows *rows = list_models(req, &columns_model);
    JsonWriter *w = reply_json(req);
    Run *run = arena_new_of(req->arena, Run);
    json_array(w);
    while (codec_next(req->tx, rows, &columns_model, run)) {
        if (run->state_type >= 0 && (run->start_time != TIME_NULL || run->expected_start_time != TIME_NULL))
            write_point(w, run, req->tx->now);
    }
    json_array_end(w);
    return req->tx->error->code == ERR_NONE;
}

static const ListSpec history = {
    .links = run_history_links, .sorts = flow_run_sorts, .sort_default = "EXPECTED_START_TIME_DESC",
};

static const Route ui_flow_run_routes[] = {
    { HTTP_POST, "/ui/flow_runs/history", read_flow_run_history, TX_READ, 200, .list = &history,
      .order = ORDER(BODY_SORT, BODY_PARAMETERS, BODY_OFFSET, BODY_FILTERS), .parameters = &body_model,
      .doc = { "read_flow_run_history", .reply = &point_model,
               .about = "The points of the dashboard's chart of runs." } },
};
const RouteFamily ui_flow_run_family = FAMILY(ui_flow_run_routes, .tag = "UI");

/* model/run_history.c -- counts of runs by interval and state. The database filters, this file adds up: the reference's recursive
 * query joins every run with every interval, which is its slowest request. */
#include "model/run_history.h"

#include "model/run.h"

enum { INTERVALS_MAX = 500 };
#define MILLISECOND ((int64_t)1000)

typedef struct StateCount {
    struct StateCount *next;
    Str type, name;
    int64_t runs, run_time, lateness; /* whole seconds, as the reference sums them */
} StateCount;

typedef struct Interval {
    int64_t start, end; /* milliseconds */
    StateCount *states; /* sorted by type, then name */
} Interval;

/* SQLite's dates are whole milliseconds, rounded half up. */
static int64_t to_ms(int64_t us)
{
    int64_t shifted = us + MILLISECOND / 2;
    return shifted >= 0 ? shifted / MILLISECOND : -((-shifted + MILLISECOND - 1) / MILLISECOND);
}

static int64_t positive_seconds(int64_t ms)
{
    return ms > 0 ? ms / 1000 : 0;
}

static size_t make_intervals(const RunHistory *history, Interval *out)
{
    int64_t step = to_ms(history->interval), end = to_ms(history->end), start = to_ms(history->start);
    size_t count = 0;
    for (;;) {
        out[count++] = (Interval){ .start = start, .end = start + step };
        if (start >= end - step || count == INTERVALS_MAX)
            return count;
        start += step;
    }
}

/* Each interval must end in the calendar, as in the reference, whose dates have no other years. */
static bool check_intervals(Error *error, const Interval *intervals, size_t count)
{
    Time unused, last_start = intervals[count - 1].start * MILLISECOND;
    double step = (double)(intervals[0].end - intervals[0].start) / 1000;
    return time_add_seconds(last_start, step, &unused) || fail(error, ERR_INTERNAL, "An interval of the history leads out of the calendar");
}

static int compare(Str a, Str b)
{
    int order = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);
    return order ? order : (a.n > b.n) - (a.n < b.n);
}

static StateCount *state_count(Arena *arena, Interval *interval, Str type, Str name)
{
    StateCount **at = &interval->states;
    for (; *at; at = &(*at)->next) {
        int order = compare((*at)->type, type);
        if (order == 0)
            order = compare((*at)->name, name);
        if (order == 0)
            return *at;
        if (order > 0)
            break;
    }
    StateCount *state = arena_new_of(arena, StateCount);
    *state = (StateCount){ .next = *at, .type = arena_str(arena, type), .name = arena_str(arena, name) };
    *at = state;
    return state;
}

/* ORMRun.estimated_run_time and estimated_start_time_delta, as the reference's SQL computes them. */
static void add_run(Tx *tx, Rows *rows, Interval *intervals, size_t count)
{
    Time expected = row_time(rows, 0), start = row_time(rows, 5), entered = row_time(rows, 3);
    Str type = row_view(rows, 1), name = row_view(rows, 2);
    int64_t run_time = to_ms(row_interval(rows, 4)), now = to_ms(tx->now), lateness = 0;
    int64_t step = intervals[0].end - intervals[0].start;
    int64_t index = expected == TIME_NULL ? -1 : (expected - intervals[0].start * MILLISECOND) / (step * MILLISECOND);
    if (index < 0 || index >= (int64_t)count || expected < intervals[0].start * MILLISECOND || !type.p || !name.p)
        return;
    bool running = str_is(type, state_type_names[STATE_RUNNING]);
    if (running && entered != TIME_NULL)
        run_time += now - to_ms(entered);
    bool final = false;
    for (int t = 0; t < STATE_COUNT; t++)
        final = final || (state_type_is_final((StateType)t) && str_is(type, state_type_names[t]));
    if (start != TIME_NULL && start > expected)
        lateness = to_ms(start) - to_ms(expected);
    else if (start == TIME_NULL && !final && expected < tx->now)
        lateness = now - to_ms(expected);
    StateCount *state = state_count(tx->arena, &intervals[index], type, name);
    state->runs++;
    state->run_time += positive_seconds(run_time);
    state->lateness += positive_seconds(lateness);
}

static void write_interval(JsonWriter *w, const Interval *interval, Arena *arena)
{
    json_object(w);
    json_key(w, "interval_start");
    json_str(w, time_text(arena, interval->start * MILLISECOND));
    json_key(w, "interval_end");
    json_str(w, time_text(arena, interval->end * MILLISECOND));
    json_key(w, "states");
    json_array(w);
    for (const StateCount *state = interval->states; state; state = state->next) {
        json_object(w);
        json_key(w, "state_type");
        json_str(w, state->type);
        json_key(w, "state_name");
        json_str(w, state->name);
        json_key(w, "count_runs");
        json_int(w, state->runs);
        json_key(w, "sum_estimated_run_time");
        json_float(w, (double)state->run_time);
        json_key(w, "sum_estimated_lateness");
        json_float(w, (double)state->lateness);
        json_object_end(w);
    }
    json_array_end(w);
    json_object_end(w);
}

bool run_history_write(Tx *tx, const RunHistory *history, Query *conditions, JsonWriter *w)
{
    Interval *intervals = arena_zalloc(tx->arena, INTERVALS_MAX * sizeof *intervals);
    size_t count = make_intervals(history, intervals);
    if (!check_intervals(tx->error, intervals, count))
        return false;
    Query q = *conditions;
    buf_init(&q.sql, tx->arena, conditions->sql.n + 512);
    buf_printf(&q.sql,
               "SELECT %1$s.expected_start_time, %1$s.state_type, %1$s.state_name, %1$s.state_timestamp, %1$s.total_run_time, %1$s.start_time"
               " FROM %1$s WHERE 1 = 1",
               history->table);
    buf_str(&q.sql, buf_view(&conditions->sql));
    buf_printf(&q.sql, " AND %s.expected_start_time >= ", history->table);
    query_bind(&q, v_time(intervals[0].start * MILLISECOND));
    buf_printf(&q.sql, " AND %s.expected_start_time < ", history->table);
    query_bind(&q, v_time(intervals[count - 1].end * MILLISECOND));
    Rows *rows = query_run(tx, &q);
    while (db_next(rows))
        add_run(tx, rows, intervals, count);
    json_array(w);
    for (size_t i = 0; i < count; i++)
        write_interval(w, &intervals[i], tx->arena);
    json_array_end(w);
    return tx->error->code == ERR_NONE;
}

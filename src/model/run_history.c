/* model/run_history.c -- counts of runs by interval and state. The reference's recursive query joins every run with
 * every interval, which is its slowest request. Here each run is read once: by the database, which adds up, or, where
 * the reference's sums depend on how each run's dates are rounded, by this file. */
#include "model/run_history.h"

#include "base/str_list.h"
#include "model/run.h"

enum { INTERVALS_MAX = 500 };
static const int64_t STEP_MAX = (int64_t)9999 * 366 * 86400 * SECOND; /* longer than the whole calendar */

typedef struct StateCount {
    struct StateCount *next;
    Str type, name;
    int64_t runs, run_time, lateness; /* microseconds; if the engine's dates are rounded, each run's whole seconds */
} StateCount;

typedef struct Interval {
    Time start, end;
    StateCount *states; /* sorted by type, then name */
} Interval;

typedef struct Intervals {
    Interval *items;
    size_t count;
    int64_t unit; /* Dialect.date_unit */
} Intervals;

/* To a multiple of `unit`, half up. */
static int64_t rounded(int64_t us, int64_t unit)
{
    int64_t shifted = us + unit / 2;
    return (shifted >= 0 ? shifted / unit : -((-shifted + unit - 1) / unit)) * unit;
}

/* What a run adds to a sum: nothing if negative, whole seconds if the engine rounds. */
static int64_t share_of_sum(int64_t us, int64_t unit)
{
    int64_t positive = us > 0 ? us : 0;
    return unit > 1 ? positive / SECOND * SECOND : positive;
}

/* On an engine that rounds there is at least one interval: the reference's query for it emits the first one
 * before it checks the end. */
static Intervals make_intervals(Tx *tx, const RunHistory *history)
{
    Intervals made = { .unit = tx->sql->date_unit };
    made.items = arena_zalloc(tx->arena, INTERVALS_MAX * sizeof *made.items);
    int64_t step = rounded(history->interval < STEP_MAX ? history->interval : STEP_MAX, made.unit);
    Time end = rounded(history->end, made.unit), start = rounded(history->start, made.unit);
    bool more = made.unit > 1 || start < end;
    for (; more && made.count < INTERVALS_MAX; start += step) {
        made.items[made.count++] = (Interval){ .start = start, .end = start + step };
        more = start < end - step;
    }
    return made;
}

/* Each interval must end within the calendar, as in the reference, whose dates have no other years. */
static bool check_intervals(Error *error, const Intervals *intervals)
{
    if (intervals->count == 0)
        return true;
    const Interval *last = &intervals->items[intervals->count - 1];
    Time unused;
    return time_add_seconds(last->start, (double)(last->end - last->start) / (double)SECOND, &unused)
           || fail(error, ERR_INTERNAL, "An interval of the history leads out of the calendar");
}

static int compare(Str a, Str b)
{
    int order = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);
    return order ? order : (a.n > b.n) - (a.n < b.n);
}

/* Finds the count of that type and name, or inserts one at its place in the sorted list. */
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

static bool is_final(Str type)
{
    for (int t = 0; t < STATE_COUNT; t++) {
        if (state_type_is_final((StateType)t) && str_is(type, state_type_names[t]))
            return true;
    }
    return false;
}

enum { EXPECTED, TYPE, NAME, RUN_TIME, START, ENTERED }; /* columns; the last is read of few runs */

/* ORMRun.estimated_run_time and estimated_start_time_delta, as the reference's SQL computes them. */
static int64_t run_time_of(Tx *tx, Rows *rows, Str type, int64_t unit)
{
    int64_t run_time = rounded(row_interval(rows, RUN_TIME), unit);
    Time entered = str_is(type, state_type_names[STATE_RUNNING]) ? row_time(rows, ENTERED) : TIME_NULL;
    return entered == TIME_NULL ? run_time : run_time + rounded(tx->now, unit) - rounded(entered, unit);
}

static int64_t lateness_of(Tx *tx, Rows *rows, Str type, Time expected, int64_t unit)
{
    Time start = row_time(rows, START);
    if (start != TIME_NULL)
        return start > expected ? rounded(start, unit) - rounded(expected, unit) : 0;
    return expected < tx->now && !is_final(type) ? rounded(tx->now, unit) - rounded(expected, unit) : 0;
}

static void add_run(Tx *tx, Rows *rows, const Intervals *intervals)
{
    const int64_t unit = intervals->unit, step = intervals->items[0].end - intervals->items[0].start;
    const Time first = intervals->items[0].start, expected = row_time(rows, EXPECTED);
    Str type = row_view(rows, TYPE), name = row_view(rows, NAME);
    if (!row_is_sound(rows) || !type.p || !name.p || expected == TIME_NULL || expected < first)
        return;
    int64_t index = (expected - first) / step, run_time = run_time_of(tx, rows, type, unit),
            lateness = lateness_of(tx, rows, type, expected, unit);
    if (!row_is_sound(rows) || index >= (int64_t)intervals->count)
        return;
    StateCount *state = state_count(tx->arena, &intervals->items[index], type, name);
    state->runs++;
    state->run_time += share_of_sum(run_time, unit);
    state->lateness += share_of_sum(lateness, unit);
}

static void write_interval(JsonWriter *w, const Interval *interval, Arena *arena)
{
    json_object(w);
    json_key(w, "interval_start");
    json_str(w, time_text(arena, interval->start));
    json_key(w, "interval_end");
    json_str(w, time_text(arena, interval->end));
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
        json_float(w, (double)state->run_time / (double)SECOND);
        json_key(w, "sum_estimated_lateness");
        json_float(w, (double)state->lateness / (double)SECOND);
        json_object_end(w);
    }
    json_array_end(w);
    json_object_end(w);
}

static void add_conditions(Query *q, const RunHistory *history, const Query *conditions, const Intervals *intervals)
{
    buf_printf(&q->sql, " FROM %s", history->table);
    buf_str(&q->sql, buf_view(&conditions->joins));
    buf_text(&q->sql, " WHERE 1 = 1");
    buf_str(&q->sql, buf_view(&conditions->sql));
    buf_printf(&q->sql, " AND %s.expected_start_time >= ", history->table);
    query_bind(q, v_time(intervals->items[0].start));
    buf_printf(&q->sql, " AND %s.expected_start_time < ", history->table);
    query_bind(q, v_time(intervals->items[intervals->count - 1].end));
}

static void add_runs(Tx *tx, const RunHistory *history, const Query *conditions, const Intervals *intervals)
{
    Query q = *conditions;
    buf_init(&q.sql, tx->arena, conditions->sql.n + 512);
    buf_printf(&q.sql,
               "SELECT %1$s.expected_start_time, %1$s.state_type, %1$s.state_name, %1$s.total_run_time,"
               " %1$s.start_time, %1$s.state_timestamp",
               history->table);
    add_conditions(&q, history, conditions, intervals);
    Rows *rows = query_run(tx, &q);
    while (db_next(rows))
        add_run(tx, rows, intervals);
}

/* The beginnings of the intervals, as one value. */
static Value starts_of(Tx *tx, const Intervals *intervals)
{
    StrList starts = { 0 };
    for (size_t i = 0; i < intervals->count; i++)
        str_list_add(&starts, tx->arena, time_text(tx->arena, intervals->items[i].start));
    return v_list(str_list_json(tx->arena, starts.items, starts.count));
}

static const char *final_states(Arena *arena)
{
    Buf names;
    const char *separator = "";
    buf_init(&names, arena, 128);
    for (int t = 0; t < STATE_COUNT; t++) {
        if (!state_type_is_final((StateType)t))
            continue;
        buf_printf(&names, "%s'%s'", separator, state_type_names[t]);
        separator = ", ";
    }
    return buf_cstr(&names);
}

/* As add_run, in SQL. The list is a subquery because a cast that depends on the time zone is made anew for each row. */
static void add_sums(Tx *tx, const RunHistory *history, const Query *conditions, const Intervals *intervals)
{
    Query q = *conditions;
    buf_init(&q.sql, tx->arena, conditions->sql.n + 1024);
    buf_printf(&q.sql, "WITH run AS (SELECT width_bucket(%1$s.expected_start_time, (SELECT CAST(", history->table);
    query_bind(&q, starts_of(tx, intervals));
    buf_text(&q.sql, "::text[] AS timestamptz[]))) AS number, CAST(");
    query_bind(&q, v_time(tx->now));
    buf_printf(&q.sql,
               " AS timestamptz) AS now, %1$s.expected_start_time, %1$s.state_type, %1$s.state_name,"
               " %1$s.state_timestamp, %1$s.total_run_time, %1$s.start_time",
               history->table);
    add_conditions(&q, history, conditions, intervals);
    buf_printf(&q.sql,
               " AND %1$s.state_type IS NOT NULL AND %1$s.state_name IS NOT NULL"
               " AND isfinite(%1$s.start_time) IS NOT FALSE AND isfinite(%1$s.state_timestamp) IS NOT FALSE)"
               " SELECT number, state_type, state_name, count(*),"
               " sum(GREATEST(total_run_time + CASE WHEN state_type = 'RUNNING' AND state_timestamp IS NOT NULL"
               " THEN now - state_timestamp ELSE interval '0' END, interval '0')),"
               " sum(CASE WHEN start_time > expected_start_time THEN start_time - expected_start_time"
               " WHEN start_time IS NULL AND expected_start_time < now AND state_type NOT IN (%2$s)"
               " THEN now - expected_start_time ELSE interval '0' END) FROM run GROUP BY 1, 2, 3",
               history->table, final_states(tx->arena));
    Rows *rows = query_run(tx, &q);
    while (db_next(rows)) {
        Interval *interval = &intervals->items[row_int(rows, 0) - 1];
        StateCount *state = state_count(tx->arena, interval, row_view(rows, 1), row_view(rows, 2));
        state->runs = row_int(rows, 3);
        state->run_time = row_interval(rows, 4);
        state->lateness = row_interval(rows, 5);
    }
}

bool run_history_write(Tx *tx, const RunHistory *history, const Query *conditions, JsonWriter *w)
{
    const Intervals intervals = make_intervals(tx, history);
    if (!check_intervals(tx->error, &intervals))
        return false;
    if (intervals.count > 0)
        (intervals.unit > 1 ? add_runs : add_sums)(tx, history, conditions, &intervals);
    json_array(w);
    for (size_t i = 0; i < intervals.count; i++)
        write_interval(w, &intervals.items[i], tx->arena);
    json_array_end(w);
    return tx->error->code == ERR_NONE;
}

/* model/run.c -- what flow runs and task runs have in common. */
#include "model/run_tables.h"

#include "base/random.h"
#include "base/uuid.h"

/* schemas: ORMRun.estimated_run_time and estimated_start_time_delta. */
void run_estimate(Run *run, Time now)
{
    run->estimated_run_time = run->total_run_time;
    if (run->state_type == STATE_RUNNING && run->state_timestamp != TIME_NULL)
        run->estimated_run_time += now - run->state_timestamp;

    run->estimated_start_time_delta = 0;
    Time expected = run->expected_start_time;
    if (expected == TIME_NULL)
        return;
    if (run->start_time != TIME_NULL && run->start_time > expected)
        run->estimated_start_time_delta = run->start_time - expected;
    else if (run->start_time == TIME_NULL && expected < now && !state_type_is_final((StateType)run->state_type))
        run->estimated_start_time_delta = now - expected;
}

void run_complete(Tx *tx, void *run)
{
    run_estimate(run, tx->now);
}

Run run_blank(Tx *tx, const Run *wanted)
{
    return (Run){
        .id = uuid_new(tx->arena),
        .created = tx->now,
        .updated = tx->now,
        .name = wanted->name.n ? wanted->name : random_name(tx->arena),
        .state_type = STATE_NONE,
        .state_timestamp = TIME_NULL,
        .expected_start_time = TIME_NULL,
        .next_scheduled_start_time = TIME_NULL,
        .start_time = TIME_NULL,
        .end_time = TIME_NULL,
        .tags = wanted->tags.p ? wanted->tags : STR("[]"),
    };
}

/* Compared as they would be bound: what is equal here would not change the row. */
static bool value_eq(Value a, Value b)
{
    if (a.kind != b.kind)
        return false;
    switch (a.kind) {
    case VAL_NULL:
        return true;
    case VAL_REAL:
        return a.r == b.r;
    case VAL_TEXT:
    case VAL_UUID:
    case VAL_JSON:
    case VAL_LIST:
        return str_eq(a.s, b.s);
    default:
        return a.i == b.i;
    }
}

/* Whether an UPDATE would change the field's column. A struct is the same if its bytes are: then its JSON need not be
 * written to find out. */
static bool differs(Tx *tx, const Field *field, const void *before, const void *now)
{
    if (field->kind == F_MODEL
        && memcmp((const char *)before + field->offset, (const char *)now + field->offset, field->model->size) == 0)
        return false;
    return !value_eq(codec_value(tx->arena, field, before), codec_value(tx->arena, field, now));
}

bool run_save(Tx *tx, const Model *model, const void *before, const void *now)
{
    FieldSet changed = 0;
    for (size_t i = 0; i < model->count; i++) {
        const Field *field = &model->fields[i];
        if ((field->flags & SAVED) && differs(tx, field, before, now))
            changed |= (FieldSet)1 << i;
    }
    return changed == 0 || codec_send_update(tx, model, ((const Run *)now)->id, now, changed);
}

/* model/concurrency_limit.c -- how many task runs with a tag may run at once, and which ones do. */
#include "model/concurrency_limit.h"

#include "base/str_list.h"
#include "base/uuid.h"
#include "entity/filter.h"

static const Field columns[] = { /* order: of the keys in responses */
    FIELD(ConcurrencyLimit, id, F_UUID, .flags = KEPT),
    FIELD(ConcurrencyLimit, created, F_TIME, .flags = KEPT),
    FIELD(ConcurrencyLimit, updated, F_TIME),
    FIELD(ConcurrencyLimit, tag, F_STR, .flags = KEY),
    FIELD(ConcurrencyLimit, concurrency_limit, F_INT),
    FIELD(ConcurrencyLimit, active_slots, F_UUIDS, .flags = KEPT, .fallback = "[]"),
};
static const Field create_fields[] = {
    FIELD(ConcurrencyLimit, tag, F_STR, .flags = REQUIRED),
    FIELD(ConcurrencyLimit, concurrency_limit, F_INT, .flags = REQUIRED),
};
const Model concurrency_limit_model = MODEL(ConcurrencyLimit, columns, .table = "concurrency_limit");
const Model concurrency_limit_create_model = MODEL(ConcurrencyLimit, create_fields,
                                                   .forbid_extra = true, .schema = "ConcurrencyLimitCreate");

ConcurrencyLimit *concurrency_limit_read_by_tag(Tx *tx, Str tag)
{
    return codec_read(tx, &concurrency_limit_model, "WHERE concurrency_limit.tag = $1", v_text(tag));
}

ConcurrencyLimit *concurrency_limit_upsert(Tx *tx, const ConcurrencyLimit *wanted)
{
    ConcurrencyLimit row = *wanted;
    row.id = uuid_new(tx->arena);
    row.created = row.updated = tx->now;
    row.active_slots = STR("[]");
    return codec_upsert(tx, &concurrency_limit_model, &row) < 0 ? NULL : concurrency_limit_read_by_tag(tx, wanted->tag);
}

/* The strings of a JSON array as another array, sorted and without repetitions; null if there are none. */
static Str distinct_tags(Arena *arena, const Json *array)
{
    StrList sorted = { 0 };
    Buf text;
    JsonWriter w;
    str_list_add_json(&sorted, arena, array);
    str_list_sort(&sorted);
    buf_init(&text, arena, 64);
    json_writer_init(&w, &text, JSON_STORED);
    json_array(&w);
    for (size_t i = 0; i < sorted.count; i++)
        json_str(&w, sorted.items[i]);
    json_array_end(&w);
    return sorted.count ? buf_view(&text) : STR_NULL;
}

/* Slots are read in order to be taken or given back, so the limits are locked, in the same
 * order by all transactions. */
static Rows *lock_limits(Tx *tx, SqlOp op, Value value)
{
    Query q;
    query_init(&q, tx->arena, tx->sql);
    codec_select(&q.sql, &concurrency_limit_model);
    buf_text(&q.sql, " WHERE ");
    query_operator(&q, op, "tag", value);
    buf_printf(&q.sql, " ORDER BY tag%s", tx->sql->for_update);
    return query_run(tx, &q);
}

Rows *concurrency_limits_of_task_query(Tx *tx, Str task_run_id)
{
    return lock_limits(tx, SQL_TAG_OF_TASK, v_uuid(task_run_id));
}

ConcurrencyLimit **concurrency_limits_read(Tx *tx, Rows *rows, size_t *ret_count)
{
    size_t count = 0, capacity = 4;
    ConcurrencyLimit **limits = arena_alloc(tx->arena, capacity * sizeof *limits);
    while (db_next(rows)) {
        limits = arena_grow(tx->arena, limits, count, &capacity, sizeof *limits);
        limits[count] = arena_new_of(tx->arena, ConcurrencyLimit);
        codec_read_row(tx, rows, &concurrency_limit_model, limits[count++]);
    }
    *ret_count = count;
    return tx->error->code == ERR_NONE ? limits : NULL;
}

ConcurrencyLimit **concurrency_limits_of_tags(Tx *tx, Str tags, size_t *ret_count)
{
    const Json *json = json_read(tx->arena, tags);
    Str wanted = json && json->kind == JSON_ARRAY ? distinct_tags(tx->arena, json) : STR_NULL;
    *ret_count = 0;
    if (!wanted.p)
        return arena_alloc(tx->arena, sizeof(ConcurrencyLimit *));
    return concurrency_limits_read(tx, lock_limits(tx, SQL_ANY, v_list(wanted)), ret_count);
}

static const Json *parse_slots(Tx *tx, const ConcurrencyLimit *limit)
{
    const Json *json = json_read(tx->arena, limit->active_slots);
    return json && json->kind == JSON_ARRAY ? json : NULL;
}

size_t concurrency_limit_used(Tx *tx, const ConcurrencyLimit *limit)
{
    const Json *slots = parse_slots(tx, limit);
    return slots ? slots->count : 0;
}

/* Adds the run to the slots or removes it, and leaves others alone. Writes nothing if that changes nothing. */
static bool set_slot(Tx *tx, ConcurrencyLimit *limit, Str run_id, bool held)
{
    const Json *slots = parse_slots(tx, limit);
    bool was_held = false;
    Buf text;
    JsonWriter w;
    buf_init(&text, tx->arena, limit->active_slots.n + 64);
    json_writer_init(&w, &text, JSON_STORED);
    json_array(&w);
    for (const Json *slot = slots ? slots->child : NULL; slot; slot = slot->next) {
        bool own = slot->kind == JSON_STRING && str_eq(slot->text, run_id);
        was_held = was_held || own;
        if (!own)
            json_value(&w, slot);
    }
    if (held)
        json_str(&w, run_id);
    json_array_end(&w);
    if (was_held == held)
        return true;
    limit->active_slots = buf_view(&text);
    return row_send_set(tx, "concurrency_limit", limit->id, "active_slots", v_json(limit->active_slots));
}

bool concurrency_limit_take(Tx *tx, ConcurrencyLimit *limit, Str run_id)
{
    return set_slot(tx, limit, run_id, true);
}

bool concurrency_limit_release(Tx *tx, ConcurrencyLimit *limit, Str run_id)
{
    return set_slot(tx, limit, run_id, false);
}

/* ---- slots that nobody gave back ---- */

/* Those of the ids that are task runs which have not ended; sorted. */
static StrList unfinished_of(Tx *tx, const StrList *ids)
{
    StrList found = { 0 };
    Query q;
    query_init(&q, tx->arena, tx->sql);
    buf_text(&q.sql, "SELECT id FROM task_run WHERE (state_type IS NULL"
                     " OR state_type NOT IN ('COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED')) AND ");
    query_operator(&q, SQL_ANY, "id", v_list(str_list_json(tx->arena, ids->items, ids->count)));
    Rows *rows = query_run(tx, &q);
    while (db_next(rows))
        str_list_add(&found, tx->arena, row_text(rows, 0));
    str_list_sort(&found);
    return found;
}

/* What names no task run, even by its form, is left out. */
static StrList slot_ids(Tx *tx, const Json *slots)
{
    StrList ids = { 0 };
    Str id;
    for (const Json *slot = slots ? slots->child : NULL; slot; slot = slot->next)
        if (slot->kind == JSON_STRING && uuid_parse(tx->arena, slot->text, &id))
            str_list_add(&ids, tx->arena, id);
    return ids;
}

/* The number of idle slots; *ret_held is the array without them. */
static int64_t split_slots(Tx *tx, const ConcurrencyLimit *limit, Str *ret_held)
{
    const Json *slots = parse_slots(tx, limit);
    StrList ids = slot_ids(tx, slots), held = unfinished_of(tx, &ids), kept = { 0 };
    for (size_t i = 0; i < ids.count; i++)
        if (str_list_has(&held, ids.items[i]))
            str_list_add(&kept, tx->arena, ids.items[i]);
    *ret_held = str_list_json(tx->arena, kept.items, kept.count);
    return slots ? (int64_t)(slots->count - kept.count) : 0;
}

static ConcurrencyLimit **limits_in_use(Tx *tx, bool locks, size_t *ret_count)
{
    Query q;
    query_init(&q, tx->arena, tx->sql);
    codec_select(&q.sql, &concurrency_limit_model);
    buf_text(&q.sql, " WHERE ");
    query_operator(&q, SQL_JSON_NOT_EMPTY, "active_slots", v_null());
    buf_printf(&q.sql, " ORDER BY tag%s", locks ? tx->sql->for_update : "");
    return concurrency_limits_read(tx, query_run(tx, &q), ret_count);
}

bool concurrency_limits_holders(Tx *tx, StrList *ret)
{
    size_t count;
    ConcurrencyLimit **limits = limits_in_use(tx, false, &count);
    *ret = (StrList){ 0 };
    for (size_t i = 0; limits && i < count; i++) {
        StrList ids = slot_ids(tx, parse_slots(tx, limits[i]));
        for (size_t k = 0; k < ids.count; k++)
            str_list_add(ret, tx->arena, ids.items[k]);
    }
    return tx->error->code == ERR_NONE;
}

int64_t concurrency_limits_idle_slots(Tx *tx, bool free)
{
    size_t count;
    int64_t idle = 0;
    ConcurrencyLimit **limits = limits_in_use(tx, free, &count);
    for (size_t i = 0; limits && i < count; i++) {
        Str held;
        int64_t found = split_slots(tx, limits[i], &held);
        idle += found;
        if (free && found > 0 && !row_send_set(tx, "concurrency_limit", limits[i]->id, "active_slots", v_json(held)))
            return -1;
    }
    return tx->error->code == ERR_NONE ? idle : -1;
}

int64_t concurrency_limit_delete_by_tag(Tx *tx, Str tag)
{
    return DB_EXEC(tx, "DELETE FROM concurrency_limit WHERE tag = $1", v_text(tag));
}

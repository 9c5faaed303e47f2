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
static Rows *lock_limits(Tx *tx, Str tags)
{
    Query q;
    query_init(&q, tx->arena, tx->sql);
    codec_select(&q.sql, &concurrency_limit_model);
    buf_text(&q.sql, " WHERE ");
    query_operator(&q, SQL_ANY, "tag", v_list(tags));
    buf_printf(&q.sql, " ORDER BY tag%s", tx->sql->for_update);
    return query_run(tx, &q);
}

ConcurrencyLimit **concurrency_limits_of_tags(Tx *tx, Str tags, size_t *ret_count)
{
    const Json *json = json_read(tx->arena, tags);
    *ret_count = 0;
    bool ok = json && json->kind == JSON_ARRAY;
    Str wanted = ok ? distinct_tags(tx->arena, json) : STR_NULL;
    /* The array is at least as long as the list of distinct tags, and a tag has one limit. */
    ConcurrencyLimit **limits = arena_alloc(tx->arena, ((wanted.p ? json->count : 0) + 1) * sizeof(*limits));
    if (!wanted.p)
        return limits;
    for (Rows *rows = lock_limits(tx, wanted); db_next(rows); ++*ret_count) {
        limits[*ret_count] = arena_new_of(tx->arena, ConcurrencyLimit);
        codec_read_row(tx, rows, &concurrency_limit_model, limits[*ret_count]);
    }
    return tx->error->code == ERR_NONE ? limits : NULL;
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

int64_t concurrency_limit_delete_by_tag(Tx *tx, Str tag)
{
    return DB_EXEC(tx, "DELETE FROM concurrency_limit WHERE tag = $1", v_text(tag));
}

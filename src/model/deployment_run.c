/* model/deployment_run.c -- what a run made from a deployment inherits, and the queues that would take it. */
#include "model/deployment_run.h"

#include "base/str_list.h"

/* The members of both objects; a key that is in both keeps its first place and gets its last value. The parser resolves
 * repeated keys that way, however many there are. */
static Str merged_parameters(Arena *arena, Str ours, Str theirs)
{
    if (theirs.n <= 2) /* "{}" */
        return ours;
    if (ours.n <= 2)
        return theirs;
    Str both = arena_printf(arena, "%.*s, %.*s", (int)(ours.n - 1), ours.p, (int)(theirs.n - 1), theirs.p + 1);
    const Json *json = json_read(arena, both);
    return json ? json_format(arena, json, JSON_STORED) : theirs;
}

static void write_keys(JsonWriter *w, const Json *tags)
{
    for (const Json *tag = tags ? tags->child : NULL; tag; tag = tag->next) {
        json_key_str(w, tag->text);
        json_null(w);
    }
}

/* Each tag once, by way of the keys of an object; the reference's set has them in random order. */
static Str united_tags(Arena *arena, Str ours, Str theirs)
{
    Buf keys, tags;
    JsonWriter w;
    buf_init(&keys, arena, 2 * (ours.n + theirs.n));
    json_writer_init(&w, &keys, JSON_STORED);
    json_object(&w);
    write_keys(&w, json_read(arena, ours));
    write_keys(&w, json_read(arena, theirs));
    json_object_end(&w);
    const Json *once = json_read(arena, buf_view(&keys));
    buf_init(&tags, arena, ours.n + theirs.n);
    json_writer_init(&w, &tags, JSON_STORED);
    json_array(&w);
    for (const Json *tag = once ? once->child : NULL; tag; tag = tag->next)
        json_str(&w, tag->key);
    json_array_end(&w);
    return buf_view(&tags);
}

FlowRun deployment_run(Arena *arena, const Deployment *deployment, const FlowRun *wanted)
{
    FlowRun run = *wanted;
    run.flow_id = deployment->flow_id;
    run.deployment_id = deployment->id;
    run.parameters = merged_parameters(arena, deployment->parameters, wanted->parameters);
    run.run.tags = united_tags(arena, deployment->tags, wanted->run.tags);
    if (!run.infrastructure_document_id.p)
        run.infrastructure_document_id = deployment->infrastructure_document_id;
    run.work_queue_name = deployment->stored_queue_name;
    run.work_queue_id = deployment->work_queue_id;
    return run;
}

/* ---- the queues that would take its runs ---- */

static bool has_all(const StrList *sorted, const Json *wanted)
{
    for (const Json *item = wanted ? wanted->child : NULL; item; item = item->next)
        if (!str_list_has(sorted, item->text))
            return false;
    return true;
}

static bool has_text(const Json *list, Str text)
{
    for (const Json *item = list->child; item; item = item->next)
        if (item->kind == JSON_STRING && str_eq(item->text, text))
            return true;
    return false;
}

/* What a filter does not mention, it does not restrict. */
static bool queue_takes(Arena *arena, const QueueFilter *filter, const Deployment *deployment, const StrList *tags)
{
    if (!filter)
        return true;
    const Json *ids = json_read(arena, filter->deployment_ids);
    return has_all(tags, json_read(arena, filter->tags))
           && (!ids || ids->count == 0 || has_text(ids, deployment->id));
}

bool deployment_queues_write(Tx *tx, const Deployment *deployment, JsonWriter *w)
{
    StrList tags = { 0 };
    str_list_add_json(&tags, tx->arena, json_read(tx->arena, deployment->tags));
    str_list_sort(&tags);
    Rows *rows = codec_query(tx, &work_queue_model, "ORDER BY work_queue.created, work_queue.id");
    WorkQueue *queue = arena_new_of(tx->arena, WorkQueue);
    json_array(w);
    while (codec_next(tx, rows, &work_queue_model, queue))
        if (queue_takes(tx->arena, queue->filter, deployment, &tags))
            codec_write(w, &work_queue_model, queue);
    json_array_end(w);
    return tx->error->code == ERR_NONE;
}

/* model/flow.c -- a flow is a named unit of work; its runs are in flow_run.c. */
#include "model/flow.h"

#include "base/uuid.h"
#include "entity/checks.h"

static const Field columns[] = { /* order: of the keys in responses */
    FIELD(Flow, id, F_UUID),
    FIELD(Flow, created, F_TIME),
    FIELD(Flow, updated, F_TIME),
    FIELD(Flow, name, F_STR, .flags = KEY),
    FIELD(Flow, tags, F_STRS, .fallback = "[]"),
};
static const Field create_fields[] = {
    FIELD(Flow, name, F_STR, .flags = REQUIRED, .check = check_name),
    FIELD(Flow, tags, F_STRS, .fallback = "[]"),
};
static const Field update_fields[] = {
    FIELD(Flow, tags, F_STRS, .fallback = "[]"),
};
const Model flow_model = MODEL(Flow, columns, .table = "flow");
const Model flow_create_model = MODEL(Flow, create_fields, .forbid_extra = true, .schema = "FlowCreate");
const Model flow_update_model = MODEL(Flow, update_fields, .table = "flow",
                                      .forbid_extra = true, .schema = "FlowUpdate");

Flow *flow_read_by_name(Tx *tx, Str name)
{
    return codec_read(tx, &flow_model, "WHERE flow.name = $1", v_text(name));
}

Flow *flow_create(Tx *tx, const Flow *wanted, bool *ret_created)
{
    *ret_created = false;
    /* Each round finds the row, inserts it, or has lost a race: others may insert and delete
     * it between our statements. */
    for (int attempt = 0; attempt < INSERT_ATTEMPTS; attempt++) {
        Flow *flow = flow_read_by_name(tx, wanted->name); /* the usual case: clients ask before every run */
        if (flow)
            return flow;
        flow = arena_new_of(tx->arena, Flow);
        *flow = *wanted;
        flow->id = uuid_new(tx->arena);
        flow->created = flow->updated = tx->now;
        if (codec_insert_new(tx, &flow_model, flow) > 0) {
            *ret_created = true;
            return flow;
        }
    }
    (void)fail(tx->error, ERR_INTERNAL, "The flow of this name has vanished");
    return NULL;
}

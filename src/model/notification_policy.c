/* model/notification_policy.c -- who is notified of which states of which runs. */
#include "model/notification_policy.h"

#include "base/uuid.h"
#include "python/message_template.h"

const char *const notification_field_names[NOTIFICATION_FIELDS] = {
    [NOTIFY_POLICY_ID] = "flow_run_notification_policy_id",
    [NOTIFY_FLOW_ID] = "flow_id",
    [NOTIFY_FLOW_NAME] = "flow_name",
    [NOTIFY_FLOW_RUN_URL] = "flow_run_url",
    [NOTIFY_FLOW_RUN_ID] = "flow_run_id",
    [NOTIFY_FLOW_RUN_NAME] = "flow_run_name",
    [NOTIFY_PARAMETERS] = "flow_run_parameters",
    [NOTIFY_STATE_TYPE] = "flow_run_state_type",
    [NOTIFY_STATE_NAME] = "flow_run_state_name",
    [NOTIFY_STATE_TIMESTAMP] = "flow_run_state_timestamp",
    [NOTIFY_STATE_MESSAGE] = "flow_run_state_message",
};

/* A template is tried with the dummy value that the reference uses. */
static bool check_template(Invalid *invalid, void *member)
{
    TemplateValue values[NOTIFICATION_FIELDS];
    TemplateFault fault;
    Str unused;
    for (size_t i = 0; i < NOTIFICATION_FIELDS; i++)
        values[i] = (TemplateValue){ notification_field_names[i], STR("test"), STR("'test'") };
    if (message_template_fill(invalid->arena, *(Str *)member, values, NOTIFICATION_FIELDS, &unused, &fault))
        return true;
    return invalid_add(invalid, fault.type, NULL, "%.*s", STR_ARG(fault.message));
}

typedef struct PolicyUpdate { /* schemas.actions.FlowRunNotificationPolicyUpdate */
    OptBool is_active;
    Str state_names, tags, block_document_id, message_template;
} PolicyUpdate;

static const Field columns[] = { /* order: of the keys in responses */
    FIELD(NotificationPolicy, id, F_UUID),
    FIELD(NotificationPolicy, created, F_TIME),
    FIELD(NotificationPolicy, updated, F_TIME),
    FIELD(NotificationPolicy, is_active, F_BOOL),
    FIELD(NotificationPolicy, state_names, F_STRS),
    FIELD(NotificationPolicy, tags, F_STRS),
    FIELD(NotificationPolicy, block_document_id, F_UUID),
    FIELD(NotificationPolicy, message_template, F_STR, .flags = NULLABLE),
};
static const Field create_fields[] = {
    FIELD(NotificationPolicy, is_active, F_BOOL, .fallback = "true"),
    FIELD(NotificationPolicy, state_names, F_STRS, .fallback = "[]"),
    FIELD(NotificationPolicy, tags, F_STRS, .fallback = "[]"),
    FIELD(NotificationPolicy, block_document_id, F_UUID, .flags = REQUIRED),
    FIELD(NotificationPolicy, message_template, F_STR, .flags = NULLABLE, .check = check_template),
};
static const Field update_fields[] = {
    FIELD(PolicyUpdate, is_active, F_OPT_BOOL, .flags = NULLABLE),
    FIELD(PolicyUpdate, state_names, F_STRS, .flags = NULLABLE),
    FIELD(PolicyUpdate, tags, F_STRS, .flags = NULLABLE),
    FIELD(PolicyUpdate, block_document_id, F_UUID, .flags = NULLABLE),
    FIELD(PolicyUpdate, message_template, F_STR, .flags = NULLABLE, .check = check_template),
};
const Model notification_policy_model = MODEL(NotificationPolicy, columns, .table = "flow_run_notification_policy",
                                              .schema = "FlowRunNotificationPolicy");
const Model notification_policy_create_model = MODEL(NotificationPolicy, create_fields,
                                                     .forbid_extra = true, .schema = "FlowRunNotificationPolicyCreate");
const Model notification_policy_update_model = MODEL(PolicyUpdate, update_fields,
    .table = "flow_run_notification_policy", .forbid_extra = true, .schema = "FlowRunNotificationPolicyUpdate");

static const Filter policy_filters[] = {
    { "is_active", "flow_run_notification_policy.is_active", OP_EQ, .operand = F_BOOL },
    { .key = NULL },
};
static const FilterClass policy_filter = { policy_filters, false, .name = "FlowRunNotificationPolicyFilter" };
const FilterLink notification_policy_links[] = {
    { "flow_run_notification_policy_filter", &policy_filter, NULL },
    { .key = NULL },
};

NotificationPolicy *notification_policy_create(Tx *tx, const NotificationPolicy *wanted)
{
    NotificationPolicy *policy = arena_new_of(tx->arena, NotificationPolicy);
    *policy = *wanted;
    policy->id = uuid_new(tx->arena);
    policy->created = policy->updated = tx->now;
    return codec_insert(tx, &notification_policy_model, policy) > 0 ? policy : NULL;
}

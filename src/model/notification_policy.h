/* model/notification_policy.h -- who is notified of which states of which runs. */
#ifndef ORION_NOTIFICATION_POLICY_H
#define ORION_NOTIFICATION_POLICY_H

#include "entity/filter.h"

typedef struct NotificationPolicy { /* schemas.core.FlowRunNotificationPolicy */
    Str id;
    Time created, updated;
    bool is_active;
    Str state_names, tags; /* JSON arrays; an empty one matches all */
    Str block_document_id;
    Str message_template;  /* null: the default message */
} NotificationPolicy;

extern const Model notification_policy_model, notification_policy_create_model, notification_policy_update_model;
extern const FilterLink notification_policy_links[];

/* The fields that a message template may use: FLOW_RUN_NOTIFICATION_TEMPLATE_KWARGS of the reference. */
enum NotificationField {
    NOTIFY_POLICY_ID, NOTIFY_FLOW_ID, NOTIFY_FLOW_NAME, NOTIFY_FLOW_RUN_URL, NOTIFY_FLOW_RUN_ID, NOTIFY_FLOW_RUN_NAME,
    NOTIFY_PARAMETERS, NOTIFY_STATE_TYPE, NOTIFY_STATE_NAME, NOTIFY_STATE_TIMESTAMP, NOTIFY_STATE_MESSAGE,
    NOTIFICATION_FIELDS
};
extern const char *const notification_field_names[NOTIFICATION_FIELDS];

NotificationPolicy *notification_policy_create(Tx *tx, const NotificationPolicy *wanted); /* NULL: tx->error */

#endif

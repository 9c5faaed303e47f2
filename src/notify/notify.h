/* notify/notify.h -- carries a notification out: Slack, Microsoft Teams, PagerDuty, Twilio, Opsgenie and plain webhooks, over libcurl. */
#ifndef ORION_NOTIFY_H
#define ORION_NOTIFY_H

#include "base/arena.h"
#include "base/json.h"

/* Sends one message by the block whose type has that slug and whose data (secrets included) that is; blocks until answered or timed
 * out. False: *error says what went wrong, without any secret. */
bool notify_send(Arena *arena, Str block_type_slug, const Json *data, Str subject, Str body, Error *error) MUST_CHECK;

#endif

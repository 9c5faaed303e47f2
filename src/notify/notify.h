/* notify/notify.h -- builds and sends notifications: Slack, Microsoft Teams, PagerDuty, Twilio and Opsgenie, over
 * libcurl. */
#ifndef ORION_NOTIFY_H
#define ORION_NOTIFY_H

#include <stdatomic.h>

#include "base/clock.h"
#include "base/json.h"

/* One POST, as the library that the reference uses sends it. */
typedef struct NotifyRequest {
    Str url;
    Str content_type;
    Str accept;
    Str authorization;     /* the header's value; null: none */
    Str user, password;    /* of basic authorization; null: none */
    Str body;
    long status_max;       /* the largest status that is a success: 200, 201 or 202 */
    bool answer_ok;        /* the answer must be the word "ok" */
    struct NotifyRequest *next;
} NotifyRequest;

/* The requests that send one message through a block of the type with that slug; `data` is the block's, secrets
 * included. False: *error says why there are none, without any secret. */
bool notify_requests(Arena *arena, Str block_type_slug, const Json *data, Str subject, Str body, Time now,
                     const NotifyRequest **ret, Error *error) MUST_CHECK;

/* Sends them; blocks until each is answered or timed out, NOTIFY_SECONDS_MAX in all, or until *stopping.
 * False: *error says what went wrong, without any secret; requests after one that failed are sent all the same. */
enum { NOTIFY_SECONDS_MAX = 50 };
bool notify_send(Arena *arena, Str block_type_slug, const Json *data, Str subject, Str body, Time now,
                 const atomic_bool *stopping, Error *error) MUST_CHECK;

#endif

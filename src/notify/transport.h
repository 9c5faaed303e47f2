/* notify/transport.h -- requests over libcurl, which is loaded when the first notification goes out. */
#ifndef ORION_NOTIFY_TRANSPORT_H
#define ORION_NOTIFY_TRANSPORT_H

#include "notify/notify.h"

typedef struct NotifyAnswer {
    long status;
    bool said_ok;          /* the body is the word "ok" */
} NotifyAnswer;

typedef struct Transport Transport;

/* NULL: *error. One for each message; it gives up NOTIFY_SECONDS_MAX after it was made, or once *stopping is set. */
Transport *transport_new(const atomic_bool *stopping, Error *error) MUST_CHECK;
void transport_free(Transport *transport);
/* False: no answer; *error says why, with the host but without path, headers or body. */
bool transport_post(Transport *transport, const NotifyRequest *request, NotifyAnswer *ret, Error *error) MUST_CHECK;

#endif

/* watch/watch.h -- what the server says about itself: /metrics for Prometheus, and /orion/status, both from a thread of
 * their own, which waits for the database for two seconds at most. */
#ifndef ORION_WATCH_H
#define ORION_WATCH_H

#include "api/request.h"
#include "services/service.h"

typedef struct Watch Watch;

Watch *watch_new(const App *app); /* the thread starts with the first request */
/* What is watched besides, once it is there and before requests are. `services` may be NULL. */
void watch_begin(Watch *watch, const HttpServer *http, Services *services);
bool watch_has(Str path); /* whether it is one of the two */
/* Answers a request for one of the two paths, whose key has been checked. False: it is for another one. */
bool watch_handle(Req *req);
/* Answers the requests still waiting. Call it after the loop has ended, before services and database are stopped. */
void watch_stop(Watch *watch);
/* Call it after the database is closed: until then, a look may be in its queues. */
void watch_free(Watch *watch);

#endif

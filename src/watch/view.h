/* watch/view.h -- all that an answer about the server is made of, as it is at one moment. */
#ifndef ORION_VIEW_H
#define ORION_VIEW_H

#include "watch/look.h"
#include "watch/watch.h"

typedef struct View {
    const App *app;
    const HttpServer *http;
    Services *services;   /* NULL: there are none */
    Time started;
    int64_t uptime;       /* microseconds */
    Error ready;          /* ERR_NONE: it is; else why not */
    const Look *look;     /* NULL: the database could not be looked at in time */
} View;

/* Each makes the whole answer, on the thread of the watch. */
void metrics_answer(Req *req, const View *view);
void status_answer(Req *req, const View *view);

#endif

/* api/offload.c -- the thread for requests that would block the loop. One is enough: those that can
 * wait are served in order. */
#include "api/offload.h"

#include "base/log.h"
#include "base/thread.h"

/* Made and freed by the server. Only the loop submits, so `started` needs no lock. */
struct Offload {
    pthread_t thread;
    bool started, quit;
    pthread_mutex_t lock; /* guards all below, and quit */
    pthread_cond_t changed;
    Req *first, *last;
};

Offload *offload_new(void)
{
    Offload *offload = xcalloc(1, sizeof *offload);
    pthread_mutex_init(&offload->lock, NULL);
    pthread_cond_init(&offload->changed, NULL);
    return offload;
}

/* Waits for the next request. NULL: the server is ending, and none is left. */
static Req *take_next(Offload *offload)
{
    pthread_mutex_lock(&offload->lock);
    while (!offload->first && !offload->quit)
        pthread_cond_wait(&offload->changed, &offload->lock);
    Req *req = offload->first;
    if (req)
        offload->first = req->next;
    pthread_mutex_unlock(&offload->lock);
    return req;
}

static void *work(void *arg)
{
    for (Req *req; (req = take_next(arg));) {
        log_request(req->http->id);
        req->resume(req);
        log_request(STR_NULL);
    }
    return NULL;
}

void offload_submit(Offload *offload, Req *req, void (*run)(Req *req))
{
    if (!offload->started && !thread_start(&offload->thread, work, offload)) {
        run(req); /* no thread can be started: better late than never */
        return;
    }
    offload->started = true;
    req->resume = run;
    req->next = NULL;
    pthread_mutex_lock(&offload->lock);
    *(offload->first ? &offload->last->next : &offload->first) = req;
    offload->last = req;
    pthread_cond_signal(&offload->changed);
    pthread_mutex_unlock(&offload->lock);
}

void offload_free(Offload *offload)
{
    pthread_mutex_lock(&offload->lock);
    offload->quit = true;
    pthread_cond_signal(&offload->changed);
    pthread_mutex_unlock(&offload->lock);
    if (offload->started)
        pthread_join(offload->thread, NULL);
    pthread_cond_destroy(&offload->changed);
    pthread_mutex_destroy(&offload->lock);
    free(offload);
}

/* api/worker.c -- the thread for requests that would hold the loop up. One is enough: it serves whoever can wait, in
 * order. */
#include "api/worker.h"

#include <pthread.h>

struct Worker {
    pthread_t thread;
    bool started, quit;
    pthread_mutex_t lock; /* of all below and of quit */
    pthread_cond_t changed;
    Req *first, *last;
};

Worker *worker_new(void)
{
    Worker *worker = xcalloc(1, sizeof *worker);
    pthread_mutex_init(&worker->lock, NULL);
    pthread_cond_init(&worker->changed, NULL);
    return worker;
}

/* NULL: there is none, and no more come. */
static Req *take(Worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    while (!worker->first && !worker->quit)
        pthread_cond_wait(&worker->changed, &worker->lock);
    Req *req = worker->first;
    if (req)
        worker->first = req->next;
    pthread_mutex_unlock(&worker->lock);
    return req;
}

static void *work(void *arg)
{
    for (Req *req; (req = take(arg));)
        req->resume(req);
    return NULL;
}

void worker_submit(Worker *worker, Req *req, void (*run)(Req *req))
{
    if (!worker->started && pthread_create(&worker->thread, NULL, work, worker) != 0) {
        run(req); /* no thread can be had: better late than never */
        return;
    }
    worker->started = true;
    req->resume = run;
    req->next = NULL;
    pthread_mutex_lock(&worker->lock);
    *(worker->first ? &worker->last->next : &worker->first) = req;
    worker->last = req;
    pthread_cond_signal(&worker->changed);
    pthread_mutex_unlock(&worker->lock);
}

void worker_free(Worker *worker)
{
    pthread_mutex_lock(&worker->lock);
    worker->quit = true;
    pthread_cond_signal(&worker->changed);
    pthread_mutex_unlock(&worker->lock);
    if (worker->started)
        pthread_join(worker->thread, NULL);
    pthread_cond_destroy(&worker->changed);
    pthread_mutex_destroy(&worker->lock);
    free(worker);
}

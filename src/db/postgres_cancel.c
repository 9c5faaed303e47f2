/* db/postgres_cancel.c -- asks the server to end a statement. libpq makes a connection for that, and waits for as long
 * as the network lets it; so a thread does it that nobody waits for. */
#include "db/postgres_cancel.h"

#include <stdatomic.h>

#include "base/thread.h"

enum { CANCELS_MAX = 8 }; /* at once; beyond that a statement runs on until its own limit */

static atomic_uint running;

typedef struct Cancel {
    PGcancel *what;
    __typeof__(&PQcancel) send;
    __typeof__(&PQfreeCancel) free;
} Cancel;

static void *cancel_main(void *arg)
{
    Cancel *cancel = arg;
    char unused[256];
    cancel->send(cancel->what, unused, sizeof unused);
    cancel->free(cancel->what);
    free(cancel);
    atomic_fetch_sub(&running, 1);
    return NULL;
}

void pg_cancel(const Libpq *pq, PGconn *pg)
{
    PGcancel *what = pg ? pq->getCancel(pg) : NULL;
    if (!what)
        return;
    if (atomic_fetch_add(&running, 1) < CANCELS_MAX) {
        Cancel *cancel = xcalloc(1, sizeof(*cancel));
        *cancel = (Cancel){ what, pq->cancel, pq->freeCancel };
        if (thread_start_detached(cancel_main, cancel))
            return;
        free(cancel);
    }
    atomic_fetch_sub(&running, 1);
    pq->freeCancel(what);
}

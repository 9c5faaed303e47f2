/* api/worker.h -- the thread for requests that would hold the loop up: large bodies, files of a folder, libraries to be
 * loaded. */
#ifndef ORION_WORKER_H
#define ORION_WORKER_H

#include "api/request.h"

typedef struct Worker Worker;

Worker *worker_new(void); /* its thread starts with the first request */
/* Calls run(req) there, after those that came before; it answers or submits to the database, as on the loop. */
void worker_submit(Worker *worker, Req *req, void (*run)(Req *req));
void worker_free(Worker *worker); /* once all that were submitted have run */

#endif

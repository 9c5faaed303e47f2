/* api/offload.h -- the thread for requests that would block the loop: large bodies, files of a folder, libraries to be
 * loaded. */
#ifndef ORION_OFFLOAD_H
#define ORION_OFFLOAD_H

#include "api/request.h"

typedef struct Offload Offload;

Offload *offload_new(void); /* its thread starts with the first request */
/* Calls run(req) there, after those that came before; it answers or submits to the database, as on the loop. */
void offload_submit(Offload *offload, Req *req, void (*run)(Req *req));
void offload_free(Offload *offload); /* once all that were submitted have run */

#endif

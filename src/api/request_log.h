/* api/request_log.h -- a line for each request that was answered, at level INFO. */
#ifndef ORION_REQUEST_LOG_H
#define ORION_REQUEST_LOG_H

#include "api/request.h"

void request_log_begin(Req *req);              /* notes when it began; nothing where no line will be written */
void request_log_end(Req *req, int status); /* before the reply, which ends the request */

#endif

/* api/request_log.h -- one log line per response, at level INFO. */
#ifndef ORION_REQUEST_LOG_H
#define ORION_REQUEST_LOG_H

#include "api/request.h"

void request_log_end(Req *req, int status); /* call it before the reply, which ends the request */

#endif

/* api/request_log.h -- one log line per response: at level INFO, or by ORION_LOG_ACCESS. */
#ifndef ORION_REQUEST_LOG_H
#define ORION_REQUEST_LOG_H

#include "api/request.h"

void request_log_end(Req *req, int status, size_t bytes); /* of the body; call it before the reply, which ends the
                                                           * request */
/* HttpConfig.refused: the server itself answered. `app` is the App. */
void request_log_refused(const HttpRequest *http, int status, size_t bytes, int64_t milliseconds, void *app);

#endif

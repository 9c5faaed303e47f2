/* web/web.h -- everything that the server answers: the API below /api, its description, and the dashboard everywhere
 * else. */
#ifndef ORION_WEB_H
#define ORION_WEB_H

#include "http/http.h"

void web_handle(HttpRequest *http, void *app); /* HttpConfig.handle; `app` is an App (api/request.h) */

#endif

/* api/version.h -- the version of the API that a client asks for. */
#ifndef ORION_VERSION_H
#define ORION_VERSION_H

#include "api/request.h"

#define API_VERSION "0.8.4" /* the reference's, and so what this server answers like */

/* The header X-PREFECT-API-VERSION into req->api_version. False: req->error, it is malformed or too old. */
bool version_check(Req *req) MUST_CHECK;

#endif

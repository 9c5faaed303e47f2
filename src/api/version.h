/* api/version.h -- the version of the API that a client asks for. */
#ifndef ORION_VERSION_H
#define ORION_VERSION_H

#include "api/request.h"

/* The header X-PREFECT-API-VERSION into req->api_version. False: req->error, it is malformed or too old. */
bool version_check(Req *req) MUST_CHECK;

#endif

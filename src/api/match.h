/* api/match.h -- the row of a family's table that a request is for. */
#ifndef ORION_MATCH_H
#define ORION_MATCH_H

#include "api/request.h"

/* The first row of that path, below /api, and of the request's method; the path's parameters are in req->params, and
 * its place among all rows is req->route_number. NULL: no such row, and *ret_other is the first one of another method,
 * or NULL. */
const Route *match_route(Req *req, Str path, const Route **ret_other);
/* The row for a request that asks for a WebSocket, as match_route finds others. NULL: it asks for none, or there is no
 * such row; then it is a request like any other. */
const Route *match_socket(Req *req, Str path);
/* A row's path without converters: "/flows/name/{name:str}" -> "/flows/name/{name}". */
const char *match_plain_path(Arena *arena, const char *path);
/* What names a route to people: "/api/flows/name/{name}". */
Str match_route_template(Arena *arena, const Route *route);

#endif

/* api/saved_searches.c -- /saved_searches: the routes stand at the end. */
#include "api/families.h"

const RouteFamily saved_search_family = { NULL, 0 };

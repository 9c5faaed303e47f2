/* cli/api_health.h -- does an API answer? */
#ifndef ORION_API_HEALTH_H
#define ORION_API_HEALTH_H

#include "base/arena.h"

typedef enum ApiHealth {
    API_CONNECTED,
    API_ERROR,        /* something answers, but not a healthy API */
    API_UNREACHABLE,  /* nothing answers there, or the address is not valid */
    API_UNCHECKED     /* https, which this program does not speak */
} ApiHealth;

/* Asks for URL/health over plain HTTP; waits up to three seconds for each step. */
ApiHealth api_health(Arena *arena, Str url);

#endif

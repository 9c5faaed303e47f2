/* cli/api_health.h -- does an API answer? */
#ifndef ORION_API_HEALTH_H
#define ORION_API_HEALTH_H

#include "base/arena.h"

typedef enum ApiHealth {
    API_CONNECTED,
    API_ERROR,        /* something answers, but not a healthy API */
    API_UNREACHABLE,  /* nothing answers there, or it is no address */
    API_UNCHECKED     /* https */
} ApiHealth;

/* Asks for URL/health over plain HTTP and waits up to three seconds. */
ApiHealth api_health(Arena *arena, Str url);

#endif

/* config/shown_url.h -- a database's URL as people may see it. */
#ifndef ORION_SHOWN_URL_H
#define ORION_SHOWN_URL_H

#include "base/arena.h"

const char *url_shown(Arena *arena, Str url); /* without its passwords; in the arena, never NULL */

#endif

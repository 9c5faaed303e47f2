/* access/refusals.h -- which refusals are logged: one a second for each address, so that who tries keys does not fill
 * the disk. */
#ifndef ORION_REFUSALS_H
#define ORION_REFUSALS_H

#include "base/base.h"

typedef struct Refusals Refusals;

Refusals *refusals_new(void);
void refusals_free(Refusals *refusals); /* NULL is fine */
/* Whether this refusal is to be logged, by the monotonic clock; then *ret_more is how many were not since the last one
 * of this address. IPv6 addresses of one /64 are one, texts that are no address are one too, and those for which there
 * is no room share a place. From any thread. */
bool refusals_count(Refusals *refusals, Str peer, int64_t now, unsigned *ret_more) MUST_CHECK;

#endif

/* access/refusals.h -- rate limit for the log: one refusal per second and address, so that guessing keys does not fill
 * the disk. */
#ifndef ORION_REFUSALS_H
#define ORION_REFUSALS_H

#include "base/base.h"

typedef struct Refusals Refusals;

Refusals *refusals_new(void);
void refusals_free(Refusals *refusals); /* NULL is fine */
/* Whether to log this refusal at monotonic time `now`; then *ret_more is the number of refusals not logged since the
 * last line. An IPv6 /64 counts as one address, as do all invalid addresses; when the table is full, new addresses
 * share one place. Callable from any thread. */
bool refusals_count(Refusals *refusals, Str peer, int64_t now, unsigned *ret_more) MUST_CHECK;

#endif

/* schedule/zone_names.h -- the names of time zones: those that the reference knows, and which of them are older names
 * of others. */
#ifndef ORION_ZONE_NAMES_H
#define ORION_ZONE_NAMES_H

#include "base/base.h"

/* Whether it is one of pendulum's in Prefect 2.7.12. The reference's server and client fail on every
 * deployment if one has another name. */
bool zone_name_is_known(Str name);
/* The name that the reference has for a zone: this one or an older one; null if it has none. */
Str zone_name_of_reference(Str name);
/* The n-th other name, newer or older, under which the system may have the zone; null if there are no more. */
Str zone_name_other(Str name, size_t n);

#endif

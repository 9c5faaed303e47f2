/* schedule/zone_names.h -- the names of time zones: those that the reference knows, and which of them are older names
 * of others. */
#ifndef ORION_ZONE_NAMES_H
#define ORION_ZONE_NAMES_H

#include "base/base.h"

/* Is it one of pendulum's in Prefect 2.7.12? Its server and client fail for every deployment where one has another
 * name. */
bool zone_name_is_known(Str name);
/* The name that the reference has for a zone: this one or an older one; null where it has none. */
Str zone_name_of_reference(Str name);
/* The n-th other name, newer or older, under which the system may have the zone; null where there are no more. */
Str zone_name_other(Str name, size_t n);

#endif

/* db/postgres_lookup.h -- the addresses of a host's name, looked up with an end to the wait. */
#ifndef ORION_POSTGRES_LOOKUP_H
#define ORION_POSTGRES_LOOKUP_H

#include "base/base.h"

enum { PG_ADDRESSES_MAX = 16, PG_ADDRESS_SIZE = 64 };

typedef struct PgAddresses {
    char text[PG_ADDRESSES_MAX][PG_ADDRESS_SIZE]; /* numeric, IPv4 and IPv6, in the order of getaddrinfo; each once */
    size_t count;
} PgAddresses;

/* Whether it is a name that must be looked up: not an address, nor the path of a socket. */
bool pg_is_name(const char *host);
/* False: *error says that the name is not known, or that the answer did not come by `deadline` (monotonic, in
 * microseconds). */
bool pg_lookup(const char *name, int64_t deadline, PgAddresses *ret_addresses, Error *error) MUST_CHECK;

#endif

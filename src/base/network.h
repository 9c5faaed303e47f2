/* base/network.h -- internet addresses and networks as text and as 128 bits, IPv4 as ::ffff:a.b.c.d. */
#ifndef ORION_NETWORK_H
#define ORION_NETWORK_H

#include <netinet/in.h>

#include "base/arena.h"

/* All addresses that share a prefix of `bits` bits: 128 is a single address, 0 is all. */
typedef struct Network {
    struct in6_addr address;
    unsigned bits;
} Network;

/* "192.0.2.1" or "2001:db8::1", without anything around it. */
bool address_parse(Str text, struct in6_addr *ret) MUST_CHECK;
/* In the usual form: IPv4 without the ::ffff: prefix. */
Str address_text(Arena *arena, const struct in6_addr *address);

/* A list separated by commas: addresses, networks ("10.0.0.0/8", "2001:db8::/32"), and "*" for all. False: *error names
 * the item and says what is wrong with it. The array is allocated in the arena. */
bool networks_parse(Arena *arena, Str text, Network **ret, size_t *ret_count, Error *error) MUST_CHECK;
bool networks_have(const Network *networks, size_t count, const struct in6_addr *address);

#endif

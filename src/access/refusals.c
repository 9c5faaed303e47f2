/* access/refusals.c -- a small table of the addresses refused most recently. */
#include "access/refusals.h"

#include <arpa/inet.h>
#include <pthread.h>

#include "base/clock.h"

enum { PLACES = 64, SHARED = PLACES }; /* so at most 65 lines a second in all */

typedef struct Place {
    struct in6_addr peer;
    int64_t logged;   /* time of the last logged refusal; 0: never */
    unsigned more;    /* refusals not logged since then */
} Place;

struct Refusals {
    pthread_mutex_t lock;
    Place places[PLACES + 1];
};

Refusals *refusals_new(void)
{
    Refusals *refusals = xcalloc(1, sizeof *refusals);
    pthread_mutex_init(&refusals->lock, NULL);
    return refusals;
}

void refusals_free(Refusals *refusals)
{
    if (!refusals)
        return;
    pthread_mutex_destroy(&refusals->lock);
    free(refusals);
}

/* The /64 of an IPv6 address: one client can use 2^64 addresses. */
static struct in6_addr network_of(Str peer)
{
    char text[INET6_ADDRSTRLEN + 8];
    struct in6_addr network = { 0 };
    if (snprintf(text, sizeof text, "::ffff:%.*s", STR_ARG(peer)) < (int)sizeof text
        && inet_pton(AF_INET6, text, &network) == 1)
        return network;
    if (inet_pton(AF_INET6, text + 7, &network) != 1)
        return in6addr_any;
    if (!IN6_IS_ADDR_V4MAPPED(&network))
        memset(network.s6_addr + 8, 0, 8);
    return network;
}

static bool is_over(const Place *place, int64_t now)
{
    return place->logged == 0 || now - place->logged >= SECOND;
}

/* The place of this address, a reused one that has been quiet for a second, or the shared one. */
static Place *find_place(Refusals *refusals, const struct in6_addr *network, int64_t now)
{
    Place *oldest = &refusals->places[0];
    for (size_t i = 0; i < PLACES; i++) {
        Place *place = &refusals->places[i];
        if (place->logged && memcmp(&place->peer, network, sizeof *network) == 0)
            return place;
        if (place->logged < oldest->logged)
            oldest = place;
    }
    if (!is_over(oldest, now))
        return &refusals->places[SHARED];
    *oldest = (Place){ .peer = *network };
    return oldest;
}

bool refusals_count(Refusals *refusals, Str peer, int64_t now, unsigned *ret_more)
{
    struct in6_addr network = network_of(peer);
    pthread_mutex_lock(&refusals->lock);
    Place *place = find_place(refusals, &network, now);
    bool logged = is_over(place, now);
    *ret_more = place->more;
    place->more = logged ? 0 : place->more + 1;
    if (logged)
        place->logged = now;
    pthread_mutex_unlock(&refusals->lock);
    return logged;
}

/* api/backlog.c -- writes are counted by address in a fixed table: addresses that share an entry, by chance and
 * unforeseeably, share its bound. */
#include "api/backlog.h"

#include "api/address.h"
#include "base/random.h"

enum { ENTRIES = 4096 };

struct Backlog {
    int64_t max;
    uint64_t secret;           /* so that nobody can choose whom to share an entry with */
    _Atomic int64_t waiting;   /* of all */
    _Atomic int64_t held[ENTRIES];
};

Backlog *backlog_new(int64_t max)
{
    Backlog *backlog = xcalloc(1, sizeof *backlog);
    backlog->max = max;
    random_bytes(&backlog->secret, sizeof backlog->secret);
    return backlog;
}

void backlog_free(Backlog *backlog)
{
    free(backlog);
}

/* So that each bit depends on all: MurmurHash3's last step. */
static uint64_t mixed(uint64_t bits)
{
    bits = (bits ^ bits >> 33) * 0xFF51AFD7ED558CCDu;
    bits = (bits ^ bits >> 33) * 0xC4CEB9FE1A85EC53u;
    return bits ^ bits >> 33;
}

/* Of IPv6 the first half counts, the network of one customer. */
static unsigned entry_of(const Backlog *backlog, const struct in6_addr *address)
{
    uint64_t halves[2], hash = backlog->secret;
    memcpy(halves, address, sizeof halves);
    if (!IN6_IS_ADDR_V4MAPPED(address))
        halves[1] = 0;
    for (int i = 0; i < 2; i++)
        hash = mixed(hash ^ halves[i]);
    return (unsigned)(hash % ENTRIES);
}

bool backlog_enter(Req *req)
{
    Backlog *backlog = req->app->backlog;
    const Proxies *proxies = req->app->proxies;
    const struct in6_addr *client = &request_forwarded(req)->client;
    req->backlog_entry = entry_of(backlog, client);
    int64_t waiting = atomic_fetch_add(&backlog->waiting, 1);
    int64_t held = atomic_fetch_add(&backlog->held[req->backlog_entry], 1);
    const char *what = NULL;
    if (waiting >= backlog->max)
        what = "Too many writes wait for the database";
    else if (held >= (backlog->max + 1) / 2 && !networks_have(proxies->trusted, proxies->count, client))
        what = "Too many writes from your address wait for the database";
    if (!what)
        return true;
    backlog_leave(req);
    return fail(&req->error, ERR_OVERLOADED, "%s (ORION_SERVER_QUEUE is %lld): try again later", what,
                (long long)backlog->max);
}

void backlog_leave(Req *req)
{
    Backlog *backlog = req->app->backlog;
    atomic_fetch_sub(&backlog->held[req->backlog_entry], 1);
    atomic_fetch_sub(&backlog->waiting, 1);
}

/* db/postgres_lookup.c -- the addresses of a host's name. getaddrinfo may take minutes if no name server answers, and
 * nothing can stop it. So it runs in a thread of its own, which is left behind when the time is over. */
#include "db/postgres_lookup.h"

#include "base/clock.h"
#include "base/thread.h"

#include <netdb.h>
#include <stdatomic.h>
#include <sys/socket.h>

enum { LOOKUPS_MAX = 8 }; /* at once, those left behind among them; others wait until one ends */

static const int64_t TURN_WAIT_US = 10 * 1000;

static atomic_uint running;

/* Whoever is last frees it: the one who waits, or the thread if nobody waits any more. */
typedef struct Lookup {
    pthread_mutex_t lock;
    pthread_cond_t ended;
    char *name;
    bool has_ended, is_left;
    int status;                /* of getaddrinfo */
    struct addrinfo *found;
} Lookup;

static const struct addrinfo stream = { .ai_socktype = SOCK_STREAM };

bool pg_is_name(const char *host)
{
    struct addrinfo hints = stream, *found = NULL;
    if (!host || host[0] == '\0' || host[0] == '/' || host[0] == '@')
        return false;
    hints.ai_flags = AI_NUMERICHOST;
    bool is_address = getaddrinfo(host, NULL, &hints, &found) == 0;
    if (is_address)
        freeaddrinfo(found);
    return !is_address;
}

static Lookup *lookup_new(const char *name)
{
    Lookup *lookup = xcalloc(1, sizeof(*lookup));
    size_t n = strlen(name) + 1;
    lookup->name = xmalloc(n);
    memcpy(lookup->name, name, n);
    pthread_mutex_init(&lookup->lock, NULL);
    clock_condition_init(&lookup->ended);
    return lookup;
}

static void lookup_free(Lookup *lookup)
{
    if (lookup->found)
        freeaddrinfo(lookup->found);
    pthread_cond_destroy(&lookup->ended);
    pthread_mutex_destroy(&lookup->lock);
    free(lookup->name);
    free(lookup);
}

static void *lookup_main(void *arg)
{
    Lookup *lookup = arg;
    struct addrinfo *found = NULL;
    int status = getaddrinfo(lookup->name, NULL, &stream, &found);
    atomic_fetch_sub(&running, 1);
    pthread_mutex_lock(&lookup->lock);
    lookup->status = status;
    lookup->found = status == 0 ? found : NULL;
    lookup->has_ended = true;
    bool is_left = lookup->is_left;
    pthread_cond_signal(&lookup->ended);
    pthread_mutex_unlock(&lookup->lock);
    if (is_left)
        lookup_free(lookup);
    return NULL;
}

/* Waits for its turn; false: the deadline has passed. */
static bool take_turn(int64_t deadline)
{
    while (atomic_fetch_add(&running, 1) >= LOOKUPS_MAX) {
        atomic_fetch_sub(&running, 1);
        if (clock_monotonic() >= deadline)
            return false;
        clock_sleep(TURN_WAIT_US);
    }
    return true;
}

static bool start(Lookup *lookup)
{
    bool is_started = thread_start_detached(lookup_main, lookup);
    if (!is_started)
        atomic_fetch_sub(&running, 1);
    return is_started;
}

/* False: it is the thread's from now on. */
static bool wait_ended(Lookup *lookup, int64_t deadline)
{
    pthread_mutex_lock(&lookup->lock);
    while (!lookup->has_ended && clock_condition_wait(&lookup->ended, &lookup->lock, deadline))
        ;
    bool has_ended = lookup->has_ended;
    lookup->is_left = !has_ended;
    pthread_mutex_unlock(&lookup->lock);
    return has_ended;
}

static bool is_among(const PgAddresses *addresses, const char *text)
{
    for (size_t i = 0; i < addresses->count; i++)
        if (strcmp(addresses->text[i], text) == 0)
            return true;
    return false;
}

static void read_addresses(const struct addrinfo *found, PgAddresses *ret)
{
    ret->count = 0;
    for (; found && ret->count < PG_ADDRESSES_MAX; found = found->ai_next) {
        char text[PG_ADDRESS_SIZE];
        if (getnameinfo(found->ai_addr, found->ai_addrlen, text, sizeof text, NULL, 0, NI_NUMERICHOST) == 0
            && !is_among(ret, text))
            memcpy(ret->text[ret->count++], text, sizeof text);
    }
}

bool pg_lookup(const char *name, int64_t deadline, PgAddresses *ret_addresses, Error *error)
{
    if (!take_turn(deadline))
        return fail(error, ERR_BUSY, "the address of \"%s\" was not looked up: %d other look-ups have not ended", name,
                    LOOKUPS_MAX);
    Lookup *lookup = lookup_new(name);
    if (!start(lookup)) {
        lookup_free(lookup);
        return fail(error, ERR_BUSY, "the address of \"%s\" was not looked up: no thread could be started", name);
    }
    if (!wait_ended(lookup, deadline))
        return fail(error, ERR_BUSY, "looking up the address of \"%s\" took too long: the name servers do not answer",
                    name);
    read_addresses(lookup->found, ret_addresses);
    bool ok = ret_addresses->count > 0
              || fail(error, ERR_BUSY, "the address of \"%s\" was not found: %s", name, gai_strerror(lookup->status));
    lookup_free(lookup);
    return ok;
}

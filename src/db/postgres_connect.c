/* db/postgres_connect.c -- reaching a server: every address of every host is tried in turn, each with its share of the
 * time, so that one that does not answer leaves enough for the others. */
#include "base/log.h"
#include "db/postgres.h"
#include "db/postgres_lookup.h"

#include <poll.h>

#define LOGGER "orion.db"

static const int64_t RETRY_WAIT_US = 100 * 1000;
enum { VERSION_MIN = 130000 };

/* ---- which hosts there are ---- */

static const char *value_of(const PQconninfoOption *options, const char *keyword)
{
    for (const PQconninfoOption *option = options; option && option->keyword; option++)
        if (strcmp(option->keyword, keyword) == 0 && option->val)
            return option->val;
    return "";
}

static size_t count_items(const char *list)
{
    size_t count = list[0] != '\0';
    for (; *list; list++)
        count += *list == ',';
    return count;
}

/* The one at `index` of a list that commas separate; the only one, if there is just one. */
static const char *item(Arena *arena, const char *list, size_t index)
{
    for (size_t i = count_items(list) > 1 ? index : 0; i > 0; i--)
        list = strchr(list, ',') + 1;
    return arena_cstr(arena, (Str){ list, strcspn(list, ",") });
}

static size_t add_keyword(PgPlace *place, const char *keyword)
{
    size_t at = pg_keyword_find(place, keyword);
    place->keywords[at] = keyword;
    return at;
}

static void split_hosts(Arena *arena, PgPlace *place, const PQconninfoOption *options)
{
    const char *hosts = value_of(options, "host"), *addresses = value_of(options, "hostaddr"),
               *ports = value_of(options, "port");
    size_t names = count_items(hosts), numbers = count_items(addresses), count = numbers ? numbers : names;
    if (count == 0 || (numbers && names && numbers != names) || (count_items(ports) > 1 && count_items(ports) != count))
        return; /* libpq's own place for sockets, or a mistake that it reports */
    place->hosts = arena_alloc(arena, count * sizeof(*place->hosts));
    for (size_t i = 0; i < count; i++) {
        PgHost *host = &place->hosts[i];
        *host = (PgHost){ .name = item(arena, hosts, i), .address = item(arena, addresses, i),
                          .port = item(arena, ports, i) };
        host->must_be_found = host->address[0] == '\0' && pg_is_name(host->name);
    }
    place->host_count = count;
}

/* They may also come from libpq's environment or a service's file, which only a connection puts together; one that is
 * refused for its sslmode does, and goes nowhere. */
void pg_hosts_read(Arena *arena, PgPlace *place)
{
    place->host_at = add_keyword(place, "host");
    place->address_at = add_keyword(place, "hostaddr");
    place->port_at = add_keyword(place, "port");
    size_t mode = add_keyword(place, "sslmode");
    const char *given = place->values[mode];
    place->values[mode] = "none of them";
    PGconn *refused = place->pq.connectStartParams(place->keywords, place->values, 0);
    PQconninfoOption *options = refused ? place->pq.conninfo(refused) : NULL;
    place->values[mode] = given;
    split_hosts(arena, place, options);
    place->pq.conninfoFree(options);
    place->pq.finish(refused);
}

/* ---- one attempt ---- */

static bool fail_attempt(PgConnection *c, Error *error)
{
    char why[256];
    snprintf(why, sizeof why, "%s", c->pg ? c->pq->errorMessage(c->pg) : "out of memory");
    for (char *p = why; *p; p++)
        if (*p == '\n' || *p == '\t')
            *p = p[1] ? ' ' : '\0';
    pg_disconnect(c);
    const char *hint = strstr(why, "unsupported startup parameter")
                           ? ". If it is behind PgBouncer, set ORION_DATABASE_PGBOUNCER=true"
                           : "";
    return fail(error, ERR_BUSY, "%s%s", why, hint);
}

static bool fail_late(PgConnection *c, const PgHost *host, const char *address, Error *error)
{
    pg_disconnect(c);
    if (!host)
        return fail(error, ERR_BUSY, "it did not answer in time");
    const char *name = host->name[0] ? host->name : host->address;
    return fail(error, ERR_BUSY, "the server at \"%s\"%s%s%s, port %s did not answer in time", name,
                address ? " (" : "", address ? address : "", address ? ")" : "", host->port);
}

/* As RDS Proxy does (0A000, which libpq does not report of a connection that was never made). */
static bool refuses_options(const PgConnection *c)
{
    return !c->is_plain && c->place->plain_values && strstr(c->pq->errorMessage(c->pg), "command-line options");
}

static PGconn *start(const PgConnection *c, const PgHost *host, const char *address)
{
    const PgPlace *place = c->place;
    const char *values[PG_KEYWORDS_MAX + PG_KEYWORDS_OURS];
    memcpy(values, c->is_plain ? place->plain_values : place->values, sizeof values);
    if (host) {
        values[place->host_at] = host->name;
        values[place->address_at] = address ? address : host->address;
        values[place->port_at] = host->port;
    }
    return c->pq->connectStartParams(place->keywords, values, 0);
}

/* With the address of a name; NULL: libpq takes the host as it is. The name stays, for certificates and passwords. */
static bool attempt(PgConnection *c, const PgHost *host, const char *address, Error *error)
{
    c->pg = start(c, host, address);
    if (!c->pg || c->pq->status(c->pg) == CONNECTION_BAD)
        return fail_attempt(c, error);
    for (PostgresPollingStatusType next = PGRES_POLLING_WRITING; next != PGRES_POLLING_OK;
         next = c->pq->connectPoll(c->pg)) {
        if (next == PGRES_POLLING_FAILED && refuses_options(c)) {
            pg_disconnect(c);
            c->is_plain = true;
            return attempt(c, host, address, error);
        }
        if (next == PGRES_POLLING_FAILED)
            return fail_attempt(c, error);
        if (!pg_wait_socket(c, next == PGRES_POLLING_READING ? POLLIN : POLLOUT))
            return fail_late(c, host, address, error);
    }
    return true;
}

/* ---- all hosts and addresses in turn ---- */

/* An equal part of the time for each that is left. */
static int64_t share(int64_t until, size_t left)
{
    int64_t now = clock_monotonic();
    return now + (until - now) / (int64_t)left;
}

static void add_failure(Error *all, const Error *one)
{
    Error before = *all;
    all->code = ERR_NONE;
    fail(all, ERR_BUSY, "%s%s%s", before.message, before.code == ERR_NONE ? "" : "; ", one->message);
}

static bool attempt_host(PgConnection *c, const PgHost *host, Error *error)
{
    PgAddresses addresses;
    int64_t until = c->deadline;
    if (!host->must_be_found)
        return attempt(c, host, NULL, error);
    if (!pg_lookup(host->name, until, &addresses, error))
        return false;
    for (size_t i = 0; i < addresses.count; i++) {
        Error one = { .code = ERR_NONE };
        c->deadline = share(until, addresses.count - i);
        if (attempt(c, host, addresses.text[i], &one))
            return true;
        add_failure(error, &one);
    }
    return false;
}

static bool connect_once(PgConnection *c, Error *error)
{
    const PgPlace *place = c->place;
    int64_t until = c->deadline;
    Error all = { .code = ERR_NONE };
    bool ok = place->host_count == 0 && attempt(c, NULL, NULL, &all);
    for (size_t i = 0; i < place->host_count && !ok; i++) {
        Error one = { .code = ERR_NONE };
        c->deadline = share(until, place->host_count - i);
        ok = attempt_host(c, &place->hosts[i], &one);
        if (!ok)
            add_failure(&all, &one);
    }
    c->deadline = until;
    return ok || fail(error, ERR_BUSY, "%s: %s", PG_UNREACHABLE, all.message);
}

/* ---- a connection ---- */

static void ignore_notice(void *arg, const char *message)
{
    (void)arg;
    (void)message;
}

static bool set_up(PgConnection *c, Error *error)
{
    int version = c->pq->serverVersion(c->pg);
    if (version < VERSION_MIN) {
        pg_disconnect(c);
        return fail(error, ERR_INTERNAL,
                    "PostgreSQL %d is too old: 13 or newer is needed. Upgrade the server, or use another one.",
                    version / 10000);
    }
    c->pq->setNoticeProcessor(c->pg, ignore_notice, NULL);
    c->must_reconnect = false;
    c->has_limit = c->keeps_statements && c->place->plain_values && !c->is_plain;
    c->last_use = clock_monotonic();
    if (c->pq->setnonblocking(c->pg, 1) != 0 || !c->pq->enterPipelineMode(c->pg)) {
        pg_disconnect(c);
        return fail(error, ERR_BUSY, "%s: out of memory", PG_UNREACHABLE);
    }
    c->is_counted = true;
    atomic_fetch_add(&c->place->shared->connected, 1);
    return true;
}

/* Tries until the time for connecting or the job's own is over, whichever comes first, or until a read must stop. If it
 * is refused and others have a connection, they are to do the work: the role, the database or the server may not allow
 * more. */
bool pg_connect(PgConnection *c, bool persist, Error *error)
{
    int64_t job_deadline = c->deadline;
    int64_t until = clock_monotonic() + (int64_t)(c->place->connect_timeout * (double)SECOND);
    c->deadline = job_deadline && job_deadline < until ? job_deadline : until;
    Error last = { .code = ERR_NONE };
    bool ok = connect_once(c, &last);
    while (!ok && persist && !db_must_stop(&c->base) && clock_monotonic() + RETRY_WAIT_US < c->deadline &&
           atomic_load(&c->place->shared->connected) == 0) {
        clock_sleep(RETRY_WAIT_US);
        last.code = ERR_NONE;
        ok = connect_once(c, &last);
    }
    c->base.is_refused = !ok && persist && !pg_is_late(c) && atomic_load(&c->place->shared->connected) > 0;
    c->deadline = job_deadline;
    if (ok)
        return set_up(c, error);
    if (persist && !c->base.is_refused && c->base.stopped == STOP_NOT) /* else the caller reports it, or nobody waits */
        log_warning(LOGGER, "%s", last.message);
    return fail(error, last.code, "%s", last.message);
}

/* tests/unit/test_postgres_lookup.c -- names that are found, are not, and hang. getaddrinfo is the test's own: what it
 * is asked decides what it does. */
#include "unit.h"

#include "base/clock.h"
#include "db/postgres_lookup.h"

#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

enum { AT_ONCE_MAX = 8, WAITERS = 20 };

static atomic_bool is_hanging; /* names that begin with "hang" do not return */
static atomic_uint inside, most_inside, ended;
static atomic_uint signals_let_through;

static int real_getaddrinfo(const char *host, const struct addrinfo *hints, struct addrinfo **ret)
{
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    void *found = dlsym(RTLD_NEXT, "getaddrinfo");
    memcpy(&real, &found, sizeof found);
    return real(host, NULL, hints, ret);
}

/* The addresses in a row of lists that getaddrinfo gives, which is what real ones look like. */
static int give(const char *const *addresses, const struct addrinfo *hints, struct addrinfo **ret)
{
    struct addrinfo **end = ret;
    for (; *addresses; addresses++) {
        int status = real_getaddrinfo(*addresses, hints, end);
        if (status != 0)
            return status;
        while (*end)
            end = &(*end)->ai_next;
    }
    return 0;
}

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **ret)
{
    static const char *const both[] = { "::1", "127.0.0.1", "::1", NULL };
    assert_null(service);
    if (hints->ai_flags & AI_NUMERICHOST)
        return real_getaddrinfo(host, hints, ret);
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    if (!sigismember(&blocked, SIGTERM))
        atomic_fetch_add(&signals_let_through, 1);
    unsigned now = atomic_fetch_add(&inside, 1) + 1;
    if (now > atomic_load(&most_inside))
        atomic_store(&most_inside, now);
    while (strncmp(host, "hang", 4) == 0 && atomic_load(&is_hanging))
        usleep(1000);
    int status = strcmp(host, "unknown.example") == 0 ? EAI_NONAME : give(both, hints, ret);
    atomic_fetch_sub(&inside, 1);
    atomic_fetch_add(&ended, 1);
    return status;
}

static void names_and_addresses(void **state)
{
    (void)state;
    static const struct { const char *host; bool is_name; } cases[] = {
        { "db.example", true }, { "localhost", true }, { "a", true }, { "1.2.3.x", true },
        { "127.0.0.1", false }, { "::1", false }, { "fe80::1%lo", false }, { "/run/postgresql", false },
        { "@abstract", false }, { "", false }, { NULL, false },
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_int_equal(pg_is_name(cases[i].host), cases[i].is_name);
}

static Error look_up(const char *name, int64_t wait, PgAddresses *ret)
{
    Error error = { .code = ERR_NONE };
    bool ok = pg_lookup(name, clock_monotonic() + wait, ret, &error);
    assert_int_equal(ok, error.code == ERR_NONE);
    return error;
}

static void each_address_is_given_once_and_in_order(void **state)
{
    (void)state;
    PgAddresses found;
    assert_string_equal(look_up("db.example", 60 * SECOND, &found).message, "");
    assert_int_equal(found.count, 2);
    assert_string_equal(found.text[0], "::1");
    assert_string_equal(found.text[1], "127.0.0.1");
    assert_int_equal(atomic_load(&signals_let_through), 0);
}

static void an_unknown_name_is_told(void **state)
{
    (void)state;
    PgAddresses found;
    Error error = look_up("unknown.example", 60 * SECOND, &found);
    assert_int_equal(error.code, ERR_BUSY);
    assert_string_equal(error.message, "the address of \"unknown.example\" was not found: Name or service not known");
}

static void wait_until_ended(unsigned count)
{
    for (int i = 0; i < 6000 && atomic_load(&ended) < count; i++)
        usleep(10000);
    assert_int_equal(atomic_load(&ended), count);
}

static void *look_up_and_give_up(void *arg)
{
    PgAddresses found;
    *(Error *)arg = look_up("hang.example", SECOND / 2, &found);
    return NULL;
}

/* What comes too late is nobody's, which the sanitizer would notice; and as many threads as may hang do. */
static void names_that_hang_are_given_up(void **state)
{
    (void)state;
    pthread_t threads[WAITERS];
    Error errors[WAITERS];
    unsigned before = atomic_load(&ended), too_long = 0, no_turn = 0;
    PgAddresses found;
    atomic_store(&is_hanging, true);
    int64_t start = clock_monotonic();
    for (int i = 0; i < WAITERS; i++)
        pthread_create(&threads[i], NULL, look_up_and_give_up, &errors[i]);
    for (int i = 0; i < WAITERS; i++)
        pthread_join(threads[i], NULL);
    assert_true(clock_monotonic() - start < 30 * SECOND); /* they would hang for ever */
    for (int i = 0; i < WAITERS; i++) {
        too_long += strstr(errors[i].message, "took too long: the name servers do not answer") != NULL;
        no_turn += strstr(errors[i].message, "was not looked up: 8 other look-ups have not ended") != NULL;
    }
    assert_int_equal(too_long, AT_ONCE_MAX);
    assert_int_equal(no_turn, WAITERS - AT_ONCE_MAX);
    assert_int_equal(atomic_load(&most_inside), AT_ONCE_MAX);
    atomic_store(&is_hanging, false);
    wait_until_ended(before + AT_ONCE_MAX);
    assert_string_equal(look_up("hang.example", 60 * SECOND, &found).message, "");
    assert_int_equal(found.count, 2);
}

static void *let_go_soon(void *arg)
{
    (void)arg;
    usleep(200000);
    atomic_store(&is_hanging, false);
    return NULL;
}

static void a_name_that_is_slow_is_waited_for(void **state)
{
    (void)state;
    pthread_t thread;
    PgAddresses found;
    atomic_store(&is_hanging, true);
    pthread_create(&thread, NULL, let_go_soon, NULL);
    assert_string_equal(look_up("hang.example", 60 * SECOND, &found).message, "");
    assert_int_equal(found.count, 2);
    pthread_join(thread, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_addresses),
        cmocka_unit_test(each_address_is_given_once_and_in_order),
        cmocka_unit_test(an_unknown_name_is_told),
        cmocka_unit_test(names_that_hang_are_given_up),
        cmocka_unit_test(a_name_that_is_slow_is_waited_for),
    };
    return cmocka_run_group_tests_name("postgres_lookup", tests, NULL, NULL);
}

/* tests/power/fate.c -- choices, the clock and random bytes from a seed. */
#include "fate.h"

#include <sys/types.h>
#include <time.h>

#include "db/threads.h"

enum { TICK = 50 * 1000 }; /* nanoseconds from one reading of the clock to the next */

static const int64_t NANOSECONDS = 1000000000, BEGINNING = 1780000000 * NANOSECONDS;

static struct {
    pthread_mutex_t lock;
    int64_t now; /* nanoseconds since 1970 */
    Dice dice;
} fate = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* ---- choices: splitmix64 ---- */

uint64_t dice_next(Dice *dice)
{
    uint64_t z = dice->state += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

unsigned dice_below(Dice *dice, unsigned n)
{
    return (unsigned)(dice_next(dice) % n);
}

bool dice_one_in(Dice *dice, unsigned n)
{
    return dice_below(dice, n) == 0;
}

/* ---- clock and random bytes ---- */

void fate_set(uint64_t seed, unsigned life)
{
    static const int64_t BETWEEN = 2 * 24 * 3600 * NANOSECONDS;
    pthread_mutex_lock(&fate.lock);
    fate.now = BEGINNING + life * BETWEEN;
    fate.dice = (Dice){ hash_number(seed, life) };
    pthread_mutex_unlock(&fate.lock);
}

void fate_pass(int64_t us)
{
    pthread_mutex_lock(&fate.lock);
    fate.now += us * 1000;
    pthread_mutex_unlock(&fate.lock);
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *ret);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ret)
{
    (void)clock;
    pthread_mutex_lock(&fate.lock);
    fate.now += TICK;
    *ret = (struct timespec){ .tv_sec = fate.now / NANOSECONDS, .tv_nsec = fate.now % NANOSECONDS };
    pthread_mutex_unlock(&fate.lock);
    return 0;
}

/* Whoever waits for a clock that stands still waits for ever. The writes of a life come as its seed says. */
void __wrap_queue_gather(Queue *queue, unsigned wanted, int64_t us);
void __wrap_queue_gather(Queue *queue, unsigned wanted, int64_t us)
{
    (void)queue, (void)wanted, (void)us;
}

/* When a connection gives back its pages must not depend on how fast the threads are. */
bool __wrap_queue_wait(Queue *queue, bool is_kept, int64_t us);
bool __wrap_queue_wait(Queue *queue, bool is_kept, int64_t us)
{
    (void)queue, (void)is_kept, (void)us;
    return true;
}

ssize_t __wrap_getrandom(void *out, size_t n, unsigned flags);
ssize_t __wrap_getrandom(void *out, size_t n, unsigned flags)
{
    unsigned char *p = out;
    (void)flags;
    pthread_mutex_lock(&fate.lock);
    for (size_t i = 0; i < n; i++)
        p[i] = (unsigned char)dice_next(&fate.dice);
    pthread_mutex_unlock(&fate.lock);
    return (ssize_t)n;
}

/* ---- hashes ---- */

uint64_t hash_number(uint64_t hash, uint64_t number)
{
    hash = (hash ^ number) * 1099511628211u;
    return hash ^ hash >> 29; /* so that high bits reach the low ones, too */
}

uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t n)
{
    const unsigned char *p = bytes;
    for (; n >= 8; n -= 8, p += 8) {
        uint64_t eight;
        memcpy(&eight, p, 8);
        hash = hash_number(hash, eight);
    }
    for (; n > 0; n--, p++)
        hash = hash_number(hash, *p);
    return hash;
}

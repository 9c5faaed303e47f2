/* tests/power/fate.h -- what would come from outside, from a seed instead: choices, the clock, random bytes. The
 * program is linked so that clock_gettime and getrandom are those of fate.c. */
#ifndef ORION_POWER_FATE_H
#define ORION_POWER_FATE_H

#include "base/clock.h"

/* Independent random numbers; a copy repeats them. */
typedef struct Dice {
    uint64_t state;
} Dice;

uint64_t dice_next(Dice *dice);
unsigned dice_below(Dice *dice, unsigned n); /* 0 to n - 1; n > 0 */
bool dice_one_in(Dice *dice, unsigned n);

/* Starts clock and random bytes anew, the clock some days later in each life. Both are read by one thread at a time, so
 * a seed gives each the same values. */
void fate_set(uint64_t seed, unsigned life);
void fate_pass(int64_t us); /* moves the clock on; each reading of it does so a little */

/* FNV-1a, eight bytes at a time; start with HASH_START. */
#define HASH_START 14695981039346656037u
uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t n);
uint64_t hash_number(uint64_t hash, uint64_t number);

#endif

/* base/random.c -- randomness from the system. */
#include "base/random.h"

#include <errno.h>
#include <sys/random.h>

static const char *const adjectives[] = {
    "agile",    "amber",   "ancient",  "azure",    "bold",    "brave",   "breezy",   "bright",  "brisk",  "calm",
    "candid",   "clever",  "copper",   "coral",    "cosmic",  "crimson", "crisp",    "curious", "dapper", "daring",
    "deft",     "eager",   "earnest",  "electric", "elegant", "emerald", "fearless", "fleet",   "gentle", "gilded",
    "glad",     "golden",  "graceful", "hardy",    "hazel",   "honest",  "humble",   "indigo",  "ivory",  "jade",
    "jolly",    "keen",    "kind",     "lively",   "loyal",   "lucid",   "lunar",    "mellow",  "merry",  "mighty",
    "misty",    "modest",  "nimble",   "noble",    "olive",   "patient", "placid",   "plucky",  "polite", "quick",
    "quiet",    "radiant", "rapid",    "rosy",     "ruby",    "rustic",  "sage",     "scarlet", "serene", "silent",
    "silver",   "smooth",  "snowy",    "solar",    "spry",    "steady",  "stellar",  "sunny",   "swift",  "tidy",
    "tranquil", "velvet",  "vivid",    "warm",     "wise",    "witty",   "zesty",
};

static const char *const animals[] = {
    "albatross", "alpaca",     "antelope", "badger",    "beaver",  "bison",   "bobcat",  "buffalo", "camel",
    "caribou",   "cheetah",    "condor",   "cormorant", "cougar",  "coyote",  "crane",   "cricket", "curlew",
    "deer",      "dolphin",    "dormouse", "dove",      "eagle",   "egret",   "elk",     "falcon",  "ferret",
    "finch",     "flamingo",   "fox",      "gazelle",   "gecko",   "gibbon",  "goose",   "gull",    "hare",
    "hawk",      "hedgehog",   "heron",    "hornet",    "ibex",    "ibis",    "iguana",  "jackal",  "jaguar",
    "kestrel",   "kingfisher", "koala",    "lark",      "lemur",   "leopard", "llama",   "lobster", "lynx",
    "magpie",    "manatee",    "marmot",   "marten",    "meerkat", "mole",    "moose",   "newt",    "ocelot",
    "octopus",   "oriole",     "osprey",   "otter",     "owl",     "panther", "pelican", "penguin", "pheasant",
    "plover",    "puffin",     "quail",    "rabbit",    "raven",   "salmon",  "seal",    "sparrow", "stork",
    "swan",      "tapir",      "toucan",   "walrus",    "weasel",  "wolf",    "wren",
};

void random_bytes(void *out, size_t n)
{
    unsigned char *p = out;
    while (n > 0) {
        ssize_t got = getrandom(p, n, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) /* does not happen on the kernels we run on; ids that might repeat would be worse than none */
            abort();
        p += got;
        n -= (size_t)got;
    }
}

uint64_t random_64(void)
{
    static _Thread_local uint64_t pool[32];
    static _Thread_local size_t left;
    if (left == 0) {
        random_bytes(pool, sizeof pool);
        left = COUNT_OF(pool);
    }
    return pool[--left];
}

double random_unit(void)
{
    uint64_t bits = random_64();
    /* The 53 bits that a double holds exactly. */
    return (double)(bits >> 11) * 0x1p-53;
}

static const char *choose(const char *const *words, size_t count)
{
    return words[(size_t)(random_unit() * (double)count)];
}

Str random_name(Arena *arena)
{
    return arena_printf(arena, "%s-%s", choose(adjectives, COUNT_OF(adjectives)), choose(animals, COUNT_OF(animals)));
}

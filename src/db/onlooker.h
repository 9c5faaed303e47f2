/* db/onlooker.h -- who looks on while something long is done to a database: is told how far it is, and asked whether
 * to end. */
#ifndef ORION_ONLOOKER_H
#define ORION_ONLOOKER_H

#include "base/base.h"

typedef struct Progress {
    const char *doing;          /* "Copying" */
    const char *part;           /* the table; NULL: it is not done in parts */
    int64_t part_done, part_of;
    int64_t done, of;           /* `of` may change; 0: nothing to do */
    const char *unit;           /* of `done`, `of` and the part's: "rows"; NULL: bytes */
} Progress;

#define ONLOOKER_ENDED "It was interrupted."

/* Both functions may be called on any thread, one at a time; NULL: nobody looks on. */
typedef struct Onlooker {
    void (*show)(void *arg, const Progress *progress);
    bool (*must_end)(void *arg);
    void *arg;
} Onlooker;

bool onlooker_must_end(const Onlooker *onlooker);
/* Shows it. False: the work must end; *error says so. */
bool onlooker_goes_on(const Onlooker *onlooker, const Progress *progress, Error *error) MUST_CHECK;

#endif

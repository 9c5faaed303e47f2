/* db/watch.h -- who looks on while something long is done to a database: told how far it is, asked whether to end. */
#ifndef ORION_WATCH_H
#define ORION_WATCH_H

#include "base/base.h"

typedef struct Progress {
    const char *doing;          /* "Copying" */
    const char *part;           /* the table; NULL: it is not done in parts */
    int64_t part_done, part_of;
    int64_t done, of;           /* `of` may change; 0: nothing to do */
    bool is_bytes;              /* else rows */
} Progress;

#define WATCH_ENDED "It was interrupted."

/* Both functions may be called on any thread, one at a time; NULL: nobody looks on. */
typedef struct Watch {
    void (*show)(void *arg, const Progress *progress);
    bool (*must_end)(void *arg);
    void *arg;
} Watch;

bool watch_must_end(const Watch *watch);
/* Shows it. False: the work must end; *error says so. */
bool watch_goes_on(const Watch *watch, const Progress *progress, Error *error) MUST_CHECK;

#endif

/* db/watch.c -- who looks on while something long is done to a database. */
#include "db/watch.h"

bool watch_must_end(const Watch *watch)
{
    return watch && watch->must_end && watch->must_end(watch->arg);
}

bool watch_goes_on(const Watch *watch, const Progress *progress, Error *error)
{
    if (watch && watch->show)
        watch->show(watch->arg, progress);
    return !watch_must_end(watch) || fail(error, ERR_BUSY, WATCH_ENDED);
}

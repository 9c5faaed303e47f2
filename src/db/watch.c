/* db/watch.c -- who looks on while something long is done to a database. */
#include "db/watch.h"

bool watch_goes_on(const Watch *watch, const Progress *progress, Error *error)
{
    if (!watch)
        return true;
    if (watch->show)
        watch->show(watch->arg, progress);
    return !watch->must_end || !watch->must_end(watch->arg) || fail(error, ERR_BUSY, "It was interrupted.");
}

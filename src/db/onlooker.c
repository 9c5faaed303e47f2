/* db/onlooker.c -- who looks on while something long is done to a database. */
#include "db/onlooker.h"

bool onlooker_must_end(const Onlooker *onlooker)
{
    return onlooker && onlooker->must_end && onlooker->must_end(onlooker->arg);
}

bool onlooker_goes_on(const Onlooker *onlooker, const Progress *progress, Error *error)
{
    if (onlooker && onlooker->show)
        onlooker->show(onlooker->arg, progress);
    return !onlooker_must_end(onlooker) || fail(error, ERR_BUSY, ONLOOKER_ENDED);
}

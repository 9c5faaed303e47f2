/* config/setting_database.c -- Prefect 2.7 calls its file orion.db, 3 prefect.db; a folder that has either is gone on
 * with, whatever generation a new database would be of. */
#include "config/setting_database.h"

#include <unistd.h>

#define FILE_2_7 "orion.db"
#define FILE_3 "prefect.db"
#define URL_OF(file) "sqlite+aiosqlite:///${PREFECT_HOME}/" file

static bool is_there(Settings *settings, Str home, const char *file)
{
    return access(arena_printf(settings_arena(settings), "%.*s/%s", STR_ARG(home), file).p, F_OK) == 0;
}

bool database_default(Settings *settings, Str *value, Error *error)
{
    Str home, generation;
    if (!settings_derive(settings, "PREFECT_HOME", &home, error) ||
        !settings_derive(settings, "ORION_GENERATION", &generation, error))
        return false;
    bool is_second = str_is(generation, "3") || is_there(settings, home, FILE_3);
    *value = is_second && !is_there(settings, home, FILE_2_7) ? STR(URL_OF(FILE_3)) : STR(URL_OF(FILE_2_7));
    return true;
}

void database_warn_of_two(Settings *settings)
{
    Str home = settings_text(settings, "PREFECT_HOME");
    if (settings_source(settings, "PREFECT_ORION_DATABASE_CONNECTION_URL") == FROM_DEFAULT &&
        is_there(settings, home, FILE_2_7) && is_there(settings, home, FILE_3))
        fprintf(stderr, "WARNING: %.*s has both " FILE_2_7 " and " FILE_3 ": " FILE_2_7 " is used. "
                "For the other one, set PREFECT_ORION_DATABASE_CONNECTION_URL.\n", STR_ARG(home));
}

/* db/sqlite_url.h -- from a URL as SQLAlchemy takes it to what SQLite opens. */
#ifndef ORION_SQLITE_URL_H
#define ORION_SQLITE_URL_H

#include "db/driver.h"

/* "sqlite" and "sqlite+aiosqlite". */
bool sqlite_takes(Str scheme);
/* sqlite+aiosqlite:////abs/path, ///relative/path, ///:memory:, ///file:NAME?uri=true&…. False if the folder is
 * missing, or the file if it must exist; nothing is made. In memory: ":memory:", whatever name the URL gave it,
 * since one connection serves all. */
bool sqlite_locate(Arena *arena, const DbConfig *config, DbPlace *ret_place, Error *error) MUST_CHECK;

#endif

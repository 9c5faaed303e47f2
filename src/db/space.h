/* db/space.h -- how large a database is, by table and index, and how fast it grows; and getting room back. */
#ifndef ORION_SPACE_H
#define ORION_SPACE_H

#include "db/db.h"
#include "db/onlooker.h"
#include "db/tables.h"

typedef struct IndexSpace {
    Str name;
    const Table *table;
    int64_t bytes;
} IndexSpace;

typedef struct TableSpace {
    const Table *table;
    int64_t rows;
    int64_t bytes, index_bytes;
} TableSpace;

typedef struct Space {
    bool has_sizes;              /* false: bytes by table and index are unknown (an SQLite without dbstat) */
    int64_t bytes, free_bytes;   /* of the database; of its pages that are not in use (-1: unknown) */
    const TableSet *of;          /* which tables there are */
    TableSpace tables[TABLES_MAX];
    IndexSpace *indexes;
    size_t index_count, index_capacity;
    Time oldest, newest;         /* when flow runs were created; TIME_NULL: there are none */
    double days;                 /* that growth was measured: 7, or as many as there have been runs, at least 1 */
    double runs, logs;           /* that came, each day */
    double grown;                /* bytes each day, estimated: as if all runs, and all logs, were of one size */
} Space;

/* Counts all rows, and looks at each page of SQLite's; in the job's arena. False: tx->error. */
bool space_measure(Tx *tx, Space *ret) MUST_CHECK;

/* Space.bytes and Space.free_bytes alone, at little cost; they are left as they are if that fails: tx->error. */
void space_read_total(Tx *tx, int64_t *bytes, int64_t *free_bytes);

/* Gives back room that deleted rows took, and refreshes statistics. SQLite: writes the database anew, which needs twice
 * its room meanwhile; writes of others wait. PostgreSQL: marks it as free, table by table, beside others. False:
 * *error; the database holds what it did. */
bool space_vacuum(const DbConfig *config, const Onlooker *onlooker, Arena *arena, Error *error) MUST_CHECK;

#endif

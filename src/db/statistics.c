/* db/statistics.c -- keeps the planner's statistics up to date: without them SQLite believes that all tables are of one
 * size, and all values equally frequent. */
#include "db/statistics.h"

#include "base/str_list.h"
#include "db/driver.h"
#include "db/tables.h"

enum {
    ROWS_MIN = 1000,           /* in smaller tables any plan is good */
    GROWN = 2,                 /* times as many rows, or as few */
    SAMPLES = 10000,           /* rows of an index that SQLite looks at */
    FREQUENT = 100,            /* a value that so many of them have is one of a few */
    DISTINCT_MAX = 200         /* values of a column that are counted */
};

/* SQLite deletes a table's row without an index when it analyzes it, and puts none there if it has indexes. We note
 * there from how many rows the statistics are; that is what such a row means to SQLite, too. */
typedef struct TableSize {
    const char *table;
    int64_t rows;              /* estimated */
} TableSize;

typedef struct Survey {
    bool all;
    TableSize due[TABLES_MAX];
    size_t count;
} Survey;

/* Rows have rising numbers, and old ones are deleted first: so the numbers' range is a good guess, at no cost. */
static int64_t count_roughly(Tx *tx, const char *table)
{
    return db_int(tx, 0, arena_printf(tx->arena, "SELECT MAX(rowid) - (SELECT MIN(rowid) FROM %s) + 1 FROM %s", table,
                                      table).p, NULL, 0);
}

/* An own index of the table that was made, or made anew, after the table was analyzed. Of a partial one that holds no
 * rows SQLite notes nothing, so those do not count. */
static bool lacks_an_index(Tx *tx, const char *table)
{
    return DB_INT(tx, 0, "SELECT COUNT(*) FROM pragma_index_list($1) AS i WHERE i.name GLOB 'orion_*'"
                         " AND NOT i.partial AND i.name NOT IN (SELECT idx FROM sqlite_stat1 WHERE idx IS NOT NULL)",
                  v_text(str_from(table))) > 0;
}

static bool is_due(Tx *tx, const char *table, int64_t rows, bool has_statistics)
{
    int64_t noted = has_statistics ? DB_INT(tx, 0, "SELECT CAST(stat AS INTEGER) FROM sqlite_stat1"
                                                   " WHERE tbl = $1 AND idx IS NULL", v_text(str_from(table))) : 0;
    return (rows >= ROWS_MIN || noted >= ROWS_MIN)
           && (rows / GROWN >= noted || rows <= noted / GROWN || lacks_an_index(tx, table));
}

static bool survey_sqlite(Tx *tx, void *arg)
{
    Survey *survey = arg;
    bool has_statistics = DB_INT(tx, 0, "SELECT COUNT(*) FROM sqlite_master WHERE name = 'sqlite_stat1'") > 0;
    survey->count = 0;
    const TableSet *tables = tables_of(GEN_2_7);
    for (size_t i = 0; i < tables->count; i++) {
        const char *table = tables->items[i].name;
        if (DB_INT(tx, 0, "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = $1",
                   v_text(str_from(table))) == 0)
            continue; /* of a damaged database */
        int64_t rows = count_roughly(tx, table);
        if (survey->all ? rows >= ROWS_MIN : is_due(tx, table, rows, has_statistics))
            survey->due[survey->count++] = (TableSize){ table, rows };
    }
    return tx->error->code == ERR_NONE;
}

/* How many values a column has, as far as DISTINCT_MAX: each is found at once by an index that the column leads. */
static int64_t count_values(Tx *tx, const char *table, const char *column)
{
    Str sql = arena_printf(tx->arena,
                           "WITH RECURSIVE found (value) AS (SELECT MIN(%1$s) FROM %2$s UNION ALL"
                           " SELECT (SELECT MIN(%1$s) FROM %2$s WHERE %1$s > found.value) FROM found"
                           " WHERE found.value IS NOT NULL LIMIT %3$d) SELECT COUNT(value) FROM found",
                           column, table, DISTINCT_MAX);
    return db_int(tx, 0, sql.p, NULL, 0);
}

/* "rows, rows for each value of the first column, of the first two, …". Samples end with the first value that more
 * rows have, so that SQLite takes a column of few values for one of many the larger the table is. */
static bool correct_index(Tx *tx, const TableSize *size, Str index, Str column)
{
    int64_t values = count_values(tx, size->table, arena_cstr(tx->arena, column));
    if (values == 0 || values >= DISTINCT_MAX)
        return tx->error->code == ERR_NONE;
    return DB_EXEC(tx,
                   "UPDATE sqlite_stat1 SET stat = CAST($1 AS INTEGER) || ' ' || CAST($2 AS INTEGER)"
                   " || ltrim(substr(stat, instr(stat, ' ') + 1), '0123456789') WHERE idx = $3",
                   v_int(size->rows), v_int((size->rows + values - 1) / values), v_text(index)) >= 0;
}

/* Those of whole columns; a partial index may hold one value alone. */
static bool correct_statistics(Tx *tx, const TableSize *size)
{
    StrList indexes = { 0 }, columns = { 0 };
    Rows *rows = DB_QUERY(tx,
                          "SELECT s.idx, i.name FROM sqlite_stat1 AS s JOIN pragma_index_list(s.tbl) AS l"
                          " ON l.name = s.idx JOIN pragma_index_info(s.idx) AS i WHERE s.tbl = $1 AND NOT l.partial"
                          " AND i.seqno = 0 AND i.name IS NOT NULL"
                          " AND CAST(substr(s.stat, instr(s.stat, ' ') + 1) AS INTEGER) >= $2",
                          v_text(str_from(size->table)), v_int(FREQUENT));
    while (db_next(rows)) {
        str_list_add(&indexes, tx->arena, row_text(rows, 0));
        str_list_add(&columns, tx->arena, row_text(rows, 1));
    }
    for (size_t i = 0; i < indexes.count; i++)
        if (!correct_index(tx, size, indexes.items[i], columns.items[i]))
            return false;
    return tx->error->code == ERR_NONE;
}

/* Other connections read new statistics when they see that the schema has another version. */
static bool analyze_sqlite(Tx *tx, void *arg)
{
    const TableSize *size = arg;
    int64_t version = DB_INT(tx, 0, "SELECT schema_version FROM pragma_schema_version");
    Str script = arena_printf(tx->arena, "PRAGMA analysis_limit = %d; ANALYZE %s; PRAGMA schema_version = %lld",
                              SAMPLES, size->table, (long long)version + 1);
    return tx->error->code == ERR_NONE && db_script(tx, script.p)
           && (size->rows <= SAMPLES || correct_statistics(tx, size))
           && DB_EXEC(tx, "INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES ($1, NULL, CAST($2 AS TEXT))",
                      v_text(str_from(size->table)), v_int(size->rows)) == 1;
}

static bool refresh_sqlite(Db *db, bool all, Arena *arena, const atomic_bool *stopping, Error *error)
{
    Survey survey = { .all = all };
    if (!db_run(db, false, arena, survey_sqlite, &survey, error))
        return false;
    for (size_t i = 0; i < survey.count && !(stopping && *stopping); i++)
        if (!db_run(db, true, arena, analyze_sqlite, &survey.due[i], error))
            return false;
    return true;
}

static bool analyze_postgres(Tx *tx, void *arg)
{
    const Table *table = arg;
    return db_exec(tx, arena_printf(tx->arena, "ANALYZE %s", table->name).p, NULL, 0) >= 0;
}

/* The rest it keeps up to date by itself. */
static bool refresh_postgres(Db *db, bool all, Arena *arena, const atomic_bool *stopping, Error *error)
{
    const TableSet *tables = tables_of(GEN_2_7);
    for (size_t i = 0; all && i < tables->count && !(stopping && *stopping); i++)
        if (!db_run(db, true, arena, analyze_postgres, (void *)(uintptr_t)&tables->items[i], error))
            return false;
    return true;
}

bool statistics_refresh(Db *db, bool all, Arena *arena, const atomic_bool *stopping, Error *error)
{
    static bool (*const refresh[ENGINES])(Db *, bool, Arena *, const atomic_bool *, Error *) = {
        [ENGINE_SQLITE] = refresh_sqlite,
        [ENGINE_POSTGRESQL] = refresh_postgres,
    };
    return refresh[db_dialect(db)->engine](db, all, arena, stopping, error);
}

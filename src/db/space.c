/* db/space.c -- how large a database is, by table and index, and how fast it grows; and getting room back. */
#include "db/space.h"

#include "db/copy.h"
#include "db/driver.h"
#include "db/migrate.h"

static const Time DAY = 86400 * SECOND;
static const double DAYS_MAX = 7;

/* ---- measuring ---- */

static void add_index(Tx *tx, Space *space, Str name, const Table *table, int64_t bytes)
{
    space->indexes = arena_grow(tx->arena, space->indexes, space->index_count, &space->index_capacity,
                                sizeof *space->indexes);
    space->indexes[space->index_count++] = (IndexSpace){ .name = name, .table = table, .bytes = bytes };
}

static void read_sizes(Tx *tx, Space *space)
{
    Rows *rows = db_query(tx, tx->sql->sizes.each, NULL, 0);
    while (db_next(rows)) {
        const Table *table = table_find(space->of, arena_cstr(tx->arena, row_view(rows, 1)));
        if (!table)
            continue;
        TableSpace *of = &space->tables[table - space->of->items];
        int64_t bytes = row_int(rows, 3);
        if (row_bool(rows, 2)) {
            add_index(tx, space, row_text(rows, 0), table, bytes);
            of->index_bytes += bytes;
        } else {
            of->bytes += bytes;
        }
    }
}

void space_read_total(Tx *tx, int64_t *bytes, int64_t *free_bytes)
{
    Rows *rows = db_query(tx, tx->sql->sizes.all, NULL, 0);
    if (db_next(rows)) {
        *bytes = row_int(rows, 0);
        *free_bytes = row_is_null(rows, 1) ? -1 : row_int(rows, 1);
    }
    db_done(rows);
}

static void read_ages(Tx *tx, Space *space)
{
    Rows *rows = DB_QUERY(tx, "SELECT MIN(created), MAX(created) FROM flow_run");
    space->oldest = space->newest = TIME_NULL;
    if (db_next(rows)) {
        space->oldest = row_time(rows, 0);
        space->newest = row_time(rows, 1);
    }
    db_done(rows);
}

static double share(int64_t part, int64_t of)
{
    return of > 0 ? (double)part / (double)of : 0;
}

static const TableSpace *space_of(const Space *space, const char *table)
{
    return &space->tables[table_find(space->of, table) - space->of->items];
}

static double bytes_of(const Space *space, const char *table)
{
    const TableSpace *of = space_of(space, table);
    return (double)(of->bytes + of->index_bytes);
}

static int64_t rows_of(const Space *space, const char *table)
{
    return space_of(space, table)->rows;
}

static void measure_growth(Tx *tx, Space *space)
{
    static const char *const of_runs[] = { "flow_run", "flow_run_state", "task_run", "task_run_state", "artifact" };
    double age = space->oldest == TIME_NULL ? 0 : (double)(tx->now - space->oldest) / (double)DAY;
    space->days = age < 1 ? 1 : age > DAYS_MAX ? DAYS_MAX : age;
    Time since = tx->now - (Time)(space->days * (double)DAY);
    int64_t runs = DB_INT(tx, 0, "SELECT COUNT(*) FROM flow_run WHERE created >= $1", v_time(since)),
            logs = DB_INT(tx, 0, "SELECT COUNT(*) FROM log WHERE timestamp >= $1", v_time(since));
    double bytes = bytes_of(space, "log") * share(logs, rows_of(space, "log"));
    for (size_t i = 0; i < COUNT_OF(of_runs); i++)
        bytes += bytes_of(space, of_runs[i]) * share(runs, rows_of(space, "flow_run"));
    space->runs = (double)runs / space->days;
    space->logs = (double)logs / space->days;
    space->grown = bytes / space->days;
}

bool space_measure(Tx *tx, Space *ret)
{
    int64_t counts[TABLES_MAX];
    Generation generation;
    if (!migrate_check_any(tx, &generation))
        return false;
    *ret = (Space){ .free_bytes = -1, .of = tables_of(generation) };
    if (!copy_count_rows(tx, ret->of, counts))
        return false;
    for (size_t i = 0; i < ret->of->count; i++)
        ret->tables[i] = (TableSpace){ .table = &ret->of->items[i], .rows = counts[i] };
    ret->has_sizes = db_int(tx, 0, tx->sql->sizes.are_known, NULL, 0) > 0;
    if (ret->has_sizes)
        read_sizes(tx, ret);
    space_read_total(tx, &ret->bytes, &ret->free_bytes);
    read_ages(tx, ret);
    measure_growth(tx, ret);
    return tx->error->code == ERR_NONE;
}

/* ---- getting room back ---- */

static bool step_check(Tx *tx, void *arg)
{
    return migrate_check_any(tx, arg);
}

/* Outside of any transaction, as VACUUM must be. */
static bool step_vacuum(Tx *tx, void *arg)
{
    const Table *table = arg;
    Buf sql;
    buf_init(&sql, tx->arena, 64);
    for (const char *p = tx->sql->vacuum; *p; p++) {
        if (p[0] == '%' && p[1] == 's')
            buf_text(&sql, table->name), p++;
        else
            buf_char(&sql, *p);
    }
    return db_build(tx, buf_cstr(&sql));
}

static bool vacuum_tables(Db *db, const TableSet *tables, const Onlooker *onlooker, Arena *arena, Error *error)
{
    Progress at = { .doing = "Vacuuming", .of = (int64_t)tables->count };
    for (size_t i = 0; i < tables->count; i++) {
        at.part = tables->items[i].name;
        if (!onlooker_goes_on(onlooker, &at, error)
            || !db_run(db, true, arena, step_vacuum, (void *)(uintptr_t)&tables->items[i], error))
            return false;
        at.done++;
    }
    return true;
}

bool space_vacuum(const DbConfig *given, const Onlooker *onlooker, Arena *arena, Error *error)
{
    DbPlace place;
    Generation generation;
    DbConfig config = *given;
    config.timeout = 0;
    config.readers = config.connections = 1;
    config.must_exist = true;
    const Driver *driver = db_locate(arena, &config, &place, error);
    Db *db = driver ? db_open(&config, error) : NULL;
    bool ok = db && db_run(db, false, arena, step_check, &generation, error)
              && (driver->vacuum || vacuum_tables(db, tables_of(generation), onlooker, arena, error));
    db_close(db);
    return ok && (!driver->vacuum || driver->vacuum(&place, onlooker, error));
}

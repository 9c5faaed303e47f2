/* db/rows.c -- statements and rows as handlers use them: the sticky error, and the small verbs
 * over the driver's functions. */
#include "base/log.h"
#include "db/driver.h"

static const Driver *driver_of(const Tx *tx)
{
    const DbConnection *connection = tx->connection;
    return connection->driver;
}

/* False: an earlier failure of this job, after which statements do nothing. */
static bool may_run(const Tx *tx, const char *sql)
{
    const DbConnection *connection = tx->connection;
    if (tx->error->code != ERR_NONE)
        return false;
    if (connection->echo)
        log_info("orion.db", "%s", sql);
    return true;
}

Arena *tx_arena_begin(Tx *tx)
{
    Arena *of_job = tx->arena;
    tx->arena = arena_new();
    return of_job;
}

void tx_arena_end(Tx *tx, Arena *of_job)
{
    arena_free(tx->arena);
    tx->arena = of_job;
}

bool tx_has_time(const Tx *tx)
{
    return clock_monotonic() < tx->step_end;
}

Rows *db_query(Tx *tx, const char *sql, const Value *values, size_t count)
{
    if (!may_run(tx, sql)) {
        Rows *none = arena_new_of(tx->arena, Rows);
        none->tx = tx;
        return none;
    }
    DbConnection *connection = tx->connection;
    Timing timing = meter_begin(&connection->meter, sql);
    Rows *rows = connection->driver->query(tx, sql, values, count);
    timing_stop(&timing);
    rows->timing = timing;
    if (rows->is_open) {
        rows->next_open = connection->open;
        connection->open = rows;
    }
    return rows;
}

int64_t db_exec(Tx *tx, const char *sql, const Value *values, size_t count)
{
    if (!may_run(tx, sql))
        return -1;
    DbConnection *connection = tx->connection;
    Timing timing = meter_begin(&connection->meter, sql);
    int64_t changed = connection->driver->exec(tx, sql, values, count);
    timing_stop(&timing);
    meter_end(&connection->meter, &timing);
    return changed;
}

bool db_send(Tx *tx, const char *sql, const Value *values, size_t count)
{
    DbConnection *connection = tx->connection;
    if (!connection->driver->send)
        return db_exec(tx, sql, values, count) >= 0;
    if (!may_run(tx, sql))
        return false;
    Timing timing = meter_begin(&connection->meter, sql);
    bool ok = connection->driver->send(tx, sql, values, count);
    timing_stop(&timing);
    meter_end(&connection->meter, &timing);
    return ok;
}

void db_lock(Tx *tx, DbLock lock)
{
    const Driver *driver = driver_of(tx);
    if (driver->lock && lock != LOCK_NONE && tx->error->code == ERR_NONE)
        driver->lock(tx, lock);
}

bool db_try_lock(Tx *tx, DbLock lock)
{
    const Driver *driver = driver_of(tx);
    return tx->error->code == ERR_NONE && (!driver->try_lock || driver->try_lock(tx, lock));
}

void db_lock_row(Tx *tx, const char *table, Str id)
{
    const Driver *driver = driver_of(tx);
    if (driver->lock_row && id.p && tx->error->code == ERR_NONE)
        driver->lock_row(tx, table, id);
}

void db_lock_rows(Tx *tx, const char *sql, const Value *values, size_t count)
{
    if (driver_of(tx)->lock_row)
        (void)db_send(tx, sql, values, count);
}

bool db_may_serve(Tx *tx, int64_t connections)
{
    const Driver *driver = driver_of(tx);
    return !driver->may_serve || driver->may_serve(tx, connections);
}

bool db_script(Tx *tx, const char *sql)
{
    return may_run(tx, sql) && driver_of(tx)->script(tx, sql);
}

bool db_build(Tx *tx, const char *sql)
{
    return may_run(tx, sql) && driver_of(tx)->build(tx, sql);
}

int64_t db_int(Tx *tx, int64_t otherwise, const char *sql, const Value *values, size_t count)
{
    Rows *rows = db_query(tx, sql, values, count);
    int64_t result = db_next(rows) && !row_is_null(rows, 0) ? row_int(rows, 0) : otherwise;
    db_done(rows);
    return result;
}

Str db_text(Tx *tx, const char *sql, const Value *values, size_t count)
{
    Rows *rows = db_query(tx, sql, values, count);
    Str result = db_next(rows) ? row_text(rows, 0) : STR_NULL;
    db_done(rows);
    return result;
}

/* ---- spoiled rows ---- */

void row_spoil(Rows *rows, int column, const char *fault)
{
    if (rows->fault)
        return;
    rows->fault = fault;
    rows->fault_name = NULL;
    rows->fault_id = STR_NULL;
    rows->fault_column = column;
}

void row_name_fault(Rows *rows, const char *name, Str id)
{
    if (rows->fault && !rows->fault_name) {
        rows->fault_name = name;
        rows->fault_id = id;
    }
}

bool row_is_typed(const Rows *rows)
{
    return rows->tx->sql->is_typed;
}

static const char *fault_text(const Rows *rows)
{
    if (!rows->fault_name)
        return arena_printf(rows->tx->arena, "column %d of a row %s", rows->fault_column, rows->fault).p;
    if (!rows->fault_id.p)
        return arena_printf(rows->tx->arena, "%s of a row %s", rows->fault_name, rows->fault).p;
    return arena_printf(rows->tx->arena, "%s of the row %.*s %s", rows->fault_name, STR_ARG(rows->fault_id),
                        rows->fault).p;
}

bool row_is_sound(Rows *rows)
{
    if (!rows->fault)
        return true;
    log_warning("orion.db", "A row is left out, because a value in it cannot be read: %s", fault_text(rows));
    rows->fault = NULL;
    return false;
}

/* On leaving a row: nobody has asked row_is_sound about its fault. */
static void fail_if_spoiled(Rows *rows)
{
    if (rows->fault)
        fail(rows->tx->error, ERR_SPOILED, "A value in the database cannot be read: %s", fault_text(rows));
    rows->fault = NULL;
}

bool db_next(Rows *rows)
{
    if (!rows->is_open)
        return false;
    fail_if_spoiled(rows);
    bool is_row = false;
    timing_start(&rows->timing);
    if (db_must_stop(rows->tx->connection)) /* few large rows are few steps for the engine */
        fail(rows->tx->error, ERR_BUSY, DB_TOO_LONG);
    else
        is_row = driver_of(rows->tx)->next(rows);
    timing_stop(&rows->timing);
    if (!is_row)
        db_done(rows);
    return is_row;
}

void db_done(Rows *rows)
{
    if (!rows->is_open)
        return;
    DbConnection *connection = rows->tx->connection;
    Rows **link = &connection->open;
    while (*link != rows)
        link = &(*link)->next_open;
    *link = rows->next_open;
    rows->is_open = false;
    fail_if_spoiled(rows);
    connection->driver->finish(rows);
    meter_end(&connection->meter, &rows->timing);
}

bool row_is_null(Rows *rows, int column)
{
    return !rows->is_open || driver_of(rows->tx)->is_null(rows, column);
}

int64_t row_int(Rows *rows, int column)
{
    return rows->is_open ? driver_of(rows->tx)->integer(rows, column) : 0;
}

double row_real(Rows *rows, int column)
{
    return rows->is_open ? driver_of(rows->tx)->real(rows, column) : 0;
}

bool row_bool(Rows *rows, int column)
{
    return row_int(rows, column) != 0;
}

Str row_view(Rows *rows, int column)
{
    return rows->is_open ? driver_of(rows->tx)->text(rows, column) : STR_NULL;
}

Str row_text(Rows *rows, int column)
{
    return arena_str(rows->tx->arena, row_view(rows, column));
}

Time row_time(Rows *rows, int column)
{
    Time time = TIME_NULL;
    if (rows->is_open && !driver_of(rows->tx)->time(rows, column, &time))
        row_spoil(rows, column, "is not a valid time");
    if (time == TIME_NULL)
        return time;
    return time < TIME_FIRST ? TIME_FIRST : time >= TIME_END ? TIME_END - 1 : time;
}

int64_t row_interval(Rows *rows, int column)
{
    int64_t us = 0;
    if (!row_is_null(rows, column) && !driver_of(rows->tx)->interval(rows, column, &us))
        row_spoil(rows, column, "is not a valid duration");
    return us;
}

/* Eight bytes at a time: statements are long, and each one that runs is hashed. */
uint64_t db_statement_hash(const char *text)
{
    size_t n = strlen(text);
    uint64_t hash = n;
    while (n > 0) {
        uint64_t word = 0;
        size_t part = n < sizeof word ? n : sizeof word;
        memcpy(&word, text, part);
        hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
        hash ^= hash >> 32;
        text += part;
        n -= part;
    }
    return hash;
}

/* db/check.c -- judges every value of every row as a copy to PostgreSQL would, and the shapes of JSON by the tables. */
#include "db/check.h"

#include "base/json.h"
#include "db/copy_value.h"
#include "db/migrate.h"

static void report(Check *check, const Table *table, Str id, const char *column, const char *reason)
{
    check->faults++;
    check->found(check->arg, table, id, column, reason);
}

static void check_row(Rows *rows, const Table *table, Check *check)
{
    Str id = row_text(rows, 0);
    check->rows++;
    for (size_t i = 0; i < table->count; i++) {
        Value value;
        const char *reason = copy_value_read(rows, (int)i, table->columns[i].kind, check->flags, &value);
        if (!reason && check->shapes && value.kind == VAL_JSON)
            reason = json_shape_fault(value.s, table->columns[i].opens);
        if (reason)
            report(check, table, id, table->columns[i].name, reason);
    }
}

static void check_table(Tx *tx, const Table *table, Check *check)
{
    Buf sql;
    buf_init(&sql, tx->arena, 1024);
    buf_text(&sql, "SELECT ");
    table_columns(&sql, table);
    buf_printf(&sql, " FROM %s", table->name);
    Rows *rows = db_query(tx, buf_cstr(&sql), NULL, 0);
    ArenaMark mark = arena_mark(tx->arena);
    while (db_next(rows)) {
        check_row(rows, table, check);
        arena_release(tx->arena, mark);
    }
}

Rows *check_orphans(Tx *tx, const Table *table, const TableColumn *column)
{
    Str sql = arena_printf(tx->arena, "SELECT id, %s FROM %s AS held WHERE %s IS NOT NULL AND NOT EXISTS"
                           " (SELECT 1 FROM %s AS meant WHERE meant.id = held.%s)",
                           column->name, table->name, column->name, column->refers, column->name);
    return db_query(tx, sql.p, NULL, 0);
}

static void check_reference(Tx *tx, const Table *table, const TableColumn *column, Check *check)
{
    Rows *rows = check_orphans(tx, table, column);
    while (db_next(rows)) {
        ArenaMark mark = arena_mark(tx->arena);
        Str id = row_text(rows, 0);
        report(check, table, id, column->name,
             arena_printf(tx->arena, "is %.*s, which is not a row of %s", STR_ARG(row_text(rows, 1)),
                          column->refers).p);
        arena_release(tx->arena, mark);
    }
}

bool check_values(Tx *tx, Check *check)
{
    Generation generation;
    check->rows = check->faults = 0;
    if (!migrate_check_any(tx, &generation))
        return false;
    const TableSet *tables = tables_of(generation);
    for (size_t i = 0; i < tables->count && tx->error->code == ERR_NONE; i++)
        check_table(tx, &tables->items[i], check);
    return tx->error->code == ERR_NONE;
}

bool check_database(Tx *tx, Check *check)
{
    Generation generation;
    if (!migrate_check_any(tx, &generation) || !check_values(tx, check))
        return false;
    const TableSet *tables = tables_of(generation);
    for (size_t i = 0; i < tables->count && tx->error->code == ERR_NONE; i++)
        for (size_t j = 0; j < tables->items[i].count; j++)
            if (tables->items[i].columns[j].refers)
                check_reference(tx, &tables->items[i], &tables->items[i].columns[j], check);
    return tx->error->code == ERR_NONE;
}

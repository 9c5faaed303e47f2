/* db/bad_rows.c -- first the rows that are bad by themselves, then, round by round, those that refer to one. */
#include "db/bad_rows.h"

typedef struct Search {
    const TableSet *tables;
    Arena *arena;
    BadRows *rows;
    StrList added[TABLES_MAX]; /* found since the lists were last sorted */
    FaultFound *found;          /* the caller's */
    void *arg;
} Search;

static void add(void *arg, const Table *table, Str id, const char *column, const char *reason)
{
    Search *s = arg;
    str_list_add(&s->added[table - s->tables->items], s->arena, arena_str(s->arena, id));
    s->found(s->arg, table, id, column, reason);
}

/* Merges what was found into the sorted lists. */
static void merge_found(Search *s)
{
    s->rows->count = 0;
    for (size_t i = 0; i < s->tables->count; i++) {
        for (size_t j = 0; j < s->added[i].count; j++)
            str_list_add(&s->rows->ids[i], s->arena, s->added[i].items[j]);
        s->added[i].count = 0;
        str_list_sort(&s->rows->ids[i]);
        s->rows->count += s->rows->ids[i].count;
    }
}

static void add_referring(Search *s, Tx *tx, size_t table, const TableColumn *column)
{
    const StrList *meant = &s->rows->ids[table_find(s->tables, column->refers) - s->tables->items];
    if (meant->count == 0)
        return;
    Str sql = arena_printf(tx->arena, "SELECT id, %s FROM %s WHERE %s IS NOT NULL", column->name,
                           s->tables->items[table].name, column->name);
    Rows *rows = db_query(tx, sql.p, NULL, 0);
    ArenaMark mark = arena_mark(tx->arena);
    while (db_next(rows)) {
        Str id = row_text(rows, 0);
        if (str_list_has(meant, row_text(rows, 1)) && !str_list_has(&s->rows->ids[table], id))
            add(s, &s->tables->items[table], id, column->name, "refers to a row that is left out");
        arena_release(tx->arena, mark);
    }
}

bool bad_rows_find(Tx *tx, const TableSet *tables, unsigned flags, Arena *arena, FaultFound *found, void *arg,
                   BadRows *ret)
{
    Search s = { .tables = tables, .arena = arena, .rows = ret, .found = found, .arg = arg };
    size_t before;
    *ret = (BadRows){ .count = 0 };
    Check check = { .found = add, .arg = &s, .flags = flags };
    if (!check_database(tx, &check))
        return false;
    merge_found(&s);
    /* Each round finds what refers to a row found so far; the last one finds nothing. */
    do {
        before = ret->count;
        for (size_t i = 0; i < tables->count; i++)
            for (size_t j = 0; j < tables->items[i].count; j++)
                if (tables->items[i].columns[j].refers)
                    add_referring(&s, tx, i, &tables->items[i].columns[j]);
        merge_found(&s);
    } while (ret->count > before && tx->error->code == ERR_NONE);
    return tx->error->code == ERR_NONE;
}

/* db/copy.c -- one read transaction of the source, and inside it one write transaction of the target that receives
 * the rows page by page, in order of their ids: never more than a page of each side is in memory, whatever an engine
 * does with the rows of a query. */
#include "db/copy.h"

#include "base/crypto.h"
#include "base/log.h"
#include "db/bad_rows.h"
#include "db/copy_value.h"
#include "db/driver.h"
#include "db/migrate.h"

enum {
    PAGE_VALUES = 990,             /* in one INSERT: an old SQLite allows 999 */
    PAGE_BYTES = 8 * 1024 * 1024   /* after which a page ends early */
};

/* The rows of a table on one side, a page at a time. */
typedef struct Cursor {
    Tx *tx;
    const char *side;    /* "source" or "target", for messages */
    const Table *table;
    unsigned flags;      /* of copy_value_read */
    const StrList *skip; /* ids of rows that are left out; NULL: none */
    Str first, next;     /* SELECT of the first page, and of one after the id $1 */
    Buf last;            /* the last id of the page before; outlives the pages */
    bool has_begun;
    ArenaMark mark;
    Value *values;       /* of the page, row by row */
    size_t rows;
    bool is_at_end;
} Cursor;

typedef struct Work {
    Copy *copy;
    Arena *arena;        /* what outlives pages */
    Tx *source, *target;
    Generation generation; /* of the source */
    BadRows bad;
    Error problem;       /* what is wrong with a row: reported instead of any error that follows from it */
    Progress at;
} Work;

/* ---- pages ---- */

static size_t page_rows(const Table *table)
{
    return PAGE_VALUES / table->count;
}

static Str select_text(Arena *arena, const Table *table, const char *where)
{
    Buf sql;
    buf_init(&sql, arena, 1024);
    buf_text(&sql, "SELECT ");
    table_columns(&sql, table);
    buf_printf(&sql, " FROM %s%s ORDER BY id LIMIT %zu", table->name, where, page_rows(table));
    buf_cstr(&sql);
    return buf_view(&sql);
}

static Cursor cursor_of(Work *w, Tx *tx, const Table *table, unsigned flags)
{
    Cursor c = {
        .tx = tx, .side = tx == w->source ? "source" : "target", .table = table, .flags = flags,
        .skip = tx == w->source && w->bad.count ? &w->bad.ids[table - w->copy->tables->items] : NULL,
        .first = select_text(tx->arena, table, ""), .next = select_text(tx->arena, table, " WHERE id > $1"),
    };
    buf_init(&c.last, w->arena, UINT8_MAX);
    c.values = arena_alloc(tx->arena, PAGE_VALUES * sizeof *c.values);
    c.mark = arena_mark(tx->arena);
    return c;
}

static bool read_row(Work *w, Cursor *c, Rows *rows, size_t *bytes)
{
    Str id = row_text(rows, 0);
    c->last.n = 0;
    buf_str(&c->last, id);
    c->has_begun = true;
    if (c->skip && str_list_has(c->skip, id))
        return true;
    Value *row = &c->values[c->rows * c->table->count];
    for (size_t i = 0; i < c->table->count; i++) {
        const TableColumn *column = &c->table->columns[i];
        const char *reason = copy_value_read(rows, (int)i, column->kind, c->flags, &row[i]);
        if (reason) {
            w->copy->met_bad_row = true;
            return fail(&w->problem, ERR_INVALID, "Table %s of the %s, row %.*s: %s %s", c->table->name, c->side,
                        STR_ARG(id), column->name, reason);
        }
        if (row[i].kind == VAL_TEXT || row[i].kind == VAL_JSON)
            *bytes += row[i].s.n;
    }
    c->rows++;
    return c->tx->error->code == ERR_NONE;
}

/* Reads a page at most. c->rows may stay 0 before the end: if all rows of the page are left out. */
static bool read_some(Work *w, Cursor *c)
{
    arena_release(c->tx->arena, c->mark);
    size_t bytes = 0;
    const Value after = v_uuid(arena_str(c->tx->arena, buf_view(&c->last)));
    Rows *rows = c->has_begun ? db_query(c->tx, c->next.p, &after, 1) : db_query(c->tx, c->first.p, NULL, 0);
    bool ok = true;
    c->is_at_end = true;
    while (ok && bytes < PAGE_BYTES && db_next(rows)) {
        ok = read_row(w, c, rows, &bytes);
        c->is_at_end = false;
    }
    db_done(rows);
    return ok && c->tx->error->code == ERR_NONE;
}

/* Reads the next rows into c->values; c->rows is 0 at the end. */
static bool read_page(Work *w, Cursor *c)
{
    bool ok;
    c->rows = 0;
    do
        ok = read_some(w, c);
    while (ok && c->rows == 0 && !c->is_at_end);
    return ok;
}

/* ---- writing ---- */

static Str insert_text(Arena *arena, const Table *table, size_t rows)
{
    Buf sql;
    buf_init(&sql, arena, 8192);
    buf_printf(&sql, "INSERT INTO %s (", table->name);
    table_columns(&sql, table);
    buf_text(&sql, ") VALUES ");
    for (size_t i = 0; i < rows * table->count; i++) {
        buf_text(&sql, i % table->count ? ", $" : i ? "), ($" : "($");
        buf_int(&sql, (int64_t)i + 1);
    }
    buf_char(&sql, ')');
    buf_cstr(&sql);
    return buf_view(&sql);
}

static bool write_page(Work *w, const Cursor *c)
{
    Tx *tx = w->target;
    ArenaMark mark = arena_mark(tx->arena);
    size_t count = c->rows * c->table->count;
    int64_t written = db_exec(tx, insert_text(tx->arena, c->table, c->rows).p, c->values, count);
    arena_release(tx->arena, mark);
    if (written == (int64_t)c->rows)
        return true;
    return fail(&w->problem, ERR_INTERNAL, "Table %s, rows %.*s to %.*s: the target rejects them: %s", c->table->name,
                STR_ARG(c->values[0].s), STR_ARG(c->values[count - c->table->count].s), tx->error->message);
}

static bool report_progress(Work *w, size_t rows)
{
    w->at.part_done += (int64_t)rows;
    w->at.done += (int64_t)rows;
    return rows == 0 || onlooker_goes_on(w->copy->onlooker, &w->at, &w->problem);
}

static void begin_table(Work *w, size_t table)
{
    w->at.part = w->copy->tables->items[table].name;
    w->at.part_done = 0;
    w->at.part_of = w->copy->counts[table];
}

static bool write_table(Work *w, size_t index, unsigned flags)
{
    ArenaMark mark = arena_mark(w->source->arena);
    Cursor source = cursor_of(w, w->source, &w->copy->tables->items[index], flags);
    begin_table(w, index);
    do {
        if (!read_page(w, &source) || (source.rows && !write_page(w, &source)) || !report_progress(w, source.rows))
            return false;
    } while (source.rows);
    arena_release(w->source->arena, mark);
    return true;
}

/* ---- verifying ---- */

/* Compares a row column by column, as far as engines agree on values, and adds it to what the checksum is taken of. */
static bool compare_rows(Work *w, const Cursor *source, const Cursor *target, size_t row, Buf *canonical)
{
    const Table *table = source->table;
    const Value *x = &source->values[row * table->count], *y = &target->values[row * table->count];
    Buf other;
    buf_init(&other, canonical->arena, 1024);
    for (size_t i = 0; i < table->count; i++) {
        size_t start = canonical->n;
        copy_value_canonical(canonical, &y[i]);
        other.n = 0;
        copy_value_canonical(&other, &x[i]);
        if (other.n != canonical->n - start || memcmp(other.p, canonical->p + start, other.n) != 0)
            return fail(&w->problem, ERR_INTERNAL, "Table %s, row %.*s: %s differs from the source after copying",
                        table->name, STR_ARG(x[0].s), table->columns[i].name);
    }
    return true;
}

/* The checksum is a chain: each one is taken over the one before and the row. */
static bool compare_pages(Work *w, const Cursor *source, const Cursor *target, char *checksum)
{
    Arena *arena = target->tx->arena;
    if (source->rows != target->rows)
        return fail(&w->problem, ERR_INTERNAL, "Table %s: the target does not contain as many rows as were copied",
                    source->table->name);
    for (size_t row = 0; row < source->rows; row++) {
        ArenaMark mark = arena_mark(arena);
        Buf canonical;
        buf_init(&canonical, arena, 4096);
        buf_text(&canonical, checksum);
        if (!compare_rows(w, source, target, row, &canonical))
            return false;
        Str sum = sha256_hex(arena, buf_view(&canonical));
        memcpy(checksum, sum.p, sum.n);
        arena_release(arena, mark);
    }
    return true;
}

static bool verify_table(Work *w, size_t index, unsigned flags)
{
    ArenaMark mark = arena_mark(w->source->arena), other = arena_mark(w->target->arena);
    Cursor source = cursor_of(w, w->source, &w->copy->tables->items[index], flags),
           target = cursor_of(w, w->target, &w->copy->tables->items[index], 0);
    begin_table(w, index);
    memset(w->copy->checksums[index], '0', 64);
    do {
        if (!read_page(w, &source) || !read_page(w, &target) ||
            !compare_pages(w, &source, &target, w->copy->checksums[index]) || !report_progress(w, source.rows))
            return false;
    } while (source.rows);
    arena_release(w->source->arena, mark);
    arena_release(w->target->arena, other);
    if (w->at.part_done == w->at.part_of)
        return true;
    return fail(&w->problem, ERR_INTERNAL, "Table %s: %lld rows were copied, but the source has %lld",
                w->copy->tables->items[index].name, (long long)w->at.part_done, (long long)w->at.part_of);
}

/* ---- before ---- */

bool copy_count_rows(Tx *tx, const TableSet *tables, int64_t ret_counts[TABLES_MAX])
{
    for (size_t i = 0; i < tables->count; i++)
        ret_counts[i] = db_int(tx, 0, arena_printf(tx->arena, "SELECT COUNT(*) FROM %s", tables->items[i].name).p, NULL,
                               0);
    return tx->error->code == ERR_NONE;
}

static bool check_reference(Work *w, const Table *table, const TableColumn *column)
{
    Tx *tx = w->source;
    Rows *rows = check_orphans(tx, table, column);
    if (db_next(rows)) {
        Str id = row_text(rows, 0), held = row_text(rows, 1);
        w->copy->met_bad_row = true;
        fail(&w->problem, ERR_INVALID, "Table %s of the source, row %.*s: %s is %.*s, which is not a row of %s",
             table->name, STR_ARG(id), column->name, STR_ARG(held), column->refers);
    }
    db_done(rows);
    return w->problem.code == ERR_NONE && tx->error->code == ERR_NONE;
}

static bool check_references(Work *w)
{
    const TableSet *tables = w->copy->tables;
    for (const Table *table = tables->items; table < tables->items + tables->count; table++)
        for (size_t i = 0; i < table->count; i++)
            if (table->columns[i].refers && !check_reference(w, table, &table->columns[i]))
                return false;
    return true;
}

/* A database copied to itself would wait for its own lock. */
static bool check_different(Work *w)
{
    if (w->source->sql != w->target->sql) /* not of one engine */
        return true;
    Str source = db_text(w->source, w->source->sql->identity, NULL, 0),
        target = db_text(w->target, w->target->sql->identity, NULL, 0);
    return source.n == 0 || !str_eq(source, target) ||
           fail(&w->problem, ERR_INVALID, "Source and target are the same database");
}

/* A pool and a queue as the first migration makes them do not count as content. */
static bool is_untouched(Tx *tx, const char *table)
{
    if (strcmp(table, "work_pool") == 0)
        return DB_INT(tx, 0,
                      "SELECT COUNT(*) FROM work_pool WHERE name = 'default-agent-pool' AND type = 'prefect-agent'"
                      " AND description IS NULL AND concurrency_limit IS NULL AND is_paused = $1",
                      v_bool(false)) == 1;
    return strcmp(table, "work_queue") == 0 &&
           DB_INT(tx, 0,
                  "SELECT COUNT(*) FROM work_queue WHERE name = 'default' AND description = ''"
                  " AND concurrency_limit IS NULL AND is_paused = $1 AND last_polled IS NULL",
                  v_bool(false)) == 1;
}

bool copy_find_rows(Tx *tx, const TableSet *tables, Str *ret_found)
{
    int64_t counts[TABLES_MAX];
    Buf found;
    buf_init(&found, tx->arena, 256);
    if (!copy_count_rows(tx, tables, counts))
        return false;
    for (size_t i = 0; i < tables->count; i++)
        if (counts[i] > 1 || (counts[i] == 1 && !is_untouched(tx, tables->items[i].name)))
            buf_printf(&found, "%s%s %lld", found.n ? ", " : "", tables->items[i].name, (long long)counts[i]);
    *ret_found = buf_view(&found);
    return tx->error->code == ERR_NONE;
}

static bool check_empty(Work *w)
{
    Str found;
    if (!copy_find_rows(w->target, w->copy->tables, &found))
        return false;
    return found.n == 0 || fail(&w->problem, ERR_INVALID,
                                "The target is not empty (rows: %.*s). Use --force to replace them.", STR_ARG(found));
}

/* ---- what is not copied ---- */

/* The names of tables that a newer release has added. */
static const char *const unknown_tables[ENGINES] = {
    [ENGINE_SQLITE] = "SELECT name FROM sqlite_master WHERE type = 'table' AND name GLOB 'orion_*' ORDER BY name",
    [ENGINE_POSTGRESQL] =
        "SELECT relname::text FROM pg_catalog.pg_class WHERE relkind IN ('r', 'p') AND relname LIKE 'orion\\_%'"
        " AND relnamespace = (SELECT relnamespace FROM pg_catalog.pg_class WHERE oid = to_regclass('flow_run'))"
        " ORDER BY relname",
};

static void warn_of_unknown_tables(Tx *tx)
{
    Buf names;
    buf_init(&names, tx->arena, 256);
    Rows *rows = db_query(tx, unknown_tables[tx->sql->engine], NULL, 0);
    while (db_next(rows))
        buf_printf(&names, "%s%.*s", names.n ? ", " : "", STR_ARG(row_text(rows, 0)));
    if (names.n)
        log_warning("orion.db", "Not copied, since this release of Orion does not know them: the tables %s",
                    buf_cstr(&names));
}

/* ---- the two transactions ---- */

static bool write_all(Work *w, unsigned flags)
{
    w->at = (Progress){ .doing = "Copying", .of = w->at.of, .unit = "rows" };
    for (size_t i = 0; i < w->copy->tables->count; i++)
        if (!write_table(w, i, flags))
            return false;
    return true;
}

static bool verify_all(Work *w, unsigned flags)
{
    w->at = (Progress){ .doing = "Verifying", .of = w->at.of, .unit = "rows" };
    for (size_t i = 0; i < w->copy->tables->count; i++)
        if (!verify_table(w, i, flags))
            return false;
    return true;
}

static unsigned flags_for(const Dialect *source, const Dialect *target)
{
    return (target->is_typed ? COPY_STRICT : 0) | (source->is_typed && !target->is_typed ? COPY_RESPELL : 0);
}

/* Finds the bad rows and what refers to them, and takes them off the counts. */
static bool leave_out(Work *w)
{
    unsigned flags = flags_for(w->source->sql, db_dialect(w->copy->to));
    if (!bad_rows_find(w->source, w->copy->tables, flags, w->arena, w->copy->left_out, w->copy->arg, &w->bad))
        return false;
    w->copy->left_out_count = w->bad.count;
    for (size_t i = 0; i < w->copy->tables->count; i++)
        w->copy->counts[i] -= (int64_t)w->bad.ids[i].count;
    return true;
}

static bool target_job(Tx *tx, void *arg)
{
    Work *w = arg;
    unsigned flags = flags_for(w->source->sql, tx->sql);
    w->target = tx;
    w->problem.code = ERR_NONE; /* left by an earlier try */
    w->copy->was_committing = false;
    bool ok = check_different(w) && migrate_up_to(tx, w->generation) && (w->copy->force || check_empty(w)) &&
              migrate_clear(tx) && migrate_begin_fill(tx) && write_all(w, flags) && migrate_end_fill(tx) &&
              verify_all(w, flags);
    w->copy->was_committing = ok;
    /* Counts only if there is no error yet: w->problem, or the source's own error, says more. */
    return ok || fail(tx->error, ERR_INTERNAL, "the source failed");
}

static bool source_job(Tx *tx, void *arg)
{
    Work *w = arg;
    Error error = { .code = ERR_NONE };
    w->source = tx;
    w->problem.code = ERR_NONE;
    w->at.of = 0;
    if (!migrate_check_any(tx, &w->generation))
        return fail(tx->error, ERR_INTERNAL, "the copy failed");
    w->copy->tables = tables_of(w->generation);
    if (!copy_count_rows(tx, w->copy->tables, w->copy->counts) ||
        !(w->copy->skip_bad_rows ? leave_out(w) : check_references(w)))
        return fail(tx->error, ERR_INTERNAL, "the copy failed");
    warn_of_unknown_tables(tx);
    for (size_t i = 0; i < w->copy->tables->count; i++)
        w->at.of += w->copy->counts[i];
    Arena *arena = arena_new();
    bool ok = db_run(w->copy->to, true, arena, target_job, w, &error);
    arena_free(arena);
    if (!ok && tx->error->code == ERR_NONE)
        fail(&w->problem, error.code, "The target: %s", error.message);
    return ok || fail(tx->error, ERR_INTERNAL, "the copy failed");
}

bool copy_database(Copy *copy, Arena *arena, Error *error)
{
    Work work = { .copy = copy, .arena = arena };
    Error source = { .code = ERR_NONE };
    Arena *pages = arena_new();
    bool ok = db_run(copy->from, false, pages, source_job, &work, &source);
    arena_free(pages);
    if (ok)
        return true;
    if (work.problem.code != ERR_NONE)
        return fail(error, work.problem.code, "%s", work.problem.message);
    return fail(error, source.code, "The source: %s", source.message);
}

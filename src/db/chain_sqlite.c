/* db/chain_sqlite.c -- changes of tables that SQLite's ALTER TABLE cannot do. */
#include "db/chain_sqlite.h"

#include "db/driver.h"

#define CREATE "CREATE TABLE "
#define DELETE "DELETE FROM "
#define WHERE " WHERE "

/* The name that follows `before` at the beginning of the statement. */
static Str name_after(const char *statement, const char *before)
{
    const char *name = statement + strlen(before);
    return (Str){ name, strcspn(name, " (") };
}

/* The text has to be what SQLite would keep of the statement: without its end. */
static Str kept_text(const char *create)
{
    Str text = str_from(create);
    while (text.n > 0 && char_in(text.p[text.n - 1], "; \n"))
        text.n--;
    return text;
}

/* As SQLite's documentation of ALTER TABLE describes for changes that do not affect what is on the disk. */
bool table_edit(Tx *tx, const char *create)
{
    int64_t version = DB_INT(tx, -1, "SELECT schema_version FROM pragma_schema_version");
    return db_script(tx, "PRAGMA writable_schema = ON")
           && DB_EXEC(tx, "UPDATE sqlite_master SET sql = $1 WHERE type = 'table' AND name = $2",
                      v_text(kept_text(create)), v_text(name_after(create, CREATE))) == 1
           && db_script(tx, arena_printf(tx->arena, "PRAGMA schema_version = %lld; PRAGMA writable_schema = RESET",
                                         (long long)version + 1).p);
}

/* One text of all rows' first column. Null: there is no row. */
static Str join(Rows *rows, Arena *arena, const char *between)
{
    Str all = STR_NULL;
    while (db_next(rows)) {
        Str one = row_view(rows, 0);
        all = all.p ? arena_printf(arena, "%s%s%.*s", all.p, between, STR_ARG(one))
                    : arena_printf(arena, "%.*s", STR_ARG(one));
    }
    return all;
}

bool table_rebuild(Tx *tx, const char *create)
{
    Str name = name_after(create, CREATE), old = arena_printf(tx->arena, "%.*s", STR_ARG(name)),
        new = arena_printf(tx->arena, "orion_new_%s", old.p);
    Str indexes = join(DB_QUERY(tx, "SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = $1"
                                    " AND sql IS NOT NULL", v_text(old)), tx->arena, ";\n");
    if (!db_script(tx, arena_printf(tx->arena, CREATE "%s%s", new.p, name.p + name.n).p))
        return false;
    Str columns = join(DB_QUERY(tx, "SELECT '\"' || n.name || '\"' FROM pragma_table_info($1) n"
                                    " JOIN pragma_table_info($2) o ON o.name = n.name ORDER BY n.cid",
                                v_text(new), v_text(old)), tx->arena, ", ");
    return tx->error->code == ERR_NONE
           && db_script(tx, arena_printf(tx->arena, "INSERT INTO %s (%s) SELECT %s FROM %s; DROP TABLE %s;"
                                         "ALTER TABLE %s RENAME TO %s; %s", new.p, columns.p, columns.p, old.p, old.p,
                                         new.p, old.p, indexes.p ? indexes.p : "").p);
}

/* References to a table, which form no circle of CASCADEs. */
static bool delete_where(Tx *tx, const char *table, const char *where)
{
    Rows *rows = DB_QUERY(tx, "SELECT m.name, f.\"from\", f.\"to\", f.on_delete FROM sqlite_master m"
                              " JOIN pragma_foreign_key_list(m.name) f WHERE m.type = 'table'"
                              " AND f.\"table\" = $1 COLLATE NOCASE", v_text(str_from(table)));
    while (db_next(rows)) {
        Str child = row_text(rows, 0), from = row_text(rows, 1), to = row_text(rows, 2), action = row_view(rows, 3);
        Str of_them = arena_printf(tx->arena, "%s IN (SELECT %s FROM %s WHERE %s)", from.p, to.p, table, where);
        bool ok = str_is(action, "CASCADE") ? delete_where(tx, child.p, of_them.p)
                : str_is(action, "SET NULL")
                    ? db_exec(tx, arena_printf(tx->arena, "UPDATE %s SET %s = NULL WHERE %s", child.p, from.p,
                                               of_them.p).p, NULL, 0) >= 0
                    : true;
        if (!ok) {
            db_done(rows);
            return false;
        }
    }
    return tx->error->code == ERR_NONE
           && db_exec(tx, arena_printf(tx->arena, DELETE "%s WHERE %s", table, where).p, NULL, 0) >= 0;
}

bool table_delete(Tx *tx, const char *statement)
{
    Str name = name_after(statement, DELETE), all = kept_text(statement);
    const char *where = strstr(statement, WHERE) + strlen(WHERE);
    return delete_where(tx, arena_printf(tx->arena, "%.*s", STR_ARG(name)).p,
                        arena_printf(tx->arena, "%.*s", (int)(all.p + all.n - where), where).p);
}

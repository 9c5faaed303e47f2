/* tests/power/ledger.c -- what the database must hold, and the checks that it does. */
#include "ledger.h"

#include "blocks/encryption.h"
#include "db/faults.h"
#include "db/migrate.h"
#include "db/tables.h"

/* All values of a query of so many columns. */
static uint64_t hash_query(uint64_t hash, Rows *rows, size_t columns)
{
    while (db_next(rows))
        for (size_t i = 0; i < columns; i++) {
            Str value = row_is_null(rows, (int)i) ? STR_NULL : row_view(rows, (int)i);
            hash = hash_number(hash_bytes(hash, value.p, value.n), value.p ? value.n : UINT64_MAX);
        }
    return hash;
}

static uint64_t hash_table(Tx *tx, uint64_t hash, const Table *table)
{
    ArenaMark mark = arena_mark(tx->arena);
    Buf sql;
    buf_init(&sql, tx->arena, 1024);
    buf_text(&sql, "SELECT ");
    table_columns(&sql, table);
    buf_printf(&sql, " FROM %s ORDER BY id", table->name);
    hash = hash_query(hash, db_query(tx, buf_cstr(&sql), NULL, 0), table->count);
    arena_release(tx->arena, mark);
    return hash;
}

/* False: tx->error. */
static bool hash_database(Tx *tx, uint64_t *ret_hash)
{
    uint64_t hash = HASH_START;
    *ret_hash = STATE_OF_NOTHING;
    if (DB_INT(tx, -1, "SELECT count(*) FROM sqlite_master") == 0)
        return true;
    hash = hash_query(hash, DB_QUERY(tx, "SELECT name, sql FROM sqlite_master ORDER BY type, name"), 2);
    hash = hash_query(hash, DB_QUERY(tx, "SELECT version_num FROM alembic_version"), 1);
    for (size_t i = 0; i < tables_of(GEN_2_7)->count && tx->error->code == ERR_NONE; i++)
        hash = hash_table(tx, hash, &tables_of(GEN_2_7)->items[i]);
    *ret_hash = hash;
    return tx->error->code == ERR_NONE;
}

bool ledger_write(Ledger *ledger, Tx *tx)
{
    uint64_t hash;
    if (!hash_database(tx, &hash))
        return false;
    ledger->under_way = hash;
    ledger->is_under_way = true;
    return true;
}

void ledger_acknowledge(Ledger *ledger)
{
    if (ledger->is_under_way)
        ledger->acknowledged = ledger->under_way;
    ledger->is_under_way = false;
}

/* ---- checks ---- */

static bool check_state(Ledger *ledger, Tx *tx, char *why, size_t n)
{
    uint64_t hash;
    if (!hash_database(tx, &hash))
        return false;
    if (hash == ledger->acknowledged || (ledger->is_under_way && hash == ledger->under_way)) {
        *ledger = (Ledger){ .acknowledged = hash };
        return true;
    }
    snprintf(why, n, "the rows are not those of the last acknowledged transaction%s",
             ledger->is_under_way ? ", nor of the one under way" : "");
    return false;
}

static bool check_sqlite(Tx *tx, char *why, size_t n)
{
    Str found = DB_TEXT(tx, "PRAGMA integrity_check");
    if (tx->error->code == ERR_NONE && !str_is(found, "ok")) {
        snprintf(why, n, "PRAGMA integrity_check: %.*s", STR_ARG(found));
        return false;
    }
    found = DB_TEXT(tx, "SELECT \"table\" || ' -> ' || \"parent\" FROM pragma_foreign_key_check()");
    if (tx->error->code == ERR_NONE && found.p) {
        snprintf(why, n, "PRAGMA foreign_key_check: %.*s", STR_ARG(found));
        return false;
    }
    return tx->error->code == ERR_NONE;
}

typedef struct Found {
    char *why;
    size_t n;
} Found;

static void note_fault(void *arg, const Fault *fault, Str name)
{
    const Found *found = arg;
    snprintf(found->why, found->n, "orion database check: %s: %s: %.*s", fault->where, fault->means, STR_ARG(name));
}

static void ignore_kind(void *arg, const Fault *fault)
{
    (void)arg;
    (void)fault;
}

static void note_secret(void *arg, Str label)
{
    const Found *found = arg;
    snprintf(found->why, found->n, "orion database check: not decrypted: %.*s", STR_ARG(label));
}

static bool check_orion(Tx *tx, char *why, size_t n)
{
    Found found = { why, n };
    FaultReport report = { .each = note_fault, .kind = ignore_kind, .arg = &found, .arena = tx->arena };
    const char *reason;
    return faults_find(tx, &report) && encryption_find_unreadable(tx, note_secret, &found, &reason) && !*why;
}

bool ledger_check(Ledger *ledger, Tx *tx, char *why, size_t n)
{
    if (!check_sqlite(tx, why, n) || !check_state(ledger, tx, why, n))
        return false;
    return ledger->acknowledged == STATE_OF_NOTHING || check_orion(tx, why, n);
}

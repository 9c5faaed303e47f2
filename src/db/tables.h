/* db/tables.h -- every table of the schema but alembic_version, column by column, for what treats all of them alike:
 * clearing, dropping, copying. tests/unit/test_tables.c compares it with the live schema. */
#ifndef ORION_TABLES_H
#define ORION_TABLES_H

#include "base/buf.h"
#include "base/generation.h"

typedef enum ColumnKind {
    KIND_UUID, KIND_TEXT,
    KIND_STATE_TYPE, /* text on SQLite, an enumeration on PostgreSQL */
    KIND_SMALL,      /* an integer of 16 bits on PostgreSQL */
    KIND_INT,        /* of 32 bits */
    KIND_REAL,       /* of 64 bits */
    KIND_BOOL, KIND_TIME, KIND_INTERVAL, KIND_JSON,
    KIND_STATUS      /* text on SQLite, an enumeration on PostgreSQL: .type */
} ColumnKind;

typedef struct TableColumn {
    const char *name;
    ColumnKind kind;
    const char *refers; /* a foreign key: the table whose id it holds; NULL: not one */
    bool is_later;      /* the table had its first revisions without it */
    const char *type;   /* of KIND_STATUS */
    char opens;         /* JSON: '{' where only objects (or null) can be read, '[' only arrays; 0: any value */
} TableColumn;

typedef struct Table {
    const char *name;
    const TableColumn *columns; /* id is the first */
    size_t count;
} Table;

enum { TABLES_MAX = 35 };

/* In an order in which rows can be inserted and, backwards, deleted, except for the references that
 * migrate_begin_fill defers. */
typedef struct TableSet {
    const Table *items;
    size_t count;
} TableSet;

const TableSet *tables_of(Generation generation);
const Table *table_find(const TableSet *set, const char *name);
const TableColumn *table_column(const Table *table, const char *name);
/* "id", "created", … of it, quoted, for SELECT and INSERT. */
void table_columns(Buf *sql, const Table *table);

#endif

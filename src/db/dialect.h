/* db/dialect.h -- the SQL texts that differ between engines. */
#ifndef ORION_DIALECT_H
#define ORION_DIALECT_H

#include "base/base.h"

typedef enum SqlOp { /* filter operators; in each text %c is the column's expression, %v the bound value's place ($n) */
    SQL_ANY, SQL_NOT_ANY,      /* column in / not in the VAL_LIST; a NULL column is in neither */
    SQL_ONLY,                  /* SQL_ANY of a VAL_LIST that has one element */
    SQL_ALL,                   /* the JSON array column contains every string of the VAL_LIST */
    SQL_LIKE,                  /* case-insensitive match with %v (the caller's pattern, the client's wildcards) */
    SQL_BEFORE, SQL_AFTER,     /* <= and >= on times */
    SQL_GE, SQL_LE, SQL_EQ, SQL_IS_NULL, SQL_IS_NOT_NULL,
    SQL_JSON_EMPTY, SQL_JSON_NOT_EMPTY, /* column = '[]' as the reference compares */
    SQL_LIKE_ANY,              /* the column begins, in any case, with one string of the VAL_LIST */
    SQL_TAG_OF_TASK,           /* the column is among the tags of the task run with that id */
    SQL_OP_COUNT
} SqlOp;

typedef enum Engine { ENGINE_SQLITE, ENGINE_POSTGRESQL, ENGINES } Engine;

typedef struct Dialect {
    const char *name;          /* "sqlite" or "postgresql", for messages and tests */
    Engine engine;             /* its place in tables that have one for each engine */
    const char *op[SQL_OP_COUNT];
    const char *identity;      /* query: a text that no other database of the engine has; empty: it is in memory */
    bool is_file;              /* that text is the path of a file */
    bool writes_wait_for_build; /* while an index is built */
    int64_t date_unit;         /* microseconds to which the reference's date arithmetic rounds here; 1: not at all */
    const char *row_key;       /* the column by which a row is found at the least cost */
    const char *sort_few;      /* before an ORDER BY of few rows: no index to give the order; "": the engine knows */
    /* Of a list whose order is nearly that of an index: in which direction its rows are better read by that index and
     * then sorted; what ends that subquery, so that it is not taken into the query around it; and whether that goes for
     * the rows of one flow, deployment or work queue, too. */
    struct { bool if_descending; const char *end; bool of_one; } apart;
    /* Statement: for the rest of the transaction indexes are used, although a table looks cheaper to be read from its
     * beginning, where the rows that were just deleted still lie. NULL: they always are. */
    const char *by_index;
    bool is_typed;             /* columns hold nothing but values of their kinds */
    bool keeps_left_order;     /* a CROSS JOIN's rows come in the order of its left side */
    bool inserts_in_with;      /* a statement may begin WITH … AS (INSERT … RETURNING …) */
    bool keeps_json;           /* the text of a JSON value is stored as it was written */
    const char *users;         /* query: each other session of the database, for people; NULL: there are none */
    /* Queries: name, table, whether it is an index, and bytes, of each table and index; bytes of the database, and of
     * what is not in use (null: unknown); 1 if the first can be asked. */
    struct { const char *each, *all, *are_known; } sizes;
    const char *vacuum;        /* %s is the table; NULL: the driver does it, of all at once */
    const char *for_update;    /* ends a SELECT of rows to be changed, locked and as last written; "": one writer */
    /* By ColumnKind: the type whose arrays are taken as one value (VAL_ARRAY); NULL: the engine has none. */
    const char *const *array_of;
    const char *element, *element_with_nul; /* of a VAL_LIST: %e in `op`, NULL if none has it (entity/query.c) */
} Dialect;

#endif

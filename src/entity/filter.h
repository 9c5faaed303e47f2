/* entity/filter.h -- the filter language of the API: JSON of /filter and /count -> checked, then WHERE text with bound
 * values. */
#ifndef ORION_FILTER_H
#define ORION_FILTER_H

#include "entity/codec.h"

/* SQL under construction, in the arena: the text, and the values of its placeholders. A copy of the struct can be
 * extended without changing the original once it has a text of its own. */
typedef struct Query {
    Arena *arena;
    const Dialect *dialect;
    Buf sql;
    Value *values;
    size_t count, capacity;
    bool names_few;     /* a condition names a few rows, which are sorted sooner than all are gone through in order */
    const char *index_order; /* the column by which an index has the rows in order of which a condition names all; or
                              * NULL */
    const char *range_of;    /* the column of which a condition chooses a range of an index; or NULL */
    bool reads_all;     /* every row that fits will be read, for a count or a sum, and not a page of them */
    Buf joins;          /* what the conditions refer to, to follow the table in FROM; only if reads_all */
} Query;

void query_init(Query *q, Arena *arena, const Dialect *dialect);
/* Adds "$n" to the text and the value to the list. */
void query_bind(Query *q, Value value);
/* Adds the dialect's text of an operator on a column's expression; the value is bound once, however often it occurs. */
void query_operator(Query *q, SqlOp op, const char *column, Value value);
Rows *query_run(Tx *tx, Query *q);

enum FilterOp { /* which operator keys a filter class has, in this order */
    OP_ANY = 1, OP_NOT_ANY = 2, OP_ALL = 4, OP_LIKE = 8, OP_STARTSWITH = 16, OP_BEFORE = 32, OP_AFTER = 64,
    OP_GE = 128, OP_LE = 256, OP_EQ = 512, OP_IS_NULL = 1024, OP_EXISTS = 2048,
    OP_IS_EMPTY = 4096,     /* the key is_null_ on a JSON array column: column = '[]' */
    WITH_OPERATOR = 8192,   /* accepts "operator": "and_" | "or_" */
    NARROW = 16384,         /* any_ names few rows */
    UNIQUE = NARROW | 32768, /* each value at most one */
    RANGED = 65536,         /* before_ and after_ choose a range of an index */
    APART = 131072          /* the column is not in that index */
};

typedef enum OperandKind { OPERAND_ONE, OPERAND_LIST, OPERAND_TEXT, OPERAND_TEXTS, OPERAND_FLAG } OperandKind;

typedef struct FilterOperator {
    unsigned flag;
    const char *key;      /* "any_" */
    OperandKind operand;
    SqlOp sql;
    SqlOp sql_if_false;   /* OPERAND_FLAG */
} FilterOperator;

enum { FILTER_OPERATORS = 13 };
extern const FilterOperator filter_operators[FILTER_OPERATORS];

typedef struct Filter Filter;
struct Filter {
    const char *key;       /* in the body: "name" */
    const char *sql;       /* the column's expression: "flow.name"; for OP_EXISTS the whole EXISTS (…) text */
    unsigned ops;          /* OP_… | WITH_OPERATOR */
    FieldKind operand;     /* of one element of any_, of before_, ge_ …: F_STR, F_UUID, F_TIME, F_INT, F_BOOL, F_ENUM */
    const char *const *names; /* F_ENUM */
    const Filter *group;   /* nested filters (state: {type, name}), NULL-key terminated; ops: WITH_OPERATOR or 0 */
    const char *index_order; /* the column by which an index has the rows of each value in order. May be NULL */
    const char *const *few; /* values that few rows have, written into SQL as they are; NULL: none is known */
};

/* A filter class of the reference: FlowFilter, … */
typedef struct FilterClass {
    const Filter *filters;  /* NULL-key terminated, in the reference's order */
    bool with_operator;
    const char *name;       /* the reference's, in the API's description: "FlowFilter" */
} FilterClass;

/* One key of a /filter or /count body, and how it restricts the entity that is listed. A link with `via` goes inside
 * the EXISTS of another one, so that both refer to the same row: flows by their flow runs, and by the task runs of
 * those same flow runs. If only the inner one is given, the outer EXISTS is written around it all the same. */
typedef struct FilterLink {
    const char *key;           /* "task_runs"; NULL ends a table of links */
    const FilterClass *filter;
    /* "EXISTS (SELECT 1 FROM task_run WHERE task_run.flow_run_id = flow_run.id AND "; NULL: the entity itself */
    const char *open;
    const char *open_few;      /* the same by "… IN (SELECT …", for a filter that names a few rows. May be NULL */
    bool by_itself;            /* that subquery is answered apart from the rows around it, of which there are few */
    const char *open_one;      /* the same by "… = (SELECT …", for a filter that names at most one row. May be NULL */
    const char *index_order;   /* "flow_run.expected_start_time": what an index has in order for each. May be NULL */
    const char *join;          /* "flow_run ON flow_run.id = task_run.flow_run_id": at most one row. May be NULL */
    const char *via;           /* key of the link that it goes inside, which has no via itself; NULL: none */
} FilterLink;

/* Checks body[link->key] (absent or null is fine), errors at the current place + [key, …] in the links' order; on
 * success appends " AND …" to q for each one that is given. An empty filter object is TRUE inside its EXISTS (a
 * linked row must still exist). */
bool filter_where(Invalid *invalid, const FilterLink *links, const Json *body, Query *q) MUST_CHECK;

typedef struct Sort {
    const char *key;           /* NULL ends a table */
    const char *order_by;
    const char *nearly;        /* the column of an index whose order is nearly this one; NULL: none is known */
    bool is_descending;        /* this and the next: with nearly */
    const char *columns;       /* that order_by reads */
} Sort;

/* The row for body.sort; absent or null: that of fallback_key, or the first one if that is NULL. Refused (NULL) as an
 * enum error at the current place + ["sort"]. */
const Sort *sort_find(Invalid *invalid, const Sort *sorts, const char *fallback_key, const Json *body);

#endif

/* db/copy_value.h -- one value on its way from a database to another of either engine: read, checked, and brought to
 * a form in which equal values are equal byte for byte, however an engine spells them. */
#ifndef ORION_COPY_VALUE_H
#define ORION_COPY_VALUE_H

#include "db/db.h"
#include "db/tables.h"

typedef enum CopyFlags {
    COPY_STRICT = 1,  /* refuse what SQLite holds and PostgreSQL does not */
    COPY_RESPELL = 2  /* JSON comes from PostgreSQL: write its characters as SQLite's columns hold them, ASCII only */
} CopyFlags;

/* NULL: *ret_value is the value, in the arena of the rows' transaction, unless tx->error is set. Else the reason why
 * it cannot be copied (a literal, to be read after the column's name). */
const char *copy_value_read(Rows *rows, int column, ColumnKind kind, unsigned flags, Value *ret_value) MUST_CHECK;

/* Adds the value's canonical form; the form of a row is that of its values, one after another. JSON values are equal
 * as Python sees them, whatever the order of keys and the spelling of numbers (1.10 and 11e-1), except that all
 * digits of numbers count. */
void copy_value_canonical(Buf *out, const Value *value);

#endif

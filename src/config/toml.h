/* config/toml.h -- as much TOML as settings files need: parses a document into a tree, writes strings and keys. */
#ifndef ORION_TOML_H
#define ORION_TOML_H

#include "base/buf.h"

typedef enum TomlKind { TOML_STRING, TOML_INT, TOML_FLOAT, TOML_BOOL, TOML_TABLE, TOML_OTHER } TomlKind;

typedef struct Toml {
    TomlKind kind;
    Str key;            /* within its table */
    Str text;           /* the value as Python prints it: decoded string, decimal digits, repr of a float,
                         * True or False */
    Str literal;        /* the value as written: a slice of the document */
    unsigned line;      /* line of the key, from 1 */
    bool closed;        /* a table that was written inline or under its own header: no second header may open it */
    bool is_array;      /* an array of tables, of which the last one is kept */
    struct Toml *child; /* of a table: first member, in the document's order */
    struct Toml *next;
} Toml;

/* The document's root table; slices live in the arena or in `text`. False: *error names the line and what is wrong.
 * Dates and arrays are TOML_OTHER: kept as they were written, and not interpreted. */
bool toml_parse(Arena *arena, Str text, Toml **ret_root, Error *error) MUST_CHECK;
/* The same for a file of our own: with FILE:LINE in front of errors, and strict about carriage returns, which the
 * client accepts in its profiles. */
bool toml_parse_file(Arena *arena, const char *file, Str text, Toml **ret_root, Error *error) MUST_CHECK;
/* The same for a file of several programs, which may have [[arrays of tables]]. */
bool toml_parse_shared(Arena *arena, const char *file, Str text, Toml **ret_root, Error *error) MUST_CHECK;
/* A table as it would be written inline. */
Str toml_inline(Arena *arena, const Toml *table);
/* The first line with a carriage return that no line feed follows; 0: none. In a comment it hides what comes after. */
unsigned toml_bare_return(Str text);
#define TOML_BARE_RETURN "a carriage return without a line feed ends no line"
Toml *toml_get(const Toml *table, const char *key); /* NULL where absent */

void toml_write_string(Buf *out, Str s); /* a basic string with its quotes */
void toml_write_key(Buf *out, Str key);  /* bare if possible */

#endif

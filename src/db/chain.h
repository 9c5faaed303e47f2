/* db/chain.h -- the reference's migrations, made by tools/chain.py from migrations/ENGINE/chain.sql, which says what
 * the kinds of parts mean. upgrade/ runs them. */
#ifndef ORION_CHAIN_H
#define ORION_CHAIN_H

#include "base/base.h"

typedef enum ChainKind {
    CHAIN_END,     /* of a revision's parts */
    CHAIN_SQL,     /* statements */
    CHAIN_EDIT,    /* the CREATE TABLE of a table that is there; SQLite alone, as the next two are */
    CHAIN_REBUILD,
    CHAIN_DELETE,  /* a DELETE FROM … WHERE … */
    CHAIN_STEP     /* the name of a function */
} ChainKind;

typedef struct ChainPart {
    ChainKind kind;
    const char *text;
} ChainPart;

typedef struct Revision {
    const char *id, *title;
    const ChainPart *parts; /* from the revision before to this one; CHAIN_END follows the last */
} Revision;

typedef struct Chain {
    const Revision *revisions; /* oldest first */
    size_t count;
} Chain;

extern const Chain chain_sqlite, chain_postgres;

#endif

/* db/fault_kinds.h -- what may be wrong with a database as a whole, kind by kind, as SQL that finds and mends it. */
#ifndef ORION_FAULT_KINDS_H
#define ORION_FAULT_KINDS_H

#include "db/db.h"

#define NOT_BY_REPAIR "--repair cannot mend this without loss: "

typedef struct FaultKind {
    const char *where;                /* the table, or what else the faults are in */
    const char *means;                /* a sentence without its end, read after `where` */
    const char *cure;                 /* what --repair does; where `mend` is NULL: why it does nothing, and who can */
    const char *find[ENGINES];  /* rows of one text that names a fault; NULL: this engine cannot have it */
    const char *mend[ENGINES];  /* one statement that mends all of them and loses nothing; NULL: there is none.
                                       * May fail with ERR_INTEGRITY, where what contradicts itself stays */
} FaultKind;

/* Of the whole database first, then of runs, states and limits. The order is that in which they are mended. */
extern const FaultKind fault_kinds[];
extern const size_t fault_kind_count;
/* PostgreSQL: the names, quoted, of those indexes of our tables that amcheck can check. */
extern const char fault_btree_indexes[];

#endif

/* db/migrate.h -- the schema's history: which revision a database is at, and the way to the head. */
#ifndef ORION_MIGRATE_H
#define ORION_MIGRATE_H

#include "db/chain.h"
#include "db/db.h"
#include "db/tables.h"

typedef enum SchemaState {
    SCHEMA_EMPTY,    /* no tables: migrate_up makes them */
    SCHEMA_HEAD,
    SCHEMA_OLDER,    /* a revision of the reference before its head: upgrade/ takes it there */
    SCHEMA_NEWER,    /* a revision of the reference between the heads of 2.7.12 and 3.8.3 */
    SCHEMA_HEAD_3,   /* 3.8.3's, or one after it that only adds indexes */
    SCHEMA_UNKNOWN,  /* a revision we do not know: a newer Prefect's, or another program's */
    SCHEMA_UNMARKED  /* tables with our names and no revision: ours after a loss, or another program's */
} SchemaState;

/* The reference's last revision on this engine; on SQLite "bfe42b7090d6". */
const char *migrate_head(const Tx *tx);
/* *ret_revision is in the arena; null if there is none. False: tx->error. */
bool migrate_state(Tx *tx, SchemaState *ret_state, Str *ret_revision) MUST_CHECK;
bool migrate_check(Tx *tx) MUST_CHECK;                 /* changes nothing;
                                                        * false with a message for the user unless it is at the head */
bool migrate_check_any(Tx *tx, Generation *ret) MUST_CHECK; /* likewise, at the head of either generation */
/* Brings an empty database to the head and stamps it, with the rows that a fresh database of the reference holds
 * (work pool default-agent-pool, its queue default). At the head: does nothing, but false if a table with one of our
 * names lacks our columns. Older or newer: false with a message for the user, which names the command. */
bool migrate_up(Tx *tx) MUST_CHECK;
bool migrate_up_to(Tx *tx, Generation generation) MUST_CHECK; /* the same for the head of either generation */
/* The functions that drop or clear act only on an empty database, or on one at a known revision in which each table
 * with one of our names has our columns; else they return false with a message that says what was found. */
bool migrate_may_drop(Tx *tx) MUST_CHECK;              /* changes nothing:
                                                        * whether migrate_drop and migrate_clear would act */
bool migrate_drop(Tx *tx) MUST_CHECK;                  /* all tables, alembic_version too (downgrade base, reset,
                                                        * /admin/database/drop) */
bool migrate_clear(Tx *tx) MUST_CHECK;                 /* all rows of all tables but alembic_version
                                                        * (/admin/database/clear) */
/* Writes a revision, or "head". The head only if tables and columns are those of the head. An older one, of which
 * only the columns that its tables have always had are known here, only if the database is empty or at a known
 * revision. */
bool migrate_stamp(Tx *tx, Str revision) MUST_CHECK;
/* To be called around filling all tables in one transaction. Until the end (on SQLite until the commit, which then
 * fails) the references that form circles may dangle: work_queue.work_pool_id, flow_run.parent_task_run_id,
 * flow_run.state_id, task_run.state_id. */
bool migrate_begin_fill(Tx *tx) MUST_CHECK;
bool migrate_end_fill(Tx *tx) MUST_CHECK;

/* For upgrade/. */

bool migrate_has_table(Tx *tx, const char *name);

typedef struct SchemaPlace {
    SchemaState state;
    Str revision;          /* null: none */
    const Chain *chain;
    size_t at;             /* its place in the chain; the chain's length if it has none */
    size_t head;           /* the place of migrate_head */
    const char *schema;    /* script from nothing to the head */
} SchemaPlace;

/* Where a database is that may be upgraded. False, with a message for the user: an unknown revision, or tables that may
 * be another program's. */
bool migrate_place(Tx *tx, SchemaPlace *ret) MUST_CHECK;
bool migrate_make(Tx *tx) MUST_CHECK;                       /* the head's tables in an empty database */
bool migrate_mark(Tx *tx, const char *revision) MUST_CHECK; /* writes the revision */
Str migrate_mark_plan(Arena *arena, const char *revision);  /* the SQL for that */

#endif

/* db/chain_run.c -- runs the parts of a revision. */
#include "db/chain_run.h"

#include "db/chain_sqlite.h"
#include "db/driver.h"

static bool run_part(Tx *tx, const ChainPart *part, ChainStep *step)
{
    switch (part->kind) {
    case CHAIN_SQL: return db_script(tx, part->text);
    case CHAIN_EDIT: return table_edit(tx, part->text);
    case CHAIN_REBUILD: return table_rebuild(tx, part->text);
    case CHAIN_DELETE: return table_delete(tx, part->text);
    case CHAIN_STEP: return !step || step(tx, part->text);
    case CHAIN_END: break;
    }
    return true;
}

/* An arena for each revision: rows that its steps read may be many. */
bool chain_run(Tx *tx, const Revision *revision, ChainStep *step)
{
    bool ok = true;
    Arena *of_job = tx_arena_begin(tx);
    for (const ChainPart *part = revision->parts; ok && part->kind != CHAIN_END; part++)
        ok = run_part(tx, part, step);
    tx_arena_end(tx, of_job);
    if (!ok && tx->error->code != ERR_NONE) {
        Error cause = *tx->error;
        tx->error->code = ERR_NONE;
        return fail(tx->error, cause.code, "The upgrade failed at revision %s (%s), and nothing was changed: %s",
                    revision->id, revision->title, cause.message);
    }
    return ok;
}

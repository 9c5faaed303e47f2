/* cli/cmd_prune.c -- `orion database prune`: deletes runs that ended long ago, or only their logs. */
#include "cli/cli.h"

#include <limits.h>

#include "cli/progress.h"
#include "cli/screen.h"
#include "db/migrate.h"
#include "services/retention.h"
#include "services/stuck_runs.h"

enum { FLOW_WIDTH = 40 };

typedef struct FlowCount {
    Str flow_id, name;
    int64_t flow_runs[STATE_COUNT], task_runs[STATE_COUNT], logs[STATE_COUNT];
} FlowCount;

typedef struct Prune {
    const Cli *cli;
    Db *db;
    Retention work;
    FlowCount *flows;      /* by flow_id */
    size_t flow_count, flow_capacity;
    Freed found;
} Prune;

/* ---- what is asked for ---- */

typedef struct FlowSearch { Str name, id; } FlowSearch;

static bool step_check(Tx *tx, void *arg)
{
    FlowSearch *search = arg;
    if (!migrate_check(tx))
        return false;
    if (!search->name.p)
        return true;
    search->id = DB_TEXT(tx, "SELECT id FROM flow WHERE name = $1", v_text(search->name));
    return tx->error->code == ERR_NONE
           && (search->id.p || fail(tx->error, ERR_INVALID, "There is no flow %s.",
                                    json_python_repr(tx->arena, search->name).p));
}

static int read_rule(const Cli *cli, TreeRule *ret)
{
    Str states = str_from(cli_option(cli, "states")), wrong;
    *ret = (TreeRule){ .states = TREE_STATES_ALL };
    int status = cli_age(cli, "older-than", &ret->before);
    if (!status && states.p && !tree_states_read(states, &ret->states, &wrong))
        return cli_usage(cli, cli->command,
                         "Invalid value for '--states': %s is not one of COMPLETED, FAILED, CANCELLED, CRASHED, "
                         "separated by commas: no other runs are ever deleted.",
                         cli_quoted(cli, wrong));
    return status;
}

/* ---- counting ---- */

static FlowCount *count_of(Prune *prune, Str flow_id)
{
    size_t low = 0, high = prune->flow_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (str_compare(prune->flows[middle].flow_id, flow_id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < prune->flow_count && str_eq(prune->flows[low].flow_id, flow_id))
        return &prune->flows[low];
    prune->flows = arena_grow(prune->cli->arena, prune->flows, prune->flow_count, &prune->flow_capacity,
                              sizeof *prune->flows);
    memmove(&prune->flows[low + 1], &prune->flows[low], (prune->flow_count++ - low) * sizeof *prune->flows);
    prune->flows[low] = (FlowCount){ .flow_id = arena_str(prune->cli->arena, flow_id) };
    return &prune->flows[low];
}

static void count_tree(void *arg, const RunTree *tree)
{
    Prune *prune = arg;
    if (prune->work.only_logs && tree->logs == 0)
        return;
    prune->found.trees++;
    prune->found.flow_runs += (int64_t)tree->count;
    prune->found.task_runs += tree->task_runs;
    prune->found.logs += tree->logs;
    for (size_t i = 0; i < tree->count; i++) {
        const TreeRun *run = &tree->runs[i];
        FlowCount *flow = count_of(prune, run->flow_id);
        flow->flow_runs[run->state_type]++;
        flow->task_runs[run->state_type] += run->task_runs;
        flow->logs[run->state_type] += run->logs;
    }
}

static bool step_names(Tx *tx, void *arg)
{
    Prune *prune = arg;
    for (size_t i = 0; i < prune->flow_count; i++)
        prune->flows[i].name =
            arena_str(prune->cli->arena,
                      DB_TEXT(tx, "SELECT name FROM flow WHERE id = $1", v_uuid(prune->flows[i].flow_id)));
    return tx->error->code == ERR_NONE;
}

static int compare_names(const void *a, const void *b)
{
    return str_compare(((const FlowCount *)a)->name, ((const FlowCount *)b)->name);
}

static void print_counts(const Prune *prune)
{
    qsort(prune->flows, prune->flow_count, sizeof *prune->flows, compare_names);
    if (prune->flow_count > 0)
        printf("%-*s %-10s %10s %10s %10s\n", FLOW_WIDTH, "flow", "state", "flow runs", "task runs", "log lines");
    for (size_t i = 0; i < prune->flow_count; i++)
        for (int type = 0; type < STATE_COUNT; type++) {
            const FlowCount *flow = &prune->flows[i];
            if (flow->flow_runs[type] > 0)
                printf("%s %-10s %10lld %10lld %10lld\n",
                       screen_padded(prune->cli->arena, flow->name, FLOW_WIDTH, UINT_MAX), state_type_names[type],
                       (long long)flow->flow_runs[type], (long long)flow->task_runs[type],
                       (long long)flow->logs[type]);
        }
}

static const char *described(const Prune *prune, const Freed *freed)
{
    Arena *arena = prune->cli->arena;
    if (prune->work.only_logs && freed->lost_logs > 0)
        return arena_printf(arena, "%lld log lines of %lld trees of flow runs, and %lld of runs that do not exist",
                            (long long)freed->logs, (long long)freed->trees, (long long)freed->lost_logs).p;
    if (prune->work.only_logs)
        return arena_printf(arena, "%lld log lines of %lld trees of flow runs", (long long)freed->logs,
                            (long long)freed->trees).p;
    return arena_printf(arena, "%lld flow runs in %lld trees, with %lld task runs and %lld log lines",
                        (long long)freed->flow_runs, (long long)freed->trees, (long long)freed->task_runs,
                        (long long)freed->logs).p;
}

/* ---- deleting ---- */

/* Where neither a flow nor a state is asked for, of which such lines have none. */
static bool takes_lost_logs(const Prune *prune)
{
    return prune->work.only_logs && !cli_option(prune->cli, "flow") && !cli_option(prune->cli, "states");
}

static bool delete_all(Prune *prune, int64_t *ret_slots, Error *error)
{
    *ret_slots = 0;
    bool ok = retention_delete_trees(&prune->work, error);
    if (ok && takes_lost_logs(prune))
        ok = retention_delete_logs(&prune->work, true, error);
    if (ok && !prune->work.only_logs)
        ok = retention_delete_cached(&prune->work, retention_is_stale, NULL, error)
             && stuck_slots_free(prune->db, true, ret_slots, error);
    return ok;
}

static int delete_and_tell(Prune *prune)
{
    Error error = { .code = ERR_NONE };
    const Cli *cli = prune->cli;
    CliProgress progress;
    int64_t slots;
    prune->work.onlooker = &progress.onlooker;
    prune->work.trees = prune->found.trees;
    cli_progress_begin(&progress);
    bool ok = delete_all(prune, &slots, &error);
    cli_progress_clear(&progress);
    const Freed *freed = &prune->work.freed;
    cli_good(cli, "Deleted %s.", described(prune, freed));
    if (freed->cached > 0)
        cli_good(cli, "Deleted %lld rows of the task cache that led to nothing, or had expired.",
                 (long long)freed->cached);
    if (slots > 0)
        cli_good(cli, "Freed %lld slots of concurrency limits that no unfinished task run held.", (long long)slots);
    int status = ok ? 0 : cli_bad(cli, "%s\nWhat is left can be deleted by asking again.", error.message);
    cli_progress_end(&progress);
    return status;
}

static int prune_database(Prune *prune, FlowSearch *search)
{
    Error error = { .code = ERR_NONE };
    const Cli *cli = prune->cli;
    if (!db_run(prune->db, false, cli->arena, step_check, search, &error))
        return cli_bad(cli, "%s", error.message);
    prune->work.rule.flow_id = search->id;
    if (!retention_look(&prune->work, count_tree, prune, &error)
        || (takes_lost_logs(prune) && !retention_count_lost_logs(&prune->work, &prune->found.lost_logs, &error))
        || !db_run(prune->db, false, cli->arena, step_names, prune, &error))
        return cli_bad(cli, "%s", error.message);
    print_counts(prune);
    const char *what = described(prune, &prune->found);
    if (cli_switch(cli, "dry-run", false)) {
        cli_good(cli, "Would delete %s.", what);
        return 0;
    }
    Str url = settings_text(cli->settings, "PREFECT_ORION_DATABASE_CONNECTION_URL");
    Str question = arena_printf(cli->arena, "Are you sure you want to delete %s from the Orion database located at "
                                "\"%s\"?", what, cli_shown_url(cli, url));
    int status = cli_ask(cli, question.p, "Nothing was deleted.");
    return status ? status : delete_and_tell(prune);
}

int cmd_database_prune(Cli *cli)
{
    Error error = { .code = ERR_NONE };
    Prune prune = { .cli = cli };
    FlowSearch search = { .name = str_from(cli_option(cli, "flow")) };
    int status = read_rule(cli, &prune.work.rule);
    if (status)
        return status;
    prune.db = cli_open_existing(cli, &error);
    if (!prune.db)
        return cli_bad(cli, "%s", error.message);
    prune.work.db = prune.db;
    prune.work.only_logs = cli_switch(cli, "logs-only", false);
    prune.work.is_command = true;
    status = prune_database(&prune, &search);
    db_close(prune.db);
    return status;
}

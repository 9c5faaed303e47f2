/* cli/cmd_upgrade.c -- `orion database upgrade`: makes the tables, or takes an older Prefect's to a later one's. */
#include "cli/cli.h"
#include "cli/progress.h"
#include "db/backup.h"
#include "upgrade/upgrade.h"

enum { LIMIT_SECONDS = 7 * 24 * 3600 };

typedef struct Request {
    const Cli *cli;
    const char *url;    /* to be shown */
    Upgrade upgrade;
    UpgradeLook look;
    Str plan;
} Request;

static bool step_look(Tx *tx, void *arg)
{
    Request *request = arg;
    return upgrade_look(tx, &request->upgrade, &request->look);
}

static bool step_plan(Tx *tx, void *arg)
{
    Request *request = arg;
    return upgrade_plan(tx, &request->upgrade, &request->plan);
}

/* Another server or command may hold it, for which nobody waits longer than for migrations. */
static bool step_lock(Tx *tx, void *arg)
{
    (void)arg;
    db_lock(tx, LOCK_SCHEMA);
    return tx->error->code == ERR_NONE;
}

static bool step_run(Tx *tx, void *arg)
{
    const Request *request = arg;
    return upgrade_run(tx, &request->upgrade);
}

/* Looks at the database as it is: nothing is made by it. */
static bool look(const Request *request, bool (*step)(Tx *, void *), void *arg, Error *error)
{
    Db *db = cli_open_to_look(request->cli, error);
    bool ok = db && db_run(db, false, request->cli->arena, step, arg, error);
    db_close(db);
    return ok;
}

/* Where an SQLite database is copied to before; NULL: it is not copied. */
static const char *place_of_copy(const Request *request, const DbConfig *config, Error *error)
{
    const char *file = backup_database_file(config, request->cli->arena, error);
    bool is_changed = request->look.revisions > 0 && !request->look.is_empty;
    if (!file || !is_changed || !cli_switch(request->cli, "copy", true))
        return NULL;
    return arena_printf(request->cli->arena, "%s.%.*s", file, STR_ARG(request->look.revision)).p;
}

static bool copy_file(const Request *request, const char *copy, const DbConfig *config, Error *error)
{
    Error why = { .code = ERR_NONE };
    if (!backup_copy_file(config, copy, request->upgrade.onlooker, request->cli->arena, &why))
        return fail(error, why.code, "%s\nNo copy was made, so nothing was changed. --no-copy upgrades without one.",
                    why.message);
    return true;
}

static bool upgrade(Request *request, const char **ret_copy, Error *error)
{
    DbConfig config = db_config(request->cli->settings);
    config.readers = config.connections = 1;
    config.no_references = true;
    if (!look(request, step_look, request, error))
        return false;
    *ret_copy = place_of_copy(request, &config, error);
    if (error->code != ERR_NONE || (*ret_copy && !copy_file(request, *ret_copy, &config, error)))
        return false;
    Db *db = db_open(&config, error);
    bool ok = db && cli_change(request->cli, db, step_lock, NULL, error)
              && db_run_within(db, LIMIT_SECONDS * SECOND, true, request->cli->arena, step_run, request, error);
    db_close(db);
    return ok;
}

static int run(Request *request)
{
    Error error = { .code = ERR_NONE };
    CliProgress progress;
    const char *copy = NULL;
    puts("Running upgrade migrations ...");
    fflush(stdout);
    cli_progress_begin(&progress);
    request->upgrade.onlooker = &progress.onlooker;
    bool ok = upgrade(request, &copy, &error);
    cli_progress_clear(&progress);
    if (ok) {
        puts("Migrations succeeded!");
        cli_good(request->cli, "Orion database at %s upgraded!", request->url);
    }
    int status = ok ? 0 : cli_bad(request->cli, "%s", error.message);
    if (ok && copy)
        printf("What it was before is in %s\n", copy);
    cli_progress_end(&progress);
    return status;
}

static int print_plan(Request *request)
{
    Error error = { .code = ERR_NONE };
    if (!look(request, step_plan, request, &error))
        return cli_bad(request->cli, "%s", error.message);
    if (request->plan.n == 0)
        puts("-- nothing to do");
    else
        printf("%.*s\n", STR_ARG(request->plan));
    return 0;
}

/* There is no way back from 3.8.3's tables but the copy, so more is said about it. */
static int ask(Request *request, bool to_3)
{
    Arena *arena = request->cli->arena;
    Error error = { .code = ERR_NONE };
    Str question = arena_printf(arena, "Are you sure you want to upgrade the Orion database at %s?", request->url);
    if (to_3 && !look(request, step_look, request, &error))
        return cli_bad(request->cli, "%s", error.message);
    if (to_3 && request->look.policies.p)
        printf("These notification policies become automations, which do not fire yet:\n%.*s",
               STR_ARG(request->look.policies));
    if (to_3)
        question = arena_printf(arena, "Are you sure you want to upgrade the database at %s to Prefect 3.8.3? There is "
                                "no way back but a copy made before.", request->url);
    return cli_ask(request->cli, question.p, "Database upgrade aborted!");
}

int cmd_database_upgrade(Cli *cli)
{
    const char *revision = cli_option(cli, "-r"), *to = cli_option(cli, "to");
    Str url = settings_text(cli->settings, "PREFECT_ORION_DATABASE_CONNECTION_URL");
    bool to_3 = to && strcmp(to, "3") == 0;
    if (to && !to_3 && strcmp(to, "2.7") != 0)
        return cli_usage(cli, cli->command, "--to is 2.7 or 3, not '%s'", to);
    if (to && revision)
        return cli_usage(cli, cli->command, "-r and --to both name a revision: give one of them");
    Request request = { .cli = cli, .url = cli_shown_url(cli, url), .upgrade.to = to_3 ? UPGRADE_3 : revision };
    int status = ask(&request, to_3);
    if (status)
        return status;
    return cli_switch(cli, "dry-run", false) ? print_plan(&request) : run(&request);
}

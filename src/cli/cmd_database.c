/* cli/cmd_database.c -- `orion database`: makes and drops the tables, and records their revision. */
#include "cli/cli.h"

#include <unistd.h>

#include "config/shown_url.h"
#include "db/migrate.h"

const char *cli_shown_url(const Cli *cli, Str url)
{
    return url_shown(cli->arena, url);
}

static const char *shown_url(const Cli *cli)
{
    return cli_shown_url(cli, settings_text(cli->settings, "PREFECT_ORION_DATABASE_CONNECTION_URL"));
}

typedef enum Opening {
    OPEN_CREATES,   /* a missing SQLite database is created */
    OPEN_DRY,       /* an empty one in memory takes its place */
    OPEN_EXISTING   /* a missing one is an error */
} Opening;

/* Whether the database is in the home folder and that does not exist, since a dry run does not make it. */
static bool is_in_missing_home(const Cli *cli, Str url)
{
    Str home = settings_text(cli->settings, "PREFECT_HOME");
    return str_starts(url, "sqlite") && access(home.p, F_OK) != 0 && memmem(url.p, url.n, home.p, home.n);
}

static Db *open_database(const Cli *cli, Opening opening, Error *error)
{
    DbConfig config = db_config(cli->settings);
    config.readers = config.connections = 1;
    config.never_create = opening == OPEN_DRY;
    if (opening == OPEN_DRY && is_in_missing_home(cli, config.url))
        config.url = STR("sqlite://");
    config.must_exist = opening == OPEN_EXISTING;
    return db_open(&config, error);
}

Db *cli_open_database(const Cli *cli, Error *error)
{
    return open_database(cli, OPEN_CREATES, error);
}

Db *cli_open_to_look(const Cli *cli, Error *error)
{
    return open_database(cli, OPEN_DRY, error);
}

Db *cli_open_existing(const Cli *cli, Error *error)
{
    DbConfig config = db_config(cli->settings);
    config.timeout = 0;
    config.readers = config.connections = 1;
    config.must_exist = true;
    return db_open(&config, error);
}

bool cli_change(const Cli *cli, Db *db, bool (*run)(Tx *, void *), void *arg, Error *error)
{
    return db_run_within(db, db_migration_limit(cli->settings), true, cli->arena, run, arg, error);
}

/* The steps: each runs in a transaction of its own. */

static bool step_drop(Tx *tx, void *arg)
{
    (void)arg;
    return migrate_drop(tx);
}

static bool step_may_drop(Tx *tx, void *arg)
{
    (void)arg;
    return migrate_may_drop(tx);
}

static bool step_up(Tx *tx, void *arg)
{
    (void)arg;
    return migrate_up(tx);
}

static bool step_stamp(Tx *tx, void *arg)
{
    return migrate_stamp(tx, *(const Str *)arg);
}

int cli_ask(const Cli *cli, const char *question, const char *aborted)
{
    if (cli_switch(cli, "yes", false))
        return 0;
    Answer answer = cli_confirm(question);
    if (answer == ANSWER_YES)
        return 0;
    return answer == ANSWER_NO ? cli_bad(cli, "%s", aborted) : 1;
}

int cmd_database_reset(Cli *cli)
{
    Error error = { .code = ERR_NONE };
    const char *url = shown_url(cli);
    Str question = arena_printf(cli->arena, "Are you sure you want to reset the Orion database located at \"%s\"? "
        "This will drop and recreate all tables.", url);
    int status = cli_ask(cli, question.p, "Database reset aborted");
    if (status)
        return status;
    /* Two transactions: should the second one fail, the database is empty, and `database upgrade` makes the tables. */
    Db *db = cli_open_database(cli, &error);
    bool ok = db != NULL;
    if (ok) {
        puts("Downgrading database...");
        ok = cli_change(cli, db, step_drop, NULL, &error);
    }
    if (ok) {
        puts("Upgrading database...");
        ok = cli_change(cli, db, step_up, NULL, &error);
    }
    db_close(db);
    if (!ok)
        return cli_bad(cli, "%s", error.message);
    cli_good(cli, "Orion database \"%s\" reset!", url);
    return 0;
}

/* Runs a step of a dry run in a read transaction. */
static bool look(const Cli *cli, Opening opening, bool (*step)(Tx *, void *), void *arg, Error *error)
{
    Db *db = open_database(cli, opening, error);
    bool ok = db && db_run(db, false, cli->arena, step, arg, error);
    db_close(db);
    return ok;
}

static int plan_downgrade(const Cli *cli)
{
    Error error = { .code = ERR_NONE };
    if (!look(cli, OPEN_EXISTING, step_may_drop, NULL, &error))
        return cli_bad(cli, "%s", error.message);
    puts("-- all of Orion's tables would be dropped, with every row in them");
    return 0;
}

/* Runs a change, with its messages around it. */
static int change(const Cli *cli, const char *verb, Opening opening, bool (*step)(Tx *, void *), void *arg)
{
    Error error = { .code = ERR_NONE };
    printf("Running %s migrations ...\n", verb);
    Db *db = open_database(cli, opening, &error);
    bool ok = db && cli_change(cli, db, step, arg, &error);
    db_close(db);
    if (!ok)
        return cli_bad(cli, "%s", error.message);
    puts("Migrations succeeded!");
    cli_good(cli, "Orion database at %s %sd!", shown_url(cli), verb);
    return 0;
}

int cmd_database_downgrade(Cli *cli)
{
    const char *revision = cli_option(cli, "-r");
    if (revision && strcmp(revision, "base") != 0)
        return cli_bad(cli,
                       "Can't locate revision identified by '%s': this program knows only base, "
                       "which drops all tables.",
                       revision);
    Str question = arena_printf(cli->arena, "Are you sure you want to downgrade the Orion database at %s?",
                                shown_url(cli));
    int status = cli_ask(cli, question.p, "Database downgrade aborted!");
    if (status)
        return status;
    return cli_switch(cli, "dry-run", false) ? plan_downgrade(cli)
                                             : change(cli, "downgrade", OPEN_EXISTING, step_drop, NULL);
}

int cmd_database_stamp(Cli *cli)
{
    Error error = { .code = ERR_NONE };
    Str revision = str_from(cli->args[0]);
    puts("Stamping database with revision ...");
    Db *db = open_database(cli, OPEN_EXISTING, &error);
    bool ok = db && cli_change(cli, db, step_stamp, &revision, &error);
    db_close(db);
    if (!ok)
        return cli_bad(cli, "%s", error.message);
    cli_good(cli, "Stamping database with revision succeeded!");
    return 0;
}

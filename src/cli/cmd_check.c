/* cli/cmd_check.c -- `orion database check`: a line for each kind of fault, and --repair. */
#include "cli/cli.h"

#include "blocks/encryption.h"
#include "db/faults.h"

typedef struct Checking {
    const Cli *cli;
    FaultReport report;
} Checking;

static void print_each(void *arg, const Fault *fault, Str name)
{
    cli_note(arg, "%s: %.*s", fault->where, STR_ARG(name));
}

static void print_kind(void *arg, const Fault *fault)
{
    const Cli *cli = arg;
    Buf names;
    buf_init(&names, cli->arena, 256);
    for (int64_t i = 0; i < fault->count && i < FAULT_NAMED_MAX; i++)
        buf_printf(&names, "%s%.*s", i ? ", " : "", STR_ARG(fault->named[i]));
    cli_note(cli, "%s: %s. %lld found: %s%s. %s.", fault->where, fault->means, (long long)fault->count,
             buf_cstr(&names), fault->count > FAULT_NAMED_MAX ? ", …" : "", fault->cure);
}

typedef struct Secrets {
    FaultReport *report;
    Fault fault;
} Secrets;

static void add_secret(void *arg, Str label)
{
    Secrets *secrets = arg;
    fault_add(secrets->report, &secrets->fault, label);
}

static bool find_secrets(Tx *tx, FaultReport *report)
{
    Secrets secrets = { .report = report, .fault = { .where = "block documents" } };
    const char *reason;
    if (!encryption_find_unreadable(tx, add_secret, &secrets, &reason))
        return false;
    secrets.fault.means = arena_printf(tx->arena, "they cannot be decrypted: %s", reason).p;
    secrets.fault.cure = encryption_key_is_given()
        ? NOT_BY_REPAIR "unset ORION_ENCRYPTION_KEY if the servers run without it, or save these documents again"
        : NOT_BY_REPAIR "set ORION_ENCRYPTION_KEY if the servers have it, restore the row ENCRYPTION_KEY of the table "
                        "configuration, or save these documents again";
    fault_end(report, &secrets.fault);
    return true;
}

static bool step_find(Tx *tx, void *arg)
{
    return faults_find(tx, arg) && find_secrets(tx, arg);
}

static bool step_mend(Tx *tx, void *arg)
{
    return faults_mend(tx, arg);
}

static void print_clean(const Checking *checking, Engine engine)
{
    /* without and with amcheck */
    static const char *const checked[ENGINES][2] = {
        [ENGINE_SQLITE] = { "the file, its indexes" },
        [ENGINE_POSTGRESQL] = { "constraints", "indexes (by amcheck), constraints" },
    };
    static const char *const unchecked[ENGINES][2] = {
        [ENGINE_SQLITE] = { "" },
        [ENGINE_POSTGRESQL] = {
            " Not the contents of indexes: PostgreSQL's extension amcheck is missing, or not allowed.", "" },
    };
    const FaultReport *report = &checking->report;
    cli_good(checking->cli,
             "Nothing found in %lld rows. Checked: %s, values, references, states of runs, counts, times, slots of "
             "limits, secrets.%s",
             (long long)report->rows, checked[engine][report->has_amcheck], unchecked[engine][report->has_amcheck]);
}

/* Prints what became of it; the exit status. */
static int print_mended(const Checking *checking, const FaultMending *mending)
{
    const Cli *cli = checking->cli;
    int64_t unmended = checking->report.kinds - checking->report.mendable;
    for (size_t i = 0; i < mending->count; i++)
        cli_good(cli, "%s: %s. %lld of %lld mended.", mending->kinds[i].where, mending->kinds[i].means,
                 (long long)(mending->kinds[i].count - mending->kinds[i].left), (long long)mending->kinds[i].count);
    if (mending->left > 0)
        cli_bad(cli, "%lld could not be mended: what they refer to, or their states, contradict it.",
                (long long)mending->left);
    if (unmended > 0)
        cli_bad(cli, "Kinds of faults that remain, since they cannot be mended without loss: %lld.",
                (long long)unmended);
    return mending->left > 0 || unmended > 0;
}

static int repair(Db *db, const Checking *checking, Error *error)
{
    const Cli *cli = checking->cli;
    FaultMending mending = { .bad_indexes = &checking->report.bad_indexes, .arena = cli->arena };
    if (checking->report.mendable == 0)
        return cli_bad(cli, "Nothing was changed: none of this can be mended without loss.");
    Str url = settings_text(cli->settings, "PREFECT_ORION_DATABASE_CONNECTION_URL");
    Str question = arena_printf(cli->arena,
                                "Are you sure you want to repair the Orion database located at \"%s\" as said above?",
                                cli_shown_url(cli, url));
    int status = cli_ask(cli, question.p, "Nothing was changed.");
    if (status)
        return status;
    Arena *arena = arena_new();
    bool ok = db_run(db, true, arena, step_mend, &mending, error);
    arena_free(arena);
    return ok ? print_mended(checking, &mending) : cli_bad(cli, "The repair failed: %s", error->message);
}

static int conclude(Db *db, const Checking *checking, Error *error)
{
    const FaultReport *report = &checking->report;
    const Cli *cli = checking->cli;
    if (report->kinds == 0) {
        print_clean(checking, db_dialect(db)->engine);
        return 0;
    }
    if (cli_switch(cli, "repair", false))
        return repair(db, checking, error);
    return report->mendable == 0
        ? cli_bad(cli, "Kinds of faults found: %lld.", (long long)report->kinds)
        : cli_bad(cli, "Kinds of faults found: %lld. `orion database check --repair` mends %lld of them.",
                  (long long)report->kinds, (long long)report->mendable);
}

/* What was found before the failure has been printed. */
static int report_failure(const Checking *checking, const Error *error)
{
    return checking->report.kinds == 0
        ? cli_bad(checking->cli, "%s", error->message)
        : cli_bad(checking->cli, "The rest could not be checked: %s", error->message);
}

static int check(Db *db, Checking *checking, Error *error)
{
    Arena *arena = arena_new();
    bool ok = db_run(db, false, arena, step_find, &checking->report, error)
              && faults_find_in_indexes(db, arena, &checking->report, error);
    arena_free(arena);
    return ok ? conclude(db, checking, error) : report_failure(checking, error);
}

int cmd_database_check(Cli *cli)
{
    Error error = { .code = ERR_NONE };
    Checking checking = { .cli = cli };
    checking.report = (FaultReport){ .kind = print_kind, .arg = cli, .arena = cli->arena };
    if (cli_switch(cli, "all", false))
        checking.report.each = print_each;
    if (!encryption_use(cli->settings, &error))
        return cli_bad(cli, "%s", error.message);
    DbConfig config = db_config(cli->settings);
    config.timeout = 0; /* the check is one long read */
    config.readers = config.connections = 1;
    config.must_exist = true;
    Db *db = db_open(&config, &error);
    int status = db ? check(db, &checking, &error) : cli_bad(cli, "%s", error.message);
    db_close(db);
    return status;
}

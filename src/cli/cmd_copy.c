/* cli/cmd_copy.c -- `orion database copy`: all rows of one database into another, with a progress display. */
#include "cli/cli.h"
#include "cli/progress.h"

#include <unistd.h>

#include "db/copy.h"
#include "db/statistics.h"

enum { TABLE_WIDTH = 28, CHECKSUM_SHOWN = 16 };

static void show_left_out(void *arg, const Table *table, Str id, const char *column, const char *reason)
{
    (void)arg;
    fprintf(stderr, "Left out: %s %.*s: %s %s\n", table->name, STR_ARG(id), column, reason);
}

static int64_t print_counts(const Copy *copy)
{
    int64_t all = 0;
    printf("%-*s %12s  checksum\n", TABLE_WIDTH, "table", "rows");
    for (size_t i = 0; i < copy->tables->count; i++) {
        printf("%-*s %12lld  %.*s\n", TABLE_WIDTH, copy->tables->items[i].name, (long long)copy->counts[i],
               CHECKSUM_SHOWN, copy->checksums[i]);
        all += copy->counts[i];
    }
    return all;
}

static Db *open_side(const Cli *cli, const char *url, bool must_exist, const char *side, Error *error)
{
    Error why = { .code = ERR_NONE };
    DbConfig config = db_config(cli->settings);
    config.url = str_from(url);
    config.timeout = 0; /* the copy is one long transaction on each side */
    config.readers = config.connections = 1;
    config.must_exist = must_exist;
    Db *db = db_open(&config, &why);
    if (!db)
        fail(error, why.code, "The %s: %s", side, why.message);
    return db;
}

static bool copy_between(const Cli *cli, Copy *copy, const char *from, const char *to, Error *error)
{
    CliProgress progress = { .is_terminal = isatty(STDERR_FILENO) };
    copy->onlooker = &(Onlooker){ .show = cli_progress_show, .arg = &progress };
    copy->left_out = show_left_out;
    copy->from = open_side(cli, from, true, "source", error);
    copy->to = copy->from ? open_side(cli, to, false, "target", error) : NULL;
    bool ok = copy->to != NULL;
    ok = ok && copy_database(copy, cli->arena, error);
    cli_progress_clear(&progress);
    Error ignored = { .code = ERR_NONE }; /* what is copied is there, and a server takes statistics, too */
    (void)!(ok && statistics_refresh(copy->to, true, cli->arena, NULL, &ignored));
    db_close(copy->to);
    db_close(copy->from);
    return ok;
}

int cmd_database_copy(Cli *cli)
{
    const char *from = cli_option(cli, "from"), *to = cli_option(cli, "to");
    if (!from || !to)
        return cli_usage(cli, cli->command, "Missing option '--%s'.", from ? "to" : "from");
    const char *from_shown = cli_shown_url(cli, str_from(from)), *to_shown = cli_shown_url(cli, str_from(to));
    Copy copy = { .force = cli_switch(cli, "force", false), .skip_bad_rows = cli_switch(cli, "skip-bad-rows", false) };
    if (copy.force) {
        Str question =
            arena_printf(cli->arena,
                         "Are you sure you want to replace everything in the Orion database located at \"%s\"?",
                         to_shown);
        int status = cli_ask(cli, question.p, "Database copy aborted");
        if (status)
            return status;
    }
    Error error = { .code = ERR_NONE };
    if (!copy_between(cli, &copy, from, to, &error)) {
        int status = cli_bad(cli, "%s", error.message);
        if (copy.met_bad_row)
            status = cli_bad(cli,
                             "`orion database check --all` lists all such values; --skip-bad-rows leaves their rows "
                             "out.");
        return copy.was_committing ? status : cli_bad(cli, "Nothing was stored in \"%s\".", to_shown);
    }
    long long rows = print_counts(&copy);
    if (copy.left_out_count)
        cli_good(cli, "%zu rows were left out.", copy.left_out_count);
    cli_good(cli, "Copied and verified %lld rows from \"%s\" to \"%s\"!", rows, from_shown, to_shown);
    return 0;
}

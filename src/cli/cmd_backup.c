/* cli/cmd_backup.c -- `orion database backup` and `restore`: a database as one SQLite file, and back. */
#include "cli/cli.h"
#include "cli/progress.h"
#include "db/backup.h"

static double seconds_since(int64_t began)
{
    return (double)(clock_monotonic() - began) / (double)SECOND;
}

int cmd_database_backup(Cli *cli)
{
    Error error = { .code = ERR_NONE };
    CliProgress progress;
    int64_t began = clock_monotonic();
    Backup backup = { .from = db_config(cli->settings), .file = cli->args[0], .gzip = cli_switch(cli, "gzip", false),
                      .force = cli_switch(cli, "force", false), .onlooker = &progress.onlooker };
    cli_progress_begin(&progress);
    bool ok = backup_make(&backup, cli->arena, &error);
    cli_progress_clear(&progress);
    if (ok)
        cli_good(cli, "Backed up %lld rows to \"%s\": %s in %.1f seconds, read again and found whole.",
                 (long long)backup.rows, backup.file, cli_size(backup.bytes).text, seconds_since(began));
    int status = ok ? 0 : cli_bad(cli, "%s\nNo backup was made.", error.message);
    cli_progress_end(&progress);
    return status;
}

static int restore(const Cli *cli, const char *url)
{
    Error error = { .code = ERR_NONE };
    CliProgress progress;
    int64_t began = clock_monotonic();
    Restore restore = { .file = cli->args[0], .to = db_config(cli->settings), .force = cli_switch(cli, "force", false),
                        .onlooker = &progress.onlooker };
    cli_progress_begin(&progress);
    bool ok = backup_restore(&restore, cli->arena, &error);
    cli_progress_clear(&progress);
    if (ok)
        cli_good(cli, "Restored %lld rows from \"%s\" to \"%s\" in %.1f seconds!", (long long)restore.rows,
                 restore.file, url, seconds_since(began));
    int status = ok ? 0 : cli_bad(cli, restore.was_committing ? "%s" : "%s\nNothing was restored.", error.message);
    cli_progress_end(&progress);
    return status;
}

int cmd_database_restore(Cli *cli)
{
    const char *url = cli_shown_url(cli, settings_text(cli->settings, "PREFECT_ORION_DATABASE_CONNECTION_URL"));
    Str question = arena_printf(cli->arena,
                                "Are you sure you want to replace the Orion database located at \"%s\" by the backup?",
                                url);
    int status = cli_ask(cli, question.p, "Database restore aborted");
    return status ? status : restore(cli, url);
}

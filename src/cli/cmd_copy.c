/* cli/cmd_copy.c -- `orion database copy`: all rows of one database into another, with a progress display. */
#include "cli/cli.h"

#include <unistd.h>

#include "db/copy.h"
#include "db/statistics.h"

enum { BAR_WIDTH = 24, TABLE_WIDTH = 28, REDRAW_US = 100 * 1000, CHECKSUM_SHOWN = 16 };

/* Progress on standard error: on a terminal one line, drawn again and again; else a line for each table. Updated on
 * a thread of a database while the command waits for the copy. */
typedef struct Display {
    bool is_terminal;
    Time drawn, phase_began;
    CopyPhase phase;
    bool has_begun;
} Display;

static const char *phase_name(CopyPhase phase)
{
    return phase == COPY_WRITES ? "Copying" : "Verifying";
}

static void draw_bar(const CopyProgress *p, double seconds)
{
    char bar[BAR_WIDTH + 1];
    int64_t all = p->all_of > 0 ? p->all_of : 1;
    int64_t filled = p->all_done * BAR_WIDTH / all;
    for (int i = 0; i < BAR_WIDTH; i++)
        bar[i] = i < filled ? '#' : '.';
    bar[BAR_WIDTH] = '\0';
    fprintf(stderr, "\r\033[K%-9s [%s] %3d %% %8.0f rows/s  %.*s", phase_name(p->phase), bar,
            (int)(p->all_done * 100 / all), seconds > 0 ? (double)p->all_done / seconds : 0, TABLE_WIDTH,
            db_tables[p->table].name);
    fflush(stderr);
}

static void show_progress(void *arg, const CopyProgress *p)
{
    Display *display = arg;
    Time now = clock_now();
    if (!display->has_begun || display->phase != p->phase) {
        display->has_begun = true;
        display->phase = p->phase;
        display->phase_began = now;
    }
    if (!display->is_terminal) {
        if (p->done == p->of && p->of > 0)
            fprintf(stderr, "%s %s: %lld rows\n", phase_name(p->phase), db_tables[p->table].name, (long long)p->done);
        return;
    }
    if (now - display->drawn < REDRAW_US)
        return;
    display->drawn = now;
    draw_bar(p, (double)(now - display->phase_began) / (double)SECOND);
}

static void show_left_out(void *arg, const Table *table, Str id, const char *column, const char *reason)
{
    (void)arg;
    fprintf(stderr, "Left out: %s %.*s: %s %s\n", table->name, STR_ARG(id), column, reason);
}

static void end_line(const Display *display)
{
    if (display->is_terminal)
        fputs("\r\033[K", stderr);
}

static int64_t print_counts(const Copy *copy)
{
    int64_t all = 0;
    printf("%-*s %12s  checksum\n", TABLE_WIDTH, "table", "rows");
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        printf("%-*s %12lld  %.*s\n", TABLE_WIDTH, db_tables[i].name, (long long)copy->counts[i], CHECKSUM_SHOWN,
               copy->checksums[i]);
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
    Display display = { .is_terminal = isatty(STDERR_FILENO) };
    copy->progress = show_progress;
    copy->left_out = show_left_out;
    copy->arg = &display;
    copy->from = open_side(cli, from, true, "source", error);
    copy->to = copy->from ? open_side(cli, to, false, "target", error) : NULL;
    bool ok = copy->to != NULL;
    ok = ok && copy_database(copy, cli->arena, error);
    end_line(&display);
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

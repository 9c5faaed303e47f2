/* cli/cmd_indexes.c -- `orion database indexes`: lists, makes and drops our own indexes. */
#include "cli/cli.h"

#include "db/indexes.h"
#include "db/migrate.h"
#include "db/statistics.h"

static const char *const states[] = {
    [INDEX_MISSING] = "missing", [INDEX_INVALID] = "invalid", [INDEX_READY] = "ready", [INDEX_UNKNOWN] = "unknown",
};

static bool step_list(Tx *tx, void *arg)
{
    return migrate_check(tx) && indexes_find(tx, true, arg);
}

static const char *size_text(const Cli *cli, int64_t bytes)
{
    return bytes > 0 ? arena_printf(cli->arena, "%.1f MB", (double)bytes / 1e6).p : "";
}

static void print_list(const Cli *cli, const IndexList *list)
{
    int width = 5;
    for (size_t i = 0; i < list->count; i++)
        if ((int)strlen(list->items[i].index.name) > width)
            width = (int)strlen(list->items[i].index.name);
    printf("%-*s  %-8s  %-10s  serves\n", width, "index", "state", "size");
    for (size_t i = 0; i < list->count; i++) {
        const IndexStatus *status = &list->items[i];
        printf("%-*s  %-8s  %-10s  %s\n", width, status->index.name, states[status->state],
               size_text(cli, status->bytes), status->index.serves ? status->index.serves : "another release of Orion");
    }
}

int cmd_indexes_list(Cli *cli)
{
    Error error = { .code = ERR_NONE };
    IndexList list;
    Db *db = cli_open_existing(cli, &error);
    bool ok = db && db_run(db, false, cli->arena, step_list, &list, &error);
    db_close(db);
    if (!ok)
        return cli_bad(cli, "%s", error.message);
    print_list(cli, &list);
    return 0;
}

static void print_begin(void *arg, const OwnIndex *index, size_t number, size_t of)
{
    (void)arg;
    printf("Making %s (%zu of %zu) ...\n", index->name, number, of);
    fflush(stdout);
}

static void print_end(void *arg, const OwnIndex *index, int64_t us)
{
    (void)arg;
    printf("%s was made in %.1f seconds.\n", index->name, (double)us / (double)SECOND);
}

static void print_dropped(void *arg, const OwnIndex *index, int64_t us)
{
    (void)arg;
    (void)us;
    printf("Dropped %s.\n", index->name);
}

int cmd_indexes_make(Cli *cli)
{
    Error error = { .code = ERR_NONE };
    Db *db = cli_open_existing(cli, &error);
    IndexWork work = { .db = db, .arena = cli->arena, .begins = print_begin, .ended = print_end };
    bool ok = db && indexes_make(&work, &error)
              && (work.done == 0 || statistics_refresh(db, true, cli->arena, NULL, &error));
    db_close(db);
    if (!ok)
        return cli_bad(cli, "%s", error.message);
    if (work.is_left)
        return cli_bad(cli, "Some are invalid, but something is at work on their table: try again later.");
    cli_good(cli, work.done ? "Indexes made: %zu." : "All indexes are there.", work.done);
    return 0;
}

int cmd_indexes_drop(Cli *cli)
{
    Error error = { .code = ERR_NONE };
    Db *db = cli_open_existing(cli, &error);
    IndexWork work = { .db = db, .arena = cli->arena, .ended = print_dropped };
    bool ok = db && indexes_drop(&work, cli_switch(cli, "unknown", false), &error);
    db_close(db);
    if (!ok)
        return cli_bad(cli, "%s", error.message);
    cli_good(cli, work.done ? "Indexes dropped: %zu. A server makes those that it knows again."
                            : "There are no indexes to drop.", work.done);
    return 0;
}

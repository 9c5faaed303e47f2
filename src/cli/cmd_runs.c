/* cli/cmd_runs.c -- `orion runs stuck`: flow runs that died, of which nothing has moved for long. */
#include "cli/cli.h"

#include <limits.h>

#include "cli/screen.h"
#include "db/migrate.h"
#include "services/stuck_runs.h"

enum { NAME_WIDTH = 24, STATE_WIDTH = 10, MINUTE_WIDTH = 16 };

static bool step_check(Tx *tx, void *arg)
{
    (void)arg;
    return migrate_check(tx);
}

static void print_time(Arena *arena, Time t)
{
    printf(" %-17.*s", MINUTE_WIDTH, time_text(arena, t).p);
}

static void print_table(const Cli *cli, const StuckRuns *stuck)
{
    if (stuck->count > 0)
        printf("%-36s %-*s %-*s %-10s %-17s %-17s %s\n", "ID", NAME_WIDTH, "NAME", NAME_WIDTH, "FLOW", "STATE",
               "SINCE (UTC)", "MOVED (UTC)", "SLOTS");
    for (size_t i = 0; i < stuck->count; i++) {
        const StuckRun *run = &stuck->items[i];
        printf("%-36s %s %s %s", run->id.p, screen_padded(cli->arena, run->name, NAME_WIDTH, UINT_MAX),
               screen_padded(cli->arena, run->flow_name, NAME_WIDTH, UINT_MAX),
               screen_padded(cli->arena, run->state_name.p ? run->state_name : run->state_type, STATE_WIDTH, UINT_MAX));
        print_time(cli->arena, run->since);
        print_time(cli->arena, run->moved);
        printf(" %lld%s\n", (long long)run->slots, run->parent_id.p ? "  (with its parent)" : "");
    }
}

static void print_json(const Cli *cli, const StuckRuns *stuck)
{
    Buf out;
    JsonWriter w;
    buf_init(&out, cli->arena, 4096);
    json_writer_init(&w, &out, JSON_STORED);
    json_array(&w);
    for (size_t i = 0; i < stuck->count; i++) {
        const StuckRun *run = &stuck->items[i];
        const struct { const char *key; Str value; } texts[] = {
            { "id", run->id }, { "name", run->name }, { "flow_name", run->flow_name },
            { "state_type", run->state_type }, { "state_name", run->state_name },
            { "since", time_text(cli->arena, run->since) }, { "moved", time_text(cli->arena, run->moved) },
            { "stuck_parent_id", run->parent_id },
        };
        json_object(&w);
        for (size_t k = 0; k < COUNT_OF(texts); k++) {
            json_key(&w, texts[k].key);
            json_str(&w, texts[k].value);
        }
        json_key(&w, "slots");
        json_int(&w, run->slots);
        json_object_end(&w);
    }
    json_array_end(&w);
    puts(buf_cstr(&out));
}

static int crash_all(const Cli *cli, Db *db, const StuckRuns *stuck, Time before)
{
    Error error = { .code = ERR_NONE };
    int64_t ended = 0, slots = 0;
    int status = 0;
    for (size_t i = 0; i < stuck->count; i++) {
        const StuckRun *run = &stuck->items[i];
        Error failure = { .code = ERR_NONE };
        int64_t count = 0;
        if (!run->parent_id.p && !stuck_run_end(db, run, before, true, &count, &failure))
            status = cli_bad(cli, "Flow run %s: %s", run->id.p, failure.message);
        ended += count;
    }
    if (!stuck_slots_free(db, true, &slots, &error))
        status = cli_bad(cli, "%s", error.message);
    fprintf(stderr, "Ended %lld flow runs; %lld more slots were freed that no unfinished task run held.\n",
            (long long)ended, (long long)slots);
    return status;
}

static int show_stuck(const Cli *cli, Db *db, Time before)
{
    Error error = { .code = ERR_NONE };
    StuckRuns stuck;
    if (!db_run(db, false, cli->arena, step_check, NULL, &error)
        || !stuck_runs_find(db, cli->arena, before, NULL, &stuck, &error)
        || !stuck_runs_count_slots(db, &stuck, &error))
        return cli_bad(cli, "%s", error.message);
    bool json = cli_switch(cli, "json", false), crash = cli_switch(cli, "crash", false);
    if (json)
        print_json(cli, &stuck);
    else
        print_table(cli, &stuck);
    fflush(stdout);
    if (!json && stuck.count == 0)
        puts("No flow run is stuck.");
    if (!crash)
        return 0;
    if (stuck.count > 0) {
        Str question = arena_printf(cli->arena, "Are you sure that these %zu flow runs died, and are to be Crashed "
                                    "(Cancelled, where they are being cancelled)?", stuck.count);
        int status = cli_ask(cli, question.p, "Nothing was changed.");
        if (status)
            return status;
    }
    return crash_all(cli, db, &stuck, before);
}

int cmd_runs_stuck(Cli *cli)
{
    Error error = { .code = ERR_NONE };
    Time before;
    int status = cli_age(cli, "older-than", &before);
    if (status)
        return status;
    Db *db = cli_open_existing(cli, &error);
    if (!db)
        return cli_bad(cli, "%s", error.message);
    status = show_stuck(cli, db, before);
    db_close(db);
    return status;
}

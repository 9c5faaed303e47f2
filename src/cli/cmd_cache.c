/* cli/cmd_cache.c -- `orion cache`: lists and clears the task cache, from which task runs take over results. */
#include "cli/cli.h"

#include <fnmatch.h>
#include <limits.h>

#include "cli/screen.h"
#include "db/migrate.h"
#include "services/retention.h"

enum { KEY_WIDTH = 40, MINUTE_WIDTH = 16 };

typedef struct Choice {
    const Cli *cli;
    Arena *arena;          /* for a row's key */
    const char *pattern;   /* of keys; NULL: any */
    bool expired;          /* only these, and what leads to nothing */
    int64_t count;
} Choice;

static bool is_chosen(void *arg, const CacheRow *row)
{
    const Choice *choice = arg;
    if (choice->expired && !retention_is_stale(NULL, row))
        return false;
    if (!choice->pattern)
        return true;
    arena_reset(choice->arena);
    return fnmatch(choice->pattern, arena_cstr(choice->arena, row->key), 0) == 0;
}

static Choice choice_of(const Cli *cli)
{
    (void)screen_locale(); /* a "?" is a character */
    return (Choice){ .cli = cli, .arena = arena_new(), .pattern = cli_option(cli, "key"),
                     .expired = cli_switch(cli, "expired", false) };
}

static bool step_check(Tx *tx, void *arg)
{
    (void)arg;
    return migrate_check(tx);
}

static Db *open_checked(const Cli *cli, Error *error)
{
    Db *db = cli_open_existing(cli, error);
    if (db && !db_run(db, false, cli->arena, step_check, NULL, error)) {
        db_close(db);
        return NULL;
    }
    return db;
}

/* ---- listing ---- */

typedef struct Page {
    CacheWalk walk;
    CacheRow rows[CACHE_PAGE];
    size_t count;
} Page;

static bool step_page(Tx *tx, void *arg)
{
    Page *page = arg;
    return cache_rows_next(tx, &page->walk, page->rows, &page->count);
}

static const char *minute(Arena *arena, Time t)
{
    Str text = time_text(arena, t);
    return t == TIME_NULL ? "never" : arena_printf(arena, "%.*s", MINUTE_WIDTH, text.p).p;
}

static void print_row(Arena *arena, const CacheRow *row, bool is_first)
{
    if (is_first)
        printf("%-*s %-8s %-17s %-17s %s\n", KEY_WIDTH, "KEY", "USE", "CREATED (UTC)", "EXPIRES (UTC)", "TASK RUN");
    printf("%s %-8s %-17s %-17s %s\n", screen_padded(arena, row->key, KEY_WIDTH, KEY_WIDTH),
           cache_use_names[row->use], minute(arena, row->created), minute(arena, row->expires),
           screen_padded(arena, row->task_run_name, 0, UINT_MAX));
}

static void print_json(Arena *arena, const CacheRow *row, bool is_first)
{
    Buf out;
    JsonWriter w;
    buf_init(&out, arena, 512);
    json_writer_init(&w, &out, JSON_STORED);
    json_object(&w);
    json_key(&w, "key");
    json_str(&w, row->key);
    json_key(&w, "use");
    json_str(&w, str_from(cache_use_names[row->use]));
    json_key(&w, "created");
    json_str(&w, time_text(arena, row->created));
    json_key(&w, "expires");
    json_str(&w, row->expires == TIME_NULL ? STR_NULL : time_text(arena, row->expires));
    json_key(&w, "task_run_id");
    json_str(&w, row->task_run_id);
    json_key(&w, "task_run_name");
    json_str(&w, row->task_run_name);
    json_object_end(&w);
    printf("%s%s", is_first ? "[\n" : ",\n", buf_cstr(&out));
}

static bool print_all(Db *db, Choice *choice, Page *page, Error *error)
{
    bool ok = true, json = cli_switch(choice->cli, "json", false);
    Arena *arena = arena_new();
    while (ok && !page->walk.is_over) {
        arena_reset(arena);
        ok = db_run(db, false, arena, step_page, page, error);
        for (size_t i = 0; ok && i < page->count; i++)
            if (is_chosen(choice, &page->rows[i]))
                (json ? print_json : print_row)(arena, &page->rows[i], choice->count++ == 0);
    }
    if (ok && json)
        puts(choice->count ? "\n]" : "[]");
    else if (ok && choice->count == 0)
        puts("There are no such rows in the task cache.");
    arena_free(arena);
    return ok;
}

int cmd_cache_list(Cli *cli)
{
    Error error = { .code = ERR_NONE };
    Choice choice = choice_of(cli);
    Page page = { .walk.arena = arena_new() };
    Db *db = open_checked(cli, &error);
    bool ok = db && print_all(db, &choice, &page, &error);
    db_close(db);
    arena_free(page.walk.arena);
    arena_free(choice.arena);
    return ok ? 0 : cli_bad(cli, "%s", error.message);
}

/* ---- clearing ---- */

static int ask(const Cli *cli, const Choice *choice)
{
    const char *which = choice->pattern ? cli_quoted(cli, str_from(choice->pattern)) : NULL;
    Str question = arena_printf(cli->arena,
                                "Are you sure you want to delete %s rows%s%s from the task cache? Tasks whose results "
                                "are in no other row run again.",
                                choice->expired ? "the expired" : "all", which ? " with keys like " : "",
                                which ? which : "");
    return cli_ask(cli, question.p, "Nothing was deleted.");
}

int cmd_cache_clear(Cli *cli)
{
    Error error = { .code = ERR_NONE };
    Choice choice = choice_of(cli);
    Retention work = { .is_command = true };
    int status = ask(cli, &choice);
    bool ok = status == 0 && (work.db = open_checked(cli, &error))
              && retention_delete_cached(&work, is_chosen, &choice, &error);
    db_close(work.db);
    arena_free(choice.arena);
    if (status)
        return status;
    if (!ok)
        return cli_bad(cli, "%s", error.message);
    cli_good(cli, "Deleted %lld rows of the task cache.", (long long)work.freed.cached);
    return 0;
}

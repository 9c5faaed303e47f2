/* cli/cmd_space.c -- `orion database stats` and `vacuum`: how large a database is, and getting room back. */
#include "cli/cli.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "base/json.h"
#include "base/str_list.h"
#include "cli/progress.h"
#include "db/driver.h"
#include "db/space.h"

enum { NAME_WIDTH = 46, SHOWN_PART = 200 }; /* indexes that are smaller than that part of all are added up */

static bool step_measure(Tx *tx, void *arg)
{
    return space_measure(tx, arg);
}

static DbConfig long_config(const Cli *cli)
{
    DbConfig config = db_config(cli->settings);
    config.timeout = 0;
    config.readers = config.connections = 1;
    config.must_exist = true;
    return config;
}

static bool measure(const Cli *cli, Space *ret, Error *error)
{
    DbConfig config = long_config(cli);
    Db *db = db_open(&config, error);
    bool ok = db && db_run(db, false, cli->arena, step_measure, ret, error);
    db_close(db);
    return ok;
}

/* The file's size, or its log's; -1: there is none. */
static int64_t file_bytes(const Cli *cli, const char *suffix)
{
    struct stat found;
    DbConfig config = db_config(cli->settings);
    DbPlace place = { .path = NULL };
    Error ignored = { .code = ERR_NONE };
    if (!db_locate(cli->arena, &config, &place, &ignored) || !place.file)
        return -1;
    return stat(arena_printf(cli->arena, "%s%s", place.file, suffix).p, &found) == 0 ? found.st_size : -1;
}

/* ---- stats ---- */

static int by_size(const void *a, const void *b)
{
    const TableSpace *x = a, *y = b;
    int64_t one = x->bytes + x->index_bytes, other = y->bytes + y->index_bytes;
    return one != other ? (one < other ? 1 : -1) : (x->rows < y->rows) - (x->rows > y->rows);
}

static int indexes_by_size(const void *a, const void *b)
{
    const IndexSpace *x = a, *y = b;
    return x->bytes != y->bytes ? (x->bytes < y->bytes ? 1 : -1) : str_compare(x->name, y->name);
}

static const char *size_or_unknown(const Cli *cli, const Space *space, int64_t bytes)
{
    return space->has_sizes ? arena_printf(cli->arena, "%s", cli_size(bytes).text).p : "?";
}

static void print_tables(const Cli *cli, const Space *space, bool all)
{
    printf("%-*s %12s %12s %12s\n", NAME_WIDTH, "table", "rows", "data", "indexes");
    for (size_t i = 0; i < space->of->count; i++) {
        const TableSpace *of = &space->tables[i];
        if (of->rows > 0 || all)
            printf("%-*s %12lld %12s %12s\n", NAME_WIDTH, of->table->name, (long long)of->rows,
                   size_or_unknown(cli, space, of->bytes), size_or_unknown(cli, space, of->index_bytes));
    }
}

static void print_indexes(const Space *space, bool all)
{
    size_t left = 0;
    int64_t left_bytes = 0;
    printf("\n%-*s %12s  of\n", NAME_WIDTH, "index", "size");
    for (size_t i = 0; i < space->index_count; i++) {
        const IndexSpace *index = &space->indexes[i];
        if (all || index->bytes >= space->bytes / SHOWN_PART) {
            printf("%-*.*s %12s  %s\n", NAME_WIDTH, STR_ARG(index->name), cli_size(index->bytes).text,
                   index->table->name);
        } else {
            left++;
            left_bytes += index->bytes;
        }
    }
    if (left)
        printf("%-*s %12s  --all lists them\n", NAME_WIDTH, "(smaller ones)", cli_size(left_bytes).text);
}

static void print_line(const char *name, const char *value)
{
    printf("%-16s %s\n", name, value);
}

static void print_rest(const Cli *cli, const Space *space)
{
    int64_t log = file_bytes(cli, "-wal");
    print_line("\nsize", cli_size(space->bytes).text);
    if (space->free_bytes >= 0)
        print_line("not in use", arena_printf(cli->arena, "%s%s", cli_size(space->free_bytes).text,
                                              space->free_bytes ? ": `orion database vacuum` gives it back" : "").p);
    if (log >= 0)
        print_line("write-ahead log", cli_size(log).text);
    print_line("oldest run", space->oldest == TIME_NULL ? "none" : time_text(cli->arena, space->oldest).p);
    print_line("newest run", space->newest == TIME_NULL ? "none" : time_text(cli->arena, space->newest).p);
    print_line("growth a day",
               arena_printf(cli->arena, "%.0f runs, %.0f log lines, some %s (over %.1f days; bytes are estimated from "
                            "the average run)", space->runs, space->logs, cli_size((int64_t)space->grown).text,
                            space->days).p);
}

static void write_bytes(JsonWriter *w, const char *key, bool is_known, int64_t bytes)
{
    json_key(w, key);
    if (is_known)
        json_int(w, bytes);
    else
        json_null(w);
}

static void write_time(JsonWriter *w, const Cli *cli, const char *key, Time time)
{
    json_key(w, key);
    json_str(w, time == TIME_NULL ? STR_NULL : time_text(cli->arena, time));
}

static void write_table(JsonWriter *w, const Space *space, const TableSpace *of)
{
    json_object(w);
    json_key(w, "name");
    json_text(w, of->table->name);
    json_key(w, "rows");
    json_int(w, of->rows);
    write_bytes(w, "bytes", space->has_sizes, of->bytes);
    write_bytes(w, "index_bytes", space->has_sizes, of->index_bytes);
    json_key(w, "indexes");
    json_object(w);
    for (size_t i = 0; i < space->index_count; i++) {
        if (space->indexes[i].table != of->table)
            continue;
        json_key_str(w, space->indexes[i].name);
        json_int(w, space->indexes[i].bytes);
    }
    json_object_end(w);
    json_object_end(w);
}

static void print_json(const Cli *cli, const Space *space)
{
    Buf out;
    JsonWriter w;
    int64_t log = file_bytes(cli, "-wal");
    buf_init(&out, cli->arena, 8192);
    json_writer_init(&w, &out, JSON_WIRE);
    json_object(&w);
    write_bytes(&w, "bytes", true, space->bytes);
    write_bytes(&w, "free_bytes", space->free_bytes >= 0, space->free_bytes);
    write_bytes(&w, "wal_bytes", log >= 0, log);
    json_key(&w, "tables");
    json_array(&w);
    for (size_t i = 0; i < space->of->count; i++)
        write_table(&w, space, &space->tables[i]);
    json_array_end(&w);
    write_time(&w, cli, "oldest_run", space->oldest);
    write_time(&w, cli, "newest_run", space->newest);
    json_key(&w, "growth");
    json_object(&w);
    json_key(&w, "days");
    json_float(&w, space->days);
    json_key(&w, "runs_per_day");
    json_float(&w, space->runs);
    json_key(&w, "logs_per_day");
    json_float(&w, space->logs);
    json_key(&w, "bytes_per_day");
    json_float(&w, space->grown);
    json_object_end(&w);
    json_object_end(&w);
    puts(buf_cstr(&out));
}

int cmd_database_stats(Cli *cli)
{
    Error error = { .code = ERR_NONE };
    Space space;
    if (!measure(cli, &space, &error))
        return cli_bad(cli, "%s", error.message);
    bool all = cli_switch(cli, "all", false);
    qsort(space.tables, space.of->count, sizeof *space.tables, by_size);
    if (space.index_count)
        qsort(space.indexes, space.index_count, sizeof *space.indexes, indexes_by_size);
    if (cli_switch(cli, "json", false)) {
        print_json(cli, &space);
        return 0;
    }
    print_tables(cli, &space, all);
    if (space.has_sizes)
        print_indexes(&space, all);
    else
        cli_note(cli, "Sizes by table are unknown: this SQLite library was built without dbstat.");
    print_rest(cli, &space);
    return 0;
}

/* ---- vacuum ---- */

/* What it means to others, for the question; "": nothing. */
static const char *vacuum_warning(const Cli *cli)
{
    DbConfig config = db_config(cli->settings);
    DbPlace place = { .path = NULL };
    Error why = { .code = ERR_NONE };
    const Driver *driver = db_locate(cli->arena, &config, &place, &why);
    if (!driver || !driver->is_free || driver->is_free(&place, &why))
        return "";
    return arena_printf(cli->arena,
                        " It is in use: until it is written anew, writes wait, and those that wait longer than %g "
                        "seconds fail with 503.", config.timeout).p;
}

int cmd_database_vacuum(Cli *cli)
{
    Error error = { .code = ERR_NONE };
    CliProgress progress;
    Space before, after;
    const char *url = cli_shown_url(cli, settings_text(cli->settings, "PREFECT_ORION_DATABASE_CONNECTION_URL"));
    Str question = arena_printf(cli->arena, "Vacuum the Orion database located at \"%s\"?%s", url, vacuum_warning(cli));
    int status = cli_ask(cli, question.p, "Database vacuum aborted");
    if (status)
        return status;
    DbConfig config = db_config(cli->settings);
    int64_t began = clock_monotonic();
    cli_progress_begin(&progress);
    bool ok = measure(cli, &before, &error) && space_vacuum(&config, &progress.onlooker, cli->arena, &error)
              && measure(cli, &after, &error);
    cli_progress_clear(&progress);
    if (ok)
        cli_good(cli, "Vacuumed in %.1f seconds: %s before, %s now.",
                 (double)(clock_monotonic() - began) / (double)SECOND, cli_size(before.bytes).text,
                 cli_size(after.bytes).text);
    else
        status = cli_bad(cli, "%s", error.message);
    cli_progress_end(&progress);
    return status;
}

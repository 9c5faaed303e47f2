/* cli/cmd_version.c -- `orion version`: which versions this program has and implements. */
#include <sys/utsname.h>

#include "api/version.h"
#include "cli/cli.h"
#include "db/db.h"

static void row(const char *name, Str value)
{
    printf("%-20s %.*s\n", name, STR_ARG(value));
}

static bool ask_sqlite(Tx *tx, void *arg)
{
    Str *version = arg;
    *version = DB_TEXT(tx, "SELECT sqlite_version()");
    return version->p != NULL;
}

/* Asked of a database in memory, so that no file is made or touched. Null: it cannot be found out. */
static Str sqlite_version(Arena *arena)
{
    Error error = { .code = ERR_NONE };
    DbConfig config = { .url = STR("sqlite+aiosqlite:///file::memory:?cache=shared&uri=true&check_same_thread=false"),
                        .timeout = 1,
                        .readers = 1 };
    Db *db = db_open(&config, &error);
    Str version = STR_NULL;
    if (db && !db_run(db, false, arena, ask_sqlite, &version, &error))
        version = STR_NULL;
    db_close(db);
    return version;
}

/* What the client would call its connection with these settings. */
static const char *server_type(const Settings *settings)
{
    Str api = settings_text(settings, "PREFECT_API_URL"), cloud = settings_text(settings, "PREFECT_CLOUD_API_URL");
    if (api.n == 0)
        return "ephemeral";
    return api.n >= cloud.n && memcmp(api.p, cloud.p, cloud.n) == 0 ? "cloud" : "hosted";
}

int cmd_version(Cli *cli)
{
    struct utsname system;
    Str url = settings_text(cli->settings, "PREFECT_ORION_DATABASE_CONNECTION_URL");
    bool sqlite = str_starts(url, "sqlite");
    row("Version:", STR("2.7.12"));
    row("API version:", STR(API_VERSION));
    row("Program:", STR("Orion " ORION_VERSION));
    row("Git commit:", str_from(orion_commit));
    if (uname(&system) == 0)
        row("OS/Arch:", arena_printf(cli->arena, "linux/%s", system.machine));
    row("Profile:", str_from(settings_profile(cli->settings)));
    row("Server type:", str_from(server_type(cli->settings)));
    puts("Server:");
    row("  Database:", sqlite ? STR("sqlite") : str_starts(url, "postgresql") ? STR("postgresql") : STR("unknown"));
    Str version = sqlite ? sqlite_version(cli->arena) : STR_NULL;
    if (version.p)
        row("  SQLite version:", version);
    return 0;
}

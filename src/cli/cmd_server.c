/* cli/cmd_server.c -- `prefect server start`, `stop`, `status` and `database downgrade`, as Prefect 3 has them. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "cli/api_client.h"
#include "cli/pretty_json.h"
#include "cli/start.h"
#include "config/file_write.h"
#include "config/settings_3.h"
#include "web/ui.h"

/* ---- start ---- */

/* What is done once the socket listens: says where, and tells the process that waits for it. */
typedef struct Start {
    const Cli *cli;
    int ready; /* the end of a pipe; -1: in the foreground */
} Start;

static void print_addresses(const Cli *cli, const char *host, unsigned port)
{
    bool ui = settings_bool(cli->settings, "PREFECT_ORION_UI_ENABLED");
    Str root = settings_text(cli->settings, "ORION_ROOT_PATH");
    Str base = arena_printf(cli->arena, strchr(host, ':') ? "http://[%s]:%u%.*s" : "http://%s:%u%.*s", host, port,
                            STR_ARG(root));
    printf("\nConfigure Prefect to communicate with the server with:\n\n"
           "    prefect config set PREFECT_API_URL=%s/api\n\n"
           "View the API reference documentation at %s/docs\n\n", base.p, base.p);
    if (!ui)
        puts("The dashboard is disabled. Set `PREFECT_UI_ENABLED=1` to re-enable it.\n");
    else if (ui_is_embedded() || cli_option(cli, "ui-dir"))
        printf("Check out the dashboard at %s\n\n", base.p);
    else
        puts("The dashboard is not built in: --ui-dir serves one from a folder.\n");
    fflush(stdout);
}

static void on_listening(const char *host, unsigned port, void *arg)
{
    Start *start = arg;
    if (log_format() == LOG_TEXT)
        print_addresses(start->cli, host, port);
    if (start->ready < 0)
        return;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = STDIN_FILENO; null >= 0 && fd <= STDERR_FILENO; fd++)
        dup2(null, fd);
    if (write(start->ready, "", 1) != 1)
        log_warning("orion.server", "The command that started this server has ended before it was ready");
    close(start->ready);
}

static int serve(Cli *cli, int ready)
{
    Start start = { .cli = cli, .ready = ready };
    return cli_start(cli, &(StartWords){ .listening = on_listening, .arg = &start, .stopped = "Server stopped!" });
}

static const char *pid_path(const Cli *cli)
{
    return arena_printf(cli->arena, "%.*s/server.pid", STR_ARG(settings_text(cli->settings, "PREFECT_HOME"))).p;
}

/* The process that the file names, if that is a server, ours or the reference's; else 0. A process of another kind may
 * have got the number of one that has ended. */
static pid_t running(const Cli *cli)
{
    Error ignored = { .code = ERR_NONE };
    Str text, name;
    if (!file_read(cli->arena, pid_path(cli), &text, &ignored) || !text.p)
        return 0;
    long pid = strtol(arena_cstr(cli->arena, str_trim(text)), NULL, 10);
    if (pid <= 1 || !file_read(cli->arena, arena_printf(cli->arena, "/proc/%ld/comm", pid).p, &name, &ignored))
        return 0;
    static const char *const names[] = { "prefect", "orion", "python", "uvicorn" };
    for (size_t i = 0; name.p && i < COUNT_OF(names); i++)
        if (str_starts(name, names[i]))
            return (pid_t)pid;
    return 0;
}

/* Waits until the server listens, or has ended, whose reason it has said. */
static int await(const Cli *cli, pid_t child, int ready)
{
    Error error = { .code = ERR_NONE };
    char byte;
    int status = 0;
    if (read(ready, &byte, 1) != 1) {
        waitpid(child, &status, 0);
        return WIFEXITED(status) && WEXITSTATUS(status) ? WEXITSTATUS(status) : 1;
    }
    if (!file_write(cli->arena, pid_path(cli), arena_printf(cli->arena, "%ld", (long)child), &error)) {
        kill(child, SIGTERM);
        return cli_bad(cli, "%s The server is stopped again.", error.message);
    }
    puts("The Prefect server is running in the background. Run `prefect server stop` to stop it.");
    return 0;
}

static int start_in_background(Cli *cli)
{
    int ends[2];
    if (running(cli))
        return cli_bad(cli, "A server is already running in the background. To stop it, run `prefect server stop`.");
    fflush(NULL);
    pid_t child = pipe2(ends, O_CLOEXEC) == 0 ? fork() : -1;
    if (child < 0)
        return cli_bad(cli, "Cannot start a process in the background: %m.");
    if (child > 0) {
        close(ends[1]);
        return await(cli, child, ends[0]);
    }
    close(ends[0]);
    setsid();
    return serve(cli, ends[1]);
}

static bool disable_services(Cli *cli, Error *error)
{
    static const char *const names[] = {
        "PREFECT_ORION_SERVICES_SCHEDULER_ENABLED", "PREFECT_ORION_SERVICES_LATE_RUNS_ENABLED",
        "PREFECT_ORION_SERVICES_FLOW_RUN_NOTIFICATIONS_ENABLED", "PREFECT_ORION_SERVICES_PAUSE_EXPIRATIONS_ENABLED",
        "PREFECT_ORION_SERVICES_CANCELLATION_CLEANUP_ENABLED",
    };
    for (size_t i = 0; i < COUNT_OF(names); i++)
        if (!settings_override(cli->settings, names[i], STR("false"), error))
            return false;
    return true;
}

/* A whole number; 0, or the exit status after a usage error. */
static int read_number(const Cli *cli, const char *option, long otherwise, long *ret)
{
    const char *text = cli_option(cli, option);
    char *end = NULL;
    errno = 0;
    *ret = text ? strtol(text, &end, 10) : otherwise;
    if (text && (end == text || *end || errno))
        return cli_usage(cli, cli->command, "Invalid value for '--%s': %s is not a valid integer.", option,
                         cli_quoted(cli, str_from(text)));
    return 0;
}

/* Several are for PostgreSQL in the reference; here one process is as good as they. */
static int check_workers(const Cli *cli)
{
    long workers;
    int status = read_number(cli, "workers", 1, &workers);
    if (status)
        return status;
    if (workers < 1)
        return cli_bad(cli, "Number of workers must be >= 1");
    if (workers > 1 && str_starts(settings_text(cli->settings, "PREFECT_ORION_DATABASE_CONNECTION_URL"), "sqlite"))
        return cli_bad(cli, "Multi-worker mode (--workers > 1) is not supported with SQLite database.");
    return 0;
}

int cmd_server_start(Cli *cli)
{
    Error error = { .code = ERR_NONE };
    int status = check_workers(cli);
    if (status)
        return status;
    /* Of --scheduler and --no-services the latter counts. */
    if (cli_switch(cli, "no-services", false)) {
        for (size_t i = 0; cli->command->options[i].name; i++)
            if (strcmp(cli->command->options[i].name, "scheduler") == 0 ||
                strcmp(cli->command->options[i].name, "late-runs") == 0)
                cli->values[i] = NULL;
        if (!disable_services(cli, &error))
            return cli_bad(cli, "%s", error.message);
    }
    return cli_switch(cli, "background", false) ? start_in_background(cli) : serve(cli, -1);
}

/* ---- stop ---- */

enum { STOP_SECONDS = 60, LOOK_MS = 50 };

int cmd_server_stop(Cli *cli)
{
    const char *path = pid_path(cli);
    if (access(path, F_OK) != 0) {
        cli_good(cli, "No server running in the background.");
        return 0;
    }
    pid_t pid = running(cli);
    if (pid && kill(pid, SIGTERM) != 0 && errno != ESRCH)
        return cli_bad(cli, "Cannot stop the server, process %ld: %m.", (long)pid);
    unlink(path);
    if (!pid) {
        cli_good(cli, "The server process is not running. Cleaning up stale PID file.");
        return 0;
    }
    for (int i = 0; i < STOP_SECONDS * 1000 / LOOK_MS && kill(pid, 0) == 0; i++)
        clock_sleep(LOOK_MS * 1000);
    puts("Server stopped!");
    return 0;
}

/* ---- status ---- */

typedef struct Health {
    Str url;
    bool is_available;
    Str version; /* null: it did not say */
    Str error;
} Health;

static void look(const Cli *cli, const ApiTarget *target, Health *ret)
{
    Error error = { .code = ERR_NONE };
    ApiAnswer answer;
    *ret = (Health){ .url = target->shown };
    bool answered = api_get(target, cli->arena, "/health", &answer, &error);
    ret->is_available = answered && answer.status == 200;
    if (!answered)
        ret->error = arena_str(cli->arena, str_from(error.message));
    else if (!ret->is_available)
        ret->error = arena_printf(cli->arena, "The server answered %ld.", answer.status);
    if (!ret->is_available || !api_get(target, cli->arena, "/admin/version", &answer, &error) || answer.status != 200)
        return;
    const Json *version = json_read(cli->arena, answer.body);
    ret->version = version && version->kind == JSON_STRING ? version->text : STR_NULL;
}

static void print_as_json(const Cli *cli, const Health *health, const char *status, long timeout)
{
    Buf out;
    JsonWriter w;
    buf_init(&out, cli->arena, 256);
    json_writer_init(&w, &out, JSON_WIRE);
    json_object(&w);
    json_key(&w, "status");
    json_text(&w, status);
    json_key(&w, "api_url");
    json_str(&w, health->url);
    if (timeout > 0) {
        json_key(&w, "timeout");
        json_int(&w, timeout);
    }
    if (health->version.p || health->error.p) {
        json_key(&w, health->is_available ? "server_version" : "error");
        json_str(&w, health->is_available ? health->version : health->error);
    }
    json_object_end(&w);
    cli_print_json(cli, buf_view(&out));
}

static int report(const Cli *cli, const Health *health, bool as_json, long timed_out)
{
    if (as_json)
        print_as_json(cli, health, health->is_available ? "available" : timed_out ? "timed_out" : "unavailable",
                      timed_out);
    if (!health->is_available && timed_out && !as_json)
        return cli_bad(cli, "Timed out after %ld seconds waiting for server at %.*s.", timed_out, STR_ARG(health->url));
    if (!health->is_available && !as_json)
        return cli_bad(cli, "Server is not available at %.*s. Error: %.*s", STR_ARG(health->url),
                       STR_ARG(health->error));
    if (health->is_available && !as_json) {
        printf("Server is available.\n  API URL: %.*s\n", STR_ARG(health->url));
        if (health->version.p)
            printf("  Server version: %.*s\n", STR_ARG(health->version));
    }
    return health->is_available ? 0 : 1;
}

/* What Prefect 3's client would send: its key, or user and password. */
static ApiTarget target_of(const Cli *cli)
{
    SettingSource source;
    Str key = settings_text(cli->settings, "PREFECT_API_KEY");
    Str url = settings_text(cli->settings, "PREFECT_API_URL");
    return (ApiTarget){
        .url = url,
        .shown = url.n ? str_from(cli_shown_url(cli, url)) : STR_NULL,
        .key = key.n ? key : STR_NULL,
        .user = settings_given_3(cli->settings, setting_3_of_path(STR("api.auth_string")), &source),
        .any_certificate = settings_bool(cli->settings, "PREFECT_API_TLS_INSECURE_SKIP_VERIFY"),
        .seconds = 5,
    };
}

int cmd_server_status(Cli *cli)
{
    bool as_json;
    long timeout;
    ApiTarget target = target_of(cli);
    int status = read_number(cli, "timeout", 0, &timeout);
    if (status || (status = cli_output_is_json(cli, &as_json)))
        return status;
    if (!target.url.n)
        return cli_bad(cli, "No API URL configured. Set PREFECT_API_URL to the address of your server.");
    if (!as_json)
        printf("Connecting to server at %.*s...\n", STR_ARG(target.shown));
    fflush(stdout);
    bool waits = cli_switch(cli, "wait", false);
    Health health;
    for (int64_t until = clock_monotonic() + timeout * SECOND;; clock_sleep(SECOND)) {
        look(cli, &target, &health);
        bool is_late = waits && timeout > 0 && clock_monotonic() >= until;
        if (health.is_available || !waits || is_late)
            return report(cli, &health, as_json, is_late ? timeout : 0);
    }
}

/* ---- database ---- */

int cmd_server_downgrade(Cli *cli)
{
    if (!cli_option(cli, "revision"))
        return cli_bad(cli, "This program cannot go back by one revision. `--revision base` drops all tables.");
    return cmd_database_downgrade(cli);
}

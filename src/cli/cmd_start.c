/* cli/cmd_start.c -- `orion start`: the server in the foreground until SIGINT or SIGTERM. */
#include <unistd.h>

#include "base/log.h"
#include "cli/start.h"
#include "server/server.h"
#include "web/ui.h"

#define LOGGER "orion.server"

/* Options override environment and profile. False: *error is a line for the user. */
static bool apply_options(Cli *cli, Error *error)
{
    const CliOption *option = cli->command->options;
    for (size_t i = 0; option[i].name; i++)
        if (cli->values[i] && option[i].setting &&
            !settings_override(cli->settings, option[i].setting, str_from(cli->values[i]), error))
            return false;
    if (!cli_check_settings(cli, error))
        return false;
    const char *folder = cli_option(cli, "ui-dir");
    if (folder && !*folder)
        return fail(error, ERR_INVALID, "--ui-dir is not a folder.");
    if (folder && access(arena_printf(cli->arena, "%s/index.html", folder).p, R_OK) != 0)
        return fail(error, ERR_INVALID, "%s contains no readable index.html: %m.", folder);
    return true;
}

static void set_up_log(const Settings *settings)
{
    LogLevel level;
    /* NOTSET, which the log does not know, leaves its level unchanged. */
    if (log_level_parse(settings_text(settings, "PREFECT_LOGGING_SERVER_LEVEL"), &level))
        log_set_level(level);
    for (LogFormat format = LOG_TEXT; format < LOG_FORMAT_COUNT; format++)
        if (str_is(settings_text(settings, "ORION_LOG_FORMAT"), log_format_names[format]))
            log_set_format(format);
}

/* Called once the socket listens. */
static void print_addresses(const char *host, unsigned port, void *arg)
{
    const Cli *cli = arg;
    bool ui = settings_bool(cli->settings, "PREFECT_ORION_UI_ENABLED");
    Str root = settings_text(cli->settings, "ORION_ROOT_PATH");
    Str base = arena_printf(cli->arena, strchr(host, ':') ? "http://[%s]:%u%.*s" : "http://%s:%u%.*s", host, port,
                            STR_ARG(root));
    if (log_format() != LOG_TEXT) { /* a program reads it */
        const LogField address = { .name = "address", .text = base };
        log_fields(LOG_INFO, LOGGER, &address, 1, "Orion is ready.");
        return;
    }
    cli_good(cli, "Orion is ready.");
    printf("\n  API        %s/api\n  API docs   %s/docs\n", base.p, base.p);
    if (ui && (ui_is_embedded() || cli_option(cli, "ui-dir")))
        printf("  Dashboard  %s\n", base.p);
    else if (ui)
        printf("  Dashboard  not built in: --ui-dir serves one from a folder\n");
    else
        printf("  Dashboard  off: PREFECT_ORION_UI_ENABLED=1 turns it on\n");
    printf("\nPoint clients at it with:\n\n  prefect config set PREFECT_API_URL=%s/api\n\n", base.p);
    fflush(stdout);
}

int cli_start(Cli *cli, const StartWords *words)
{
    Error error = { .code = ERR_NONE };
    if (!apply_options(cli, &error))
        return cli_bad(cli, "%s", error.message);
    set_up_log(cli->settings);
    ServerOptions options = {
        .host = settings_text(cli->settings, "PREFECT_ORION_API_HOST").p,
        .port = (unsigned)settings_int(cli->settings, "PREFECT_ORION_API_PORT"),
        .keep_alive_timeout = (double)settings_int(cli->settings, "PREFECT_ORION_API_KEEPALIVE_TIMEOUT"),
        .ui_dir = cli_option(cli, "ui-dir"),
        .listening = words->listening,
        .arg = words->arg,
    };
    bool served = server_run(cli->settings, &options, &error);
    if (log_format() != LOG_TEXT)
        log_fields(served ? LOG_INFO : LOG_CRITICAL, LOGGER, NULL, 0, "%s", served ? words->stopped : error.message);
    else if (served)
        puts(words->stopped);
    else
        cli_bad(cli, "%s", error.message);
    return served ? 0 : 1;
}

int cmd_start(Cli *cli)
{
    return cli_start(cli, &(StartWords){ .listening = print_addresses, .arg = cli, .stopped = "Orion stopped!" });
}

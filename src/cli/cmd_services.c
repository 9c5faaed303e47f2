/* cli/cmd_services.c -- `prefect server services`: here they are threads of the server. */
#include "base/json.h"
#include "cli/cli.h"
#include "cli/pretty_json.h"
#include "config/settings_3.h"
#include "services/service.h"

/* By the name that Prefect 3 knows, if there is one. */
static Str variable_of(const Cli *cli, const ServiceState *state)
{
    const Setting3 *newer = setting_3_of(setting_find(str_from(state->setting)));
    return newer ? setting_3_name(newer, 0, cli->arena) : str_from(state->setting);
}

static void print_as_json(const Cli *cli)
{
    Buf out;
    JsonWriter w;
    ServiceState state;
    buf_init(&out, cli->arena, 2048);
    json_writer_init(&w, &out, JSON_WIRE);
    json_array(&w);
    for (size_t i = 0; services_state(cli->settings, i, &state); i++) {
        json_object(&w);
        json_key(&w, "name");
        json_text(&w, state.name);
        json_key(&w, "enabled");
        json_bool(&w, state.is_enabled);
        json_key(&w, "environment_variable");
        json_str(&w, variable_of(cli, &state));
        json_key(&w, "description");
        json_text(&w, state.help);
        json_object_end(&w);
    }
    json_array_end(&w);
    cli_print_json(cli, buf_view(&out));
}

int cmd_services_list(Cli *cli)
{
    bool as_json;
    ServiceState state;
    int status = cli_output_is_json(cli, &as_json);
    if (status)
        return status;
    if (as_json) {
        print_as_json(cli);
        return 0;
    }
    printf("Available Services\n\n%-27s %-55s %s\n", "Name", "Enabled?", "Description");
    for (size_t i = 0; services_state(cli->settings, i, &state); i++) {
        Str enabled = arena_printf(cli->arena, "%s %.*s", state.is_enabled ? "+" : "x",
                                   STR_ARG(variable_of(cli, &state)));
        printf("%-27s %-55s %s\n", state.name, enabled.p, state.help);
    }
    return 0;
}

int cmd_services_start(Cli *cli)
{
    return cli_bad(cli, "The services are threads of the server, which `prefect server start` starts with it.");
}

int cmd_services_stop(Cli *cli)
{
    (void)cli;
    puts("No services are running in the background.");
    return 0;
}

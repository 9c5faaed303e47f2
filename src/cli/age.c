/* cli/age.c -- times that options give as a number with its unit. */
#include "base/text.h"
#include "cli/cli.h"
#include "config/setting_value.h"

bool cli_time(const Cli *cli, const char *text, double *ret_seconds)
{
    static const Setting row = { .name = "a time", .kind = SETTING_TIME };
    SettingValue value;
    SettingProblem problem;
    size_t n = strlen(text);
    if (n == 0 || !char_is_letter(text[n - 1])
        || !setting_parse(&row, TOML_STRING, str_from(text), cli->arena, &value, &problem))
        return false;
    *ret_seconds = value.number;
    return true;
}

int cli_age(const Cli *cli, const char *name, Time *ret_before)
{
    const char *text = cli_option(cli, name);
    double seconds;
    if (!text)
        return cli_usage(cli, cli->command, "Missing option '--%s'.", name);
    if (!cli_time(cli, text, &seconds) || !time_add_seconds(clock_now(), -seconds, ret_before))
        return cli_usage(cli, cli->command,
                         "Invalid value for '--%s': %s is not a number with s, m, h, d or w, as in 30d, or too long "
                         "ago.",
                         name, cli_quoted(cli, str_from(text)));
    return 0;
}

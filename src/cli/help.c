/* cli/help.c -- usage and help, made from the table of commands. */
#include "cli/cli.h"
#include "cli/generation.h"

#include <stdarg.h>

enum { NAME_WIDTH = 20, OPTION_WIDTH = 34 };

static const char *bold(const Cli *cli)
{
    return cli->colour_out ? "\033[1m" : "";
}

static const char *plain(const Cli *cli)
{
    return cli->colour_out ? "\033[0m" : "";
}

static void heading(const Cli *cli, const char *text)
{
    printf("\n%s%s%s\n", bold(cli), text, plain(cli));
}

static void row(int width, const char *name, const char *help)
{
    printf("  %-*s %s\n", width, name, help);
}

static const char *last_word(const char *path)
{
    const char *space = strrchr(path, ' ');
    return space ? space + 1 : path;
}

static void common_option_row(const CliOption *option)
{
    char left[40], letter[5] = "";
    if (option->letter)
        snprintf(letter, sizeof letter, "-%c, ", option->letter);
    snprintf(left, sizeof left, "%s--%s %s", letter, option->name, option->value ? option->value : "");
    row(NAME_WIDTH + 6, left, option->help);
}

void cli_help_all(const Cli *cli)
{
    printf("%sUsage:%s %s [OPTIONS] COMMAND [ARGUMENTS]...\n", bold(cli), plain(cli), cli->program);
    printf("\n" CLI_PURPOSE "\n");
    heading(cli, "Options");
    for (const CliOption *option = cli_common_options; option->name; option++)
        common_option_row(option);
    heading(cli, "Commands");
    for (size_t i = 0; i < cli_command_count; i++)
        if (!(cli_commands[i].flags & COMMAND_FOREIGN) && !cli_commands[i].in && !strchr(cli_commands[i].path, ' '))
            row(NAME_WIDTH, cli_commands[i].path, cli_commands[i].help);
    heading(cli, "Commands of the Python client (prefect, installed with pip)");
    for (size_t i = 0; i < cli_command_count; i++)
        if (cli_commands[i].flags & COMMAND_FOREIGN && !strchr(cli_commands[i].path, ' '))
            row(NAME_WIDTH, cli_commands[i].path, cli_commands[i].help);
    printf("\nA command may be preceded by 'orion' or 'server': '%s orion start' is '%s start'.\n", cli->program,
           cli->program);
}

void cli_help_group(Cli *cli, const Command *group)
{
    size_t n = strlen(group->path);
    printf("%sUsage:%s %s %s COMMAND [ARGUMENTS]...\n\n%s\n", bold(cli), plain(cli), cli->program, group->path,
           group->help);
    heading(cli, "Commands");
    for (size_t i = 0; i < cli_command_count; i++) {
        const Command *command = &cli_commands[i];
        if (strncmp(command->path, group->path, n) == 0 && command->path[n] == ' ' &&
            !strchr(command->path + n + 1, ' ') && !(command->flags & COMMAND_FOREIGN) && cli_has(cli, command))
            row(NAME_WIDTH, last_word(command->path), command->help);
    }
}

const char *cli_option_default(const CliOption *option)
{
    const char *value = setting_find(str_from(option->setting))->fallback;
    if (option->negative)
        return strcmp(value, "true") == 0 ? option->name : option->negative;
    return value && *value ? value : "none";
}

static void option_row(const CliOption *option)
{
    char left[80];
    if (!option->name)
        snprintf(left, sizeof left, "-%c %s", option->letter, option->value);
    else if (option->negative)
        snprintf(left, sizeof left, "--%s / --%s", option->name, option->negative);
    else if (option->letter)
        snprintf(left, sizeof left, "-%c, --%s%s%s", option->letter, option->name, option->value ? " " : "",
                 option->value ? option->value : "");
    else
        snprintf(left, sizeof left, "--%s%s%s", option->name, option->value ? " " : "",
                 option->value ? option->value : "");
    row(OPTION_WIDTH, left, option->help);
    if (option->setting)
        printf("  %-*s [default: %s, %s]\n", OPTION_WIDTH, "", cli_option_default(option), option->setting);
}

static void print_usage(FILE *file, const Cli *cli, const Command *command)
{
    fprintf(file, "Usage: %s", cli->program);
    if (command)
        fprintf(file, " %s [OPTIONS]%s%s\n", command->path, command->arguments ? " " : "",
                command->arguments ? command->arguments : "");
    else
        fputs(" [OPTIONS] COMMAND [ARGUMENTS]...\n", file);
}

void cli_help_command(const Cli *cli, const Command *command)
{
    print_usage(stdout, cli, command);
    printf("\n%s\n", command->help);
    heading(cli, "Options");
    for (const CliOption *option = command->options; option && (option->name || option->letter); option++)
        option_row(option);
    row(OPTION_WIDTH, "--config FILE", "Read this file of settings instead of orion.toml in PREFECT_HOME.");
    row(OPTION_WIDTH, "--help", "Show this text.");
}

int cli_usage(const Cli *cli, const Command *command, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    fflush(stdout);
    print_usage(stderr, cli, command);
    fprintf(stderr, "Try '%s%s%s --help' for help.\n\nError: ", cli->program, command ? " " : "",
            command ? command->path : "");
    vfprintf(stderr, format, values);
    fputc('\n', stderr);
    va_end(values);
    return 2;
}

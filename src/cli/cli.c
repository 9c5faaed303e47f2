/* cli/cli.c -- from argv to a command of the table: options read, settings loaded, the command run. */
#include "cli/cli.h"

#include <errno.h>
#include <getopt.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "base/unicode.h"
#include "cli/generation.h"
#include "config/setting_database.h"
#include "config/setting_value.h"

/* ---- options ---- */

static size_t option_count(const Command *command)
{
    size_t n = 0;
    while (command->options && (command->options[n].name || command->options[n].letter))
        n++;
    return n;
}

static size_t option_index(const Cli *cli, const char *name)
{
    const CliOption *options = cli->command->options;
    for (size_t i = 0; i < option_count(cli->command); i++)
        if (name[0] == '-' ? options[i].letter == name[1] : options[i].name && strcmp(options[i].name, name) == 0)
            return i;
    return OPTIONS_MAX;
}

const char *cli_option(const Cli *cli, const char *name)
{
    size_t i = option_index(cli, name);
    return i < OPTIONS_MAX ? cli->values[i] : NULL;
}

bool cli_switch(const Cli *cli, const char *name, bool otherwise)
{
    const char *value = cli_option(cli, name);
    return value ? strcmp(value, "true") == 0 : otherwise;
}

/* What getopt_long returns: 'h' for help; for option i of the command FIRST_OPTION + 2 * i, plus one if negated; and
 * CONFIG, which all commands have. */
enum { HELP = 'h', FIRST_OPTION = 256, CONFIG = FIRST_OPTION + 2 * OPTIONS_MAX };

/* A command's options as getopt_long takes them. `longs` ends with an empty row, and begins with --help. */
typedef struct OptionTable {
    struct option longs[OPTIONS_MAX * 2 + 3];
    char letters[OPTIONS_MAX * 2 + 4];
} OptionTable;

static void make_table(const Command *command, OptionTable *table)
{
    size_t longs = 0, letters = 0;
    *table = (OptionTable){ .letters = ":" }; /* makes getopt_long return ':' if a value is missing */
    letters = 1;
    table->longs[longs++] = (struct option){ "help", no_argument, NULL, HELP };
    table->longs[longs++] = (struct option){ "config", required_argument, NULL, CONFIG };
    for (size_t i = 0; i < option_count(command); i++) {
        const CliOption *option = &command->options[i];
        int code = FIRST_OPTION + 2 * (int)i, takes = option->value ? required_argument : no_argument;
        if (option->name)
            table->longs[longs++] = (struct option){ option->name, takes, NULL, code };
        if (option->negative)
            table->longs[longs++] = (struct option){ option->negative, takes, NULL, code + 1 };
        if (option->letter)
            table->letters[letters++] = option->letter;
        if (option->letter && option->value)
            table->letters[letters++] = ':';
    }
}

/* Read as its setting would be; whether the number makes sense is judged later. */
static bool is_integer(const Cli *cli, const CliOption *option, const char *text)
{
    SettingValue value;
    SettingProblem problem;
    return setting_parse(setting_find(str_from(option->setting)), TOML_STRING, str_from(text), cli->arena, &value,
                         &problem);
}

static int letter_code(const Command *command, int letter)
{
    for (size_t i = 0; i < option_count(command); i++)
        if (command->options[i].letter == letter)
            return FIRST_OPTION + 2 * (int)i;
    return letter;
}

/* 0, or the exit status after a usage error. */
static int take_option(Cli *cli, int code)
{
    size_t i = (size_t)(code - FIRST_OPTION) / 2;
    const CliOption *option = &cli->command->options[i];
    cli->values[i] = option->value ? optarg : (code - FIRST_OPTION) % 2 ? "false" : "true";
    if (option->value && strcmp(option->value, "INTEGER") == 0 && !is_integer(cli, option, optarg))
        return cli_usage(cli, cli->command, "Invalid value for '--%s': %s is not a valid integer.", option->name,
                         cli_quoted(cli, str_from(optarg)));
    return 0;
}

static int refuse_option(const Cli *cli, int code, char **argv)
{
    const char *word = argv[optind - 1];
    if (optopt > 0 && optopt < FIRST_OPTION) /* a letter, perhaps one of several in the word */
        return cli_usage(cli, cli->command, code == ':' ? "Option '-%c' requires an argument." : "No such option: -%c",
                         optopt);
    return cli_usage(cli, cli->command, code == ':' ? "Option '%s' requires an argument." : "No such option: %s", word);
}

/* argv[0] is the command's last word. True: continue; else *ret_status. */
static bool read_options(Cli *cli, int argc, char **argv, int *ret_status)
{
    OptionTable table;
    make_table(cli->command, &table);
    opterr = 0;
    optind = 0; /* makes getopt_long start afresh */
    for (int code; (code = getopt_long(argc, argv, table.letters, table.longs, NULL)) != -1;) {
        *ret_status = 0;
        if (code == HELP) {
            cli_help_command(cli, cli->command);
            return false;
        }
        if (code == CONFIG) {
            cli->file = optarg;
            continue;
        }
        *ret_status = code == '?' || code == ':' ? refuse_option(cli, code, argv)
                                                 : take_option(cli, letter_code(cli->command, code));
        if (*ret_status)
            return false;
    }
    cli->args = argv + optind;
    cli->arg_count = (size_t)(argc - optind);
    return true;
}

static int check_arguments(const Cli *cli)
{
    const Command *command = cli->command;
    if (cli->arg_count < command->least)
        return cli_usage(cli, command, "Missing argument '%s'.", command->arguments);
    if (cli->arg_count > command->most)
        return cli_usage(cli, command, "Got unexpected extra argument (%s)", cli->args[command->most]);
    return 0;
}

/* ---- running ---- */

/* Like the client, every command makes the home folder, except in a dry run. No other folder is ever made, apart
 * from those above it. */
static void make_home(const Cli *cli)
{
    Str home = settings_text(cli->settings, "PREFECT_HOME");
    if (!home.p || cli_switch(cli, "dry-run", false))
        return;
    char *path = arena_cstr(cli->arena, home);
    for (char *slash = path; slash && *path; slash = slash ? strchr(slash + 1, '/') : NULL) {
        /* Each iteration cuts the path at a slash, makes that folder (most exist), and restores the slash. */
        if (slash == path)
            continue;
        *slash = '\0';
        mkdir(path, 0700);
        *slash = '/';
    }
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        fprintf(stderr, "Failed to create the Prefect home directory at %s\n", path);
}

/* A core dump would contain every secret that has passed through, and other processes of the same user could read our
 * memory. */
static void keep_memory_private(const Settings *settings)
{
    if (!settings_bool(settings, "ORION_CORE_DUMPS"))
        prctl(PR_SET_DUMPABLE, 0);
}

static int run_command(Cli *cli, int argc, char **argv)
{
    int status;
    if (cli->command->flags & COMMAND_FOREIGN) {
        fprintf(stderr,
                "'%s' is a command of the Python client (pip install prefect==2.7.12); this program is its server.\n",
                cli->command->path);
        return 2;
    }
    /* Before the settings are loaded: usage errors and help do not depend on a sound profile. */
    if (!read_options(cli, argc, argv, &status))
        return status;
    status = check_arguments(cli);
    if (status)
        return status;
    Error error = { .code = ERR_NONE };
    const char *generation = cli_option(cli, "generation");
    SettingsCall call = { .profile = cli->profile, .file = cli->file, .use = cli->command->use,
                          .is_3 = cli->generation == GEN_3 || (generation && strcmp(generation, "3") == 0) };
    cli->settings = settings_load(&call, &error);
    if (!cli->settings)
        return cli_bad(cli, "%s", error.message);
    if (call.use == SETTINGS_TO_SERVE)
        database_warn_of_two(cli->settings);
    keep_memory_private(cli->settings);
    cli_colours(cli);
    make_home(cli);
    return cli->command->run(cli);
}

/* ---- finding the command ---- */

static bool is_path(const Command *command, const char *first, const char *second)
{
    char path[64];
    if (!second)
        snprintf(path, sizeof path, "%s", first);
    else
        snprintf(path, sizeof path, "%s %s", first, second);
    return strcmp(command->path, path) == 0 || (command->alias && strcmp(command->alias, path) == 0);
}

static const Command *find_command(Cli *cli, const char *first, const char *second)
{
    for (size_t i = 0; i < cli_command_count; i++)
        if (is_path(&cli_commands[i], first, second) && cli_has(cli, &cli_commands[i]))
            return &cli_commands[i];
    return NULL;
}

/* What Prefect 3 does not have below `server` is this program's own, which has it without that word. */
static const Command *find_in_group(Cli *cli, const Command *group, const char *word)
{
    static const char server[] = "server";
    const Command *found = find_command(cli, group->path, word);
    if (found || strncmp(group->path, server, sizeof server - 1) != 0)
        return found;
    const char *rest = group->path + sizeof server - 1;
    return *rest ? find_command(cli, rest + 1, word) : find_command(cli, word, NULL);
}

static bool is_help(const char *word)
{
    return word && strcmp(word, "--help") == 0;
}

static int run_group(Cli *cli, const Command *group, int argc, char **argv)
{
    if (argc < 2 || is_help(argv[1])) {
        cli_help_group(cli, group);
        return 0;
    }
    cli->command = find_in_group(cli, group, argv[1]);
    if (!cli->command)
        return cli_usage(cli, group, argv[1][0] == '-' ? "No such option: %s" : "No such command '%s'.", argv[1]);
    return cli->command->flags & COMMAND_GROUP ? run_group(cli, cli->command, argc - 1, argv + 1)
                                               : run_command(cli, argc - 1, argv + 1);
}

static int run_words(Cli *cli, int argc, char **argv)
{
    if (argc > 0 && strcmp(argv[0], "server") == 0 && strcmp(cli->program, "prefect") == 0) {
        cli->generation = GEN_3;
        return run_group(cli, find_command(cli, "server", NULL), argc, argv);
    }
    /* `prefect orion start` of the client; `orion server start` is a habit from its later releases. */
    if (argc > 0 && (strcmp(argv[0], "orion") == 0 || strcmp(argv[0], "server") == 0)) {
        argc--;
        argv++;
    }
    if (argc == 0 || is_help(argv[0])) {
        cli_help_all(cli);
        return 0;
    }
    cli->command = find_command(cli, argv[0], NULL);
    if (!cli->command)
        return cli_usage(cli, NULL, argv[0][0] == '-' ? "No such option: %s" : "No such command '%s'.", argv[0]);
    if (cli->command->flags & COMMAND_GROUP)
        return run_group(cli, cli->command, argc, argv);
    return run_command(cli, argc, argv);
}

/* Options before the command, each with a value: "--profile NAME", "--profile=NAME", "-p NAME", "-pNAME". */
typedef struct GlobalOption {
    const char *name, *letter; /* letter: "-p" or NULL */
    size_t place;              /* offset of the member of Cli */
} GlobalOption;

static const GlobalOption global_options[] = {
    { "--profile", "-p", offsetof(Cli, profile) },
    { "--config", NULL, offsetof(Cli, file) },
};

/* 0: value stored, *word is the last word used; 1: not this option; 2: the value is missing. */
static int take_global_option(Cli *cli, const GlobalOption *option, char ***word)
{
    const char *text = **word;
    size_t n = strlen(option->name);
    bool is_letter = option->letter && strncmp(text, option->letter, 2) == 0;
    const char *value = is_letter && text[2] ? text + 2 : NULL;
    if (!is_letter && strncmp(text, option->name, n) == 0 && text[n] == '=')
        value = text + n + 1;
    if (!value && strcmp(text, option->name) != 0 && !(is_letter && !text[2]))
        return 1;
    if (!value && !(*word)[1])
        return 2;
    if (!value)
        value = *++*word;
    memcpy((char *)cli + option->place, &value, sizeof value);
    return 0;
}

/* True: *ret_words is where to continue; false: exit with *ret_status. */
static bool read_global_options(Cli *cli, char **argv, char ***ret_words, int *ret_status)
{
    char **word = argv + 1;
    for (; *word && (*word)[0] == '-' && !is_help(*word); word++) {
        if (strcmp(*word, "-v") == 0 || strcmp(*word, "--version") == 0) {
            puts("2.7.12");
            *ret_status = 0;
            return false;
        }
        if (strcmp(*word, "--describe") == 0) {
            cli_describe(cli);
            *ret_status = 0;
            return false;
        }
        int found = 1;
        for (size_t i = 0; found == 1 && i < COUNT_OF(global_options); i++)
            found = take_global_option(cli, &global_options[i], &word);
        if (found == 0)
            continue;
        *ret_status = cli_usage(cli, NULL, found == 2 ? "Option '%s' requires an argument." : "No such option: %s",
                                *word);
        return false;
    }
    *ret_words = word;
    return true;
}

/* Names and paths end up in messages, files and replies. */
static bool are_utf8(char **words)
{
    while (*words && utf8_is_valid(str_from(*words)))
        words++;
    return !*words;
}

int cli_main(int argc, char **argv)
{
    Cli cli = { .arena = arena_new(), .program = "orion" };
    char **words;
    int status;
    umask(0077); /* only the owner can read new files, including SQLite's */
    if (!are_utf8(argv)) {
        cli_bad(&cli, "An argument is not UTF-8.");
        status = 2;
    } else if (argc > 0) {
        const char *slash = strrchr(argv[0], '/');
        cli.program = slash ? slash + 1 : argv[0];
        cli.words = argv;
        cli_colours(&cli);
        if (read_global_options(&cli, argv, &words, &status))
            status = run_words(&cli, argc - (int)(words - argv), words);
    } else {
        status = 2;
    }
    settings_free(cli.settings);
    arena_free(cli.arena);
    /* Output that could not be written is a failure of the command. */
    if (fflush(stdout) != 0)
        status = 1;
    return status;
}

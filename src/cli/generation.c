/* cli/generation.c -- finds out which Prefect's commands are meant, without loading all settings. */
#include "cli/generation.h"

/* --config, which may come later too. */
static const char *named_file(const Cli *cli)
{
    static const char name[] = "--config";
    const char *file = cli->file;
    for (char *const *word = cli->words; *word; word++)
        if (strcmp(*word, name) == 0 && word[1])
            file = word[1];
        else if (strncmp(*word, name, sizeof name - 1) == 0 && (*word)[sizeof name - 1] == '=')
            file = *word + sizeof name;
    return file;
}

bool cli_has(Cli *cli, const Command *command)
{
    if (command->in && !cli->generation)
        cli->generation = settings_choose_generation(named_file(cli));
    return !command->in || command->in & cli->generation;
}

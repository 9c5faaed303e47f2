/* cli/cli.h -- the command line: one table of commands, what each takes, and the function that does it. */
#ifndef ORION_CLI_H
#define ORION_CLI_H

#include "config/settings.h"
#include "db/db.h"

typedef struct CliOption {
    const char *name;       /* "host" for --host; NULL: only a letter */
    const char *negative;   /* "no-ui" for --no-ui; NULL: none */
    char letter;            /* 'y' for -y; 0: none */
    const char *value;      /* "TEXT" or "INTEGER" (of `setting`) where a value follows; NULL: a switch */
    const char *setting;    /* the setting that the option overrides; NULL: none */
    const char *help;
} CliOption;

typedef struct Cli Cli;

enum { COMMAND_GROUP = 1, COMMAND_FOREIGN = 2, ARGUMENTS_ANY = 1000, OPTIONS_MAX = 16 };

typedef struct Command {
    const char *path;       /* "database reset" */
    const char *alias;      /* another name, not shown; NULL: none */
    const char *help;
    const char *arguments;  /* for the usage: "NAME NEW_NAME" */
    size_t least, most;     /* how many arguments */
    const CliOption *options; /* ends with an empty row; NULL: none */
    unsigned flags;         /* GROUP: only a heading; FOREIGN: the Python client's */
    unsigned in;            /* the generations of the command line that have it (GEN_2_7, GEN_3); 0: all */
    SettingsUse use;
    int (*run)(Cli *cli);   /* the exit status */
} Command;

extern const Command cli_commands[];
extern const size_t cli_command_count;
extern const CliOption cli_common_options[]; /* those before the command; ends with an empty row */

#define CLI_PURPOSE "The API server of Prefect 2.7: flows, their runs and everything about them."

/* One run of the program, on the stack of cli_main, which frees arena and settings at the end. */
struct Cli {
    Arena *arena;
    Settings *settings;
    const Command *command;
    Generation generation;  /* of the command line; 0 until somebody must know it */
    char *const *words;     /* argv */
    const char *program;    /* the name it was called by */
    const char *profile;    /* -p, or NULL */
    const char *file;       /* --config, or NULL */
    const char *values[OPTIONS_MAX]; /* by index of the option; "true" or "false" for switches; NULL: not given */
    char *const *args;
    size_t arg_count;
    bool colour_out, colour_err;
};

/* The whole program: the process's exit status. */
int cli_main(int argc, char **argv) MUST_CHECK;

/* An option by name, or by letter ("-r"); NULL: it was not given. */
const char *cli_option(const Cli *cli, const char *name);
bool cli_switch(const Cli *cli, const char *name, bool otherwise);

/* cli/age.c: a number with its unit, as 90d, in seconds. False: it is none. */
bool cli_time(const Cli *cli, const char *text, double *ret_seconds) MUST_CHECK;
/* An option that must be given, of the time that ends that long before now. 0, or the exit status after a message. */
int cli_age(const Cli *cli, const char *name, Time *ret_before) MUST_CHECK;

/* cli/help.c */
void cli_help_all(const Cli *cli);
void cli_help_group(Cli *cli, const Command *group);
void cli_help_command(const Cli *cli, const Command *command);
/* What an option with a setting is where nobody sets either: "4200", "no-log-access", "none". What is set on this
 * machine makes no difference, so that help and manual agree. */
const char *cli_option_default(const CliOption *option);
/* A mistake in how the program was called: the reason with a hint, to standard error; returns 2. */
int cli_usage(const Cli *cli, const Command *command, const char *format, ...) PRINTF(3, 4);

/* cli/describe.c: the tables of commands and settings as JSON, for tools/manual.py and its like. */
void cli_describe(const Cli *cli);

/* cli/terminal.c: lines in green, in yellow, and (to standard error) in red; the last returns 1. */
void cli_colours(Cli *cli);
void cli_good(const Cli *cli, const char *format, ...) PRINTF(2, 3);
void cli_note(const Cli *cli, const char *format, ...) PRINTF(2, 3);
int cli_bad(const Cli *cli, const char *format, ...) PRINTF(2, 3);
typedef enum Answer { ANSWER_YES, ANSWER_NO, ANSWER_NONE /* the input has ended, which was reported */ } Answer;
Answer cli_confirm(const char *question);
const char *cli_quoted(const Cli *cli, Str s); /* Python's repr */

/* cli/cmd_database.c: opens the database that the settings name. NULL: *error. */
Db *cli_open_database(const Cli *cli, Error *error);
Db *cli_open_existing(const Cli *cli, Error *error); /* for many short transactions without a limit */
Db *cli_open_to_look(const Cli *cli, Error *error);  /* a missing one is an empty one in memory */
/* Runs a change with the time limit of migrations. */
bool cli_change(const Cli *cli, Db *db, bool (*run)(Tx *, void *), void *arg, Error *error);
const char *cli_shown_url(const Cli *cli, Str url); /* without its password */
/* Asks unless --yes is given. 0: continue; else the exit status. */
int cli_ask(const Cli *cli, const char *question, const char *aborted);

/* cli/cmd_config_check.c: whether a server may start with these settings, each by itself and in combination. False:
 * *error names the setting, and its line in orion.toml. */
bool cli_check_settings(const Cli *cli, Error *error) MUST_CHECK;

/* The commands. */
int cmd_start(Cli *cli);
int cmd_server_start(Cli *cli);
int cmd_server_stop(Cli *cli);
int cmd_server_status(Cli *cli);
int cmd_server_downgrade(Cli *cli);
int cmd_services_list(Cli *cli);
int cmd_services_start(Cli *cli);
int cmd_services_stop(Cli *cli);
int cmd_status(Cli *cli);
int cmd_version(Cli *cli);
int cmd_block_import(Cli *cli);
int cmd_database_reset(Cli *cli);
int cmd_database_upgrade(Cli *cli);
int cmd_database_downgrade(Cli *cli);
int cmd_database_stamp(Cli *cli);
int cmd_database_check(Cli *cli);
int cmd_database_copy(Cli *cli);
int cmd_database_prune(Cli *cli);
int cmd_database_backup(Cli *cli);
int cmd_database_restore(Cli *cli);
int cmd_database_vacuum(Cli *cli);
int cmd_database_stats(Cli *cli);
int cmd_indexes_list(Cli *cli);
int cmd_indexes_make(Cli *cli);
int cmd_indexes_drop(Cli *cli);
int cmd_cache_list(Cli *cli);
int cmd_cache_clear(Cli *cli);
int cmd_runs_stuck(Cli *cli);
int cmd_key_rotate(Cli *cli);
int cmd_config_set(Cli *cli);
int cmd_config_unset(Cli *cli);
int cmd_config_view(Cli *cli);
int cmd_config_check(Cli *cli);
int cmd_config_3_view(Cli *cli);
int cmd_config_3_validate(Cli *cli);
int cmd_key_create(Cli *cli);
int cmd_key_list(Cli *cli);
int cmd_key_revoke(Cli *cli);
int cmd_profile_ls(Cli *cli);
int cmd_profile_create(Cli *cli);
int cmd_profile_use(Cli *cli);
int cmd_profile_delete(Cli *cli);
int cmd_profile_rename(Cli *cli);
int cmd_profile_inspect(Cli *cli);

#endif

/* config/config_file.h -- orion.toml: a settings file edited by hand, one NAME = value per line. Problems are kept with
 * their line; our changes leave all other lines as they are. */
#ifndef ORION_CONFIG_FILE_H
#define ORION_CONFIG_FILE_H

#include "config/settings.h"
#include "config/toml.h"

typedef struct ConfigEntry {
    Str name;               /* as written in the file: may be an alias */
    const Setting *setting; /* NULL: unknown name */
    TomlKind kind;
    Str text;               /* the value as Python prints it */
    Str literal;            /* as written in the file: a slice of ConfigFile.text */
    unsigned line;
    bool is_ignored;        /* the value is invalid, or the setting is the client's only */
    struct ConfigEntry *next;
} ConfigEntry;

typedef enum ConfigGravity {
    CONFIG_NOTE,     /* harmless: shown by `config check` only */
    CONFIG_WARNING,  /* the line is ignored */
    CONFIG_ERROR     /* the server refuses to start */
} ConfigGravity;

typedef struct ConfigProblem {
    ConfigGravity gravity;
    unsigned line;   /* 0: no particular line; the message says where */
    Str name;        /* of the setting; null: the whole file */
    Str message;     /* never contains the value of a secret */
    struct ConfigProblem *next;
} ConfigProblem;

typedef struct ConfigFile {
    const char *path;
    bool is_there;
    Str text;
    ConfigEntry *entries;    /* in line order, as are the problems */
    ConfigProblem *problems;
} ConfigFile;

/* Reads the file and checks each line; a missing file counts as empty. The caller holds the lock (file_lock). False: it
 * cannot be read or is not valid TOML; *error names file and line, and *ret is empty except for its path. */
bool config_file_load(Arena *arena, const char *path, ConfigFile *ret, Error *error) MUST_CHECK;
/* Parses text that is or will be the file's; it must be UTF-8 and outlive *ret. */
bool config_file_parse(Arena *arena, const char *path, Str text, ConfigFile *ret, Error *error) MUST_CHECK;

/* The line that sets a setting: its own name before its aliases; NULL if none does. */
const ConfigEntry *config_file_find(const ConfigFile *file, const Setting *setting);
void config_file_add_problem(Arena *arena, ConfigFile *file, ConfigGravity gravity, unsigned line, Str name,
                             Str message);
/* "FILE:LINE: NAME: what is wrong", in the arena. */
Str config_problem_text(Arena *arena, const ConfigFile *file, const ConfigProblem *problem);

/* Sets a setting in a copy of the file: in its line, or else in a new one at the end; aliases are removed. Writes
 * nothing. False: *error. */
bool config_file_set(Arena *arena, const ConfigFile *file, const Setting *setting, Str value, ConfigFile *ret,
                     Error *error) MUST_CHECK;
/* Removes all lines of a setting, under any of its names, or of an unknown name, from a copy of the file; *ret_found:
 * whether there were any. */
bool config_file_unset(Arena *arena, const ConfigFile *file, Str name, ConfigFile *ret, bool *ret_found,
                       Error *error) MUST_CHECK;

#endif

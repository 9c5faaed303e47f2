/* config/config_file.h -- orion.toml: settings in a file that its user writes, one NAME = value a line.
 * What is wrong with a line is kept with it; a change of ours leaves all other lines as they are. */
#ifndef ORION_CONFIG_FILE_H
#define ORION_CONFIG_FILE_H

#include "config/settings.h"
#include "config/toml.h"

typedef struct ConfigEntry {
    Str name;               /* as it stands in the file: perhaps another name of the setting */
    const Setting *setting; /* NULL: there is none of that name */
    TomlKind kind;
    Str text;               /* the value as Python prints it */
    Str literal;            /* as it stands in the file: a slice of ConfigFile.text */
    unsigned line;
    bool is_ignored;        /* the setting cannot take the value, or only the client obeys it */
    struct ConfigEntry *next;
} ConfigEntry;

typedef enum ConfigGravity {
    CONFIG_NOTE,     /* harmless: only `config check` tells */
    CONFIG_WARNING,  /* the line is not used */
    CONFIG_ERROR     /* the server does not start */
} ConfigGravity;

typedef struct ConfigProblem {
    ConfigGravity gravity;
    unsigned line;   /* 0: of no line of the file; the message says where */
    Str name;        /* of the setting; null: the file as a whole */
    Str message;     /* never with the value of a secret */
    struct ConfigProblem *next;
} ConfigProblem;

typedef struct ConfigFile {
    const char *path;
    bool is_there;
    Str text;
    ConfigEntry *entries;    /* like the next in the order of lines */
    ConfigProblem *problems;
} ConfigFile;

/* Reads the file and checks each line; no file is an empty one. Who reads or changes it holds the lock (see file_lock).
 * False: it cannot be read or is not TOML, and *error names file and line; *ret is empty then, but for its path. */
bool config_file_load(Arena *arena, const char *path, ConfigFile *ret, Error *error) MUST_CHECK;
/* The same of a text that is in the file, or will be; it must be UTF-8 and live as long as *ret. */
bool config_file_parse(Arena *arena, const char *path, Str text, ConfigFile *ret, Error *error) MUST_CHECK;

/* The line that counts for a setting, under its own name before the others; NULL: none does. */
const ConfigEntry *config_file_find(const ConfigFile *file, const Setting *setting);
void config_file_add_problem(Arena *arena, ConfigFile *file, ConfigGravity gravity, unsigned line, Str name,
                             Str message);
/* "FILE:LINE: NAME: what is wrong", in the arena. */
Str config_problem_text(Arena *arena, const ConfigFile *file, const ConfigProblem *problem);

/* The file with the setting at another value: in its line, else in a new one at the end. Its other names go.
 * Nothing is written. False: *error. */
bool config_file_set(Arena *arena, const ConfigFile *file, const Setting *setting, Str value, ConfigFile *ret,
                     Error *error) MUST_CHECK;
/* The file without the lines of a setting, under all its names, or of a name that is no setting's; *ret_found: whether
 * there were any. */
bool config_file_unset(Arena *arena, const ConfigFile *file, Str name, ConfigFile *ret, bool *ret_found,
                       Error *error) MUST_CHECK;

#endif

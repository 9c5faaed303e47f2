/* config/project_files.h -- the files of settings that Prefect 3 reads in the working directory: .env, prefect.toml,
 * and [tool.prefect] of pyproject.toml. */
#ifndef ORION_PROJECT_FILES_H
#define ORION_PROJECT_FILES_H

#include "config/settings_3.h"
#include "config/toml.h"

typedef struct ProjectEntry {
    SettingSource source;
    const char *file;
    unsigned line;
    Str name;      /* in capitals; of a TOML file the one in Prefect 3 */
    bool is_path;  /* there is no setting at this place of a TOML file: `name` is its path */
    TomlKind kind;
    Str text;      /* the value as Python prints it */
    struct ProjectEntry *next;
} ProjectEntry;

/* Missing files count as empty. False: one cannot be read, is no TOML, or sets what this server obeys to what it cannot
 * be; *error says where. */
bool project_files_load(Arena *arena, ProjectEntry **ret, Error *error) MUST_CHECK;
/* What the source sets under exactly this name; NULL: nothing. */
const ProjectEntry *project_find(const ProjectEntry *first, SettingSource source, Str name);

#endif

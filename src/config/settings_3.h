/* config/settings_3.h -- the settings of Prefect 3.8.3, by the paths that they have in its TOML files. A setting's name
 * follows from its path: server.api.port is PREFECT_SERVER_API_PORT. */
#ifndef ORION_SETTINGS_3_H
#define ORION_SETTINGS_3_H

#include "config/settings.h"

typedef struct Setting3 {
    const char *path;
    SettingKind kind;
    const char *fallback;   /* as Python prints it; may begin with "${NAME}", a setting of ours; NULL is None */
    unsigned flags;         /* SETTING_SECRET; SETTING_3_TABLE: a dictionary */
    const char *also;       /* its other names, separated by blanks; or NULL */
    const char *choices;    /* of SETTING_CHOICE */
    const char *limits;     /* ">=0", ">=30 <=3600"; or NULL */
} Setting3;
enum { SETTING_3_TABLE = 8 };

extern const Setting3 setting_3_table[];
extern const size_t setting_3_count;

/* NULL: there is none. */
const Setting3 *setting_3_of_path(Str path);
const Setting3 *setting_3_find(Str name); /* by any of its names */
/* The nth name: from 0 on its own, then the others; null after the last. In the arena. */
Str setting_3_name(const Setting3 *setting, size_t n, Arena *arena);
/* The setting of ours that it is another name for, and the other way round; NULL: there is none. */
const Setting *setting_3_obeyed(const Setting3 *setting);
const Setting3 *setting_3_of(const Setting *setting);
/* Whether the value would be taken; if not, *ret is pydantic 2's message, in the arena. */
bool setting_3_check(const Setting3 *setting, Str text, Arena *arena, Str *ret_message) MUST_CHECK;

#endif

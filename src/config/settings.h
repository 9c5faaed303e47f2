/* config/settings.h -- every setting and its source: environment overrides orion.toml overrides the files of Prefect 3
 * overrides profile overrides default. */
#ifndef ORION_SETTINGS_H
#define ORION_SETTINGS_H

#include "base/arena.h"
#include "base/generation.h"

typedef enum SettingKind {
    SETTING_TEXT, SETTING_BOOL, SETTING_INT, SETTING_FLOAT, SETTING_SECONDS, SETTING_PATH, SETTING_URL, SETTING_LEVEL,
    SETTING_CHOICE,
    SETTING_TIME, /* "10s": ms, s, m, h, d, w; a bare number is in seconds */
    SETTING_SIZE  /* "1kB": kB, MB, GB, which are thousands; a bare number is in bytes */
} SettingKind;
/* The later ones override those before. */
typedef enum SettingSource {
    FROM_DEFAULT, FROM_PROFILE,
    FROM_PYPROJECT, FROM_PREFECT_TOML, FROM_DOTENV, /* Prefect 3's, in the working directory */
    FROM_FILE, FROM_ENVIRONMENT
} SettingSource;

typedef struct Settings Settings; /* loaded values; immutable afterwards */
struct Profile;
struct ConfigFile;

/* Turns the value as it was given into the value as it is used: expands templates, infers it from other settings.
 * *value may be null. */
typedef bool SettingDerive(Settings *settings, Str *value, Error *error);

typedef struct Setting {
    const char *name;       /* "PREFECT_ORION_API_HOST" */
    SettingKind kind;
    const char *fallback;   /* default as text, templates unexpanded; NULL is None */
    unsigned flags;         /* SETTING_SECRET, SETTING_CLIENT (kept, never read by the server),
                             * SETTING_OWN (not among the reference's) */
    const char *help;
    SettingDerive *derive;  /* NULL: used as given */
    const char *choices;    /* of SETTING_CHOICE: "warn error ignore" */
} Setting;
enum { SETTING_SECRET = 1, SETTING_CLIENT = 2, SETTING_OWN = 4 };

extern const Setting setting_table[];
extern const size_t setting_count;
const Setting *setting_find(Str name); /* NULL: no such setting */
/* Finds it by its own name, or by one that later Prefect releases give to it. */
const Setting *setting_find_any(Str name);
const char *setting_alias(const char *name, size_t n); /* the nth of those names, from 0 on, or NULL */

typedef enum SettingsUse {
    SETTINGS_TO_SERVE,  /* problems are errors */
    SETTINGS_TO_REPAIR, /* problems in orion.toml are warnings; a template that cannot be expanded is null */
    SETTINGS_TO_CHECK   /* the same, but all are kept in settings_file's problems instead of warnings */
} SettingsUse;

typedef struct SettingsCall {
    const char *profile; /* -p, which overrides all other sources; or NULL */
    const char *file;    /* --config, which overrides ORION_CONFIG; or NULL */
    SettingsUse use;
    bool is_3;           /* a command of Prefect 3: its files are read, whatever the generation */
} SettingsCall;

/* Reads environment, orion.toml, for generation 3 its files in the working directory, and profiles.toml, in this order,
 * since each may locate the next. Warns on standard error of ignored settings. `call` may be NULL: no options,
 * SETTINGS_TO_SERVE. NULL: *error names the place, in the reference's words where it has the same error. */
Settings *settings_load(const SettingsCall *call, Error *error) MUST_CHECK;
void settings_free(Settings *settings);
/* Sets what a command line option says, which overrides all other sources. Only before the settings are used. False:
 * *error says why not. */
bool settings_override(Settings *settings, const char *name, Str value, Error *error) MUST_CHECK;

/* Whether all names under which a setting is given have the same value. False: *ret_first and *ret_second are two that
 * differ. */
bool settings_names_agree(const Settings *settings, const char *name, const char **ret_first, const char **ret_second)
    MUST_CHECK;

/* Values with templates expanded; the name must be in the table (asserted). Text ends with a zero, or is null. */
Str settings_text(const Settings *settings, const char *name);
Generation settings_generation(const Settings *settings); /* ORION_GENERATION: of a database that is to be made */
bool settings_bool(const Settings *settings, const char *name);
int64_t settings_int(const Settings *settings, const char *name);
/* seconds for SETTING_SECONDS and SETTING_TIME, bytes for SETTING_SIZE */
double settings_float(const Settings *settings, const char *name);
SettingSource settings_source(const Settings *settings, const char *name);
/* Whether Prefect 3's files and profiles were read. */
bool settings_are_3(const Settings *settings);
/* The value of a setting of Prefect 3 as it was given, unchecked, and by which source; null: by none. */
struct Setting3;
Str settings_given_3(const Settings *settings, const struct Setting3 *setting, SettingSource *ret_source);
/* The generation that environment and orion.toml choose, for who must know it before the settings are loaded; `file` is
 * --config, or NULL. What is wrong there is left to settings_load. */
Generation settings_choose_generation(const char *file);
/* "FILE:LINE", "environment" or "profile 'NAME'", in the arena; null for a default. */
Str settings_where(const Settings *settings, const char *name, Arena *arena);
const struct ConfigFile *settings_file(const Settings *settings); /* orion.toml as read */
/* Whether all names under which one source sets a setting have the same value; if not, the first of them wins. */
bool settings_source_agrees(const Settings *settings, SettingSource source, const char *name);
const char *settings_profile(const Settings *settings); /* the active profile's name */
const struct Profile *settings_active_profile(const Settings *settings); /* as the file held it */
/* GET /admin/settings: JSON object of the reference's settings as it answers, secrets as ********. */
Str settings_json(const Settings *settings, Arena *arena);
/* The value as it was given, as Python's str() prints it: what `config view` shows. Null: it is None. */
Str settings_given(const Settings *settings, const char *name);

/* One value, or the set as a whole (name "__root__"), that is not acceptable; the message is pydantic's. */
typedef struct SettingProblem {
    const char *name;
    const char *type; /* pydantic's: "type_error.integer" */
    Str message;
} SettingProblem;
enum { SETTING_PROBLEMS_MAX = 100 }; /* more than there are settings */

/* Finds what would be wrong if this profile overrode the environment; returns the number of problems. */
size_t settings_check_profile(const struct Profile *profile, Arena *arena, SettingProblem *ret_problems);

#endif

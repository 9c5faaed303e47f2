/* config/settings.h -- every setting: environment over profile over default, with where each value came from. */
#ifndef ORION_SETTINGS_H
#define ORION_SETTINGS_H

#include "base/arena.h"

typedef enum SettingKind { SETTING_TEXT, SETTING_BOOL, SETTING_INT, SETTING_FLOAT, SETTING_SECONDS, SETTING_PATH, SETTING_URL, SETTING_LEVEL } SettingKind;
typedef enum SettingSource { FROM_DEFAULT, FROM_PROFILE, FROM_ENVIRONMENT } SettingSource;

typedef struct Setting {
    const char *name;       /* "PREFECT_ORION_API_HOST" */
    SettingKind kind;
    const char *fallback;   /* default as text, templates unexpanded; NULL is None */
    unsigned flags;         /* SETTING_SECRET, SETTING_CLIENT (kept, never read by the server) … */
    const char *help;
} Setting;
enum { SETTING_SECRET = 1, SETTING_CLIENT = 2 };

extern const Setting setting_table[];
extern const size_t setting_count;

typedef struct Settings Settings; /* loaded values; immutable afterwards */

/* Reads environment and profiles.toml. `profile` is -p's value or NULL. NULL: *error is the reference's text. */
Settings *settings_load(const char *profile, Error *error) MUST_CHECK;
void settings_free(Settings *settings);

/* Values with templates expanded; the name must be in the table (asserted). Text may be null. */
Str settings_text(const Settings *settings, const char *name);
bool settings_bool(const Settings *settings, const char *name);
int64_t settings_int(const Settings *settings, const char *name);
double settings_float(const Settings *settings, const char *name); /* seconds for SETTING_SECONDS */
SettingSource settings_source(const Settings *settings, const char *name);
const char *settings_profile(const Settings *settings); /* the active profile's name */
/* GET /admin/settings: JSON object of all settings as the reference answers, secrets as ********. */
Str settings_json(const Settings *settings, Arena *arena);

#endif

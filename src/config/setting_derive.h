/* config/setting_derive.h -- values that are made from other settings:
 * templates, addresses inferred from one another. */
#ifndef ORION_SETTING_DERIVE_H
#define ORION_SETTING_DERIVE_H

#include "config/settings.h"

SettingDerive derive_home;                /* ~ and ~user at the front, as a shell has them */
SettingDerive derive_profiles_path;       /* the same after a template of ${PREFECT_HOME} */
SettingDerive derive_config_path;         /* the file that was read, once it is known */
SettingDerive derive_test_setting;        /* null unless PREFECT_TEST_MODE */
SettingDerive derive_with_home;           /* a template of ${PREFECT_HOME} */
SettingDerive derive_database_url;        /* … and of ${PREFECT_ORION_DATABASE_PASSWORD} */
SettingDerive derive_ui_api_url;
SettingDerive derive_ui_url;
SettingDerive derive_cloud_url;
SettingDerive derive_cloud_api_url;
SettingDerive derive_cloud_ui_url;
SettingDerive derive_logging_level;       /* DEBUG in debug mode */

/* For the functions above: another setting's value, as given and as used, the settings' memory,
 * and the path of orion.toml: NULL until it was read. */
Arena *settings_arena(Settings *settings);
const char *settings_file_path(const Settings *settings);
bool settings_derive(Settings *settings, const char *name, Str *ret, Error *error) MUST_CHECK;

#endif

/* config/setting_derive.h -- values that are made from other settings:
 * templates, addresses inferred from one another. */
#ifndef ORION_SETTING_DERIVE_H
#define ORION_SETTING_DERIVE_H

#include "config/settings.h"

SettingDerive derive_home;                /* expands a leading ~ or ~user, as a shell does */
SettingDerive derive_profiles_path;       /* the same, after expanding ${PREFECT_HOME} */
SettingDerive derive_config_path;         /* the path actually read, once known */
SettingDerive derive_test_setting;        /* null unless PREFECT_TEST_MODE */
SettingDerive derive_with_home;           /* a template of ${PREFECT_HOME} */
SettingDerive derive_database_url;        /* … and of ${PREFECT_ORION_DATABASE_PASSWORD} */
SettingDerive derive_ui_api_url;
SettingDerive derive_ui_url;
SettingDerive derive_cloud_url;
SettingDerive derive_cloud_api_url;
SettingDerive derive_cloud_ui_url;
SettingDerive derive_logging_level;       /* DEBUG in debug mode */

/* For the functions above: the settings' memory; the path of orion.toml, NULL until it was read; and another setting's
 * value as used. */
Arena *settings_arena(Settings *settings);
const char *settings_file_path(const Settings *settings);
bool settings_derive(Settings *settings, const char *name, Str *ret, Error *error) MUST_CHECK;

#endif

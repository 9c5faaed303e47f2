/* config/setting_database.h -- the database where nobody names one: a file in PREFECT_HOME. */
#ifndef ORION_SETTING_DATABASE_H
#define ORION_SETTING_DATABASE_H

#include "config/setting_derive.h"

/* Its URL, with the home folder as a template: an existing orion.db, else an existing prefect.db, else the file that
 * the generation's own Prefect would make. */
SettingDerive database_default;
/* Says on standard error that the folder has both, if the default is used. */
void database_warn_of_two(Settings *settings);

#endif

/* config/setting_proxies.h -- what is set for proxies: which are trusted, and the path below which they publish the
 * server. */
#ifndef ORION_SETTING_PROXIES_H
#define ORION_SETTING_PROXIES_H

#include "config/setting_derive.h"

SettingDerive derive_trusted_proxies; /* refuses what is no list of addresses and networks */
SettingDerive derive_root_path;       /* "/prefect", or empty */

/* "/prefect/" -> "/prefect", "/" -> "". It may stand in a page and in a script: only letters, digits and "-._~" between
 * its slashes. False: it is no such path, or begins with /api, where nobody could tell it from the API. */
bool root_path_parse(Str text, Str *ret) MUST_CHECK;

#endif

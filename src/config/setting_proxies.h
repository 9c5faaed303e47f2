/* config/setting_proxies.h -- proxy settings: which proxies are trusted, and the path below which they publish the
 * server. */
#ifndef ORION_SETTING_PROXIES_H
#define ORION_SETTING_PROXIES_H

#include "config/setting_derive.h"

SettingDerive derive_trusted_proxies; /* fails unless it is a list of addresses and networks */
SettingDerive derive_root_path;       /* "/prefect", or empty */

/* "/prefect/" -> "/prefect", "/" -> "". Only letters, digits and "-._~" between slashes, so the result is safe in pages
 * and scripts. False: not such a path, or one that begins with /api, which would be ambiguous. */
bool root_path_parse(Str text, Str *ret) MUST_CHECK;

#endif

/* web/ui.h -- what is served outside /api: the dashboard's files and /ui-settings. */
#ifndef ORION_UI_H
#define ORION_UI_H

#include "api/request.h"

bool ui_is_embedded(void); /* false: built without the dashboard */
bool ui_is_file(Str path); /* whether a path outside /api is a dashboard file or the page */
/* Answers a path that is not below /api. */
void ui_handle(Req *req);

#endif

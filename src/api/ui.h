/* api/ui.h -- what is served outside /api: the dashboard's files, /ui-settings, /docs and /openapi.json. */
#ifndef ORION_UI_H
#define ORION_UI_H

#include "api/request.h"

/* Answers a path that is not below /api. */
void ui_handle(Req *req);

#endif

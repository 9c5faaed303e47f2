/* cli/status_picture.h -- what /orion/status answers, for people. */
#ifndef ORION_STATUS_PICTURE_H
#define ORION_STATUS_PICTURE_H

#include "base/json.h"
#include "cli/screen.h"

/* Draws it; of queues, limits and services at most `rows` each, those first that wait, are used or have failed. What
 * the answer lacks is shown as "-". */
void status_draw(Screen *screen, const Json *status, size_t rows);

#endif

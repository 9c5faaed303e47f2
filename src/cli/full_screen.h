/* cli/full_screen.h -- a picture that fills the terminal, until Ctrl-C or q; then the terminal is as it was. */
#ifndef ORION_FULL_SCREEN_H
#define ORION_FULL_SCREEN_H

#include "base/base.h"

/* Of the terminal that standard output is. Otherwise, or if it does not say: COLUMNS, else 120, and no end of rows. */
void terminal_size(unsigned *ret_columns, unsigned *ret_rows);

typedef struct FullScreen FullScreen;
typedef enum Woken { WOKEN_TIME, WOKEN_DRAW, WOKEN_END } Woken;

/* With a terminal the picture has a screen of its own, and keys are not echoed; else there is only the waiting.
 * Signals that end the process are taken by full_screen_wait from now on. NULL: *error. */
FullScreen *full_screen_enter(bool is_terminal, Error *error) MUST_CHECK;
void full_screen_leave(FullScreen *full);
/* Lines with their ends; those beyond the last row are not shown. */
void full_screen_show(const FullScreen *full, Str picture);
/* Waits up to a time of clock_monotonic. WOKEN_DRAW: the size may have changed; WOKEN_END: the user wants no more. */
Woken full_screen_wait(FullScreen *full, int64_t until);
bool full_screen_is_over(void *full); /* whether a signal to end is waiting */

#endif

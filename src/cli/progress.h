/* cli/progress.h -- how far a long command is, on standard error: on a terminal one line with a bar, drawn again and
 * again; else a line for each part or phase that ends. And its interruption by signals. */
#ifndef ORION_PROGRESS_H
#define ORION_PROGRESS_H

#include <signal.h>

#include "base/clock.h"
#include "db/onlooker.h"

typedef struct CliProgress {
    bool is_terminal;
    int64_t drawn, began;  /* monotonic; of the line, of the phase */
    const char *doing;     /* the phase; NULL: none yet */
    sigset_t signals;      /* that were blocked before */
    Onlooker onlooker;     /* for what takes the time */
} CliProgress;

/* From here on SIGINT and SIGTERM are noticed by `onlooker`, which then ends the work. */
void cli_progress_begin(CliProgress *progress);
/* Clears the line. What was held back takes effect: the process may end here, by its signal. */
void cli_progress_end(CliProgress *progress);
/* The same without the signals: for work that needs no end of its own. */
void cli_progress_show(void *arg, const Progress *at); /* arg: a CliProgress */
void cli_progress_clear(const CliProgress *progress);

/* "2.5 GB": in units of 1000, as settings have them. */
typedef struct SizeText { char text[24]; } SizeText;
SizeText cli_size(int64_t bytes);

#endif

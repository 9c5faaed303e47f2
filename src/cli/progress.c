/* cli/progress.c -- how far a long command is, on standard error; and its interruption by signals. */
#include "cli/progress.h"

#include <unistd.h>

enum { BAR_WIDTH = 24, REDRAW_US = 100 * 1000, PART_WIDTH = 28 };

SizeText cli_size(int64_t bytes)
{
    static const char *const units[] = { "kB", "MB", "GB", "TB" };
    SizeText size;
    double value = (double)bytes / 1000;
    size_t unit = 0;
    for (; value >= 999.95 && unit + 1 < COUNT_OF(units); unit++)
        value /= 1000;
    snprintf(size.text, sizeof size.text, "%.1f %s", value, units[unit]);
    return size;
}

static double seconds_since(int64_t began)
{
    return (double)(clock_monotonic() - began) / (double)SECOND;
}

static void draw_bar(const CliProgress *p, const Progress *at)
{
    char bar[BAR_WIDTH + 1], rate[32];
    double seconds = seconds_since(p->began), all = at->of > 0 ? (double)at->of : 1;
    double share = (double)at->done / all, speed = seconds > 0 ? (double)at->done / seconds : 0;
    for (int i = 0; i < BAR_WIDTH; i++)
        bar[i] = i < (int)(share * BAR_WIDTH) ? '#' : '.';
    bar[BAR_WIDTH] = '\0';
    if (at->unit)
        snprintf(rate, sizeof rate, "%8.0f %s/s", speed, at->unit);
    else
        snprintf(rate, sizeof rate, "%8.1f MB/s", speed / 1e6);
    fprintf(stderr, "\r\033[K%-9s [%s] %3d %% %s  %.*s", at->doing, bar, (int)(share * 100), rate, PART_WIDTH,
            at->part ? at->part : "");
    fflush(stderr);
}

static void print_end(const CliProgress *p, const Progress *at)
{
    if (at->part && at->part_done == at->part_of && at->part_of > 0)
        fprintf(stderr, "%s %s: %lld %s\n", at->doing, at->part, (long long)at->part_done, at->unit);
    else if (!at->part && !at->unit && at->done == at->of)
        fprintf(stderr, "%s: %s in %.1f s\n", at->doing, cli_size(at->done).text, seconds_since(p->began));
}

void cli_progress_show(void *arg, const Progress *at)
{
    CliProgress *p = arg;
    int64_t now = clock_monotonic();
    if (!p->doing || strcmp(p->doing, at->doing) != 0) {
        p->doing = at->doing;
        p->began = now;
    }
    if (!p->is_terminal) {
        print_end(p, at);
    } else if (now - p->drawn >= REDRAW_US) {
        p->drawn = now;
        draw_bar(p, at);
    }
}

static sigset_t ending_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    return set;
}

/* They stay pending, as all threads have them blocked. */
static bool must_end(void *arg)
{
    (void)arg;
    sigset_t pending;
    return sigpending(&pending) == 0
           && (sigismember(&pending, SIGINT) || sigismember(&pending, SIGTERM) || sigismember(&pending, SIGHUP));
}

void cli_progress_begin(CliProgress *progress)
{
    sigset_t set = ending_signals();
    *progress = (CliProgress){ .is_terminal = isatty(STDERR_FILENO),
                               .onlooker = { .show = cli_progress_show, .must_end = must_end, .arg = progress } };
    pthread_sigmask(SIG_BLOCK, &set, &progress->signals);
}

void cli_progress_clear(const CliProgress *progress)
{
    if (progress->is_terminal)
        fputs("\r\033[K", stderr);
}

void cli_progress_end(CliProgress *progress)
{
    cli_progress_clear(progress);
    fflush(stdout);
    pthread_sigmask(SIG_SETMASK, &progress->signals, NULL);
}

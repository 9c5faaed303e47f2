/* cli/full_screen.c -- a terminal's other screen, and waiting for time, signals and keys. Signals are read from a
 * descriptor: a handler would need variables that all can reach. */
#include "cli/full_screen.h"

#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"

struct FullScreen {
    int signals;            /* a signalfd */
    sigset_t before;        /* which were blocked */
    bool is_terminal;       /* standard output */
    bool has_keys;          /* standard input is a terminal too, whose settings were: */
    struct termios settings;
};

static const int ending[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT }, drawing[] = { SIGWINCH, SIGTSTP, SIGCONT };

void terminal_size(unsigned *ret_columns, unsigned *ret_rows)
{
    struct winsize size;
    const char *said = getenv("COLUMNS");
    unsigned long columns = said ? strtoul(said, NULL, 10) : 0;
    bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 0;
    *ret_columns = known ? size.ws_col : columns > 0 && columns < 10000 ? (unsigned)columns : 120;
    *ret_rows = known ? size.ws_row : 10000;
}

static void say(const char *codes)
{
    fputs(codes, stdout);
    fflush(stdout);
}

/* The other screen, no cursor, no wrapping of long lines. */
static void take_terminal(const FullScreen *full)
{
    struct termios quiet = full->settings;
    if (full->is_terminal)
        say("\033[?1049h\033[?25l\033[?7l\033[2J");
    quiet.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    if (full->has_keys)
        tcsetattr(STDIN_FILENO, TCSANOW, &quiet);
}

static void give_terminal_back(const FullScreen *full)
{
    if (full->is_terminal)
        say("\033[?7h\033[?25h\033[?1049l");
    if (full->has_keys)
        tcsetattr(STDIN_FILENO, TCSANOW, &full->settings);
}

FullScreen *full_screen_enter(bool is_terminal, Error *error)
{
    sigset_t taken;
    FullScreen *full = xcalloc(1, sizeof *full);
    sigemptyset(&taken);
    for (size_t i = 0; i < COUNT_OF(ending); i++)
        sigaddset(&taken, ending[i]);
    for (size_t i = 0; i < COUNT_OF(drawing); i++)
        sigaddset(&taken, drawing[i]);
    full->signals = signalfd(-1, &taken, SFD_CLOEXEC | SFD_NONBLOCK);
    if (full->signals < 0) {
        free(full);
        (void)fail(error, ERR_INTERNAL, "Signals cannot be waited for: %m.");
        return NULL;
    }
    sigprocmask(SIG_BLOCK, &taken, &full->before);
    full->is_terminal = is_terminal;
    full->has_keys = is_terminal && isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &full->settings) == 0;
    take_terminal(full);
    return full;
}

void full_screen_leave(FullScreen *full)
{
    if (!full)
        return;
    give_terminal_back(full);
    sigprocmask(SIG_SETMASK, &full->before, NULL);
    close(full->signals);
    free(full);
}

void full_screen_show(const FullScreen *full, Str picture)
{
    unsigned columns, rows;
    terminal_size(&columns, &rows);
    if (full->is_terminal)
        fputs("\033[H", stdout);
    for (unsigned row = 0; picture.n && row < rows; row++) {
        const char *end = memchr(picture.p, '\n', picture.n);
        size_t n = end ? (size_t)(end - picture.p) : picture.n;
        bool last = row + 1 == rows || n + 1 >= picture.n;
        fwrite(picture.p, 1, n, stdout);
        /* A line end after the last row would move all of them. */
        fputs(!full->is_terminal ? "\n" : last ? "\033[K" : "\033[K\r\n", stdout);
        picture = (Str){ picture.p + n + (end ? 1 : 0), picture.n - n - (end ? 1 : 0) };
    }
    if (full->is_terminal)
        fputs("\033[J", stdout);
    fflush(stdout);
}

static bool is_one_of(int number, const int *numbers, size_t count)
{
    while (count > 0 && numbers[count - 1] != number)
        count--;
    return count > 0;
}

/* Ctrl-Z: the shell gets its terminal, until it continues us. */
static void rest(const FullScreen *full)
{
    give_terminal_back(full);
    raise(SIGSTOP);
    take_terminal(full);
}

static Woken take_signal(const FullScreen *full)
{
    struct signalfd_siginfo info;
    if (read(full->signals, &info, sizeof info) != (ssize_t)sizeof info)
        return WOKEN_TIME;
    int number = (int)info.ssi_signo;
    if (number == SIGTSTP)
        rest(full);
    return is_one_of(number, ending, COUNT_OF(ending)) ? WOKEN_END : WOKEN_DRAW;
}

/* q or the end of the input; any other key asks for the next picture now. */
static Woken take_key(void)
{
    enum { CTRL_D = 4 };
    char key;
    bool ended = read(STDIN_FILENO, &key, 1) != 1;
    return ended || key == CTRL_D || key == 'q' || key == 'Q' ? WOKEN_END : WOKEN_TIME;
}

Woken full_screen_wait(FullScreen *full, int64_t until)
{
    struct pollfd waited[2] = { { .fd = full->signals, .events = POLLIN },
                                { .fd = full->has_keys ? STDIN_FILENO : -1, .events = POLLIN } };
    int64_t left = until - clock_monotonic();
    int found = poll(waited, COUNT_OF(waited), left > 0 ? (int)((left + 999) / 1000) : 0);
    if (found <= 0)
        return WOKEN_TIME;
    return waited[0].revents ? take_signal(full) : take_key();
}

bool full_screen_is_over(void *full)
{
    sigset_t pending;
    bool over = false;
    (void)full;
    sigpending(&pending);
    for (size_t i = 0; i < COUNT_OF(ending); i++)
        over = over || sigismember(&pending, ending[i]) == 1;
    return over;
}

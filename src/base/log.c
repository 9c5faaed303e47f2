/* base/log.c -- log lines: built in one piece and written by one call, so that threads never mix theirs. */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "base/unicode.h"

enum { LINE_MAX_BYTES = 4096 };

/* Set at start, read by every thread. */
static atomic_int threshold = LOG_INFO;

static const struct { const char *name; LogLevel level; } levels[] = {
    { "DEBUG", LOG_DEBUG }, { "INFO", LOG_INFO },   { "WARNING", LOG_WARNING }, { "WARN", LOG_WARNING },
    { "ERROR", LOG_ERROR }, { "CRITICAL", LOG_CRITICAL }, { "FATAL", LOG_CRITICAL },
};

void log_set_level(LogLevel level)
{
    atomic_store(&threshold, (int)level);
}

bool log_wants(LogLevel level)
{
    return (int)level >= atomic_load(&threshold);
}

static bool parse_number(Str name, LogLevel *ret)
{
    unsigned value = 0;
    for (size_t i = 0; i < name.n; i++) {
        if (name.p[i] < '0' || name.p[i] > '9')
            return false;
        value = 10 * value + (unsigned)(name.p[i] - '0');
    }
    *ret = (LogLevel)value;
    return true;
}

bool log_level_parse(Str name, LogLevel *ret)
{
    if (!name.p || name.n == 0)
        return false;
    for (size_t i = 0; i < COUNT_OF(levels); i++) {
        if (strlen(levels[i].name) == name.n && strncasecmp(levels[i].name, name.p, name.n) == 0) {
            *ret = levels[i].level;
            return true;
        }
    }
    return name.n <= 3 && parse_number(name, ret);
}

/* The name of the highest level that is not above this one; of two names for a level, the first. */
static const char *level_name(LogLevel level)
{
    const char *name = "DEBUG";
    for (size_t i = 0; i < COUNT_OF(levels) && levels[i].level <= level; i++)
        if (levels[i].level != levels[i ? i - 1 : 0].level)
            name = levels[i].name;
    return name;
}

/* "12:34:56.789 | INFO    | orion.api - " */
static size_t write_head(char *line, size_t room, LogLevel level, const char *logger)
{
    struct timespec now;
    struct tm local;
    clock_gettime(CLOCK_REALTIME, &now);
    localtime_r(&now.tv_sec, &local);
    int n = snprintf(line, room, "%02d:%02d:%02d.%03d | %-7s | %s - ", local.tm_hour, local.tm_min, local.tm_sec,
                     (int)(now.tv_nsec / 1000000), level_name(level), logger);
    return n < 0 ? 0 : (size_t)n < room ? (size_t)n : room - 1;
}

static void write_all(const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t written = write(STDERR_FILENO, bytes, n);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return;
        bytes += written;
        n -= (size_t)written;
    }
}

void log_line(LogLevel level, const char *logger, const char *format, ...)
{
    if (!log_wants(level))
        return;
    /* Logging must not disturb a caller that is yet to look at errno. */
    int saved_errno = errno;
    char line[LINE_MAX_BYTES];
    size_t n = write_head(line, sizeof line - 1, level, logger);
    va_list args;
    va_start(args, format);
    int added = vsnprintf(line + n, sizeof line - 1 - n, format, args);
    va_end(args);
    if (added > 0)
        n += (size_t)added < sizeof line - 1 - n ? (size_t)added : sizeof line - 2 - n;
    utf8_blank_strange(line, n); /* it may contain what a client sent */
    line[n++] = '\n';
    write_all(line, n);
    errno = saved_errno;
}

/* base/log.c -- log lines: built in one piece and written by one call, so that threads never mix theirs. */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <strings.h>
#include <unistd.h>

#include "base/unicode.h"

/* Set at start, read by every thread. */
static atomic_int threshold = LOG_INFO, format_in_use = LOG_TEXT;

/* The request that this thread is at work on. A copy: the request may end before the thread turns to another one. */
static _Thread_local struct { char id[128]; size_t n; } about;

static const struct { const char *name; LogLevel level; } levels[] = {
    { "DEBUG", LOG_DEBUG }, { "INFO", LOG_INFO },   { "WARNING", LOG_WARNING }, { "WARN", LOG_WARNING },
    { "ERROR", LOG_ERROR }, { "CRITICAL", LOG_CRITICAL }, { "FATAL", LOG_CRITICAL },
};

void log_set_level(LogLevel level)
{
    atomic_store(&threshold, (int)level);
}

void log_set_format(LogFormat format)
{
    atomic_store(&format_in_use, (int)format);
}

LogFormat log_format(void)
{
    return (LogFormat)atomic_load(&format_in_use);
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

void log_request(Str id)
{
    about.n = id.n < sizeof about.id ? id.n : sizeof about.id;
    if (about.n)
        memcpy(about.id, id.p, about.n);
}

static void write_entry(LogLevel level, const char *logger, const LogField *fields, size_t count, const char *format,
                        va_list values) __attribute__((format(printf, 5, 0)));
static void write_entry(LogLevel level, const char *logger, const LogField *fields, size_t count, const char *format,
                        va_list values)
{
    /* Logging must not disturb a caller that is yet to look at errno. */
    int saved_errno = errno;
    char message[LOG_LINE_MAX], line[LOG_LINE_MAX];
    LogEntry entry = { .level = level_name(level), .logger = logger, .request = { about.id, about.n },
                       .fields = fields, .count = count };
    clock_gettime(CLOCK_REALTIME, &entry.time);
    int n = vsnprintf(message, sizeof message, format, values);
    entry.message = (Str){ message, n < 0 ? 0 : (size_t)n < sizeof message ? (size_t)n : sizeof message - 1 };
    utf8_blank_strange(message, entry.message.n); /* it may contain what a client sent */
    write_all(line, log_format_write((LogFormat)atomic_load(&format_in_use), &entry, line));
    errno = saved_errno;
}

void log_line(LogLevel level, const char *logger, const char *format, ...)
{
    if (!log_wants(level))
        return;
    va_list values;
    va_start(values, format);
    write_entry(level, logger, NULL, 0, format, values);
    va_end(values);
}

void log_fields(LogLevel level, const char *logger, const LogField *fields, size_t count, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    write_entry(level, logger, fields, count, format, values);
    va_end(values);
}

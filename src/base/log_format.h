/* base/log_format.h -- a log entry as one line: text for people, JSON or logfmt for programs. */
#ifndef ORION_LOG_FORMAT_H
#define ORION_LOG_FORMAT_H

#include <time.h>

#include "base/base.h"

typedef enum LogLevel { LOG_DEBUG = 10, LOG_INFO = 20, LOG_WARNING = 30, LOG_ERROR = 40, LOG_CRITICAL = 50 } LogLevel;
typedef enum LogFormat { LOG_TEXT, LOG_JSON, LOG_LOGFMT, LOG_FORMAT_COUNT } LogFormat;

enum {
    LOG_LINE_MAX = 4096, /* bytes with the line end: what a pipe takes in one piece */
    LOG_FIELD_MAX = 512  /* bytes of a field's text; longer ones are cut */
};

typedef struct LogField {
    const char *name;
    Str text;      /* null: it is a number */
    double number;
    int decimals;
} LogField;

typedef struct LogEntry {
    struct timespec time;
    const char *level, *logger; /* both are safe in every format */
    Str message, request;       /* request: its id, or empty */
    const LogField *fields;     /* text does not show them */
    size_t count;
} LogEntry;

extern const char *const log_format_names[LOG_FORMAT_COUNT];

/* Writes the line, with its end, to `line` of LOG_LINE_MAX bytes, and returns its length. Whatever the texts hold, it
 * is one line of UTF-8 without control characters, and JSON is complete: a long message is cut, and a field that finds
 * no room is left out. */
size_t log_format_write(LogFormat format, const LogEntry *entry, char *line);

#endif

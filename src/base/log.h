/* base/log.h -- lines to standard error, by default "12:34:56.789 | INFO    | orion.api - text [id of the request]".
 * Never a secret, never a request body. */
#ifndef ORION_LOG_H
#define ORION_LOG_H

#include "base/log_format.h"

void log_set_level(LogLevel level);
void log_set_format(LogFormat format);
LogFormat log_format(void);
bool log_wants(LogLevel level); /* whether such a line would be logged */
bool log_level_parse(Str name, LogLevel *ret) MUST_CHECK; /* names in any case, or a number */

/* Lines that this thread logs from now on are about the request with this id, which is copied; null: about none. */
void log_request(Str id);

void log_line(LogLevel level, const char *logger, const char *format, ...) PRINTF(3, 4);
/* The same whatever the level in force, with fields that the formats other than text have. */
void log_fields(LogLevel level, const char *logger, const LogField *fields, size_t count, const char *format, ...)
    PRINTF(5, 6);

#define log_debug(logger, ...) log_line(LOG_DEBUG, logger, __VA_ARGS__)
#define log_info(logger, ...) log_line(LOG_INFO, logger, __VA_ARGS__)
#define log_warning(logger, ...) log_line(LOG_WARNING, logger, __VA_ARGS__)
#define log_error(logger, ...) log_line(LOG_ERROR, logger, __VA_ARGS__)

#endif

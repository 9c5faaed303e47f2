/* base/log.h -- lines to standard error: "12:34:56.789 | INFO    | orion.api - text".
 * Never a secret, never a request body. */
#ifndef ORION_LOG_H
#define ORION_LOG_H

#include "base/base.h"

typedef enum LogLevel { LOG_DEBUG = 10, LOG_INFO = 20, LOG_WARNING = 30, LOG_ERROR = 40, LOG_CRITICAL = 50 } LogLevel;

void log_set_level(LogLevel level);
bool log_wants(LogLevel level); /* whether such a line would be logged */
bool log_level_parse(Str name, LogLevel *ret) MUST_CHECK; /* names in any case, or a number */
void log_line(LogLevel level, const char *logger, const char *format, ...) PRINTF(3, 4);

#define log_debug(logger, ...) log_line(LOG_DEBUG, logger, __VA_ARGS__)
#define log_info(logger, ...) log_line(LOG_INFO, logger, __VA_ARGS__)
#define log_warning(logger, ...) log_line(LOG_WARNING, logger, __VA_ARGS__)
#define log_error(logger, ...) log_line(LOG_ERROR, logger, __VA_ARGS__)

#endif

/* base/clock.h -- times are int64 microseconds since 1970 in UTC, text only at the edges. */
#ifndef ORION_CLOCK_H
#define ORION_CLOCK_H

#include <pthread.h>

#include "base/buf.h"

typedef int64_t Time; /* microseconds UTC; TIME_NULL is "no time" */
#define TIME_NULL INT64_MIN
/* The first moment of year 1, and the first after year 9999: ISO 8601, and so every client, can only write what lies
 * between. */
#define TIME_FIRST (-62135596800 * SECOND)
#define TIME_END (253402300800 * SECOND)
#define SECOND ((int64_t)1000000)

/* A time as a client wrote it: JSON columns keep the offset it came with. */
typedef struct Moment {
    Time us;         /* TIME_NULL: no time */
    int32_t offset;  /* seconds east of UTC, for output only */
} Moment;
#define MOMENT_NULL ((Moment){ TIME_NULL, 0 })
#define MOMENT(t) ((Moment){ (t), 0 })

Time clock_now(void); /* the wall clock; only the edges read it, all else is given `now` */
int64_t clock_monotonic(void); /* microseconds, for waiting and measuring: a clock that is never set */
void clock_sleep(int64_t us);  /* or less, if a signal comes */
void clock_condition_init(pthread_cond_t *condition); /* for clock_condition_wait */
/* Like pthread_cond_wait, but until a time of clock_monotonic at most. False: that time has come. */
bool clock_condition_wait(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t until);

/* Parses as pendulum.parse(text) (2.1, strict, tz UTC) does; false if that refuses the text. Times without a zone
 * are UTC. `now` gives "now" itself and the date of times without one; if it is TIME_NULL, both are refused. */
bool moment_parse(Str text, Time now, Moment *ret) MUST_CHECK;
/* ISO 8601 as datetime.isoformat() writes: 2026-11-23T02:28:25.630785+00:00, no fraction when it is zero. */
void moment_format(Buf *out, Moment m);
void time_format(Buf *out, Time t); /* the same in UTC */
Str time_text(Arena *arena, Time t);
/* As SQLite columns hold it: 2026-11-23 02:28:25.630785 */
void time_format_stored(Buf *out, Time t);
bool time_parse_stored(Str text, Time *ret) MUST_CHECK; /* with 0 to 6 digits of fraction, 'T' or ' ' */

/* False: the sum is outside the years 1 to 9999, so that no text could hold it. */
bool time_add_seconds(Time t, double seconds, Time *ret) MUST_CHECK;

/* A time as calendar and clock show it, `offset` seconds east of UTC. */
typedef struct Civil {
    int year, month, day, hour, minute, second, micro;
    int32_t offset;
} Civil;
bool civil_is_valid(const Civil *c) MUST_CHECK;
Time civil_to_time(const Civil *c);
Civil civil_from_time(Time t, int32_t offset);
int64_t civil_days(int year, int month, int day); /* since 1970-01-01 */
void civil_from_days(int64_t days, Civil *c);     /* sets year, month and day only */
bool civil_is_leap(int year);
int civil_month_days(int year, int month);

/* pydantic 1 durations: ISO 8601 ("P1DT2H", "PT1.5S", "-P1D") or "[-][DD ][HH:MM]SS[.ffffff]". Durations that are
 * JSON numbers are handled by the caller. */
bool duration_parse(Str text, int64_t *ret_us) MUST_CHECK;

#endif

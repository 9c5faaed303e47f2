/* base/clock.h -- times are int64 microseconds since 1970 in UTC, text only at the edges. */
#ifndef ORION_CLOCK_H
#define ORION_CLOCK_H

#include "base/buf.h"

typedef int64_t Time; /* microseconds UTC; TIME_NULL is "no time" */
#define TIME_NULL INT64_MIN
/* The first moment of year 1, and that after year 9999: what ISO 8601, and so every client, can write lies between. */
#define TIME_FIRST (-62135596800 * SECOND)
#define TIME_END (253402300800 * SECOND)
#define SECOND ((int64_t)1000000)

/* A time as a client wrote it: JSON columns keep the offset it came with. */
typedef struct Moment {
    Time us;         /* TIME_NULL: none */
    int32_t offset;  /* seconds east of UTC, for output only */
} Moment;
#define MOMENT_NULL ((Moment){ TIME_NULL, 0 })
#define MOMENT(t) ((Moment){ (t), 0 })

Time clock_now(void); /* the wall clock; only the edges call it, all else is given `now` */
int64_t clock_monotonic(void); /* microseconds from some moment on, for waiting and measuring: nobody sets this clock */

/* What pendulum.parse(text) (2.1, strict, tz UTC) takes and makes of it; false if it refuses.
 * Times without a zone are UTC. "now" and times without a date are taken from `now`; refused where it is TIME_NULL. */
bool moment_parse(Str text, Time now, Moment *ret) MUST_CHECK;
/* ISO 8601 as datetime.isoformat() writes: 2026-11-23T02:28:25.630785+00:00, no fraction when it is zero. */
void moment_format(Buf *out, Moment m);
void time_format(Buf *out, Time t); /* the same in UTC */
Str time_text(Arena *arena, Time t);
/* As SQLite columns hold it: 2026-11-23 02:28:25.630785 */
void time_format_stored(Buf *out, Time t);
bool time_parse_stored(Str text, Time *ret) MUST_CHECK; /* with 0 to 6 digits of fraction, 'T' or ' ' */

/* False: the sum is in no year from 1 to 9999, and no text can hold it. */
bool time_add_seconds(Time t, double seconds, Time *ret) MUST_CHECK;

/* A time as its digits say it. */
typedef struct Civil {
    int year, month, day, hour, minute, second, micro;
    int32_t offset;
} Civil;
bool civil_is_valid(const Civil *c) MUST_CHECK;
Time civil_to_time(const Civil *c);
Civil civil_from_time(Time t, int32_t offset);
int64_t civil_days(int year, int month, int day); /* since 1970-01-01 */
void civil_from_days(int64_t days, Civil *c);     /* year, month and day */
bool civil_is_leap(int year);
int civil_month_days(int year, int month);

/* pydantic 1 durations: ISO 8601 ("P1DT2H", "PT1.5S", "-P1D") or "[-][DD ][HH:MM]SS[.ffffff]";
 * seconds as a number are the caller's. */
bool duration_parse(Str text, int64_t *ret_us) MUST_CHECK;

#endif

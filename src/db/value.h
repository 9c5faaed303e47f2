/* db/value.h -- values on their way into statements, each with its kind, by which an engine knows how its column
 * holds it. */
#ifndef ORION_VALUE_H
#define ORION_VALUE_H

#include "base/clock.h"

typedef enum ValueKind {
    VAL_NULL, VAL_INT, VAL_REAL, VAL_BOOL, VAL_TEXT, VAL_UUID,
    VAL_TIME,     /* Time */
    VAL_INTERVAL, /* microseconds; SQLite holds it as a datetime since 1970 */
    VAL_JSON,     /* JSON text in JSON_STORED style */
    VAL_ARRAY,    /* of values, NULLs among them; where the dialect has array_of */
    VAL_LIST      /* JSON array text bound as one value, for the operators of a Dialect that take a list */
} ValueKind;

typedef struct Value {
    ValueKind kind;
    union {
        int64_t i;
        double r;
        Str s;
        struct { const struct Value *items; size_t count; };
    };
} Value;

/* Each turns "no value" (STR_NULL, TIME_NULL) into SQL NULL. */
static inline Value v_text(Str s) { return s.p ? (Value){ .kind = VAL_TEXT, .s = s } : (Value){ .kind = VAL_NULL }; }
static inline Value v_uuid(Str s) { return s.p ? (Value){ .kind = VAL_UUID, .s = s } : (Value){ .kind = VAL_NULL }; }
static inline Value v_json(Str s) { return s.p ? (Value){ .kind = VAL_JSON, .s = s } : (Value){ .kind = VAL_NULL }; }
static inline Value v_list(Str s) { return (Value){ .kind = VAL_LIST, .s = s }; }
static inline Value v_array(const Value *items, size_t count)
{
    return (Value){ .kind = VAL_ARRAY, .items = items, .count = count };
}
static inline Value v_int(int64_t i) { return (Value){ .kind = VAL_INT, .i = i }; }
static inline Value v_real(double r) { return (Value){ .kind = VAL_REAL, .r = r }; }
static inline Value v_bool(bool b) { return (Value){ .kind = VAL_BOOL, .i = b }; }
static inline Value v_time(Time t)
{
    return t == TIME_NULL ? (Value){ .kind = VAL_NULL } : (Value){ .kind = VAL_TIME, .i = t };
}
static inline Value v_interval(int64_t us) { return (Value){ .kind = VAL_INTERVAL, .i = us }; }
static inline Value v_null(void) { return (Value){ .kind = VAL_NULL }; }

#endif

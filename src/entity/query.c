/* entity/query.c -- SQL text and the values of its places, grown together. */
#include "entity/filter.h"

enum { VALUES_FIRST = 8 };

void query_init(Query *q, Arena *arena, const Dialect *dialect)
{
    *q = (Query){ .arena = arena, .dialect = dialect };
    buf_init(&q->sql, arena, 256);
}

void query_bind(Query *q, Value value)
{
    if (q->count == q->capacity) {
        size_t capacity = q->capacity ? 2 * q->capacity : VALUES_FIRST;
        Value *values = arena_alloc(q->arena, capacity * sizeof *values);
        if (q->count)
            memcpy(values, q->values, q->count * sizeof *values);
        q->values = values;
        q->capacity = capacity;
    }
    q->values[q->count++] = value;
    buf_printf(&q->sql, "$%zu", q->count);
}

Rows *query_run(Tx *tx, Query *q)
{
    return db_query(tx, buf_cstr(&q->sql), q->values, q->count);
}

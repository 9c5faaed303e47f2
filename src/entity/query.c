/* entity/query.c -- SQL text and the values of its placeholders, built together. */
#include "entity/filter.h"

void query_init(Query *q, Arena *arena, const Dialect *dialect)
{
    *q = (Query){ .arena = arena, .dialect = dialect };
    buf_init(&q->sql, arena, 256);
}

void query_bind(Query *q, Value value)
{
    q->values = arena_grow(q->arena, q->values, q->count, &q->capacity, sizeof *q->values);
    q->values[q->count++] = value;
    buf_printf(&q->sql, "$%zu", q->count);
}

void query_operator(Query *q, SqlOp op, const char *column, Value value)
{
    /* In a dialect's text, %v is the value, which is bound where it comes first, and %c the column's expression. */
    size_t place = 0;
    for (const char *p = q->dialect->op[op]; *p; p++) {
        bool is_value = p[0] == '%' && p[1] == 'v';
        if (is_value && !place) {
            query_bind(q, value);
            place = q->count;
        } else if (is_value) {
            buf_printf(&q->sql, "$%zu", place);
        } else if (p[0] == '%' && p[1] == 'c') {
            buf_text(&q->sql, column);
        } else {
            buf_char(&q->sql, *p);
            continue;
        }
        p++;
    }
}

Rows *query_run(Tx *tx, Query *q)
{
    return db_query(tx, buf_cstr(&q->sql), q->values, q->count);
}

/* entity/query.c -- SQL text and the values of its placeholders, built together. */
#include "entity/filter.h"

void query_init(Query *q, Arena *arena, const Dialect *dialect)
{
    *q = (Query){ .arena = arena, .dialect = dialect };
    buf_init(&q->sql, arena, 256);
    buf_init(&q->joins, arena, 0);
}

void query_bind(Query *q, Value value)
{
    q->values = arena_grow(q->arena, q->values, q->count, &q->capacity, sizeof *q->values);
    q->values[q->count++] = value;
    buf_printf(&q->sql, "$%zu", q->count);
}

/* An escape in JSON text: whether it is of the control character with this last digit. */
static bool is_control(const char *escape, char digit)
{
    return strncmp(escape, "\\u000", 5) == 0 && escape[5] == digit;
}

/* The list as the dialect's element_with_nul reads it: with U+0001 and '0' for U+0000, and with U+0001 and '1' for
 * U+0001. NULL where it has no U+0000. */
static const char *without_nul(Arena *arena, Str list)
{
    Buf out;
    bool has_nul = false;
    if (!list.p || !memmem(list.p, list.n, "\\u0000", 6))
        return NULL;
    buf_init(&out, arena, list.n + 16);
    for (const char *p = list.p, *end = list.p + list.n; p < end; p++) {
        size_t size = *p != '\\' ? 1 : end - p > 5 && (is_control(p, '0') || is_control(p, '1')) ? 6 : 2;
        if (size == 6) {
            has_nul = has_nul || p[5] == '0';
            buf_text(&out, p[5] == '0' ? "\\u00010" : "\\u00011");
        } else {
            buf_str(&out, (Str){ p, size });
        }
        p += size - 1;
    }
    return has_nul ? buf_cstr(&out) : NULL;
}

void query_operator(Query *q, SqlOp op, const char *column, Value value)
{
    const char *element = q->dialect->element;
    const char *list = strstr(q->dialect->op[op], "%e") ? without_nul(q->arena, value.s) : NULL;
    if (list) {
        element = q->dialect->element_with_nul;
        value = v_list(str_from(list));
    }
    /* In a dialect's text, %v is the value, which is bound where it comes first, %c the column's expression, and %e an
     * element of a list. */
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
        } else if (p[0] == '%' && p[1] == 'e') {
            buf_text(&q->sql, element);
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

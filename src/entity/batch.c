/* entity/batch.c -- many rows at once. */
#include "entity/batch.h"

#include "db/tables.h"

static const void *object_at(const Model *model, const void *objects, size_t index)
{
    return (const char *)objects + index * model->size;
}

/* The values of one column, as one value. */
static Value column_values(Arena *arena, const Model *model, const Field *field, const void *objects, size_t count)
{
    Value *items = arena_alloc(arena, count * sizeof *items);
    for (size_t i = 0; i < count; i++)
        items[i] = codec_value(arena, field, object_at(model, objects, i));
    return v_array(items, count);
}

/* INSERT INTO table (a, b) SELECT * FROM unnest($1::uuid[], $2::text[]) */
static void add_statement(Buf *sql, const Tx *tx, const Model *model)
{
    const Table *table = table_find(tables_of(GEN_2_7), model->table);
    size_t place = 0;
    buf_printf(sql, "INSERT INTO %s", model->table);
    for (size_t i = 0; i < model->count; i++)
        if (!(model->fields[i].flags & VIRTUAL))
            buf_printf(sql, "%s%s", place++ ? ", " : " (", model->fields[i].name);
    buf_text(sql, ") SELECT * FROM unnest");
    place = 0;
    for (size_t i = 0; i < model->count; i++) {
        if (model->fields[i].flags & VIRTUAL)
            continue;
        ColumnKind kind = table_column(table, model->fields[i].name)->kind;
        buf_printf(sql, "%s$%zu::%s[]", place ? ", " : "(", place + 1, tx->sql->array_of[kind]);
        place++;
    }
    buf_char(sql, ')');
}

static const Value *all_values(Arena *arena, const Model *model, const void *objects, size_t count, size_t *ret_count)
{
    Value *values = arena_alloc(arena, model->count * sizeof *values);
    size_t n = 0;
    for (size_t i = 0; i < model->count; i++)
        if (!(model->fields[i].flags & VIRTUAL))
            values[n++] = column_values(arena, model, &model->fields[i], objects, count);
    *ret_count = n;
    return values;
}

static bool insert_each(Tx *tx, const Model *model, const void *objects, size_t count, bool *ret_new)
{
    for (size_t i = 0; i < count; i++) {
        const void *object = object_at(model, objects, i);
        int64_t rows = ret_new ? codec_insert_new(tx, model, object) : codec_send_insert(tx, model, object) ? 1 : -1;
        if (rows < 0)
            return false;
        if (ret_new)
            ret_new[i] = rows > 0;
    }
    return true;
}

bool batch_send_insert(Tx *tx, const Model *model, const void *objects, size_t count)
{
    Buf sql;
    size_t n;
    if (!tx->sql->array_of || count <= 1)
        return insert_each(tx, model, objects, count, NULL);
    buf_init(&sql, tx->arena, 1024);
    add_statement(&sql, tx, model);
    const Value *values = all_values(tx->arena, model, objects, count, &n);
    return db_send(tx, buf_cstr(&sql), values, n);
}

/* The object with that id, looked for from `first` on: rows come in the order of the objects, as a rule. */
static size_t find_object(const Model *model, const void *objects, size_t count, size_t first, Str id)
{
    for (size_t i = 0; i < count; i++) {
        size_t index = (first + i) % count;
        if (str_eq(*(const Str *)object_at(model, objects, index), id))
            return index;
    }
    return count;
}

bool batch_insert_new(Tx *tx, const Model *model, const void *objects, size_t count, bool *ret_new)
{
    Buf sql;
    size_t n, at = 0;
    if (!tx->sql->array_of || count == 0)
        return insert_each(tx, model, objects, count, ret_new);
    buf_init(&sql, tx->arena, 1024);
    add_statement(&sql, tx, model);
    codec_add_conflict(&sql, model);
    buf_text(&sql, "NOTHING RETURNING id");
    const Value *values = all_values(tx->arena, model, objects, count, &n);
    Rows *rows = db_query(tx, buf_cstr(&sql), values, n);
    memset(ret_new, 0, count * sizeof *ret_new);
    while (db_next(rows)) {
        at = find_object(model, objects, count, at, row_view(rows, 0));
        if (at < count)
            ret_new[at] = true;
    }
    return tx->error->code == ERR_NONE;
}

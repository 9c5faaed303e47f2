/* entity/row.c -- structs and rows by their tables: the column list, reading, INSERT and UPDATE.
 * The same table and the same set of fields give the same bytes of SQL, so that statement caches hit. */
#include "entity/codec.h"

#include "base/text.h"
#include "base/unicode.h"
#include "base/uuid.h"

static bool is_selected(const Field *field)
{
    return field->sql || !(field->flags & (VIRTUAL | WRITE_ONLY));
}

static bool is_column(const Field *field)
{
    return !(field->flags & VIRTUAL);
}

/* The field is a joined table: its columns are those of the field's model. */
static bool is_joined(const Field *field)
{
    return field->sql && field->kind == F_OPT_MODEL;
}

/* Appends each column after the separator; returns the separator for the next one. */
static const char *add_columns(Buf *sql, const Model *model, const char *table, const char *separator)
{
    for (size_t i = 0; i < model->count; i++) {
        const Field *field = &model->fields[i];
        if (!is_selected(field))
            continue;
        if (is_joined(field)) {
            separator = add_columns(sql, field->model, field->sql, separator);
            continue;
        }
        buf_text(sql, separator);
        if (!field->sql) {
            buf_text(sql, table);
            buf_char(sql, '.');
        }
        buf_text(sql, field->sql ? field->sql : field->name);
        separator = ", ";
    }
    return separator;
}

void codec_columns(Buf *sql, const Model *model)
{
    (void)add_columns(sql, model, model->table, "SELECT ");
}

const char *codec_from(const Model *model)
{
    return model->from ? model->from : model->table;
}

void codec_select(Buf *sql, const Model *model)
{
    codec_columns(sql, model);
    buf_text(sql, " FROM ");
    buf_text(sql, codec_from(model));
}

/* ---- values that another program may have stored ---- */

static bool is_uuid(Str text)
{
    if (text.n != UUID_TEXT)
        return false;
    for (size_t i = 0; i < UUID_TEXT; i++)
        if ((i == 8 || i == 13 || i == 18 || i == 23) ? text.p[i] != '-' : char_hex_value(text.p[i]) < 0)
            return false;
    return true;
}

static bool is_json(Arena *arena, Str text)
{
    return str_is(text, "{}") || str_is(text, "[]") || json_is_valid(arena, text);
}

/* The first character of a JSON value of the kind; 0: any. */
static char first_of_kind(FieldKind kind)
{
    switch (kind) {
    case F_DICT:
    case F_MODEL:
    case F_OPT_MODEL: return '{';
    case F_STRS:
    case F_UUIDS: return '[';
    default: return 0;
    }
}

static void check_shape(Rows *rows, int column, Str text, FieldKind kind)
{
    const char *fault = json_shape_fault(text, first_of_kind(kind));
    if (fault)
        row_spoil(rows, column, fault);
}

static Str read_json(Arena *arena, Rows *rows, int column, FieldKind kind)
{
    Str text = row_text(rows, column);
    /* A typed engine holds nothing but JSON in the column; the kind of value may still be wrong. */
    if (text.p && !row_is_typed(rows) && !is_json(arena, text))
        row_spoil(rows, column, "is not JSON");
    else
        check_shape(rows, column, text, kind);
    return text;
}

static void read_model(Arena *arena, Rows *rows, int column, const Model *model, void *object)
{
    Str text = row_text(rows, column);
    if (!codec_load(arena, model, text, object) && text.p)
        row_spoil(rows, column, "is not JSON");
    else
        check_shape(rows, column, text, F_MODEL);
}

static void *load_opt_model(Arena *arena, Rows *rows, int column, const Model *model)
{
    if (row_is_null(rows, column) || str_is(row_view(rows, column), "null"))
        return NULL;
    void *object = arena_alloc(arena, model->size);
    read_model(arena, rows, column, model, object);
    return object;
}

static Str read_text(Rows *rows, int column, FieldKind kind)
{
    Str text = row_text(rows, column);
    if (!text.p || row_is_typed(rows))
        return text;
    if (kind == F_UUID) {
        if (!is_uuid(text))
            row_spoil(rows, column, "is not a UUID");
    } else if (!utf8_is_valid(text))
        row_spoil(rows, column, "is not UTF-8");
    return text;
}

static int enum_of_row(Rows *rows, int column, const char *const *names)
{
    Str name = row_view(rows, column);
    for (int i = 0; name.p && names[i]; i++) {
        if (str_is(name, names[i]))
            return i;
    }
    if (name.p)
        row_spoil(rows, column, "is not one of its values");
    return -1;
}

static void read_column(Arena *arena, Rows *rows, int column, const Field *field, void *member)
{
    bool has = !row_is_null(rows, column);
    switch (field->kind) {
    case F_INT:
        *(int64_t *)member = has ? row_int(rows, column) : 0;
        break;
    case F_OPT_INT:
        *(OptInt *)member = (OptInt){ has ? row_int(rows, column) : 0, has };
        break;
    case F_FLOAT:
        *(double *)member = has ? row_real(rows, column) : 0;
        break;
    case F_OPT_FLOAT:
        *(OptReal *)member = (OptReal){ has ? row_real(rows, column) : 0, has };
        break;
    case F_BOOL:
        *(bool *)member = has && row_bool(rows, column);
        break;
    case F_OPT_BOOL:
        *(OptBool *)member = (OptBool){ has && row_bool(rows, column), has };
        break;
    case F_TIME:
        *(Time *)member = has ? row_time(rows, column) : TIME_NULL;
        break;
    case F_MOMENT:
        *(Moment *)member = MOMENT(has ? row_time(rows, column) : TIME_NULL);
        break;
    case F_DURATION:
        *(int64_t *)member = has ? row_interval(rows, column) : 0;
        break;
    case F_ENUM:
        *(int *)member = enum_of_row(rows, column, field->names);
        break;
    case F_MODEL:
        read_model(arena, rows, column, field->model, member);
        break;
    case F_OPT_MODEL:
        *(void **)member = load_opt_model(arena, rows, column, field->model);
        break;
    case F_STR:
    case F_UUID:
        *(Str *)member = read_text(rows, column, field->kind);
        break;
    default:
        *(Str *)member = read_json(arena, rows, column, field->kind);
        break;
    }
}

/* Reads the model's columns from *column on, in the order in which add_columns wrote them; moves *column past them. */
static void read_columns(Tx *tx, Rows *rows, int *column, const Model *model, void *object);

/* NULL if the join found no row: its id, the first column, is null. The columns are read
 * even then, to move past them. */
static void *read_joined(Tx *tx, Rows *rows, int *column, const Model *model)
{
    bool is_there = !row_is_null(rows, *column);
    void *object = arena_zalloc(tx->arena, model->size);
    read_columns(tx, rows, column, model, object);
    return is_there ? object : NULL;
}

static void read_columns(Tx *tx, Rows *rows, int *column, const Model *model, void *object)
{
    const bool has_id = strcmp(model->fields[0].name, "id") == 0;
    for (size_t i = 0; i < model->count; i++) {
        const Field *field = &model->fields[i];
        void *member = (char *)object + field->offset;
        if (!is_selected(field))
            continue;
        if (is_joined(field)) {
            *(void **)member = read_joined(tx, rows, column, field->model);
            continue;
        }
        read_column(tx->arena, rows, (*column)++, field, member);
        /* For a message, should the value have spoiled the row. The id is the first column,
         * so it has been read by now. */
        row_name_fault(rows, field->name,
                       has_id && i > 0 ? *(const Str *)((char *)object + model->fields[0].offset) : STR_NULL);
    }
    if (model->complete)
        model->complete(tx, object);
}

void codec_read_row(Tx *tx, Rows *rows, const Model *model, void *object)
{
    int column = 0;
    read_columns(tx, rows, &column, model, object);
}

bool codec_next(Tx *tx, Rows *rows, const Model *model, void *object)
{
    while (db_next(rows)) {
        codec_read_row(tx, rows, model, object);
        if (row_is_sound(rows))
            return true;
    }
    return false;
}

Rows *codec_query_values(Tx *tx, const Model *model, const char *rest, const Value *values, size_t count)
{
    Buf sql;
    buf_init(&sql, tx->arena, 2048);
    codec_select(&sql, model);
    buf_char(&sql, ' ');
    buf_text(&sql, rest);
    return db_query(tx, buf_cstr(&sql), values, count);
}

void *codec_first(Tx *tx, Rows *rows, const Model *model)
{
    if (!db_next(rows))
        return NULL;
    void *object = arena_zalloc(tx->arena, model->size);
    codec_read_row(tx, rows, model, object);
    db_done(rows); /* fails if the row is spoiled */
    return tx->error->code == ERR_NONE ? object : NULL;
}

static Value enum_value(const Field *field, int value)
{
    return v_text(value < 0 ? STR_NULL : str_from(field->names[value]));
}

static Value opt_model_value(Arena *arena, const Field *field, const void *object)
{
    return object ? v_json(codec_stored(arena, field->model, object)) : v_null();
}

Value codec_value(Arena *arena, const Field *field, const void *object)
{
    const void *member = (const char *)object + field->offset;
    const OptInt *integer = member;
    const OptReal *real = member;
    const OptBool *boolean = member;
    switch (field->kind) {
    case F_STR:
        return v_text(*(const Str *)member);
    case F_UUID:
        return v_uuid(*(const Str *)member);
    case F_INT:
        return v_int(*(const int64_t *)member);
    case F_OPT_INT:
        return integer->has ? v_int(integer->v) : v_null();
    case F_FLOAT:
        return v_real(*(const double *)member);
    case F_OPT_FLOAT:
        return real->has ? v_real(real->v) : v_null();
    case F_BOOL:
        return v_bool(*(const bool *)member);
    case F_OPT_BOOL:
        return boolean->has ? v_bool(boolean->v) : v_null();
    case F_TIME:
        return v_time(*(const Time *)member);
    case F_MOMENT:
        return v_time(((const Moment *)member)->us);
    case F_DURATION:
        return v_interval(*(const int64_t *)member);
    case F_ENUM:
        return enum_value(field, *(const int *)member);
    case F_MODEL:
        return v_json(codec_stored(arena, field->model, member));
    case F_OPT_MODEL:
        return opt_model_value(arena, field, *(const void *const *)member);
    default:
        return v_json(*(const Str *)member);
    }
}

/* ---- writing ---- */

/* A statement being built, in the arena, and the values of its placeholders. */
typedef struct Statement {
    Buf sql;
    Value *values;
    size_t count;
} Statement;

static Statement statement_new(Arena *arena, size_t places)
{
    Statement s = { .values = arena_alloc(arena, places * sizeof *s.values) };
    buf_init(&s.sql, arena, 2048);
    return s;
}

static void add_place(Buf *sql, size_t number)
{
    buf_char(sql, '$');
    buf_int(sql, (int64_t)number);
}

/* "INSERT INTO table (columns) VALUES ($1, $2 …", without the end; `values` is the text between. */
static void add_insert(Arena *arena, Statement *s, const Model *model, const void *object, const char *values)
{
    const size_t first = s->count;
    buf_text(&s->sql, "INSERT INTO ");
    buf_text(&s->sql, model->table);
    for (size_t i = 0; i < model->count; i++) {
        const Field *field = &model->fields[i];
        if (!is_column(field))
            continue;
        buf_text(&s->sql, s->count > first ? ", " : " (");
        buf_text(&s->sql, field->name);
        s->values[s->count++] = codec_value(arena, field, object);
    }
    for (size_t i = first; i < s->count; i++) {
        buf_text(&s->sql, i > first ? ", " : values);
        add_place(&s->sql, i + 1);
    }
}

static Statement insert_statement(Tx *tx, const Model *model, const void *object)
{
    Statement s = statement_new(tx->arena, model->count);
    add_insert(tx->arena, &s, model, object, ") VALUES (");
    buf_char(&s.sql, ')');
    return s;
}

void codec_add_conflict(Buf *sql, const Model *model)
{
    const char *separator = " ON CONFLICT (";
    for (size_t i = 0; i < model->count; i++) {
        if (!(model->fields[i].flags & KEY))
            continue;
        buf_text(sql, separator);
        buf_text(sql, model->fields[i].name);
        separator = ", ";
    }
    buf_text(sql, ") DO ");
}

static void add_changes(Buf *sql, const Model *model)
{
    const char *separator = "UPDATE SET ", *table = model->table;
    for (size_t i = 0; i < model->count; i++) {
        const Field *field = &model->fields[i];
        const char *name = field->name;
        if (field->flags & (VIRTUAL | KEY | KEPT))
            continue;
        buf_printf(sql, "%s%s = ", separator, name);
        if (strcmp(name, "updated") == 0) /* as SET_UPDATED */
            buf_printf(sql, "CASE WHEN %s.updated > excluded.updated THEN %s.updated ELSE excluded.updated END", table,
                       table);
        else if (field->flags & KEPT_FOR_NULL)
            buf_printf(sql, "COALESCE(excluded.%s, %s.%s)", name, table, name);
        else
            buf_printf(sql, "excluded.%s", name);
        separator = ", ";
    }
}

int64_t codec_insert(Tx *tx, const Model *model, const void *object)
{
    Statement s = insert_statement(tx, model, object);
    return db_exec(tx, buf_cstr(&s.sql), s.values, s.count);
}

int64_t codec_insert_new(Tx *tx, const Model *model, const void *object)
{
    Statement s = insert_statement(tx, model, object);
    codec_add_conflict(&s.sql, model);
    buf_text(&s.sql, "NOTHING");
    return db_exec(tx, buf_cstr(&s.sql), s.values, s.count);
}

/* Unless `is_new`, as codec_insert_new. The parts of WITH are named like the tables, so that the model's SELECT reads
 * what they return. */
int64_t codec_insert_both(Tx *tx, const Model *model, void *object, bool is_new, const Model *with, const void *other)
{
    Statement s = statement_new(tx->arena, model->count + with->count);
    buf_printf(&s.sql, "WITH %s AS (", model->table);
    add_insert(tx->arena, &s, model, object, ") VALUES (");
    buf_char(&s.sql, ')');
    if (!is_new) {
        codec_add_conflict(&s.sql, model);
        buf_text(&s.sql, "NOTHING");
    }
    buf_printf(&s.sql, " RETURNING *), %s AS (", with->table);
    add_insert(tx->arena, &s, with, other, ") SELECT ");
    buf_printf(&s.sql, " FROM %s RETURNING *) ", model->table);
    codec_select(&s.sql, model);
    Rows *rows = db_query(tx, buf_cstr(&s.sql), s.values, s.count);
    bool found = db_next(rows);
    if (found)
        codec_read_row(tx, rows, model, object);
    db_done(rows); /* fails if the row is spoiled */
    return tx->error->code == ERR_NONE ? found : -1;
}

int64_t codec_upsert(Tx *tx, const Model *model, const void *object)
{
    Statement s = insert_statement(tx, model, object);
    codec_add_conflict(&s.sql, model);
    add_changes(&s.sql, model);
    return db_exec(tx, buf_cstr(&s.sql), s.values, s.count);
}

bool codec_send_insert(Tx *tx, const Model *model, const void *object)
{
    Statement s = insert_statement(tx, model, object);
    return db_send(tx, buf_cstr(&s.sql), s.values, s.count);
}

static Statement update_statement(Tx *tx, const Model *model, Str id, const void *object, FieldSet set)
{
    Statement s = statement_new(tx->arena, model->count + 2);
    /* $1 is the time in SET_UPDATED. */
    s.values[s.count++] = v_time(tx->now);
    buf_text(&s.sql, "UPDATE ");
    buf_text(&s.sql, model->table);
    buf_text(&s.sql, " SET ");
    for (size_t i = 0; i < model->count; i++) {
        const Field *field = &model->fields[i];
        if (!(set >> i & 1) || !is_column(field))
            continue;
        s.values[s.count++] = codec_value(tx->arena, field, object);
        buf_text(&s.sql, field->name);
        buf_text(&s.sql, " = ");
        add_place(&s.sql, s.count);
        buf_text(&s.sql, ", ");
    }
    s.values[s.count++] = v_uuid(id);
    buf_text(&s.sql, SET_UPDATED " WHERE id = ");
    add_place(&s.sql, s.count);
    return s;
}

int64_t codec_update(Tx *tx, const Model *model, Str id, const void *object, FieldSet set)
{
    Statement s = update_statement(tx, model, id, object, set);
    return db_exec(tx, buf_cstr(&s.sql), s.values, s.count);
}

bool codec_send_update(Tx *tx, const Model *model, Str id, const void *object, FieldSet set)
{
    Statement s = update_statement(tx, model, id, object, set);
    return db_send(tx, buf_cstr(&s.sql), s.values, s.count);
}

int64_t codec_delete(Tx *tx, const Model *model, Str id)
{
    const Value value = v_uuid(id);
    return db_exec(tx, arena_printf(tx->arena, "DELETE FROM %s WHERE id = $1", model->table).p, &value, 1);
}

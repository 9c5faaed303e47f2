/* entity/row.c -- structs and rows by their tables: the column list, reading, INSERT and UPDATE.
 * The same table and the same set of fields give the same bytes of SQL, so that statement caches hit. */
#include "entity/codec.h"

#include "base/ident.h"
#include "base/unicode.h"

static bool is_selected(const Field *field)
{
    return field->sql || !(field->flags & VIRTUAL);
}

void codec_select(Buf *sql, const Model *model, const char *table)
{
    const char *separator = "";
    for (size_t i = 0; i < model->count; i++) {
        const Field *field = &model->fields[i];
        if (!is_selected(field))
            continue;
        if (field->sql)
            buf_printf(sql, "%s%s", separator, field->sql);
        else
            buf_printf(sql, "%s%s.%s", separator, table, field->name);
        separator = ", ";
    }
}

/* ---- values that another program may have stored ---- */

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_uuid(Str text)
{
    if (text.n != UUID_TEXT)
        return false;
    for (size_t i = 0; i < UUID_TEXT; i++)
        if ((i == 8 || i == 13 || i == 18 || i == 23) ? text.p[i] != '-' : !is_hex(text.p[i]))
            return false;
    return true;
}

static bool is_json(Arena *arena, Str text)
{
    if (str_is(text, "{}") || str_is(text, "[]"))
        return true;
    ArenaMark mark = arena_mark(arena);
    const Json *json;
    JsonError unused;
    bool ok = json_parse(arena, text, &json, &unused);
    arena_release(arena, mark);
    return ok;
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

Str codec_row_json(Arena *arena, Rows *rows, int column, FieldKind kind)
{
    Str text = row_text(rows, column);
    if (text.p && !row_is_typed(rows) && !is_json(arena, text))
        row_spoil(rows, column, "is not JSON");
    else
        check_shape(rows, column, text, kind);
    return text;
}

void codec_row_model(Arena *arena, Rows *rows, int column, const Model *model, void *object)
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
    codec_row_model(arena, rows, column, model, object);
    return object;
}

Str codec_row_text(Rows *rows, int column, FieldKind kind)
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
        codec_row_model(arena, rows, column, field->model, member);
        break;
    case F_OPT_MODEL:
        *(void **)member = load_opt_model(arena, rows, column, field->model);
        break;
    case F_STR:
    case F_UUID:
        *(Str *)member = codec_row_text(rows, column, field->kind);
        break;
    default:
        *(Str *)member = codec_row_json(arena, rows, column, field->kind);
        break;
    }
}

void codec_read_row(Arena *arena, Rows *rows, int *column, const Model *model, void *object)
{
    const bool has_id = strcmp(model->fields[0].name, "id") == 0;
    for (size_t i = 0; i < model->count; i++) {
        const Field *field = &model->fields[i];
        if (!is_selected(field))
            continue;
        read_column(arena, rows, (*column)++, field, (char *)object + field->offset);
        row_name_fault(rows, field->name, has_id && i > 0 ? *(const Str *)((char *)object + model->fields[0].offset) : STR_NULL);
    }
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

/* A statement and the values of its places. */
typedef struct Statement {
    Buf sql;
    Value *values;
    size_t count;
} Statement;

static Statement insert_statement(Tx *tx, const Model *model, const char *table, const void *object, const char *conflict)
{
    Statement s = { .values = arena_alloc(tx->arena, model->count * sizeof *s.values) };
    Buf places;
    buf_init(&s.sql, tx->arena, 1024);
    buf_init(&places, tx->arena, 256);
    buf_printf(&s.sql, "INSERT INTO %s (", table);
    for (size_t i = 0; i < model->count; i++) {
        const Field *field = &model->fields[i];
        if (field->flags & VIRTUAL)
            continue;
        buf_printf(&s.sql, "%s%s", s.count ? ", " : "", field->name);
        buf_printf(&places, "%s$%zu", s.count ? ", " : "", s.count + 1);
        s.values[s.count++] = codec_value(tx->arena, field, object);
    }
    buf_text(&s.sql, ") VALUES (");
    buf_str(&s.sql, buf_view(&places));
    buf_char(&s.sql, ')');
    if (conflict)
        buf_printf(&s.sql, " %s", conflict);
    return s;
}

int64_t codec_insert(Tx *tx, const Model *model, const char *table, const void *object, const char *conflict)
{
    Statement s = insert_statement(tx, model, table, object, conflict);
    return db_exec(tx, buf_cstr(&s.sql), s.values, s.count);
}

bool codec_send_insert(Tx *tx, const Model *model, const char *table, const void *object)
{
    Statement s = insert_statement(tx, model, table, object, NULL);
    return db_send(tx, buf_cstr(&s.sql), s.values, s.count);
}

void *codec_first_row(Tx *tx, Rows *rows, const Model *model)
{
    if (!db_next(rows))
        return NULL;
    void *object = arena_zalloc(tx->arena, model->size);
    int column = 0;
    codec_read_row(tx->arena, rows, &column, model, object);
    db_done(rows); /* fails where the row is spoiled */
    return tx->error->code == ERR_NONE ? object : NULL;
}

static Statement update_statement(Tx *tx, const Model *model, const char *table, Str id, const void *object, FieldSet set)
{
    Statement s = { .values = arena_alloc(tx->arena, (model->count + 2) * sizeof *s.values) };
    s.values[s.count++] = v_time(tx->now);
    buf_init(&s.sql, tx->arena, 1024);
    buf_printf(&s.sql, "UPDATE %s SET ", table);
    for (size_t i = 0; i < model->count; i++) {
        const Field *field = &model->fields[i];
        if (!(set >> i & 1) || (field->flags & VIRTUAL))
            continue;
        s.values[s.count] = codec_value(tx->arena, field, object);
        buf_printf(&s.sql, "%s = $%zu, ", field->name, ++s.count);
    }
    s.values[s.count++] = v_uuid(id);
    buf_printf(&s.sql, SET_UPDATED " WHERE id = $%zu", s.count);
    return s;
}

int64_t codec_update(Tx *tx, const Model *model, const char *table, Str id, const void *object, FieldSet set)
{
    Statement s = update_statement(tx, model, table, id, object, set);
    return db_exec(tx, buf_cstr(&s.sql), s.values, s.count);
}

bool codec_send_update(Tx *tx, const Model *model, const char *table, Str id, const void *object, FieldSet set)
{
    Statement s = update_statement(tx, model, table, id, object, set);
    return db_send(tx, buf_cstr(&s.sql), s.values, s.count);
}

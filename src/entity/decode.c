/* entity/decode.c -- JSON to structs by their tables: known fields in table order, then unknown members. */
#include "entity/decode.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

static void set_fallback(Arena *arena, const Field *field, void *member);

static void set_fallbacks(Arena *arena, const Model *model, void *object)
{
    for (size_t i = 0; i < model->count; i++)
        set_fallback(arena, &model->fields[i], (char *)object + model->fields[i].offset);
}

/* The member is already zeroed; only kinds whose empty value is not zero need more. */
static void set_null(Arena *arena, const Field *field, void *member)
{
    switch (field->kind) {
    case F_TIME:
        *(Time *)member = TIME_NULL;
        break;
    case F_MOMENT:
        *(Moment *)member = MOMENT_NULL;
        break;
    case F_ENUM:
        *(int *)member = -1;
        break;
    case F_MODEL:
        set_fallbacks(arena, field->model, member);
        break;
    default:
        break;
    }
}

static bool decode_kind(Invalid *invalid, const Field *field, const Json *json, void *member);

static void set_fallback(Arena *arena, const Field *field, void *member)
{
    set_null(arena, field, member);
    if (!field->fallback)
        return;
    Invalid invalid;
    const Json *json = json_read(arena, str_from(field->fallback));
    invalid_init(&invalid, arena, TIME_NULL);
    bool ok = json && (json_is_null(json) || decode_kind(&invalid, field, json, member));
    assert(ok); /* fallbacks are literals of tables: a bad one is a bug */
    (void)ok;
}

static size_t member_size(const Field *field)
{
    switch (field->kind) {
    case F_INT:
    case F_DURATION:
        return sizeof(int64_t);
    case F_OPT_INT:
        return sizeof(OptInt);
    case F_FLOAT:
        return sizeof(double);
    case F_OPT_FLOAT:
        return sizeof(OptReal);
    case F_BOOL:
        return sizeof(bool);
    case F_OPT_BOOL:
        return sizeof(OptBool);
    case F_TIME:
        return sizeof(Time);
    case F_MOMENT:
        return sizeof(Moment);
    case F_ENUM:
        return sizeof(int);
    case F_MODEL:
        return field->model->size;
    case F_OPT_MODEL:
        return sizeof(void *);
    default:
        return sizeof(Str);
    }
}

/* Back to the fallback: decoding may have left half a value behind. */
static void reset(Arena *arena, const Field *field, void *member)
{
    memset(member, 0, member_size(field));
    set_fallback(arena, field, member);
}

bool decode_list(Invalid *invalid, const Field *element, const Json *json, Str *ret)
{
    invalid->input = json;
    if (json->kind != JSON_ARRAY)
        return invalid_list(invalid);
    Buf text;
    JsonWriter w;
    buf_init(&text, invalid->arena, json->text.n + 2);
    json_writer_init(&w, &text, JSON_STORED);
    json_array(&w);
    bool ok = true;
    int64_t index = 0;
    /* Goes on after an error, so that those of all elements are listed. */
    for (const Json *item = json->child; item; item = item->next, index++) {
        union { Str s; int64_t i; int e; } value = { .s = STR_NULL };
        invalid_enter_index(invalid, index);
        ok = codec_decode_field(invalid, element, item, &value) && ok;
        invalid_leave(invalid);
        if (!ok)
            continue;
        if (element->kind == F_ENUM)
            json_text(&w, element->names[value.e]);
        else if (element->kind == F_INT)
            json_int(&w, value.i);
        else
            json_str(&w, value.s);
    }
    json_array_end(&w);
    if (ok)
        *ret = buf_view(&text);
    return ok;
}

static bool decode_dict(Invalid *invalid, const Json *json, Str *ret)
{
    const Json *object = coerce_object(invalid, json, false);
    if (object)
        *ret = json_format(invalid->arena, object, JSON_STORED);
    return object != NULL;
}

static bool decode_opt_model(Invalid *invalid, const Field *field, const Json *json, void *member)
{
    void *object = arena_alloc(invalid->arena, field->model->size);
    bool ok = codec_decode(invalid, field->model, json, object, NULL);
    if (ok)
        *(void **)member = object;
    return ok;
}

static bool decode_time(Invalid *invalid, const Json *json, Time *ret)
{
    Moment moment;
    bool ok = coerce_moment(invalid, json, &moment);
    if (ok)
        *ret = moment.us;
    return ok;
}

/* `json` is not null. */
static bool decode_kind(Invalid *invalid, const Field *field, const Json *json, void *member)
{
    static const Field text = { .kind = F_STR }, uuid = { .kind = F_UUID };
    if (field->decode)
        return field->decode(invalid, json, member);
    switch (field->kind) {
    case F_STR:
        return coerce_str(invalid, json, member);
    case F_UUID:
        return coerce_uuid(invalid, json, member);
    case F_INT:
        return coerce_int(invalid, json, member);
    case F_OPT_INT:
        return ((OptInt *)member)->has = coerce_int(invalid, json, &((OptInt *)member)->v);
    case F_FLOAT:
        return coerce_float(invalid, json, member);
    case F_OPT_FLOAT:
        return ((OptReal *)member)->has = coerce_float(invalid, json, &((OptReal *)member)->v);
    case F_BOOL:
        return coerce_bool(invalid, json, member);
    case F_OPT_BOOL:
        return ((OptBool *)member)->has = coerce_bool(invalid, json, &((OptBool *)member)->v);
    case F_TIME:
        return decode_time(invalid, json, member);
    case F_MOMENT:
        return coerce_moment(invalid, json, member);
    case F_DURATION:
        return coerce_duration(invalid, json, member);
    case F_ENUM:
        return coerce_enum(invalid, json, field->names, member);
    case F_DICT:
        return decode_dict(invalid, json, member);
    case F_ANY:
        *(Str *)member = json_format(invalid->arena, json, JSON_STORED);
        return true;
    case F_STRS:
        return decode_list(invalid, &text, json, member);
    case F_UUIDS:
        return decode_list(invalid, &uuid, json, member);
    case F_MODEL:
        return codec_decode(invalid, field->model, json, member, NULL);
    case F_OPT_MODEL:
        return decode_opt_model(invalid, field, json, member);
    case F_CUSTOM: /* has .decode */
        break;
    }
    return false;
}

/* Python's numbers have no bounds: one below ours is handed to the field's check as the least, or for floats as one
 * that no bound accepts, so that it is out of range rather than malformed. */
static bool is_far_below(Invalid *invalid, const Field *field, const Json *json, void *member)
{
    bool of_int = field->kind == F_INT || field->kind == F_OPT_INT;
    bool of_float = field->kind == F_FLOAT || field->kind == F_OPT_FLOAT;
    if (!field->check || !(of_int || of_float) || !coerce_rules(invalid)->is_far_below(invalid, json, of_int))
        return false;
    if (field->kind == F_INT)
        *(int64_t *)member = INT64_MIN;
    else if (field->kind == F_OPT_INT)
        *(OptInt *)member = (OptInt){ .v = INT64_MIN, .has = true };
    else if (field->kind == F_FLOAT)
        *(double *)member = NAN;
    else
        *(OptReal *)member = (OptReal){ .v = NAN, .has = true };
    return true;
}

/* The member already holds the kind's empty value. */
static bool decode_value(Invalid *invalid, const Field *field, const Json *json, void *member)
{
    invalid->input = json;
    if (json->kind == JSON_NULL && ((field->flags & NULLABLE) || field->kind == F_ANY))
        return true;
    if (json->kind == JSON_NULL && (coerce_rules(invalid)->refuses_null || field->decode))
        return invalid_null(invalid);
    bool ok = is_far_below(invalid, field, json, member) || decode_kind(invalid, field, json, member);
    invalid->input = json; /* again, after those of its parts */
    return ok && (!field->check || field->check(invalid, member));
}

bool codec_decode_field(Invalid *invalid, const Field *field, const Json *json, void *member)
{
    memset(member, 0, member_size(field));
    set_null(invalid->arena, field, member);
    return decode_value(invalid, field, json, member);
}

/* One field of an object. *ret_sent: it was there, and is not IGNORED. */
static bool decode_member(Invalid *invalid, const Field *field, const Json *object, void *member, bool *ret_sent)
{
    const Json *json = json_get(object, field->name);
    *ret_sent = json && !(field->flags & IGNORED);
    if (!json && !(field->flags & REQUIRED)) {
        set_fallback(invalid->arena, field, member);
        return true;
    }
    bool ok;
    invalid_enter(invalid, field->name);
    invalid->input = object;
    if (json)
        ok = codec_decode_field(invalid, field, json, member);
    else
        ok = invalid_missing(invalid);
    invalid_leave(invalid);
    if (!ok || (field->flags & IGNORED))
        reset(invalid->arena, field, member);
    return ok;
}

static bool known_field(const void *table, Str key)
{
    const Model *model = table;
    for (size_t i = 0; i < model->count; i++) {
        if (str_is(key, model->fields[i].name))
            return true;
    }
    return false;
}

bool codec_decode(Invalid *invalid, const Model *model, const Json *json, void *object, FieldSet *ret_sent)
{
    memset(object, 0, model->size);
    const Pydantic *rules = coerce_rules(invalid);
    invalid->input = json;
    const Json *body = coerce_object(invalid, json, true);
    if (!body)
        return false;
    bool ok = true;
    FieldSet sent = 0;
    for (size_t i = 0; i < model->count; i++) {
        bool present;
        ok = decode_member(invalid, &model->fields[i], body, (char *)object + model->fields[i].offset, &present) && ok;
        sent |= (FieldSet)present << i;
    }
    if (model->forbid_extra)
        ok = invalid_extras(invalid, body, known_field, model) && ok;
    invalid->input = json;
    if (model->finish && (ok || rules->finishes_after_errors)) /* wrong fields hold their fallback */
        ok = model->finish(invalid, object) && ok;
    if (ok && ret_sent)
        *ret_sent = sent;
    return ok;
}

/* Like decode_member, but anything wrong is replaced by its fallback. */
static void load_member(Invalid *unread, const Field *field, const Json *object, void *member)
{
    const Json *json = json_get(object, field->name);
    if (!json || !codec_decode_field(unread, field, json, member))
        reset(unread->arena, field, member);
}

bool codec_load(Arena *arena, const Model *model, Str json_text, void *object)
{
    Invalid unread;
    const Json *json = json_read(arena, json_text);
    invalid_init(&unread, arena, TIME_NULL);
    memset(object, 0, model->size);
    for (size_t i = 0; i < model->count; i++)
        load_member(&unread, &model->fields[i], json, (char *)object + model->fields[i].offset);
    if (model->finish)
        (void)!model->finish(&unread, object);
    return json != NULL;
}

/* entity/encode.c -- structs to JSON by their tables: responses, and the text of JSON columns. */
#include "entity/codec.h"

static void write_time(JsonWriter *w, Moment moment)
{
    char bytes[48];
    Buf text = { .arena = w->out->arena, .p = bytes, .capacity = sizeof bytes };
    if (moment.us == TIME_NULL) {
        json_null(w);
        return;
    }
    moment_format(&text, moment);
    json_str(w, buf_view(&text));
}

static void write_optional(JsonWriter *w, const Field *field, const void *member)
{
    /* The field's kind says which of the three the member is. */
    const OptInt *integer = member;
    const OptReal *real = member;
    const OptBool *boolean = member;
    if (field->kind == F_OPT_INT && integer->has)
        json_int(w, integer->v);
    else if (field->kind == F_OPT_FLOAT && real->has)
        json_float(w, real->v);
    else if (field->kind == F_OPT_BOOL && boolean->has)
        json_bool(w, boolean->v);
    else
        json_null(w);
}

static void write_opt_model(JsonWriter *w, const Field *field, const void *object)
{
    if (object)
        codec_write(w, field->model, object);
    else
        json_null(w);
}

static void write_member(JsonWriter *w, const Field *field, const void *member)
{
    switch (field->kind) {
    case F_STR:
    case F_UUID:
        json_str(w, *(const Str *)member);
        break;
    case F_INT:
        json_int(w, *(const int64_t *)member);
        break;
    case F_FLOAT:
        json_float(w, *(const double *)member);
        break;
    case F_BOOL:
        json_bool(w, *(const bool *)member);
        break;
    case F_OPT_INT:
    case F_OPT_FLOAT:
    case F_OPT_BOOL:
        write_optional(w, field, member);
        break;
    case F_TIME:
        write_time(w, MOMENT(*(const Time *)member));
        break;
    case F_MOMENT:
        write_time(w, *(const Moment *)member);
        break;
    case F_DURATION:
        json_float(w, (double)*(const int64_t *)member / (double)SECOND);
        break;
    case F_ENUM:
        json_text(w, *(const int *)member < 0 ? NULL : field->names[*(const int *)member]);
        break;
    case F_DICT:
    case F_ANY:
    case F_STRS:
    case F_UUIDS:
    case F_CUSTOM:
        json_stored(w, *(const Str *)member);
        break;
    case F_MODEL:
        codec_write(w, field->model, member);
        break;
    case F_OPT_MODEL:
        write_opt_model(w, field, *(const void *const *)member);
        break;
    }
}

void codec_write(JsonWriter *w, const Model *model, const void *object)
{
    json_object(w);
    for (size_t i = 0; i < model->count; i++) {
        const Field *field = &model->fields[i];
        if (field->flags & HIDDEN)
            continue;
        json_key(w, field->name);
        write_member(w, field, (const char *)object + field->offset);
    }
    json_object_end(w);
}

Str codec_stored(Arena *arena, const Model *model, const void *object)
{
    Buf text;
    JsonWriter w;
    buf_init(&text, arena, 512);
    json_writer_init(&w, &text, JSON_STORED);
    codec_write(&w, model, object);
    return buf_view(&text);
}

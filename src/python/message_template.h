/* python/message_template.h -- messages with {fields}, read as Python's str.format reads them. */
#ifndef ORION_MESSAGE_TEMPLATE_H
#define ORION_MESSAGE_TEMPLATE_H

#include "base/buf.h"

/* The value of a field. `repr`: what "!r" and "!a" make of it. */
typedef struct TemplateValue {
    const char *name;
    Str text, repr;
} TemplateValue;

/* Why a template is refused, as pydantic reports a validator's error. */
typedef struct TemplateFault {
    const char *type; /* "value_error" or "type_error" */
    Str message;
} TemplateFault;

/* The template filled in. Every value is a text, so that "{x:>20}" and "{x[0]}" do what they do to a string
 * in Python. False: *fault. */
bool message_template_fill(Arena *arena, Str template, const TemplateValue *values, size_t count, Str *ret,
                           TemplateFault *fault) MUST_CHECK;

#endif

/* config/setting_value.h -- one setting's value: read from text as pydantic 1 would, and printed as Python would. */
#ifndef ORION_SETTING_VALUE_H
#define ORION_SETTING_VALUE_H

#include "config/settings.h"
#include "config/toml.h"

typedef struct SettingValue {
    Str text;       /* as Python's str() prints it; null is None */
    int64_t integer; /* of numbers (no fraction, at most 64 bits); 0 or 1 of booleans */
    double number;
} SettingValue;

/* `kind` is what the text was in profiles.toml; what comes from the environment is a TOML_STRING.
 * False: *problem has pydantic's text and type. */
bool setting_parse(const Setting *setting, TomlKind kind, Str text, Arena *arena, SettingValue *ret,
                   SettingProblem *problem) MUST_CHECK;

#endif

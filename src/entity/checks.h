/* entity/checks.h -- checks of values that several entities share, for .check of their fields. */
#ifndef ORION_CHECKS_H
#define ORION_CHECKS_H

#include "entity/codec.h"

/* schemas.core.raise_on_invalid_name, for fields of kind F_STR: no / % & > < in names. */
bool check_name(Invalid *invalid, void *member);
/* The same in GEN_3 (types.names.Name, NameOrEmpty). */
bool check_name_pattern(Invalid *invalid, void *member);
bool check_name_or_empty_pattern(Invalid *invalid, void *member);

/* pydantic's conint(ge=…), for fields of the kind. An absent optional value passes. */
bool check_int_ge_0(Invalid *invalid, void *member);     /* F_INT */
bool check_opt_int_ge_0(Invalid *invalid, void *member); /* F_OPT_INT */
bool check_opt_int_ge_1(Invalid *invalid, void *member); /* F_OPT_INT */
bool check_int_gt_0(Invalid *invalid, void *member);     /* F_INT; PositiveInteger of GEN_3 */
bool check_opt_int_gt_0(Invalid *invalid, void *member); /* F_OPT_INT */
bool check_float_ge_0(Invalid *invalid, void *member);     /* F_FLOAT */
bool check_opt_float_ge_0(Invalid *invalid, void *member); /* F_OPT_FLOAT */

#endif

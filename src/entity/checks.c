/* entity/checks.c -- checks of values that several entities share. */
#include "entity/checks.h"

#include "entity/decode.h"

static bool has_forbidden(Str name)
{
    for (size_t i = 0; i < name.n; i++) {
        if (char_in(name.p[i], "/%&><"))
            return true;
    }
    return false;
}

bool check_name(Invalid *invalid, void *member)
{
    Str name = *(Str *)member;
    if (!has_forbidden(name))
        return true;
    Str repr = json_python_repr(invalid->arena, name);
    return invalid_add(invalid, "value_error.invalidname", NULL,
                       "Name %.*s contains an invalid character. Must not contain any of: ['/', '%%', '&', '>', '<'].",
                       STR_ARG(repr));
}

bool check_name_pattern(Invalid *invalid, void *member)
{
    const Str *name = member;
    return (name->n && !has_forbidden(*name)) || invalid_pattern(invalid, "^[^/%&><]+$");
}

bool check_name_or_empty_pattern(Invalid *invalid, void *member)
{
    return !has_forbidden(*(const Str *)member) || invalid_pattern(invalid, "^[^/%&><]*$");
}

bool check_int_ge_0(Invalid *invalid, void *member)
{
    return *(const int64_t *)member >= 0 || invalid_bound(invalid, BOUND_GE, "0");
}

bool check_opt_int_ge_0(Invalid *invalid, void *member)
{
    const OptInt *value = member;
    return !value->has || value->v >= 0 || invalid_bound(invalid, BOUND_GE, "0");
}

bool check_opt_int_ge_1(Invalid *invalid, void *member)
{
    const OptInt *value = member;
    return !value->has || value->v >= 1 || invalid_bound(invalid, BOUND_GE, "1");
}

bool check_int_gt_0(Invalid *invalid, void *member)
{
    return *(const int64_t *)member > 0 || invalid_bound(invalid, BOUND_GT, "0");
}

bool check_opt_int_gt_0(Invalid *invalid, void *member)
{
    const OptInt *value = member;
    return !value->has || value->v > 0 || invalid_bound(invalid, BOUND_GT, "0");
}

bool check_float_ge_0(Invalid *invalid, void *member)
{
    return *(const double *)member >= 0 || invalid_bound(invalid, BOUND_GE, "0.0");
}

bool check_opt_float_ge_0(Invalid *invalid, void *member)
{
    const OptReal *value = member;
    return !value->has || value->v >= 0 || invalid_bound(invalid, BOUND_GE, "0.0");
}

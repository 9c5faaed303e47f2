/* entity/checks.c -- checks of values that several entities share. */
#include "entity/checks.h"

bool check_name(Invalid *invalid, void *member)
{
    Str name = *(Str *)member;
    bool bad = false;
    for (size_t i = 0; i < name.n; i++)
        bad = bad || char_in(name.p[i], "/%&><");
    if (!bad)
        return true;
    Str repr = json_python_repr(invalid->arena, name);
    return invalid_add(invalid, "value_error.invalidname", NULL,
                       "Name %.*s contains an invalid character. Must not contain any of: ['/', '%%', '&', '>', '<'].",
                       STR_ARG(repr));
}

static bool check_ge(Invalid *invalid, int64_t value, int64_t minimum)
{
    if (value >= minimum)
        return true;
    Str ctx = arena_printf(invalid->arena, "{\"limit_value\":%lld}", (long long)minimum);
    return invalid_add(invalid, "value_error.number.not_ge", ctx.p,
                       "ensure this value is greater than or equal to %lld", (long long)minimum);
}

bool check_int_ge_0(Invalid *invalid, void *member)
{
    return check_ge(invalid, *(const int64_t *)member, 0);
}

bool check_opt_int_ge_0(Invalid *invalid, void *member)
{
    const OptInt *value = member;
    return !value->has || check_ge(invalid, value->v, 0);
}

bool check_opt_int_ge_1(Invalid *invalid, void *member)
{
    const OptInt *value = member;
    return !value->has || check_ge(invalid, value->v, 1);
}

/* python/python_values.h -- JSON values as Python's code sees and shows them; for the words of JSON schema errors. */
#ifndef ORION_PYTHON_VALUES_H
#define ORION_PYTHON_VALUES_H

#include "base/json.h"

void python_repr(Buf *out, const Json *json);
/* As jsonschema compares: 1 equals 1.0, but neither equals True. */
bool python_equal(const Json *a, const Json *b);
bool python_is_number(const Json *json);
double python_number(const Json *json);
/* -1, 0, 1 as a is less than, equal to or greater than b; both are numbers. Integers of any length. */
int python_compare(const Json *a, const Json *b);
bool python_is_truthy(const Json *json); /* NULL is None */

/* re.search(pattern, text) is not None, by the C library's regular expressions. What those cannot express (lookaround,
 * flags) counts as found, as does a pattern too large to be tried safely. Adds its cost to *steps. */
bool python_search(Arena *arena, Str pattern, Str text, size_t *steps);

#endif

/* base/str_list.h -- lists of slices that grow in an arena and, once sorted, are searched quickly. */
#ifndef ORION_STR_LIST_H
#define ORION_STR_LIST_H

#include "base/json.h"

typedef struct StrList { /* zeroed: an empty list */
    Str *items;
    size_t count, capacity;
} StrList;

/* < 0, 0, > 0; by their bytes, which for UTF-8 is the order of characters. */
int str_compare(Str a, Str b);

void str_list_add(StrList *list, Arena *arena, Str item);
/* Adds the strings of a JSON array; of anything else, or of NULL, nothing. */
void str_list_add_json(StrList *list, Arena *arena, const Json *array);
/* A JSON array of them. */
Str str_list_json(Arena *arena, const Str *items, size_t count);
void str_list_sort(StrList *list); /* and removes duplicates */
bool str_list_has(const StrList *sorted, Str item);

#endif

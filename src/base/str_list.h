/* base/str_list.h -- lists of slices: they grow in an arena, can be sorted and then looked into quickly. */
#ifndef ORION_STR_LIST_H
#define ORION_STR_LIST_H

#include "base/json.h"

typedef struct StrList { /* cleared: an empty one */
    Str *items;
    size_t count, capacity;
} StrList;

/* < 0, 0, > 0; by their bytes, which for UTF-8 is the order of characters. */
int str_compare(Str a, Str b);

void str_list_add(StrList *list, Arena *arena, Str item);
/* The strings of a JSON array; anything else has none. */
void str_list_add_json(StrList *list, Arena *arena, const Json *array);
void str_list_sort(StrList *list); /* what is there twice goes */
bool str_list_has(const StrList *sorted, Str item);

#endif

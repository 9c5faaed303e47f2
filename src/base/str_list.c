/* base/str_list.c -- lists of slices that grow in an arena and, once sorted, are searched quickly. */
#include "base/str_list.h"

int str_compare(Str a, Str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n ? memcmp(a.p, b.p, n) : 0;
    return order ? order : (a.n > b.n) - (a.n < b.n);
}

void str_list_add(StrList *list, Arena *arena, Str item)
{
    list->items = arena_grow(arena, list->items, list->count, &list->capacity, sizeof *list->items);
    list->items[list->count++] = item;
}

void str_list_add_json(StrList *list, Arena *arena, const Json *array)
{
    for (const Json *item = array && array->kind == JSON_ARRAY ? array->child : NULL; item; item = item->next)
        if (item->kind == JSON_STRING)
            str_list_add(list, arena, item->text);
}

Str str_list_json(Arena *arena, const Str *items, size_t count)
{
    Buf text;
    JsonWriter w;
    buf_init(&text, arena, 40 * count + 2); /* most are ids */
    json_writer_init(&w, &text, JSON_WIRE);
    json_array(&w);
    for (size_t i = 0; i < count; i++)
        json_str(&w, items[i]);
    json_array_end(&w);
    return buf_view(&text);
}

static int compare(const void *a, const void *b)
{
    return str_compare(*(const Str *)a, *(const Str *)b);
}

void str_list_sort(StrList *list)
{
    size_t kept = 0;
    if (list->count)
        qsort(list->items, list->count, sizeof *list->items, compare);
    for (size_t i = 0; i < list->count; i++)
        if (i == 0 || !str_eq(list->items[i], list->items[kept - 1]))
            list->items[kept++] = list->items[i];
    list->count = kept;
}

bool str_list_has(const StrList *sorted, Str item)
{
    return sorted->count && bsearch(&item, sorted->items, sorted->count, sizeof item, compare);
}

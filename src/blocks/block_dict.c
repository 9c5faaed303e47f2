/* blocks/block_dict.c -- JSON objects under construction: a hash table with open addressing over the
 * members, which keep their order. */
#include "blocks/block_dict.h"

enum { CAPACITY_MIN = 16 };

static const Json dropped = { .kind = JSON_NULL }; /* the `child` of a dropped member */

static bool is_dropped(const Json *member)
{
    return member->child == &dropped;
}

static size_t hash_key(Str key)
{
    uint64_t hash = 14695981039346656037u; /* FNV-1a */
    for (size_t i = 0; i < key.n; i++)
        hash = (hash ^ (unsigned char)key.p[i]) * 1099511628211u;
    return (size_t)(hash ^ hash >> 32);
}

/* The key's slot, or the free one where it belongs. At least half of the slots are free, so the search ends. */
static Json **find_slot(const Dict *dict, Str key)
{
    size_t at = hash_key(key) & (dict->capacity - 1);
    while (dict->slots[at] && !str_eq(dict->slots[at]->key, key))
        at = (at + 1) & (dict->capacity - 1);
    return &dict->slots[at];
}

static void resize(Dict *dict, size_t least)
{
    dict->capacity = CAPACITY_MIN;
    while (dict->capacity < 2 * least)
        dict->capacity *= 2;
    dict->slots = arena_zalloc(dict->arena, dict->capacity * sizeof *dict->slots);
    for (Json *member = dict->object->child; member; member = member->next)
        *find_slot(dict, member->key) = member;
}

static void append(Dict *dict, Str key, const Json *value)
{
    if (2 * (dict->used + 1) > dict->capacity)
        resize(dict, 2 * (dict->used + 1));
    Json *member = arena_new_of(dict->arena, Json);
    *member = *value;
    member->key = key;
    member->next = NULL;
    if (dict->last)
        dict->last->next = member;
    else
        dict->object->child = member;
    dict->last = member;
    dict->used++;
    *find_slot(dict, key) = member;
}

void dict_init(Dict *dict, Arena *arena, const Json *object)
{
    bool is_object = object && object->kind == JSON_OBJECT;
    *dict = (Dict){ .arena = arena, .object = arena_new_of(arena, Json) };
    dict->object->kind = JSON_OBJECT;
    resize(dict, is_object ? object->count : 0);
    for (const Json *member = is_object ? object->child : NULL; member; member = member->next)
        append(dict, member->key, member);
}

const Json *dict_get(const Dict *dict, Str key)
{
    const Json *member = *find_slot(dict, key);
    return member && !is_dropped(member) ? member : NULL;
}

void dict_put(Dict *dict, Str key, const Json *value)
{
    /* A dropped member comes back in its old place. */
    Json *member = *find_slot(dict, key), *next;
    if (!member) {
        append(dict, key, value);
        return;
    }
    next = member->next;
    *member = *value;
    member->key = key;
    member->next = next;
}

void dict_drop(Dict *dict, Str key)
{
    Json *member = *find_slot(dict, key);
    if (member)
        member->child = (Json *)(uintptr_t)&dropped; /* never written through */
}

/* Takes the dropped members out; the dict remains usable. */
const Json *dict_object(Dict *dict)
{
    Json **link = &dict->object->child;
    dict->object->count = 0;
    dict->last = NULL;
    while (*link) {
        Json *member = *link;
        if (is_dropped(member)) {
            *link = member->next;
            continue;
        }
        dict->last = member;
        dict->object->count++;
        link = &member->next;
    }
    dict->used = dict->object->count;
    resize(dict, dict->used);
    return dict->object;
}

const Json *json_of_str(Arena *arena, Str text)
{
    Json *json = arena_new_of(arena, Json);
    json->kind = JSON_STRING;
    json->text = text;
    return json;
}

const Json *json_object_of(Arena *arena, Str text)
{
    static const Json empty = { .kind = JSON_OBJECT };
    const Json *json = json_read(arena, text);
    return json && json->kind == JSON_OBJECT ? json : &empty;
}

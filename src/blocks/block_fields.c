/* blocks/block_fields.c -- checksums of a block schema's fields, and which of their definitions are blocks. */
#include "blocks/block_fields.h"

#include "base/crypto.h"
#include "base/str_list.h"
#include "blocks/block_dict.h"

/* ---- definitions ---- */

/* A "$ref" somewhere: "#/definitions/Name". */
typedef struct Place {
    Str definition;
    struct Place *next;
} Place;

typedef struct Places {
    Arena *arena;
    Place *first, **tail;
    size_t count;
} Places;

static void places_init(Places *places, Arena *arena)
{
    *places = (Places){ .arena = arena };
    places->tail = &places->first;
}

static Str definition_name(Str reference)
{
    static const char prefix[] = "#/definitions/";
    size_t n = sizeof prefix - 1;
    return str_starts(reference, prefix) ? (Str){ reference.p + n, reference.n - n } : reference;
}

static void collect_places(const Json *json, Places *places)
{
    const Json *reference = json_get(json, "$ref");
    if (reference && reference->kind == JSON_STRING && reference->text.n) {
        Place *place = arena_new_of(places->arena, Place);
        place->definition = definition_name(reference->text);
        *places->tail = place;
        places->tail = &place->next;
        places->count++;
    }
    if (json->kind == JSON_OBJECT || json->kind == JSON_ARRAY)
        for (const Json *item = json->child; item; item = item->next)
            collect_places(item, places);
}

/* The definitions, other than blocks, that are referred to: by the fields, or by another one of them. */
static const Json *plain_definitions(Arena *arena, const Json *fields, const Json *definitions)
{
    Dict known, plain;
    Places places;
    dict_init(&known, arena, definitions);
    dict_init(&plain, arena, NULL);
    places_init(&places, arena);
    collect_places(fields, &places);
    for (const Place *place = places.first; place; place = place->next) { /* the list grows meanwhile */
        const Json *definition = dict_get(&known, place->definition);
        if (!definition || definition->kind != JSON_OBJECT || definition->count == 0 ||
            dict_get(&plain, place->definition) || !json_is_null(json_get(definition, "block_type_slug")))
            continue;
        dict_put(&plain, place->definition, definition);
        collect_places(definition, &places);
    }
    return dict_object(&plain);
}

static bool has_definitions(const Json *fields)
{
    const Json *definitions = json_get(fields, "definitions");
    return definitions && definitions->kind == JSON_OBJECT && definitions->count > 0;
}

/* Of the definitions, keeps only those that are not blocks; none at all if all are. */
static void keep_plain_definitions(Dict *dict, const Json *fields)
{
    if (!has_definitions(fields))
        return;
    const Json *plain = plain_definitions(dict->arena, fields, json_get(fields, "definitions"));
    if (plain->count)
        dict_put(dict, STR("definitions"), plain);
    else
        dict_drop(dict, STR("definitions"));
}

const Json *block_fields_with_definitions(Arena *arena, const Json *fields, const Json *definitions)
{
    if (!definitions)
        return fields;
    Dict dict;
    dict_init(&dict, arena, fields);
    dict_put(&dict, STR("definitions"), definitions);
    return dict_object(&dict);
}

const Json *block_fields_stored(Arena *arena, const Json *fields)
{
    Dict dict;
    dict_init(&dict, arena, fields);
    keep_plain_definitions(&dict, fields);
    dict_drop(&dict, STR("block_schema_references"));
    return dict_object(&dict);
}

const Json *block_fields_of_child(Arena *arena, const Json *fields, const Json *definitions, Str name, Str slug)
{
    Dict properties, known;
    Places places;
    dict_init(&properties, arena, json_get(fields, "properties"));
    dict_init(&known, arena, definitions);
    places_init(&places, arena);
    const Json *property = dict_get(&properties, name);
    if (!property)
        return NULL;
    collect_places(property, &places);
    for (const Place *place = places.first; place; place = place->next) {
        const Json *definition = dict_get(&known, place->definition);
        const Json *of_type = json_get(definition, "block_type_slug");
        if (definition &&
            (places.count == 1 || (of_type && of_type->kind == JSON_STRING && str_eq(of_type->text, slug))))
            return definition->kind == JSON_OBJECT ? definition : NULL;
    }
    return NULL;
}

/* ---- the checksum ---- */

/* remove_nested_keys: objects inside arrays keep the key. */
static const Json *without_secret_fields(Arena *arena, const Json *json)
{
    if (json->kind != JSON_OBJECT)
        return json;
    Dict dict;
    dict_init(&dict, arena, NULL);
    for (const Json *member = json->child; member; member = member->next)
        if (!str_is(member->key, "secret_fields"))
            dict_put(&dict, member->key, without_secret_fields(arena, member));
    return dict_object(&dict);
}

static int compare_keys(const void *a, const void *b)
{
    return str_compare((*(const Json *const *)a)->key, (*(const Json *const *)b)->key);
}

static const Json *sorted(Arena *arena, const Json *json);

/* A copy of the array or object with these items in this order, each of them sorted in turn. */
static const Json *copy_of(Arena *arena, const Json *json, const Json *const *items, size_t count)
{
    Json *copy = arena_new_of(arena, Json), **tail = &copy->child;
    *copy = *json;
    copy->child = NULL;
    for (size_t i = 0; i < count; i++) {
        Json *item = arena_new_of(arena, Json);
        *item = *sorted(arena, items[i]);
        item->key = items[i]->key;
        item->next = NULL;
        *tail = item;
        tail = &item->next;
    }
    return copy;
}

static const Json *sorted(Arena *arena, const Json *json)
{
    if (json->kind != JSON_OBJECT && json->kind != JSON_ARRAY)
        return json;
    const Json **items = arena_alloc(arena, (json->count + 1) * sizeof *items);
    size_t count = 0;
    for (const Json *item = json->child; item; item = item->next)
        items[count++] = item;
    if (json->kind == JSON_OBJECT)
        qsort(items, count, sizeof *items, compare_keys);
    return copy_of(arena, json, items, count);
}

Str block_fields_checksum(Arena *arena, const Json *fields)
{
    Dict dict;
    const Json *open = without_secret_fields(arena, fields);
    dict_init(&dict, arena, open);
    keep_plain_definitions(&dict, open);
    Str text = json_format(arena, sorted(arena, dict_object(&dict)), JSON_STORED);
    text = arena_printf(arena, "[[%.*s], {}]", STR_ARG(text)); /* the reference hashes (args, kwargs) */
    return arena_printf(arena, "sha256:%.*s", STR_ARG(sha256_hex(arena, text)));
}

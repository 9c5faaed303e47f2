/* blocks/block_catalog.c -- which types and schemas there are, while many of them are made. */
#include "blocks/block_catalog.h"

typedef struct KnownSchema {
    Str id, checksum, version;
    struct KnownSchema *next;
} KnownSchema;

struct BlockCatalog {
    Arena *arena; /* its own: the job's is emptied after each type */
    KnownType *types;
    KnownSchema *schemas; /* the newest first */
};

void block_catalog_add_type(BlockCatalog *catalog, Str id, Str slug, bool is_protected)
{
    KnownType *type = arena_new_of(catalog->arena, KnownType);
    *type = (KnownType){ .id = arena_str(catalog->arena, id), .slug = arena_str(catalog->arena, slug),
                         .is_protected = is_protected, .next = catalog->types };
    catalog->types = type;
}

void block_catalog_add_schema(BlockCatalog *catalog, Str id, Str checksum, Str version)
{
    KnownSchema *schema = arena_new_of(catalog->arena, KnownSchema);
    *schema = (KnownSchema){ .id = arena_str(catalog->arena, id), .checksum = arena_str(catalog->arena, checksum),
                             .version = arena_str(catalog->arena, version), .next = catalog->schemas };
    catalog->schemas = schema;
}

BlockCatalog *block_catalog_read(Tx *tx)
{
    BlockCatalog *catalog = xcalloc(1, sizeof *catalog);
    catalog->arena = arena_new();
    Rows *types = DB_QUERY(tx, "SELECT id, slug, is_protected FROM block_type"),
         *schemas = DB_QUERY(tx, "SELECT id, checksum, version FROM block_schema ORDER BY created, id");
    while (db_next(types))
        block_catalog_add_type(catalog, row_text(types, 0), row_text(types, 1), row_bool(types, 2));
    while (db_next(schemas))
        block_catalog_add_schema(catalog, row_text(schemas, 0), row_text(schemas, 1), row_text(schemas, 2));
    return catalog;
}

void block_catalog_free(BlockCatalog *catalog)
{
    arena_free(catalog->arena);
    free(catalog);
}

const KnownType *block_catalog_type(const BlockCatalog *catalog, Str slug)
{
    const KnownType *type = catalog->types;
    while (type && !str_eq(type->slug, slug))
        type = type->next;
    return type;
}

Str block_catalog_schema(const BlockCatalog *catalog, Str checksum, Str version)
{
    for (const KnownSchema *schema = catalog->schemas; schema; schema = schema->next)
        if (str_eq(schema->checksum, checksum) && (!version.p || str_eq(schema->version, version)))
            return schema->id;
    return STR_NULL;
}

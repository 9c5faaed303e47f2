/* blocks/block_catalog.h -- which types and schemas there are, read at once by whoever makes many of them: a database
 * may be far away. */
#ifndef ORION_BLOCK_CATALOG_H
#define ORION_BLOCK_CATALOG_H

#include "db/db.h"

typedef struct BlockCatalog BlockCatalog;

typedef struct KnownType {
    Str id, slug;
    bool is_protected;
    struct KnownType *next;
} KnownType;

/* With LOCK_BLOCKS held, until the job ends. To be freed also where tx->error is set. Never NULL. */
BlockCatalog *block_catalog_read(Tx *tx);
void block_catalog_free(BlockCatalog *catalog);

/* NULL: there is none. */
const KnownType *block_catalog_type(const BlockCatalog *catalog, Str slug);
/* The id of the newest schema with that checksum, of that version unless it is null. Null: there is none. */
Str block_catalog_schema(const BlockCatalog *catalog, Str checksum, Str version);
/* What was made since. */
void block_catalog_add_type(BlockCatalog *catalog, Str id, Str slug, bool is_protected);
void block_catalog_add_schema(BlockCatalog *catalog, Str id, Str checksum, Str version);

#endif

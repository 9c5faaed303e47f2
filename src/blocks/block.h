/* blocks/block.h -- block types, their schemas, and documents: typed configuration that clients store. */
#ifndef ORION_BLOCK_H
#define ORION_BLOCK_H

#include "blocks/block_catalog.h"
#include "entity/codec.h"

typedef struct BlockType { /* schemas.core.BlockType */
    Str id;
    Time created, updated;
    Str name, slug, logo_url, documentation_url, description, code_example;
    bool is_protected;
} BlockType;

typedef struct BlockSchema { /* schemas.core.BlockSchema */
    Str id;
    Time created, updated;
    Str checksum, fields, block_type_id;
    BlockType *block_type;
    Str capabilities, version;
} BlockSchema;

typedef struct BlockDocument { /* schemas.core.BlockDocument */
    Str id;
    Time created, updated;
    Str name, data, block_schema_id;
    BlockSchema *block_schema;
    Str block_type_id;
    BlockType *block_type;
    Str block_document_references;
    bool is_anonymous;
} BlockDocument;

typedef struct BlockDocumentUpdate { /* schemas.actions.BlockDocumentUpdate */
    Str block_schema_id, data;
    bool merge_existing_data;
} BlockDocumentUpdate;

extern const Model block_type_model, block_type_create_model, block_type_update_model;
extern const Model block_schema_model, block_schema_create_model;
extern const Model block_document_model, block_document_create_model, block_document_update_model;

/* validate_block_type_slug and validate_block_document_name: lower-case letters, digits and dashes only. */
bool block_name_is_plain(Str name);
/* A Field's check: pydantic's HttpUrl. The member becomes the URL as pydantic keeps it: stripped, an
 * international host in ASCII. */
bool block_check_url(Invalid *invalid, void *member);

/* ---- types. Each read returns NULL if there is no such row, or with tx->error ---- */

BlockType *block_type_read(Tx *tx, Str id);
BlockType *block_type_read_by_slug(Tx *tx, Str slug);
BlockType *block_type_create(Tx *tx, const BlockType *wanted); /* NULL: ERR_CONFLICT if the slug is taken */
/* The same where the slug is known to be free. */
BlockType *block_type_insert(Tx *tx, const BlockType *wanted);
/* Escapes description and example as they are stored for a new type: &amp; &lt; &gt;. */
void block_type_escape(Arena *arena, BlockType *type);

/* ---- schemas, with the fields of the blocks that are nested in them ---- */

BlockSchema *block_schema_read(Tx *tx, Str id);
/* The newest one with that checksum, of that version unless it is null. */
BlockSchema *block_schema_read_by_checksum(Tx *tx, Str checksum, Str version);
/* The existing schema or a new one (*ret_created), with the nested ones that are missing. NULL: ERR_CONFLICT if the
 * type of a nested block does not exist, ERR_INVALID if the fields do not define the block. */
BlockSchema *block_schema_create(Tx *tx, const BlockSchema *wanted, bool *ret_created);
/* The same by one who knows what there is; the catalog learns what is made. False: tx->error. */
bool block_schema_register(Tx *tx, const BlockSchema *wanted, BlockCatalog *catalog, bool *ret_created) MUST_CHECK;
/* The sorted names of all capabilities that schemas have, as a JSON array. */
Str block_schema_capabilities(Tx *tx);

/* ---- documents, with the data of the documents that they refer to ---- */

/* Reads several documents in one transaction; schemas that they share are read once. On the stack of a handler, which
 * sets only the first three members; the limits in block_document.c count over all its documents. */
typedef struct BlockReader {
    Tx *tx;
    bool include_secrets;
    Arena *arena;               /* for the schemas */
    struct KnownSchema *schemas;
    size_t count;               /* documents read, nested ones included */
    size_t nested_bytes;        /* of the data of nested ones */
} BlockReader;

const void *block_reader_document(void *reader, Str id); /* a BlockDocument; of a list (ListRead) */
BlockDocument *block_document_read(Tx *tx, Str id, bool include_secrets);
/* The ids of a type's documents, without anonymous ones, in the order of their names. */
Rows *block_type_document_ids(Tx *tx, Str type_id);
/* The id of the document of that name. Null: no such document, or tx->error. */
Str block_type_document_id(Tx *tx, Str type_slug, Str name);
/* NULL: ERR_BAD_REQUEST for a reference without an id, ERR_CONFLICT if the name is taken. */
BlockDocument *block_document_create(Tx *tx, const BlockDocument *wanted);
/* False: tx->error, ERR_NOT_FOUND if there is no such document. */
bool block_document_update(Tx *tx, Str id, const BlockDocumentUpdate *update, FieldSet sent) MUST_CHECK;

#endif

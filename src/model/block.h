/* model/block.h -- block types, their schemas, and documents: typed configuration that clients store. */
#ifndef ORION_BLOCK_H
#define ORION_BLOCK_H

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

/* Each read returns NULL where there is no such row, or with tx->error. */
BlockType *block_type_read(Tx *tx, Str id);
BlockType *block_type_read_by_slug(Tx *tx, Str slug);
BlockType *block_type_create(Tx *tx, const BlockType *wanted); /* NULL: ERR_CONFLICT where name or slug is taken */
/* Makes the type in which every client keeps results, where there is none: clients that meet an empty database at once would all try. */
bool block_type_register(Tx *tx) MUST_CHECK;

/* Block._calculate_schema_checksum of the reference: "sha256:…" over the sorted fields without secret_fields. */
Str block_schema_checksum(Arena *arena, Str fields);
BlockSchema *block_schema_read(Tx *tx, Str id);
/* The newest one with that checksum, of that version unless it is null. */
BlockSchema *block_schema_read_by_checksum(Tx *tx, Str checksum, Str version);
/* The existing one or a new one (*ret_created). */
BlockSchema *block_schema_create(Tx *tx, const BlockSchema *wanted, bool *ret_created);

BlockDocument *block_document_read(Tx *tx, Str id, bool include_secrets);
BlockDocument *block_document_create(Tx *tx, const BlockDocument *wanted);
/* False: tx->error, ERR_NOT_FOUND where there is none. */
bool block_document_update(Tx *tx, Str id, const BlockDocumentUpdate *update, FieldSet sent) MUST_CHECK;

#endif

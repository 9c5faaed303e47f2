/* api/routes/block_secrets.h -- the query of routes that answer with block documents. */
#ifndef ORION_BLOCK_SECRETS_H
#define ORION_BLOCK_SECRETS_H

#include "entity/codec.h"

typedef struct Secrets {
    bool include_secrets; /* false: they are shown as asterisks */
} Secrets;
extern const Model secrets_model;

#endif

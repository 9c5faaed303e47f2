/* model/saved_search.h -- searches that the UI saves. */
#ifndef ORION_SAVED_SEARCH_H
#define ORION_SAVED_SEARCH_H

#include "entity/codec.h"

typedef struct SavedSearch { /* schemas.core.SavedSearch */
    Str id;
    Time created, updated;
    Str name;
    Str filters; /* JSON array of SavedSearchFilter */
} SavedSearch;

extern const Model saved_search_model, saved_search_create_model;

/* Creates the search of that name (*ret_created), or replaces the filters of the existing one. NULL: tx->error. */
SavedSearch *saved_search_upsert(Tx *tx, const SavedSearch *wanted, bool *ret_created);

#endif

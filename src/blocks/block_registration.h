/* blocks/block_registration.h -- block types that come with their schemas in a file:
 * our own, the collections', and others. */
#ifndef ORION_BLOCK_REGISTRATION_H
#define ORION_BLOCK_REGISTRATION_H

#include "db/db.h"

/* For every start: registers the types that are built in, and those of the collections if the program was built with
 * them. Existing ones are left alone. */
bool block_registration_run(Tx *tx) MUST_CHECK;
/* Creates or recreates the types that the system needs, protected. */
bool block_registration_install_system(Tx *tx) MUST_CHECK;

/* Registers a file in the form of the reference's collection_blocks_data.json. Existing types get the file's values.
 * *ret_report: a line for each type. False: tx->error, ERR_INVALID says what is wrong with the file. */
bool block_registration_import(Tx *tx, Str text, Str *ret_report) MUST_CHECK;

#endif

/* base/json_scan.h -- JSON text read without a tree, for texts of megabytes: what a value took is free again before the
 * next one. By the rules of json_parse, whose reader it is. */
#ifndef ORION_JSON_SCAN_H
#define ORION_JSON_SCAN_H

#include "base/json.h"

typedef enum JsonEvent { JSON_OPENS, JSON_CLOSES, JSON_IS } JsonEvent; /* an array or object; any other value */

typedef struct JsonScan {
    /* Called with each value in the document's order, also of a document that is found to be malformed later on.
     * Children and their number are not known. NULL: it is only checked. */
    void (*visit)(void *arg, JsonEvent event, const Json *value);
    void *arg;
    /* In: look for a key that an object has twice. Out: one was found, or (most rarely) two that look alike. */
    bool find_twice, key_twice;
} JsonScan;

/* Strings are decoded in the arena, which holds no more afterwards than before. False: json_parse would refuse it. */
bool json_scan(Arena *arena, Str text, JsonScan *scan) MUST_CHECK;

#endif

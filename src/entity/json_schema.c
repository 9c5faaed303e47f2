/* entity/json_schema.c -- the keywords of JSON schema. */
#include "entity/json_schema.h"

/* notify/curl.h -- the functions of libcurl, which is loaded when it is needed: with all that it needs it would make
 * up half of an idle server's memory. */
#ifndef ORION_NOTIFY_CURL_H
#define ORION_NOTIFY_CURL_H

#include <curl/curl.h>

#include "base/base.h"

typedef struct Curl {
    __typeof__(&curl_global_init) global_init;
    __typeof__(&curl_easy_init) init;
    __typeof__(&curl_easy_setopt) set;
    __typeof__(&curl_easy_perform) perform;
    __typeof__(&curl_easy_getinfo) info;
    __typeof__(&curl_easy_reset) reset;
    __typeof__(&curl_easy_cleanup) cleanup;
    __typeof__(&curl_slist_append) append;
    __typeof__(&curl_slist_free_all) free_list;
} Curl;

/* Loads and initializes it. False: *error ends with what is not possible then, such as "notifications cannot be
 * sent". */
bool curl_load(Curl *curl, const char *not_possible, Error *error) MUST_CHECK;

#endif

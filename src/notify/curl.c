/* notify/curl.c -- loads libcurl. */
#include "notify/curl.h"

#include "base/library.h"

bool curl_load(Curl *curl, const char *not_possible, Error *error)
{
    const LibraryFunction functions[] = {
        { &curl->global_init, "curl_global_init" }, { &curl->init, "curl_easy_init" },
        { &curl->set, "curl_easy_setopt" }, { &curl->perform, "curl_easy_perform" },
        { &curl->info, "curl_easy_getinfo" }, { &curl->reset, "curl_easy_reset" },
        { &curl->cleanup, "curl_easy_cleanup" }, { &curl->append, "curl_slist_append" },
        { &curl->free_list, "curl_slist_free_all" },
    };
    const char *missing;
    if (library_load("libcurl.so.4", functions, COUNT_OF(functions), &missing))
        return curl->global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ||
               fail(error, ERR_INTERNAL, "libcurl cannot be initialized");
    return missing ? fail(error, ERR_INTERNAL, "libcurl lacks %s", missing)
                   : fail(error, ERR_INTERNAL, "libcurl.so.4 not found (Debian: apt-get install libcurl4): %s",
                          not_possible);
}

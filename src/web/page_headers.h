/* web/page_headers.h -- headers that restrict what a page may do in a browser, and what may be done with it. */
#ifndef ORION_PAGE_HEADERS_H
#define ORION_PAGE_HEADERS_H

#include "api/request.h"

enum { PAGE_HEADERS = 3 }; /* maximum number of headers added */

/* For every file: forbids type sniffing, and sends no Referer to other origins. `policy` is the page's
 * Content-Security-Policy; null if the file is not a page. Returns the new count. */
size_t page_headers_add(HttpHeader *headers, size_t count, Str policy);

/* The policy for the embedded dashboard, whose API is at `api_url`. */
Str page_policy_of_dashboard(Arena *arena, Str api_url);
/* The policy for a dashboard from a folder, about which nothing is known: only restricts framing. */
Str page_policy_of_folder(void);
/* The policy for a page with a single inline script. */
Str page_policy_of_script(Arena *arena, Str page);

#endif

/* web/page_headers.h -- the headers by which a browser limits what a page may do, and what may be done with it. */
#ifndef ORION_PAGE_HEADERS_H
#define ORION_PAGE_HEADERS_H

#include "api/request.h"

enum { PAGE_HEADERS = 3 }; /* as many as are added at most */

/* For every file: its type is not guessed, and other hosts do not learn which page links to them. `policy`, null for
 * what is no page, is its Content-Security-Policy. Returns the new count. */
size_t page_headers_add(HttpHeader *headers, size_t count, Str policy);

/* The policy for the dashboard inside the program, whose API is at the address. */
Str page_policy_of_dashboard(Arena *arena, Str api_url);
/* For the dashboard of a folder, of which nothing is known: who may show it in a frame. */
Str page_policy_of_folder(void);
/* For a page whose only script is the one inside it. */
Str page_policy_of_script(Arena *arena, Str page);

#endif

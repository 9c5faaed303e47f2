/* api/forwarded.h -- what proxies say about a request that they passed on, and which of them are believed.
 *
 * Each proxy appends to the headers what it knows, or replaces them, and what the client itself had sent may come
 * first. So lists are read from their end: of X-Forwarded-For, addresses are skipped for as long as they are trusted
 * proxies; the next one is the client. That gives the number of trusted proxies, and of the other lists the item that
 * counts is as far from the end, the one of the outermost trusted proxy (the first, if the list is shorter).
 * Proxies that set X-Forwarded headers mostly let a client's `Forwarded` (RFC 7239) through as it is, so that one is
 * read only where there is no X-Forwarded header at all. */
#ifndef ORION_FORWARDED_H
#define ORION_FORWARDED_H

#include "base/network.h"
#include "http/http.h"

enum { PROXIES_NOTED_MAX = 16 };

/* The trusted ones, and those that were not and are in the log: each once, and no more than so many. */
typedef struct Proxies {
    const Network *trusted;
    size_t count;
    Str text; /* ORION_TRUSTED_PROXIES */
    struct in6_addr noted[PROXIES_NOTED_MAX];
    size_t noted_count;
} Proxies;

/* The slices are the request's; each is null where nobody who is trusted said it, and may hold anything. */
typedef struct Forwarded {
    struct in6_addr client;
    Str host, proto, port, prefix;
} Forwarded;

Forwarded forwarded_read(const HttpRequest *http, const Proxies *proxies);

/* Logs that the headers of an address which is not trusted are ignored. For the loop's thread alone. */
void forwarded_note_ignored(const HttpRequest *http, Proxies *proxies);

#endif

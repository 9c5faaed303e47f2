/* api/forwarded.h -- what proxies say about a request they forwarded, and which of them are trusted.
 *
 * Each proxy appends to the headers or replaces them, so the client's own values may come first. Lists are therefore
 * read from the end: in X-Forwarded-For, trusted proxies are skipped; the next address is the client. This gives the
 * number of trusted proxies, and so the position of the relevant item in the other lists: the one added by the
 * outermost trusted proxy, counted from the end (the first, if the list is shorter). Most proxies that set X-Forwarded
 * headers pass on a client's `Forwarded` (RFC 7239) unchanged, so it is read only if there are no X-Forwarded headers
 * at all. */
#ifndef ORION_FORWARDED_H
#define ORION_FORWARDED_H

#include "base/network.h"
#include "http/http.h"

enum { PROXIES_NOTED_MAX = 16 };

/* The trusted proxies, and the untrusted addresses already logged: each once, up to a limit. */
typedef struct Proxies {
    const Network *trusted;
    size_t count;
    Str text; /* ORION_TRUSTED_PROXIES */
    struct in6_addr noted[PROXIES_NOTED_MAX];
    size_t noted_count;
} Proxies;

/* Slices of the request, unvalidated; null if no trusted proxy set them. */
typedef struct Forwarded {
    struct in6_addr client;
    Str host, proto, port, prefix;
} Forwarded;

Forwarded forwarded_read(const HttpRequest *http, const Proxies *proxies);

/* Logs that headers from an untrusted address are ignored. Loop thread only. */
void forwarded_note_ignored(const HttpRequest *http, Proxies *proxies);

#endif

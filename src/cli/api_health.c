/* cli/api_health.c -- one GET of /health over a plain socket. */
#include "cli/api_health.h"

#include <netdb.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* For each step: to connect to an address, to send, to receive. */
enum { TIMEOUT_SECONDS = 3 };

typedef struct Address {
    const char *host, *port, *path;
} Address;

/* http://host[:port][/path], with brackets around an IPv6 address. */
static bool split_url(Arena *arena, Str url, Address *ret)
{
    static const char scheme[] = "http://";
    if (url.n < sizeof scheme || strncasecmp(url.p, scheme, sizeof scheme - 1) != 0)
        return false;
    /* A copy, which is cut into host and port in place. */
    char *host = arena_cstr(arena, (Str){ url.p + sizeof scheme - 1, url.n - (sizeof scheme - 1) });
    char *slash = host + strcspn(host, "/?#");
    const char *path = *slash == '/' ? arena_cstr(arena, str_from(slash)) : "";
    *slash = '\0';
    char *bracket = *host == '[' ? strchr(host, ']') : NULL;
    char *colon = strchr(bracket ? bracket : host, ':');
    if (colon)
        *colon = '\0';
    if (bracket)
        *bracket = '\0';
    *ret = (Address){ .host = bracket ? host + 1 : host, .port = colon && colon[1] ? colon + 1 : "80", .path = path };
    return ret->host[0] != '\0' && !strpbrk(url.p, "\r\n");
}

static int connect_one(const struct addrinfo *found)
{
    const struct timeval limit = { .tv_sec = TIMEOUT_SECONDS };
    int fd = socket(found->ai_family, found->ai_socktype | SOCK_CLOEXEC, found->ai_protocol);
    if (fd < 0)
        return -1;
    bool ok = setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0 &&
              setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0 &&
              connect(fd, found->ai_addr, found->ai_addrlen) == 0;
    if (ok)
        return fd;
    close(fd);
    return -1;
}

static int connect_any(const Address *address)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    struct addrinfo *found;
    if (getaddrinfo(address->host, address->port, &hints, &found) != 0)
        return -1;
    int fd = -1;
    for (const struct addrinfo *next = found; next && fd < 0; next = next->ai_next)
        fd = connect_one(next);
    freeaddrinfo(found);
    return fd;
}

static bool is_ok(int fd, Str request)
{
    /* Nothing after the status is read. */
    char head[sizeof "HTTP/1.x 200"] = "";
    size_t n = 0;
    if (send(fd, request.p, request.n, MSG_NOSIGNAL) != (ssize_t)request.n)
        return false;
    while (n < sizeof head - 1) {
        ssize_t got = recv(fd, head + n, sizeof head - 1 - n, 0);
        if (got <= 0)
            return false;
        n += (size_t)got;
    }
    return strncmp(head, "HTTP/1.", 7) == 0 && strcmp(head + 8, " 200") == 0;
}

ApiHealth api_health(Arena *arena, Str url)
{
    Address address;
    if (url.n >= 8 && strncasecmp(url.p, "https://", 8) == 0)
        return API_UNCHECKED;
    if (!split_url(arena, url, &address))
        return API_UNREACHABLE;
    int fd = connect_any(&address);
    if (fd < 0)
        return API_UNREACHABLE;
    const char *slash = address.path[0] && address.path[strlen(address.path) - 1] == '/' ? "" : "/";
    Str request = arena_printf(arena, "GET %s%shealth HTTP/1.1\r\nHost: %s:%s\r\nConnection: close\r\n\r\n",
                               address.path, slash, address.host, address.port);
    bool ok = is_ok(fd, request);
    close(fd);
    return ok ? API_CONNECTED : API_ERROR;
}

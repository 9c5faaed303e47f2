/* tests/postgres/names.c -- getaddrinfo as a test wants it, preloaded into a server. NAMES holds a file whose lines are
 * read at each call: "name address address …", "name hang", "name fail"; other names are left to the C library. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef int Lookup(const char *, const char *, const struct addrinfo *, struct addrinfo **);

static int look_up(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **ret)
{
    return ((Lookup *)dlsym(RTLD_NEXT, "getaddrinfo"))(host, service, hints, ret);
}

/* The words after the name in its line, for strtok; 0: there is no such line. */
static int find(const char *host, char line[1024])
{
    FILE *file = fopen(getenv("NAMES"), "r");
    int found = 0;
    while (!found && file && fgets(line, 1024, file)) {
        char *rest;
        char *name = strtok_r(line, " \n", &rest);
        found = name && strcmp(name, host) == 0;
        if (found)
            memmove(line, rest, strlen(rest) + 1);
    }
    if (file)
        fclose(file);
    return found;
}

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **ret)
{
    char line[1024], *rest, *word;
    struct addrinfo **end = ret;
    if (!host || (hints && hints->ai_flags & AI_NUMERICHOST) || !find(host, line))
        return look_up(host, service, hints, ret);
    *ret = NULL;
    while (strstr(line, "hang") && find(host, line))
        usleep(10000);
    for (word = strtok_r(line, " \n", &rest); word; word = strtok_r(NULL, " \n", &rest)) {
        if (strcmp(word, "fail") == 0 || look_up(word, service, hints, end) != 0)
            return EAI_NONAME;
        while (*end)
            end = &(*end)->ai_next;
    }
    return *ret ? 0 : EAI_NONAME;
}

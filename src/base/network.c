/* base/network.c -- internet addresses and networks as text and as 128 bits. */
#include "base/network.h"

#include <arpa/inet.h>

#include "base/text.h"

enum { BITS = 128, IPV4_BITS = 32 };

/* False: not an address of this family. */
static bool parse_family(Str text, int family, struct in6_addr *ret)
{
    char copy[INET6_ADDRSTRLEN];
    if (!text.n || text.n >= sizeof copy || memchr(text.p, 0, text.n))
        return false;
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    struct in6_addr address = { .s6_addr = { [10] = 0xff, [11] = 0xff } };
    void *to = family == AF_INET ? (void *)&address.s6_addr[12] : (void *)&address;
    if (inet_pton(family, copy, to) != 1)
        return false;
    *ret = address;
    return true;
}

bool address_parse(Str text, struct in6_addr *ret)
{
    return parse_family(text, AF_INET, ret) || parse_family(text, AF_INET6, ret);
}

Str address_text(Arena *arena, const struct in6_addr *address)
{
    char text[INET6_ADDRSTRLEN] = "";
    if (IN6_IS_ADDR_V4MAPPED(address))
        (void)inet_ntop(AF_INET, &address->s6_addr[12], text, sizeof text);
    else
        (void)inet_ntop(AF_INET6, address, text, sizeof text);
    return arena_str(arena, str_from(text));
}

/* A number of at most three digits. */
static bool parse_bits(Str text, unsigned most, unsigned *ret)
{
    unsigned value = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (!char_is_digit(text.p[i]) || i == 3)
            return false;
        value = 10 * value + (unsigned)(text.p[i] - '0');
    }
    *ret = value;
    return text.n > 0 && value <= most;
}

static bool same_bits(const struct in6_addr *a, const struct in6_addr *b, unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;
    if (memcmp(a, b, whole) != 0)
        return false;
    return rest == 0 || (a->s6_addr[whole] ^ b->s6_addr[whole]) >> (8 - rest) == 0;
}

/* Zeroes the bits after the prefix. False: some were set, and *address is now the network that was probably meant. */
static bool clear_rest(struct in6_addr *address, unsigned bits)
{
    struct in6_addr given = *address;
    for (unsigned i = bits; i < BITS; i++)
        address->s6_addr[i / 8] &= (uint8_t)~(0x80u >> i % 8);
    return memcmp(&given, address, sizeof given) == 0;
}

static bool network_parse(Arena *arena, Str text, Network *ret, Error *error)
{
    size_t slash = str_find(text, '/');
    Network network = { .bits = BITS };
    bool four = parse_family(str_cut(text, 0, slash), AF_INET, &network.address);
    if (str_is(text, "*")) {
        *ret = (Network){ .bits = 0 };
        return true;
    }
    if (!four && !parse_family(str_cut(text, 0, slash), AF_INET6, &network.address))
        return fail(error, ERR_INVALID, "\"%.*s\" is neither an address nor a network such as 10.0.0.0/8.",
                    STR_ARG(text));
    unsigned most = four ? IPV4_BITS : BITS, bits = most;
    if (slash < text.n && !parse_bits(str_cut(text, slash + 1, text.n), most, &bits))
        return fail(error, ERR_INVALID, "\"%.*s\" does not end in a number of bits from 0 to %u.", STR_ARG(text), most);
    network.bits = bits + (BITS - most);
    if (!clear_rest(&network.address, network.bits))
        return fail(error, ERR_INVALID, "\"%.*s\" has bits set after the first %u; the network is %.*s/%u.",
                    STR_ARG(text), bits, STR_ARG(address_text(arena, &network.address)), bits);
    *ret = network;
    return true;
}

bool networks_parse(Arena *arena, Str text, Network **ret, size_t *ret_count, Error *error)
{
    Network *networks = NULL;
    size_t count = 0, capacity = 0;
    while (text.n) {
        Str item = str_next_item(&text, ',');
        if (!item.n)
            continue;
        networks = arena_grow(arena, networks, count, &capacity, sizeof *networks);
        if (!network_parse(arena, item, &networks[count++], error))
            return false;
    }
    *ret = networks;
    *ret_count = count;
    return true;
}

bool networks_have(const Network *networks, size_t count, const struct in6_addr *address)
{
    for (size_t i = 0; i < count; i++)
        if (same_bits(&networks[i].address, address, networks[i].bits))
            return true;
    return false;
}

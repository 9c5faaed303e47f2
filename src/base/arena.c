/* base/arena.c -- blocks in a list, the newest first; an allocation is a step within the newest block. Also the only
 * place that ends the process when memory runs out. */
#include "base/arena.h"

enum {
    BLOCK_SIZE = 8192 - 64,  /* of the first block; leaves malloc room for its own header within two pages */
    BLOCK_MAX = 1024 * 1024, /* blocks double up to this; the largest are mapped ones (main.c), which go back to the
                              * system at once */
    ALIGNMENT = 16,
    GROW_FIRST = 16 /* first capacity of a list that grows */
};

typedef struct Block {
    struct Block *previous;
    size_t capacity;
    size_t used;
    _Alignas(ALIGNMENT) char bytes[];
} Block;

/* Used by one thread at a time: nothing here is locked. */
struct Arena {
    Block *block; /* the newest; the first one is the only one whose previous is NULL */
    size_t held;
};

static void die_out_of_memory(void)
{
    static const char text[] = "orion: out of memory\n";
    fwrite(text, 1, sizeof text - 1, stderr);
    abort();
}

void *xmalloc(size_t n)
{
    void *p = malloc(n ? n : 1);
    if (!p)
        die_out_of_memory();
    return p;
}

void *xcalloc(size_t count, size_t n)
{
    void *p = calloc(count ? count : 1, n ? n : 1);
    if (!p)
        die_out_of_memory();
    return p;
}

void *xrealloc(void *p, size_t n)
{
    void *grown = realloc(p, n ? n : 1);
    if (!grown)
        die_out_of_memory();
    return grown;
}

static void block_push(Arena *arena, size_t capacity)
{
    if (capacity > SIZE_MAX - sizeof(Block))
        die_out_of_memory();
    Block *block = xmalloc(sizeof(Block) + capacity);
    block->previous = arena->block;
    block->capacity = capacity;
    block->used = 0;
    arena->block = block;
    arena->held += sizeof(Block) + capacity;
}

static void block_pop(Arena *arena)
{
    Block *block = arena->block;
    arena->block = block->previous;
    arena->held -= sizeof(Block) + block->capacity;
    free(block);
}

Arena *arena_new(void)
{
    return arena_new_small(BLOCK_SIZE - sizeof(Block));
}

Arena *arena_new_small(size_t first)
{
    Arena *arena = xcalloc(1, sizeof *arena);
    arena->held = sizeof *arena;
    block_push(arena, first);
    return arena;
}

void arena_free(Arena *arena)
{
    if (!arena)
        return;
    while (arena->block)
        block_pop(arena);
    free(arena);
}

void arena_reset(Arena *arena)
{
    while (arena->block->previous)
        block_pop(arena);
    arena->block->used = 0;
}

ArenaMark arena_mark(Arena *arena)
{
    return (ArenaMark){ arena->block, arena->block->used };
}

void arena_release(Arena *arena, ArenaMark mark)
{
    while (arena->block != mark.block)
        block_pop(arena);
    arena->block->used = mark.used;
}

static size_t next_capacity(const Arena *arena, size_t need)
{
    /* An arena that began small (arena_new_small) goes straight to the regular size. */
    size_t capacity = 2 * arena->block->capacity;
    if (capacity < BLOCK_SIZE - sizeof(Block))
        capacity = BLOCK_SIZE - sizeof(Block);
    if (capacity > BLOCK_MAX)
        capacity = BLOCK_MAX;
    return need > capacity ? need : capacity;
}

void *arena_alloc(Arena *arena, size_t n)
{
    if (n > SIZE_MAX - ALIGNMENT)
        die_out_of_memory();
    n = (n + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    if (n > arena->block->capacity - arena->block->used)
        block_push(arena, next_capacity(arena, n));
    void *p = arena->block->bytes + arena->block->used;
    arena->block->used += n;
    return p;
}

void *arena_zalloc(Arena *arena, size_t n)
{
    return memset(arena_alloc(arena, n), 0, n);
}

void *arena_grow(Arena *arena, void *items, size_t count, size_t *capacity, size_t item_size)
{
    if (count < *capacity)
        return items;
    /* Older copies stay in the arena until it ends; doubling keeps their sum below the size of the newest one. */
    *capacity = *capacity ? 2 * *capacity : GROW_FIRST;
    void *larger = arena_alloc(arena, *capacity * item_size);
    if (count)
        memcpy(larger, items, count * item_size);
    return larger;
}

Str arena_str(Arena *arena, Str s)
{
    return (Str){ arena_cstr(arena, s), s.n };
}

char *arena_cstr(Arena *arena, Str s)
{
    if (!s.p)
        return NULL;
    char *copy = arena_alloc(arena, s.n + 1);
    memcpy(copy, s.p, s.n);
    copy[s.n] = '\0';
    return copy;
}

Str arena_vprintf(Arena *arena, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    char small[256];
    int n = vsnprintf(small, sizeof small, format, args);
    Str text = STR("");
    if (n >= 0) {
        char *p = arena_alloc(arena, (size_t)n + 1);
        if ((size_t)n < sizeof small)
            memcpy(p, small, (size_t)n + 1);
        else
            vsnprintf(p, (size_t)n + 1, format, again);
        text = (Str){ p, (size_t)n };
    }
    va_end(again);
    return text;
}

Str arena_printf(Arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    Str text = arena_vprintf(arena, format, args);
    va_end(args);
    return text;
}

size_t arena_used(const Arena *arena)
{
    return arena->held;
}

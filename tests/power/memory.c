/* tests/power/memory.c -- SQLite's memory: blocks of sizes that are powers of two, kept for the next use when freed. */
#include "memory.h"

#include <pthread.h>

#include "base/base.h"

enum { SMALLEST = 32, SIZES = 26, CHUNK = 1 << 20 };

/* Before each block. */
typedef struct Head {
    union {
        size_t n;          /* in use: the bytes that were asked for */
        struct Head *next; /* free */
    };
    size_t order;          /* the block has SMALLEST << order bytes, with its head */
} Head;

static struct {
    pthread_mutex_t lock;
    Head *free[SIZES];
    char *rest; /* of the last chunk */
    size_t left;
} pool = { .lock = PTHREAD_MUTEX_INITIALIZER };

static size_t room_of(size_t order)
{
    return ((size_t)SMALLEST << order) - sizeof(Head);
}

static Head *carve(size_t order)
{
    size_t size = (size_t)SMALLEST << order;
    if (size > pool.left) {
        pool.left = size > CHUNK ? size : CHUNK;
        pool.rest = xmalloc(pool.left);
    }
    Head *head = (Head *)(void *)pool.rest;
    pool.rest += size;
    pool.left -= size;
    head->order = order;
    return head;
}

static void *memory_allocate(int n)
{
    size_t order = 0;
    while (room_of(order) < (size_t)n)
        order++;
    pthread_mutex_lock(&pool.lock);
    Head *head = pool.free[order];
    if (head)
        pool.free[order] = head->next;
    else
        head = carve(order);
    pthread_mutex_unlock(&pool.lock);
    head->n = (size_t)n;
    return memset(head + 1, 0, (size_t)n);
}

static void memory_free(void *p)
{
    if (!p)
        return;
    Head *head = (Head *)p - 1;
    pthread_mutex_lock(&pool.lock);
    head->next = pool.free[head->order];
    pool.free[head->order] = head;
    pthread_mutex_unlock(&pool.lock);
}

static int memory_size(void *p)
{
    return p ? (int)((Head *)p - 1)->n : 0;
}

static void *memory_reallocate(void *p, int n)
{
    size_t old = (size_t)memory_size(p), size = (size_t)n;
    void *q = memory_allocate(n);
    memcpy(q, p, old < size ? old : size);
    memory_free(p);
    return q;
}

static int memory_round_up(int n)
{
    return (n + 7) & ~7;
}

static int memory_begin(void *data)
{
    (void)data;
    return SQLITE_OK;
}

static void memory_end(void *data)
{
    (void)data;
}

const sqlite3_mem_methods power_memory = {
    .xMalloc = memory_allocate,
    .xFree = memory_free,
    .xRealloc = memory_reallocate,
    .xSize = memory_size,
    .xRoundup = memory_round_up,
    .xInit = memory_begin,
    .xShutdown = memory_end,
};

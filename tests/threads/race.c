/* tests/threads/race.c -- two threads that change one variable without a lock: what tests/threads must find. */
#include <pthread.h>
#include <stdio.h>

static int shared;

static void *add(void *arg)
{
    (void)arg;
    shared++;
    return NULL;
}

int main(void)
{
    pthread_t other;
    if (pthread_create(&other, NULL, add, NULL) != 0)
        return 1;
    shared++;
    pthread_join(other, NULL);
    printf("%d\n", shared);
    return 0;
}

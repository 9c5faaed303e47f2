/* base/thread.c -- threads that leave signals to the main thread. */
#include "base/thread.h"

#include <signal.h>

bool thread_start(pthread_t *ret_thread, void *(*run)(void *), void *arg)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool is_started = pthread_create(ret_thread, NULL, run, arg) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return is_started;
}

bool thread_start_detached(void *(*run)(void *), void *arg)
{
    pthread_t thread;
    bool is_started = thread_start(&thread, run, arg);
    if (is_started)
        pthread_detach(thread);
    return is_started;
}

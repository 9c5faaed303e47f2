/* main.c -- the process: everything else is in cli/ and below. */
#include "cli/cli.h"

#include <malloc.h>

int main(int argc, char **argv)
{
    /* What large bodies took goes back to the system: by itself the threshold rises with the largest one seen,
     * and each thread keeps an arena. 70 MB stayed resident after bodies of 20 MB, 14 MB with these. */
    mallopt(M_MMAP_THRESHOLD, 512 << 10);
    mallopt(M_TRIM_THRESHOLD, 512 << 10);
    mallopt(M_ARENA_MAX, 2);
    return cli_main(argc, argv);
}

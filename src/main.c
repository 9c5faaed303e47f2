/* main.c -- the process: everything else is in cli/ and below. */
#include "cli/cli.h"

#include <malloc.h>

int main(int argc, char **argv)
{
    /* Memory of large bodies goes back to the system: left alone, malloc raises its threshold for mapped blocks to
     * the largest one seen, and gives each thread an arena. 70 MB stayed resident after bodies of 20 MB, 14 MB with
     * these. */
    mallopt(M_MMAP_THRESHOLD, 512 << 10);
    mallopt(M_TRIM_THRESHOLD, 512 << 10);
    mallopt(M_ARENA_MAX, 2);
    return cli_main(argc, argv);
}

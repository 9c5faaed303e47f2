/* watch/process.c -- this process's time, memory and descriptors. */
#include "watch/process.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/base.h"

static double seconds(struct timeval time)
{
    return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

double process_cpu_seconds(void)
{
    struct rusage used;
    return getrusage(RUSAGE_SELF, &used) == 0 ? seconds(used.ru_utime) + seconds(used.ru_stime) : -1;
}

/* The second number of that file, in pages. */
double process_resident_bytes(void)
{
    char text[128];
    FILE *file = fopen("/proc/self/statm", "re");
    bool ok = file && fgets(text, sizeof text, file);
    if (file)
        fclose(file);
    const char *second = ok ? strchr(text, ' ') : NULL;
    return second ? (double)strtoll(second, NULL, 10) * (double)sysconf(_SC_PAGESIZE) : -1;
}

double process_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    double count = -1; /* that of the folder itself does not count */
    if (!folder)
        return -1;
    for (const struct dirent *entry; (entry = readdir(folder));)
        count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

double process_descriptors_max(void)
{
    struct rlimit limit;
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY ? (double)limit.rlim_cur : -1;
}

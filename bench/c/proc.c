/* CPU seconds and resident memory of processes with all their descendants, read from /proc. */
#include "load.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

typedef struct { int pid, parent, counted; Usage usage; } Process;

static int read_stat(int pid, Process *p)
{
    char name[64], text[1024], *fields;
    unsigned long user, system;
    long pages;
    snprintf(name, sizeof name, "/proc/%d/stat", pid);
    FILE *f = fopen(name, "r");
    if (!f) return 0;
    size_t n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[n] = 0;
    /* the command may contain blanks and brackets: the fields start behind the last one */
    if (!(fields = strrchr(text, ')'))) return 0;
    if (sscanf(fields + 2, "%*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %*d %*d %*d %*d %*d %*d %*u %*u %ld",
               &p->parent, &user, &system, &pages) != 4)
        return 0;
    p->pid = pid;
    p->usage.cpu_s = (double)(user + system) / sysconf(_SC_CLK_TCK);
    p->usage.rss_kb = pages * (sysconf(_SC_PAGESIZE) / 1024);
    return 1;
}

Usage usage_of(const int *pids, int n)
{
    static Process all[16384];
    Usage sum = {0};
    int count = 0, grew = n > 0;
    DIR *d = n ? opendir("/proc") : NULL;
    for (struct dirent *e; d && count < 16384 && (e = readdir(d));) {
        int pid = atoi(e->d_name);
        if (pid <= 0 || !read_stat(pid, &all[count])) continue;
        all[count].counted = 0;
        for (int i = 0; i < n; i++) all[count].counted |= pids[i] == pid;
        count++;
    }
    if (d) closedir(d);
    while (grew) {
        grew = 0;
        for (int i = 0; i < count; i++)
            for (int j = 0; j < count && !all[i].counted; j++)
                if (all[j].counted && all[j].pid == all[i].parent) all[i].counted = grew = 1;
    }
    for (int i = 0; i < count; i++)
        if (all[i].counted) sum.cpu_s += all[i].usage.cpu_s, sum.rss_kb += all[i].usage.rss_kb;
    return sum;
}

double usage_self(void)
{
    struct rusage r;
    getrusage(RUSAGE_SELF, &r);
    return r.ru_utime.tv_sec + r.ru_stime.tv_sec + (r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

/* Busy seconds of all processors since boot, stolen time included. */
double usage_machine(void)
{
    unsigned long long user, nice, system, idle, wait, irq, softirq, stolen;
    FILE *f = fopen("/proc/stat", "r");
    int n = f ? fscanf(f, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &user, &nice, &system, &idle, &wait, &irq, &softirq, &stolen) : 0;
    if (f) fclose(f);
    return n == 8 ? (double)(user + nice + system + irq + softirq + stolen) / sysconf(_SC_CLK_TCK) : 0;
}

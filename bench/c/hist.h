/* Latency histogram: logarithmic with 128 steps per power of two (error below 0.8 %), exact maximum. */
#ifndef BENCH_HIST_H
#define BENCH_HIST_H
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define HIST_BITS 7
#define HIST_BINS ((65 - HIST_BITS) << HIST_BITS)

typedef struct {
    uint64_t bin[HIST_BINS], n, max;
    double sum;
} Hist;

static inline void hist_add(Hist *h, uint64_t ns)
{
    int shift = ns >> HIST_BITS ? 63 - __builtin_clzll(ns) - HIST_BITS : 0;
    h->bin[((uint64_t)shift << HIST_BITS) + (ns >> shift)]++;
    h->n++, h->sum += ns;
    if (ns > h->max) h->max = ns;
}

static inline double hist_ms(const Hist *h, double q)
{
    uint64_t want = (uint64_t)(h->n * q), below = 0;
    for (int i = 0; i < HIST_BINS; i++) {
        if ((below += h->bin[i]) <= want) continue;
        /* bins from 2^HIST_BITS on are numbered (shift << BITS) + mantissa, mantissa in [2^BITS, 2^(BITS+1)) */
        int shift = i >> HIST_BITS > 1 ? (i >> HIST_BITS) - 1 : 0;
        return ((uint64_t)(i - (shift << HIST_BITS)) << shift) / 1e6;
    }
    return h->max / 1e6;
}

static inline void hist_print(const char *name, const Hist *h)
{
    printf(",\"%s\":{\"n\":%llu,\"mean\":%.4f,\"p50\":%.4f,\"p95\":%.4f,\"p99\":%.4f,\"max\":%.4f}", name,
           (unsigned long long)h->n, h->n ? h->sum / h->n / 1e6 : 0, hist_ms(h, .5), hist_ms(h, .95), hist_ms(h, .99),
           h->max / 1e6);
}
#endif

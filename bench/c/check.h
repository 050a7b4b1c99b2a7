/* Order checker: was every message delivered once, in order?
 *
 * Owns the verdict about one stream of sequence numbers (one publisher as one session sees it).
 * Pure: no I/O, no clock. A publisher numbers its messages 0, 1, 2, … and sends the next one only
 * when the previous one was answered, so every session must see exactly this order.
 *
 * A number above the expected one leaves a hole (missing). A number below it either fills a hole
 * (late: delivered, but out of order) or was there already (doubled). Holes are remembered for the
 * last 64 numbers; what comes even later is counted as doubled: a violation in either case.
 */
#ifndef BENCH_CHECK_H
#define BENCH_CHECK_H
#include <stdint.h>

typedef struct {
    uint64_t seen; /* bit i: number next-1-i has been delivered */
    uint32_t next; /* the number expected */
} Track;

typedef struct {
    uint64_t delivered, missing, doubled, late;
} Verdict;

static inline void track_see(Track *t, uint32_t seq, Verdict *v)
{
    if (seq >= t->next) {
        uint32_t hole = seq - t->next;
        t->seen = hole < 63 ? t->seen << (hole + 1) | 1 : 1;
        t->next = seq + 1;
        v->missing += hole;
        v->delivered++;
        return;
    }
    uint32_t age = t->next - 1 - seq;
    if (age < 64 && !(t->seen >> age & 1)) {
        t->seen |= 1ull << age;
        v->missing--, v->late++, v->delivered++;
    } else {
        v->doubled++;
    }
}

/* The publisher has sent `sent` numbers: what never came after the last one seen is missing too. */
static inline void track_end(const Track *t, uint32_t sent, Verdict *v)
{
    if (sent > t->next) v->missing += sent - t->next;
}
#endif

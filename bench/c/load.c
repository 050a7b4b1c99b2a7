/* load: the load client of the bench (one thread, epoll).
 *
 * Opens gateway sessions, waits until each is ready, publishes over HTTP keep-alive connections and checks every
 * delivery on every session: none lost, none doubled, in order. Prints one JSON object on stdout; progress goes to
 * stderr as lines "progress PHASE DONE TOTAL". Exit codes: 0 it ran (violations are in the JSON), 2 usage,
 * 3 it could not run, with the reason on stderr.
 *
 * `load check` reads lines "PUBLISHER-NUMBER" of one stream from stdin and prints the checker's verdict.
 */
#include "load.h"

#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define NO_PROGRESS_S 30 /* give up when nothing moves for so long */
#define DRAIN_S 10       /* what has not arrived so long after the last answer is lost */

Options opt = {
    .host = "127.0.0.1", .port = 8080, .path = "/gateway?v=10&encoding=json", .method = "POST", .core = -1,
    .concurrency = 64, .intents = 33281, .guilds = 1, .inflate = 16, .publishers = 1, .in_flight = 1,
    .content_bytes = 64, .settle_s = 0.3,
};
int epoll_fd;
uint64_t window_start, window_end;
static uint64_t idle_ns; /* spent in polls that found nothing */
static int restarted;    /* there is a line on stdin */

static void progress(const char *phase, uint64_t done, uint64_t total)
{
    static const char *last_phase = "";
    static uint64_t next;
    if (phase == last_phase && now_ns() < next) return;
    last_phase = phase, next = now_ns() + 1000000000;
    fprintf(stderr, "progress %s %llu %llu\n", phase, (unsigned long long)done, (unsigned long long)total);
}

static void pump(double timeout_s)
{
    static uint64_t beats_checked;
    struct epoll_event events[512];
    struct timespec timeout = {.tv_nsec = timeout_s * 1e9};
    uint64_t start = now_ns();
    int n = epoll_pwait2(epoll_fd, events, 512, &timeout, NULL);
    if (n == 0) idle_ns += now_ns() - start;
    for (int i = 0; i < n; i++) {
        uint32_t index = events[i].data.u64;
        switch (events[i].data.u64 >> 32) {
        case EVENT_HTTP: publish_readable(index); break;
        case EVENT_SESSION: sessions_readable(index, events[i].events); break;
        case EVENT_STDIN: restarted = 1;
        }
    }
    if (now_ns() - beats_checked < (opt.beat_s > 0 || opt.ask ? 10000000 : 200000000)) return;
    beats_checked = now_ns();
    sessions_beat();
}

static void rest(double seconds, const char *phase)
{
    for (uint64_t start = now_ns(), end = start + seconds * 1e9; now_ns() < end; pump(0.02))
        progress(phase, (now_ns() - start) / 1000000000, seconds);
}

/* -- phases -------------------------------------------------------------------------------------- */

/* Start every session, at most --concurrency on their way at once; the time it took. */
static double start_sessions(const char *phase)
{
    uint64_t start = now_ns(), moved = start;
    int started = 0, ready = -1;
    while (started < opt.sessions || totals.unsettled) {
        while (started < opt.sessions && totals.unsettled < opt.concurrency) sessions_start(started++);
        pump(0.01);
        progress(phase, totals.ready, opt.sessions);
        if (totals.ready != ready) ready = totals.ready, moved = now_ns();
        if (now_ns() - moved > NO_PROGRESS_S * 1e9) fail("only %d of %d sessions became ready", totals.ready, opt.sessions);
    }
    return (now_ns() - start) / 1e9;
}

/* Publish until the deadline or until `limit` messages are accepted. Spinning is deliberate: a sleeping client
 * costs the server a wake-up per delivery and would measure the scheduler. */
static void publish_until(uint64_t deadline, uint64_t limit, const char *phase)
{
    uint64_t start = now_ns(), first = published.accepted, moved = start, accepted = first;
    while (now_ns() < deadline && published.accepted < limit) {
        publish_more(limit);
        pump(opt.spin ? 0 : 0.0005);
        if (limit != UINT64_MAX) progress(phase, published.accepted - first, limit - first);
        else progress(phase, (now_ns() - start) / 1000000000, (deadline - start) / 1000000000);
        if (published.accepted != accepted) accepted = published.accepted, moved = now_ns();
        if (now_ns() - moved > NO_PROGRESS_S * 1e9) fail("no answer to a request for %d s", NO_PROGRESS_S);
    }
}

static void drain(void)
{
    uint64_t moved = now_ns(), frames = totals.frames;
    while ((publish_unanswered() || totals.unsettled || !sessions_complete()) && now_ns() - moved < DRAIN_S * 1e9) {
        pump(0.002);
        progress("drain", 0, 0);
        if (totals.frames != frames) frames = totals.frames, moved = now_ns();
    }
    if (publish_unanswered()) fail("%d requests were never answered", publish_unanswered());
}

typedef struct { uint64_t at, accepted, deliveries, frames, bytes, idle_ns; Usage server; double self, machine; } Reading;

static Reading reading(void)
{
    return (Reading){now_ns(), published.accepted, totals.deliveries, totals.frames, totals.bytes,
                     idle_ns, usage_of(opt.pids, opt.n_pids), usage_self(), usage_machine()};
}

static void report_window(const Reading *a, const Reading *b)
{
    double s = (b->at - a->at) / 1e9, cpu = b->server.cpu_s - a->server.cpu_s;
    uint64_t deliveries = b->deliveries - a->deliveries, accepted = b->accepted - a->accepted;
    printf(",\"window\":{\"seconds\":%.3f,\"accepted\":%llu,\"accepted_per_s\":%.2f,\"deliveries\":%llu,\"deliveries_per_s\":%.1f,"
           "\"frame_bytes\":%.1f,\"server_cpu_s\":%.3f,\"server_cpu_share\":%.4f,\"client_busy_share\":%.4f,"
           "\"others_cpu_share\":%.4f,\"cpu_us_per_delivery\":%.4f,\"cpu_us_per_message\":%.3f,\"rss_kb\":%ld",
           s, (unsigned long long)accepted, accepted / s, (unsigned long long)deliveries, deliveries / s,
           b->frames > a->frames ? (double)(b->bytes - a->bytes) / (b->frames - a->frames) : 0, cpu, cpu / s,
           1 - (b->idle_ns - a->idle_ns) / 1e9 / s, (b->machine - a->machine - (b->self - a->self) - cpu) / s, deliveries ? cpu * 1e6 / deliveries : 0, accepted ? cpu * 1e6 / accepted : 0, b->server.rss_kb);
    hist_print("post_ms", &published.post);
    hist_print("delivery_ms", &totals.delivery);
    hist_print("last_delivery_ms", &totals.last);
    hist_print("heartbeat_ms", &totals.heartbeat);
    printf("}");
}

static void publish_phases(void)
{
    uint64_t forever = UINT64_MAX;
    if (opt.stalled) sessions_stall(opt.stalled);
    publish_schedule(opt.rate);
    if (opt.warmup_s > 0) publish_until(now_ns() + opt.warmup_s * 1e9, forever, "warm-up");
    Reading a = reading();
    window_start = a.at;
    window_end = opt.count ? forever : a.at + opt.duration_s * 1e9;
    publish_until(window_end, opt.count ? opt.count : forever, "measure");
    Reading b = reading();
    sessions_wake();
    drain();
    report_window(&a, &b);
}

/* The bench stops or kills the server, starts it again at the same address, and tells its new process id in a line. */
static void await_restart(void)
{
    char line[32];
    if (!opt.n_pids) fail("--restart needs --pids");
    publish_disconnect();
    sessions_let_go(1);
    watch(STDIN_FILENO, EVENT_STDIN, 0, EPOLLIN);
    for (progress("restart", 0, 0); !restarted; pump(0.01))
        ;
    if (!fgets(line, sizeof line, stdin)) fail("the server was not started again");
    opt.pids[0] = atoi(line);
    sessions_let_go(0);
    publish_connect();
}

static void publish_some(uint64_t count, const char *phase)
{
    publish_schedule(0);
    publish_until(UINT64_MAX, published.accepted + count, phase);
    while (publish_unanswered()) pump(0.002);
}

static void cut_and_resume(void)
{
    if (opt.restart) await_restart();
    uint64_t start = now_ns(), before = totals.frames, first = published.accepted;
    sessions_cut();
    publish_some(opt.cut, "away");
    memset(&totals.handshake, 0, sizeof totals.handshake);
    uint64_t missed = published.accepted - first;
    Reading a = reading();
    double took = start_sessions("resume");
    Reading b = reading();
    publish_some(opt.cut, "after");
    drain();
    printf(",\"resume\":{\"seconds\":%.4f,\"since_back_s\":%.4f,\"missed_messages\":%llu,\"resumed\":%d,\"not_resumable\":%d,"
           "\"per_s\":%.1f,\"replayed_frames\":%llu,\"server_cpu_s\":%.3f,\"server_cpu_before_s\":%.3f,\"rss_kb\":%ld",
           took, (b.at - start) / 1e9, (unsigned long long)missed, totals.resumed, totals.not_resumable, totals.resumed / took,
           (unsigned long long)(b.frames - before), b.server.cpu_s - a.server.cpu_s, a.server.cpu_s, b.server.rss_kb);
    hist_print("handshake_ms", &totals.handshake);
    hist_print("resume_ms", &totals.resume);
    printf("}");
}

static void report_connect(double took, const Usage *before, const Usage *after)
{
    printf("{\"sessions\":%d,\"connect\":{\"seconds\":%.4f,\"per_s\":%.1f,\"server_cpu_ms_per_session\":%.4f,"
           "\"rss_before_kb\":%ld,\"rss_after_kb\":%ld,\"rss_kb_per_session\":%.3f",
           opt.sessions, took, opt.sessions / took, (after->cpu_s - before->cpu_s) * 1e3 / (opt.sessions ? opt.sessions : 1), before->rss_kb,
           after->rss_kb, (double)(after->rss_kb - before->rss_kb) / (opt.sessions ? opt.sessions : 1));
    hist_print("handshake_ms", &totals.handshake);
    hist_print("identify_ms", &totals.identify);
    printf("}");
}

static void hold(void)
{
    Reading a = reading();
    rest(opt.hold_s, "hold");
    Reading b = reading();
    if (opt.ask) {
        printf(",\"asked\":{\"asked\":%llu,\"answered\":%llu,\"chunks\":%llu", (unsigned long long)totals.asked,
               (unsigned long long)totals.answered, (unsigned long long)totals.chunks);
        hist_print("answer_ms", &totals.answer);
        printf("}");
    }
    printf(",\"hold\":{\"seconds\":%.3f,\"server_cpu_share\":%.5f,\"rss_kb\":%ld}", (b.at - a.at) / 1e9,
           (b.server.cpu_s - a.server.cpu_s) / ((b.at - a.at) / 1e9), b.server.rss_kb);
}

static void report_stalled(void)
{
    printf(",\"stalled\":{\"sessions\":%d,\"closed\":%d,\"resumed\":%d,\"not_resumable\":%d}", opt.stalled,
           totals.stalled_closed, totals.resumed, totals.not_resumable);
}

static void report_check(void)
{
    SessionVerdict v = sessions_verdict();
    printf(",\"check\":{\"delivered\":%llu,\"lost\":%llu,\"doubled\":%llu,\"out_of_order\":%llu,\"miscounted\":%llu,"
           "\"disagreeing_sessions\":%d,\"sequence_violations\":%llu,\"closed_sessions\":%d,\"refused_requests\":%llu,\"misplaced_chunks\":%llu}",
           (unsigned long long)v.order.delivered, (unsigned long long)v.order.missing, (unsigned long long)v.order.doubled,
           (unsigned long long)v.order.late, (unsigned long long)v.miscounted, v.disagreeing,
           (unsigned long long)totals.s_violations, totals.closed, (unsigned long long)published.refused, (unsigned long long)totals.misplaced_chunks);
    tally_print("statuses", &published.statuses);
    tally_print("close_codes", &totals.close_codes);
    printf("}\n");
}

/* -- command line -------------------------------------------------------------------------------- */

static char **read_lines(const char *file, int *n)
{
    FILE *f = fopen(file, "r");
    char **lines = NULL, *line = NULL;
    size_t room = 0;
    if (!f) fail("%s: %s", file, strerror(errno));
    for (*n = 0; getline(&line, &room, f) > 0; line = NULL, room = 0) {
        line[strcspn(line, "\n")] = 0;
        lines = realloc(lines, (*n + 1) * sizeof *lines);
        lines[(*n)++] = line;
    }
    fclose(f);
    if (!*n) fail("%s is empty", file);
    return lines;
}

static void read_pids(char *list)
{
    for (char *s = strtok(list, ","); s; s = strtok(NULL, ",")) {
        opt.pids = realloc(opt.pids, (opt.n_pids + 1) * sizeof *opt.pids);
        opt.pids[opt.n_pids++] = atoi(s);
    }
}

static const struct { const char *name; enum { FLAG, INT, BIG, REAL, TEXT } type; void *value; } settings[] = {
    {"host", TEXT, &opt.host}, /* IPv4 address */
    {"port", INT, &opt.port},
    {"path", TEXT, &opt.path},                     /* of the gateway, with its query */
    {"compress", TEXT, &opt.compress},             /* zlib | zstd: what the path asks for */
    {"inflate", INT, &opt.inflate},                /* so many compressed sessions are checked, the others counted */
    {"sessions", INT, &opt.sessions},
    {"concurrency", INT, &opt.concurrency},        /* handshakes in flight */
    {"handshake-only", FLAG, &opt.handshake_only}, /* stop at HELLO */
    {"intents", INT, &opt.intents},
    {"guilds", INT, &opt.guilds},                  /* GUILD_CREATEs that make a session ready */
    {"settle", REAL, &opt.settle_s},               /* rest between ready and measuring */
    {"hold", REAL, &opt.hold_s},                   /* stay idle so long and report CPU and memory */
    {"stalled", INT, &opt.stalled},                /* the last N sessions do not read while it publishes */
    {"cut", BIG, &opt.cut},                        /* cut all sessions, publish N messages, resume */
    {"restart", FLAG, &opt.restart},               /* instead of cutting them: the server is started again meanwhile */
    {"beat", REAL, &opt.beat_s},                   /* seconds between heartbeats instead of what HELLO says */
    {"ask", TEXT, &opt.ask},                       /* every session asks for all members of this guild, */
    {"ask-every", REAL, &opt.ask_s},               /* when the last answer is complete and so many seconds are over */
    {"method", TEXT, &opt.method},
    {"mix", INT, &opt.mix},                        /* every Nth message is edited, then deleted */
    {"publishers", INT, &opt.publishers},          /* HTTP connections */
    {"in-flight", INT, &opt.in_flight},            /* closed loop: unanswered requests */
    {"answered", FLAG, &opt.answered},             /* in flight ends with the answer, not with the last delivery */
    {"rate", REAL, &opt.rate},                     /* or so many requests per second */
    {"content", INT, &opt.content_bytes},          /* length of a message's content */
    {"warmup", REAL, &opt.warmup_s},
    {"duration", REAL, &opt.duration_s},
    {"count", BIG, &opt.count},                    /* measure so many requests instead of a duration */
    {"spin", FLAG, &opt.spin},
    {"core", INT, &opt.core},
};
#define N_SETTINGS (int)(sizeof settings / sizeof *settings)

/* Files and lists: --tokens FILE (one per session), --targets FILE ("PATH<tab>AUTHORIZATION" per request), --pids A,B */
static const char *const files[] = {"tokens", "targets", "pids"};

static void parse(int argc, char **argv)
{
    struct option known[N_SETTINGS + 4] = {0};
    for (int i = 0; i < N_SETTINGS; i++) known[i] = (struct option){settings[i].name, settings[i].type == FLAG ? no_argument : required_argument, NULL, i};
    for (int i = 0; i < 3; i++) known[N_SETTINGS + i] = (struct option){files[i], required_argument, NULL, N_SETTINGS + i};
    for (int o; (o = getopt_long(argc, argv, "", known, NULL)) != -1;) {
        if (o == '?') exit(2);
        if (o == N_SETTINGS) opt.tokens = read_lines(optarg, &opt.n_tokens);
        else if (o == N_SETTINGS + 1) opt.targets = read_lines(optarg, &opt.n_targets);
        else if (o == N_SETTINGS + 2) read_pids(optarg);
        else if (settings[o].type == FLAG) *(int *)settings[o].value = 1;
        else if (settings[o].type == INT) *(int *)settings[o].value = atoi(optarg);
        else if (settings[o].type == BIG) *(uint64_t *)settings[o].value = strtoull(optarg, NULL, 10);
        else if (settings[o].type == REAL) *(double *)settings[o].value = atof(optarg);
        else *(char **)settings[o].value = optarg;
    }
    if (opt.sessions && !opt.handshake_only && !opt.tokens) fail("--tokens is missing");
    for (int i = 0; i < opt.n_targets; i++)
        if (!strchr(opt.targets[i], '\t')) fail("--targets: no tab in \"%s\"", opt.targets[i]);
    if (opt.publishers < 1 || opt.publishers > 1000 || opt.content_bytes > 4000) fail("publishers 1–1000, content up to 4000 bytes");
    if (opt.compress && strcmp(opt.compress, "zlib") && strcmp(opt.compress, "zstd")) fail("--compress is zlib or zstd");
    if (opt.sessions && strcmp(opt.method, "POST")) fail("--method other than POST goes with --sessions 0");
}

static int check_stream(void)
{
    Track track = {0};
    Verdict v = {0};
    unsigned seq, sent = 0;
    while (scanf("%u", &seq) == 1) {
        track_see(&track, seq, &v);
        if (seq >= sent) sent = seq + 1;
    }
    track_end(&track, sent, &v);
    printf("{\"delivered\":%llu,\"lost\":%llu,\"doubled\":%llu,\"out_of_order\":%llu}\n", (unsigned long long)v.delivered,
           (unsigned long long)v.missing, (unsigned long long)v.doubled, (unsigned long long)v.late);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "check")) return check_stream();
    parse(argc, argv);
    struct rlimit files_open;
    getrlimit(RLIMIT_NOFILE, &files_open);
    files_open.rlim_cur = files_open.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files_open);
    if (files_open.rlim_cur < (rlim_t)(opt.sessions + opt.publishers + 16)) fail("the limit of %d open files is too low", (int)files_open.rlim_cur);
    if (opt.core >= 0) {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET(opt.core, &set);
        sched_setaffinity(0, sizeof set, &set);
    }
    epoll_fd = epoll_create1(0);
    sessions_open();
    publish_open();
    Usage before = usage_of(opt.pids, opt.n_pids);
    double took = start_sessions("connect");
    rest(opt.settle_s, "settle");
    Usage after = usage_of(opt.pids, opt.n_pids);
    report_connect(took, &before, &after);
    if (opt.hold_s > 0) hold();
    if (opt.targets) {
        publish_phases();
        if (opt.cut) cut_and_resume();
    }
    if (opt.stalled) report_stalled();
    report_check();
    sessions_close();
    return 0;
}

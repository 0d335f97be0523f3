/* The slot loop written by hand in C: the limit to compare the compiled engine with.

   The same model, the same keyed draws and the same statistics as cluster_sim under the default reading,
   for the policies `priority` (threshold alpha / gamma) and `jsq-maxweight`, with even traffic, three
   replicas and two tiers. The trajectory is the same too, so the numbers printed must equal the engine's.

   usage: reference POLICY M ALPHA GAMMA SLOTS WARMUP KEY_LOW KEY_HIGH < arrivals-cdf (binary doubles)
   prints: arrivals completed in_system completion_sum waiting_sum local_starts remote_starts cpu_seconds */

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ARRIVALS = 1, TYPE = 2, TASK = 3, DISPATCH_ORDER = 4, DISPATCH_TIE = 5 };
enum { WHEEL = 1024, TIMES = 16384 };

static uint32_t key_low, key_high;

static inline void philox(uint32_t stream, uint64_t index, uint32_t sub, uint32_t out[4]) {
    uint32_t c0 = (uint32_t)index, c1 = (uint32_t)(index >> 32), c2 = sub, c3 = stream;
    uint32_t k0 = key_low, k1 = key_high;
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
        uint32_t n0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0, n2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)p1;
        c3 = (uint32_t)p0;
        c0 = n0;
        c2 = n2;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}

static inline double uniform(uint32_t high, uint32_t low) {
    return (double)(((uint64_t)(high >> 5) << 26) | (low >> 6)) * 0x1p-53;
}

static inline int64_t service_time(double u, double rate) {
    return rate >= 1.0 ? 1 : 1 + (int64_t)(log1p(-u) / log1p(-rate));
}

typedef struct {
    int64_t arrival;
    double luck;
    int32_t next, replicas[3];
} Waiting;

static int n_servers, n_queues;
static int32_t *waiting, *length, *head, *tail, *serving, *wheel_next, *idle;
static int64_t *ends, *busy;
static Waiting *pool;
static int32_t *unused;
static long n_pool, n_unused;

/* The longest queue: queues sorted by key, equal keys in a bucket; see cluster_sim/policies/longest.py. */
static int32_t *order, *position, *bucket, *first, *last, *bucket_key, *spare, *key_of;
static int n_spare;

static void move(int queue, int key) {
    if (key == key_of[queue]) return;
    key_of[queue] = key;
    int home = bucket[queue];
    while (bucket_key[home] != key) {
        int up = key > bucket_key[home];
        int edge = up ? last[home] : first[home], beside = up ? edge + 1 : edge - 1;
        int place = position[queue], other = order[edge];
        order[place] = other, order[edge] = queue;
        position[other] = place, position[queue] = edge;
        int alone = first[home] == last[home];
        int next = beside >= 0 && beside < n_servers ? bucket[order[beside]] : -1;
        int fits = next >= 0 && (up ? bucket_key[next] <= key : bucket_key[next] >= key);
        if (!fits && alone) {
            bucket_key[home] = key;
            return;
        }
        if (up) last[home]--; else first[home]++;
        if (alone) spare[n_spare++] = home;
        if (fits) {
            home = next;
            if (up) first[home]--; else last[home]++;
        } else {
            home = spare[--n_spare];
            first[home] = last[home] = edge;
            bucket_key[home] = key;
        }
        bucket[queue] = home;
    }
}

static void *zeros(size_t n, size_t size) {
    void *memory = calloc(n ? n : 1, size);
    if (!memory) exit(3);
    return memory;
}

int main(int argc, char **argv) {
    if (argc != 9) return 2;
    int is_priority = strcmp(argv[1], "priority") == 0;
    n_servers = atoi(argv[2]);
    double alpha = atof(argv[3]), gamma = atof(argv[4]), above = alpha / gamma;
    int64_t slots = atoll(argv[5]), warmup = atoll(argv[6]);
    key_low = (uint32_t)strtoul(argv[7], 0, 10), key_high = (uint32_t)strtoul(argv[8], 0, 10);
    n_queues = n_servers + !is_priority;
    int common = n_servers;
    double *cdf = 0, value;
    int n_cdf = 0;
    while (fread(&value, sizeof value, 1, stdin) == 1) {
        cdf = realloc(cdf, sizeof *cdf * (size_t)(n_cdf + 1));
        cdf[n_cdf++] = value;
    }
    size_t m = (size_t)n_servers, q = (size_t)n_queues;
    waiting = zeros(q, 4), length = zeros(q, 4), head = zeros(q, 4), tail = zeros(q, 4);
    serving = zeros(m, 4), wheel_next = zeros(m, 4), idle = zeros(m, 4);
    ends = zeros(m, 8), busy = zeros(m, 8);
    order = zeros(m, 4), position = zeros(m, 4), bucket = zeros(m, 4), key_of = zeros(m, 4);
    first = zeros(m + 2, 4), last = zeros(m + 2, 4), bucket_key = zeros(m + 2, 4), spare = zeros(m + 2, 4);
    for (int i = 0; i < n_servers; i++) order[i] = position[i] = i, serving[i] = -1;
    last[0] = n_servers - 1;
    for (int i = n_servers + 1; i >= 1; i--) spare[n_spare++] = i;
    int32_t wheel_head[WHEEL], wheel_tail[WHEEL];
    for (int i = 0; i < WHEEL; i++) wheel_head[i] = wheel_tail[i] = -1;
    int64_t *completion_times = zeros(TIMES, 8), *waiting_times = zeros(TIMES, 8);
    int64_t starts[2] = {0, 0}, in_system_sum = 0, waiting_sum = 0, n_waiting = 0, n_in_service = 0;
    int64_t number = 0;
    struct timespec begin, end_time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);

    for (int64_t slot = 0; slot < slots; slot++) {
        /* completions */
        int turn = (int)(slot & (WHEEL - 1));
        int server = wheel_head[turn];
        wheel_head[turn] = -1;
        while (server >= 0) {
            int following = wheel_next[server];
            if (ends[server] == slot) {
                int queue = serving[server];
                serving[server] = -1;
                n_in_service--;
                int before = length[queue]--;
                if (is_priority && before > above)
                    move(queue, waiting[queue] > 0 && length[queue] > above ? length[queue] : 0);
            } else {
                wheel_next[server] = -1;
                if (wheel_head[turn] < 0) wheel_head[turn] = server; else wheel_next[wheel_tail[turn]] = server;
                wheel_tail[turn] = server;
            }
            server = following;
        }
        /* observation */
        if (slot >= warmup) in_system_sum += n_waiting + n_in_service, waiting_sum += n_waiting;
        /* arrivals */
        uint32_t w[4];
        philox(ARRIVALS, (uint64_t)slot, 0, w);
        double u = uniform(w[0], w[1]);
        int low = 0, high = n_cdf;
        while (low < high) {
            int middle = (low + high) / 2;
            if (u < cdf[middle]) high = middle; else low = middle + 1;
        }
        for (int i = 0; i < low; i++, number++) {
            int32_t r[3];
            philox(TYPE, (uint64_t)number, 0, w);
            for (int j = 0; j < 3; j++) {
                int32_t draw = (int32_t)(((uint64_t)w[j + 1] * (uint64_t)(n_servers - j)) >> 32);
                int k = 0;
                while (k < j && draw >= r[k]) draw++, k++;
                for (int back = j; back > k; back--) r[back] = r[back - 1];
                r[k] = draw;
            }
            philox(TASK, (uint64_t)number, 0, w);
            double tie = uniform(w[2], w[3]);
            int least = length[r[0]], n_tied = 0, queue = -1;
            for (int j = 0; j < 3; j++) {
                if (length[r[j]] < least) least = length[r[j]], n_tied = 1;
                else if (length[r[j]] == least) n_tied++;
            }
            int n = -1;
            if (!is_priority && length[common] < least) queue = common;
            else if (!is_priority && length[common] == least) {
                n = (int)(tie * (n_tied + 1));
                if (n == n_tied) queue = common;
            } else n = (int)(tie * n_tied);
            for (int j = 0; queue < 0; j++)
                if (length[r[j]] == least && n-- == 0) queue = r[j];
            if (n_unused == 0) {
                long grown = n_pool ? 2 * n_pool : 4096;
                pool = realloc(pool, sizeof *pool * (size_t)grown);
                unused = realloc(unused, sizeof *unused * (size_t)grown);
                for (long p = grown - 1; p >= n_pool; p--) unused[n_unused++] = (int32_t)p;
                n_pool = grown;
            }
            int task = unused[--n_unused];
            pool[task] = (Waiting){slot, uniform(w[0], w[1]), -1, {r[0], r[1], r[2]}};
            if (waiting[queue] == 0) head[queue] = task; else pool[tail[queue]].next = task;
            tail[queue] = task;
            waiting[queue]++;
            length[queue]++;
            n_waiting++;
            if (is_priority && length[queue] > above) move(queue, length[queue]);
        }
        /* dispatch */
        if (!n_waiting) continue;
        int n_idle = 0;
        for (int i = 0; i < n_servers; i++)
            if (serving[i] < 0) idle[n_idle++] = i;
        for (int step = 0; n_waiting && step < n_idle; step++) {
            if ((step & 3) == 0) philox(DISPATCH_ORDER, (uint64_t)slot, (uint32_t)step >> 2, w);
            int chosen = step + (int)(((uint64_t)w[step & 3] * (uint64_t)(n_idle - step)) >> 32);
            server = idle[chosen];
            idle[chosen] = idle[step];
            int queue = -1;
            if (is_priority) {
                if (waiting[server]) queue = server;
                else {
                    int top = bucket[order[n_servers - 1]];
                    if (bucket_key[top] > 0) {
                        int size = last[top] - first[top] + 1, among = 0;
                        if (size > 1) {
                            uint32_t t[4];
                            philox(DISPATCH_TIE, (uint64_t)slot, (uint32_t)server, t);
                            among = (int)(uniform(t[2], t[3]) * size);
                        }
                        queue = order[first[top] + among];
                    }
                }
            } else if (!waiting[server]) {
                if (waiting[common]) queue = common;
            } else if (!waiting[common]) queue = server;
            else {
                double own = alpha * length[server], other = gamma * length[common];
                queue = own > other ? server : common;
                if (own == other) {
                    uint32_t t[4];
                    philox(DISPATCH_TIE, (uint64_t)slot, (uint32_t)server, t);
                    queue = uniform(t[0], t[1]) >= 0.5 ? common : server;
                }
            }
            if (queue < 0) continue;
            int task = head[queue];
            Waiting *started = &pool[task];
            head[queue] = started->next;
            waiting[queue]--;
            n_waiting--;
            n_in_service++;
            if (is_priority && length[queue] > above)
                move(queue, waiting[queue] > 0 ? length[queue] : 0);
            int32_t *r = started->replicas;
            int remote = r[0] != server && r[1] != server && r[2] != server;
            int64_t end = slot + service_time(started->luck, remote ? gamma : alpha);
            serving[server] = queue;
            ends[server] = end;
            turn = (int)(end & (WHEEL - 1));
            wheel_next[server] = -1;
            if (wheel_head[turn] < 0) wheel_head[turn] = server; else wheel_next[wheel_tail[turn]] = server;
            wheel_tail[turn] = server;
            unused[n_unused++] = task;
            int64_t stop = end < slots ? end : slots;
            if (slot >= warmup) starts[remote]++, busy[server] += stop - slot;
            else if (end > warmup) busy[server] += stop - warmup;
            if (end >= warmup && end < slots) {
                int64_t a = end - started->arrival, b = slot - started->arrival;
                if (a >= TIMES) exit(4);
                completion_times[a]++;
                waiting_times[b]++;
            }
        }
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end_time);
    int64_t completion_sum = 0, waiting_time_sum = 0;
    for (int i = 0; i < TIMES; i++)
        completion_sum += i * completion_times[i], waiting_time_sum += i * waiting_times[i];
    double seconds = (double)(end_time.tv_sec - begin.tv_sec) + 1e-9 * (double)(end_time.tv_nsec - begin.tv_nsec);
    int64_t in_system = n_waiting + n_in_service;
    printf("%lld %lld %lld %lld %lld %lld %lld %.9f\n", (long long)number, (long long)(number - in_system),
           (long long)in_system, (long long)completion_sum, (long long)waiting_time_sum, (long long)starts[0],
           (long long)starts[1], seconds);
    return 0;
}

// brute_force: what a network of Theorem 1 computes at n points, all n · m terms, in binary64:
//
//   f_i = Σ_j w_j · ReLU(z_i − b_j) + c        z, f of n numbers; b, w of m; c one
//
// z_i = <a, x_i> is projected by the host: n · d operations beside 4 · n · m, and points come in
// five types. A thread takes a point. The threads of a block bring 256 thresholds and weights at a
// time into shared memory, where every thread reads all of them: 4 KiB a block.
//
// Each difference, product and sum rounds once (-fmad=false), units are summed in their order and c
// comes last: the operations of `brute_force` in src/network/evaluate.rs, in its order. So outputs
// have the processor's bits, whether or not a sum is exact; where the bounds of DESIGN.md hold, they
// are the labels. Where something is not a number, the output is one of those on both, but its sign
// and payload are each device's own.
//
// Operations: n · m subtractions, comparisons, products and sums. Bytes: 16 · n for z and f, and
// 16 · m a block of 256 points for b and w, which stay in the second-level cache: 256 operations
// for 4 bytes of it, so a device is bound by its binary64 units.
#include "device.h"

struct BruteForceArguments {
    const double* z;
    const double* b;
    const double* w;
    double* f;
    double c;
    u64 n;
    u64 m;
};
static_assert(sizeof(BruteForceArguments) == 56, "as in brute_force.rs");

// Units in shared memory at a time, and threads of a block: each brings one.
static const u32 UNITS = 256;

KERNEL(brute_force, BruteForceArguments) {
    SHARED(double, thresholds, UNITS);
    SHARED(double, weights, UNITS);
    const u64 i = (u64)blockIdx.x * UNITS + threadIdx.x;
    // Threads without a point help to bring the units.
    const double z = i < a.n ? a.z[i] : 0.0;
    double sum = 0;
    for (u64 first = 0; first < a.m; first += UNITS) {
        const u32 units = a.m - first < UNITS ? (u32)(a.m - first) : UNITS;
        if (threadIdx.x < units) {
            thresholds[threadIdx.x] = a.b[first + threadIdx.x];
            weights[threadIdx.x] = a.w[first + threadIdx.x];
        }
        __syncthreads(); // these units are there
#pragma unroll 8
        for (u32 j = 0; j < units; j++) {
            const double t = z - thresholds[j];
            sum = sum + weights[j] * (t > 0 ? t : 0.0);
        }
        __syncthreads(); // nobody reads them any more
    }
    if (i < a.n) {
        a.f[i] = sum + a.c;
    }
}

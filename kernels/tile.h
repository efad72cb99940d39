// A tile of a product of matrices, whatever they are: C = A · B over k, M × 128 numbers of it by a
// block of 128 threads in steps of 16 along k; M is a multiple of 16, up to 80.
//
// The threads hold the next step in registers while they compute M numbers each from the
// present one in shared memory, which is kept twice, so that one barrier a step suffices. A thread
// moves 16 numbers of B and M/8 of A a step, each found by some instructions, for 16 · M products:
// so the higher the tile, the less finding a product costs.
//
// How they compute them is the affair of a structure: `Fused` here, with fused operations in
// binary32 (M/16 + 2 reads of shared memory feed M of them), and two for tensor cores in
// tensor_tile.h. A thread's numbers are runs of neighbours in a row of C. It has
//   LEFT_PAD, RIGHT_PAD                          numbers between lines of a step, of A and of B
//   RUN, GROUPS                                  numbers of a run, and runs of a row
//   u32 row<M>(u32 each), u32 column(u32 group)  where a run of the thread begins in the tile, for
//                                                `each` below M / (RUN · GROUPS)
//   u32 at(u32 each, u32 group)                  and its first number among the thread's
//   void step<M>(float (&c)[M], const float* x, const float* y)
//
// An operand is a structure with
//   void fetch(float (&to)[LINES / 8], u32 k, u32 end) const    its numbers of the step that begins
//                                                               at k: zeros from `end` on
//   void prepare(u32 k, u32 end) const                          B alone: what threads find out for
//                                                               each other before they fetch that
//   LINES, ALONG                                                its lines, M or 128, and which way
// and it is its own affair how it finds them. ALONG: neighbouring threads take neighbours along k,
// otherwise along the lines; whichever is contiguous in memory. Numbers are found without branches
// (`load_if`): a branch a number would leave one read after the other, and not all at once.
#pragma once

#include "device.h"

static const u32 STEP = 16;
static const u32 THREADS = 128;
static const u32 COLUMNS = 128;

// The place of one of the numbers that a thread moves in a step.
template <u32 LINES, bool ALONG>
static __device__ inline void place(u32 each, u32& line, u32& depth) {
    if (ALONG) {
        line = threadIdx.x / STEP + each * (THREADS / STEP);
        depth = threadIdx.x % STEP;
    } else {
        static_assert(ALONG || LINES == THREADS, "a thread moves all numbers of its line");
        line = threadIdx.x;
        depth = each;
    }
}

// In shared memory lines lie side by side, a bit apart against conflicts.
template <u32 PAD, class Operand>
static __device__ inline void put(float* to, const float (&from)[Operand::LINES / 8]) {
#pragma unroll
    for (u32 each = 0; each < Operand::LINES / 8; each++) {
        u32 line, depth;
        place<Operand::LINES, Operand::ALONG>(each, line, depth);
        to[depth * (Operand::LINES + PAD) + line] = from[each];
    }
}

// Fused operations in binary32. Rows lie in pairs, 16 apart, and columns in fours, 64 apart: so
// that lanes of a warp that read different numbers of a line meet different banks.
struct Fused {
    static const u32 LEFT_PAD = 2;
    static const u32 RIGHT_PAD = 4;
    static const u32 RUN = 4;
    static const u32 GROUPS = 2;

    template <u32 M>
    static __device__ inline u32 row(u32 each) {
        return each / 2 * 16 + threadIdx.x / 16 * 2 + each % 2;
    }

    static __device__ inline u32 column(u32 group) {
        return group * 64 + threadIdx.x % 16 * 4;
    }

    static __device__ inline u32 at(u32 each, u32 group) {
        return each * 8 + group * 4;
    }

    template <u32 M>
    static __device__ inline void step(float (&c)[M], const float* x, const float* y) {
        const float* rows = x + row<M>(0);
#pragma unroll (M < 80 ? 4 : 2) // four hide shared memory, for which the highest has no registers
        for (u32 depth = 0; depth < STEP; depth++) {
            const float4 low = *(const float4*)(y + depth * (COLUMNS + RIGHT_PAD) + column(0));
            const float4 high = *(const float4*)(y + depth * (COLUMNS + RIGHT_PAD) + column(1));
            const float columns[8] = {low.x,  low.y,  low.z,  low.w,
                                      high.x, high.y, high.z, high.w};
#pragma unroll
            for (u32 pair = 0; pair < M / 16; pair++) {
                const float2 two = *(const float2*)(rows + depth * (M + LEFT_PAD) + pair * 16);
#pragma unroll
                for (u32 j = 0; j < 8; j++) {
                    c[at(2 * pair, 0) + j] = fmaf(two.x, columns[j], c[at(2 * pair, 0) + j]);
                }
#pragma unroll
                for (u32 j = 0; j < 8; j++) {
                    c[at(2 * pair + 1, 0) + j] =
                        fmaf(two.y, columns[j], c[at(2 * pair + 1, 0) + j]);
                }
            }
        }
    }
};

// Computes the thread's part of a tile over k from `begin` to `end`; `sum` becomes the sum of A
// over k of line threadIdx.x if it is asked for.
template <class Arithmetic, u32 M, class Left, class Right>
static __device__ inline void tile(const Left& left, const Right& right, u32 begin, u32 end,
                                   float (&c)[M], bool sums, float& sum) {
    const u32 LEFT = M + Arithmetic::LEFT_PAD, RIGHT = COLUMNS + Arithmetic::RIGHT_PAD;
    SHARED(float, numbers, 2 * STEP * (LEFT + RIGHT));
    float* lefts = numbers + 2 * STEP * RIGHT;
    float* rights = numbers;
    float next_left[M / 8], next_right[COLUMNS / 8];
    u32 buffer = 0;
    right.prepare(begin, end);
    __syncthreads(); // what the first step needs is found
    // The first turn fetches only, the last one computes only: there is one place for each, since
    // operands may take many instructions to find.
    for (u32 k = begin;; k += STEP) {
        const bool more = k < end;
        if (more) {
            left.fetch(next_left, k, end);
            right.fetch(next_right, k, end);
        }
        if (k > begin) {
            const float* x = lefts + buffer * (STEP * LEFT);
            const float* y = rights + buffer * (STEP * RIGHT);
            Arithmetic::template step<M>(c, x, y);
            if (sums) {
#pragma unroll 4
                for (u32 depth = 0; depth < STEP; depth++) {
                    sum += x[depth * LEFT + threadIdx.x];
                }
            }
        }
        if (!more) {
            break;
        }
        buffer = 1 - buffer;
        put<Arithmetic::LEFT_PAD, Left>(lefts + buffer * (STEP * LEFT), next_left);
        put<Arithmetic::RIGHT_PAD, Right>(rights + buffer * (STEP * RIGHT), next_right);
        right.prepare(k + STEP, end);
        __syncthreads(); // the next step is there, and nobody reads the one before this
    }
}

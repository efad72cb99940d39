// A tile of a product of matrices, whatever they are: C = A · B over k, M × N numbers of it by a
// block of 128 threads in steps of 16 along k.
//
// The threads hold the next step in registers while they compute 8 × 4 numbers each from the
// present one in shared memory, which is kept twice, so that one barrier a step suffices.
//
// How they compute them is the affair of a structure: `Fused` here, with fused operations in
// binary32 (three 16-byte reads of shared memory feed 32 of them), and two for tensor cores in
// tensor_tile.h. It has
//   PAD                                                         numbers between lines of a step
//   void step<M, N>(float (&c)[8][4], const float* x, const float* y)
//   void finish<M, N>(float (&c)[8][4], float* numbers)         brings each thread's part to where
//                                                               `corner` says, through shared memory
//
// An operand is a structure with
//   void fetch(float (&to)[LINES / 8], u32 k, u32 end) const    its numbers of the step that begins
//                                                               at k: zeros from `end` on
//   void prepare(u32 k, u32 end) const                          B alone: what threads find out for
//                                                               each other before they fetch that
//   LINES, ALONG                                                its lines, M or N, and which way
// and it is its own affair how it finds them. ALONG: neighbouring threads take neighbours along k,
// otherwise along the lines; whichever is contiguous in memory.
#pragma once

#include "device.h"

static const u32 STEP = 16;
static const u32 THREADS = 128;

// The place of one of the numbers that a thread moves in a step.
template <u32 LINES, bool ALONG>
static __device__ inline void place(u32 each, u32& line, u32& depth) {
    if (ALONG) {
        line = threadIdx.x / STEP + each * (THREADS / STEP);
        depth = threadIdx.x % STEP;
    } else {
        line = threadIdx.x % LINES;
        depth = threadIdx.x / LINES + each * (THREADS / LINES);
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

// Rows down … down + 3 and M/2 + down … of the tile, columns over … over + 3 are a thread's.
template <u32 M, u32 N>
static __device__ inline void corner(u32& down, u32& over) {
    static_assert(M * N == THREADS * 32, "a thread computes 8 x 4 numbers");
    down = threadIdx.x / (N / 4) * 4;
    over = threadIdx.x % (N / 4) * 4;
}

// Fused operations in binary32.
struct Fused {
    static const u32 PAD = 4;

    template <u32 M, u32 N>
    static __device__ inline void step(float (&c)[8][4], const float* x, const float* y) {
        u32 down, over;
        corner<M, N>(down, over);
#pragma unroll 8 // four would do to hide shared memory; of those the compiler makes now this, now that
        for (u32 depth = 0; depth < STEP; depth++) {
            const float4 low = *(const float4*)(x + depth * (M + PAD) + down);
            const float4 high = *(const float4*)(x + depth * (M + PAD) + M / 2 + down);
            const float4 column = *(const float4*)(y + depth * (N + PAD) + over);
            const float rows[8] = {low.x,  low.y,  low.z,  low.w,
                                   high.x, high.y, high.z, high.w};
            const float columns[4] = {column.x, column.y, column.z, column.w};
#pragma unroll
            for (u32 i = 0; i < 8; i++) {
#pragma unroll
                for (u32 j = 0; j < 4; j++) {
                    c[i][j] = fmaf(rows[i], columns[j], c[i][j]);
                }
            }
        }
    }

    template <u32 M, u32 N>
    static __device__ inline void finish(float (&)[8][4], float*) {}
};

// Computes the thread's part of a tile over k from `begin` to `end`; `sum` becomes the sum of A
// over k of line threadIdx.x if it is asked for.
template <class Arithmetic, class Left, class Right>
static __device__ inline void tile(const Left& left, const Right& right, u32 begin, u32 end,
                                   float (&c)[8][4], bool sums, float& sum) {
    const u32 M = Left::LINES, N = Right::LINES, PAD = Arithmetic::PAD;
    const u32 left_buffer = STEP * (M + PAD), right_buffer = STEP * (N + PAD);
    SHARED(float, numbers, 2 * (left_buffer + right_buffer));
    float* lefts = numbers;
    float* rights = numbers + 2 * left_buffer;
    float next_left[M / 8], next_right[N / 8];
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
            const float* x = lefts + buffer * left_buffer;
            const float* y = rights + buffer * right_buffer;
            Arithmetic::template step<M, N>(c, x, y);
            if (sums) {
#pragma unroll 4
                for (u32 depth = 0; depth < STEP; depth++) {
                    sum += x[depth * (M + PAD) + threadIdx.x];
                }
            }
        }
        if (!more) {
            break;
        }
        buffer = 1 - buffer;
        put<PAD, Left>(lefts + buffer * left_buffer, next_left);
        put<PAD, Right>(rights + buffer * right_buffer, next_right);
        right.prepare(k + STEP, end);
        __syncthreads(); // the next step is there, and nobody reads the one before this
    }
    Arithmetic::template finish<M, N>(c, numbers);
}

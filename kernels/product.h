// What the matrix products of product.cu and tensor_product.cu share: their arguments, the tile that
// a block computes, how it is placed among blocks, and what becomes of a sum.
#pragma once

#include "device.h"

struct ProductArguments {
    // A, B and C; `row` is how far the next line along the direction that is not contiguous lies.
    View a;
    View b;
    View c;
    // No data: none. Bias of each column, and sums of the rows of A to be written.
    Array bias;
    Array sums;
    Array partial;
    u32 m;
    u32 n;
    u32 k;
    u32 splits;
    // Multiple of the step.
    u32 split_len;
    u32 relu;
    u32 accumulate;
    u32 unused;
};
static_assert(sizeof(ProductArguments) == 152, "as in arguments.rs");

// Side of the tile of C that a block computes, and numbers of a step along k.
static const u32 TILE = 64;
static const u32 STEP = 16;
static const u32 THREADS = 128;
// Groups of four numbers of a step of an operand that a thread moves.
static const u32 MOVES = TILE * STEP / 4 / THREADS;

// Four numbers of a step of an operand of `lines` × `end` numbers, which lie along the direction
// that is contiguous in memory.
template <bool ALONG_K>
struct Four {
    // Where in memory, and how many of them are there.
    u64 offset;
    u32 there;

    // The place of a thread's move: along the tile and along k.
    static __device__ inline void place(u32 move, u32& line, u32& depth) {
        const u32 slot = threadIdx.x + move * THREADS;
        line = ALONG_K ? slot / (STEP / 4) : slot % (TILE / 4) * 4;
        depth = ALONG_K ? slot % (STEP / 4) * 4 : slot / (TILE / 4);
    }

    __device__ inline Four(u32 move, u64 row, u32 lines, u32 first, u32 end, u32 k) {
        u32 line, depth;
        place(move, line, depth);
        line += first;
        depth += k;
        offset = ALONG_K ? line * row + depth : depth * row + line;
        const u32 along = ALONG_K ? depth : line, limit = ALONG_K ? end : lines;
        const bool inside = ALONG_K ? line < lines : depth < end;
        there = inside && along < limit ? limit - along : 0;
    }
};

// What becomes of a sum that is complete.
static __device__ inline float finished(const ProductArguments& a, float sum, float bias,
                                        float old) {
    sum = a.bias.data ? sum + bias : sum;
    sum = a.relu && sum < 0 ? 0.0f : sum;
    return a.accumulate ? old + sum : sum;
}

// A tile (tile.h) on tensor cores: factors are rounded to `Kind`, TF32 or BF16 (tensor.h), on their
// way out of shared memory; sums are in binary32.
//
// Each of the four warps computes M × 32 numbers in M/16 × 4 products of 16 × 8, of which a lane
// has pairs in two rows.
#pragma once

#include "tensor.h"
#include "tile.h"

template <class Kind>
struct Tensor {
    // 32 lanes that read a fragment meet 32 banks with TF32, and half as many with BF16.
    static const u32 LEFT_PAD = 8;
    static const u32 RIGHT_PAD = 8;
    static const u32 RUN = 2;
    static const u32 GROUPS = 4;

    template <u32 M>
    static __device__ inline u32 row(u32 each) {
        return each / 2 * 16 + threadIdx.x % 32 / 4 + each % 2 * 8;
    }

    static __device__ inline u32 column(u32 group) {
        return threadIdx.x / 32 * 32 + group * 8 + threadIdx.x % 4 * 2;
    }

    static __device__ inline u32 at(u32 each, u32 group) {
        return (each / 2 * 4 + group) * 4 + each % 2 * 2;
    }

    template <u32 M>
    static __device__ inline void step(float (&c)[M], const float* x, const float* y) {
        const u32 lane = threadIdx.x % 32, g = lane / 4, t = lane % 4;
        const u32 left = M + LEFT_PAD, right = COLUMNS + RIGHT_PAD;
#pragma unroll
        for (u32 depth = 0; depth < STEP; depth += Kind::DEPTH) {
            const float* columns = y + depth * right + threadIdx.x / 32 * 32 + g;
            u32 b[4][2];
#pragma unroll
            for (u32 each = 0; each < 8; each++) {
                b[each / 2][each % 2] = Kind::pack(columns + each / 2 * 8, right, t, each % 2);
            }
#pragma unroll
            for (u32 down = 0; down < M / 16; down++) {
                const float* lines = x + depth * left + down * 16 + g;
                u32 a[4];
#pragma unroll
                for (u32 each = 0; each < 4; each++) {
                    a[each] = Kind::pack(lines + each % 2 * 8, left, t, each / 2);
                }
#pragma unroll
                for (u32 each = 0; each < 4; each++) {
                    Kind::multiply(c + (down * 4 + each) * 4, a, b[each]);
                }
            }
        }
    }
};

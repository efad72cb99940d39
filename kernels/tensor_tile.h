// A tile (tile.h) on tensor cores: factors are rounded to `Kind`, TF32 or BF16 (tensor.h), on their
// way out of shared memory; sums are in binary32.
//
// Each of the four warps computes 32 × 32 numbers in 2 × 4 products of 16 × 8. Those of a thread lie
// in pairs here and there; in the end they change places through shared memory, once a tile,
// so that what leaves the block does not depend on how it was computed.
#pragma once

#include "tensor.h"
#include "tile.h"

template <class Kind>
struct Tensor {
    // 32 lanes that read a fragment meet 32 banks with TF32, and half as many with BF16.
    static const u32 PAD = 8;

    // The warp's part of a tile.
    template <u32 N>
    static __device__ inline void part(u32& down, u32& over) {
        const u32 warp = threadIdx.x / 32;
        down = warp / (N / 32) * 32;
        over = warp % (N / 32) * 32;
    }

    template <u32 M, u32 N>
    static __device__ inline void step(float (&c)[8][4], const float* x, const float* y) {
        const u32 lane = threadIdx.x % 32, g = lane / 4, t = lane % 4;
        u32 down, over;
        part<N>(down, over);
#pragma unroll
        for (u32 depth = 0; depth < STEP; depth += Kind::DEPTH) {
            const float* lines = x + depth * (M + PAD) + down + g;
            const float* columns = y + depth * (N + PAD) + over + g;
            u32 a[2][4], b[4][2];
#pragma unroll
            for (u32 each = 0; each < 8; each++) {
                const u32 line = each / 4 * 16 + each % 2 * 8;
                a[each / 4][each % 4] = Kind::pack(lines + line, M + PAD, t, each % 4 / 2);
                b[each / 2][each % 2] = Kind::pack(columns + each / 2 * 8, N + PAD, t, each % 2);
            }
#pragma unroll
            for (u32 each = 0; each < 8; each++) {
                Kind::multiply(c[each], a[each / 4], b[each % 4]);
            }
        }
    }

    template <u32 M, u32 N>
    static __device__ inline void finish(float (&c)[8][4], float* numbers) {
        static_assert(M * (N + PAD) <= 2 * STEP * (M + N + 2 * PAD), "room where the steps were");
        const u32 lane = threadIdx.x % 32;
        u32 down, over;
        part<N>(down, over);
        __syncthreads(); // nobody reads the last step any more
#pragma unroll
        for (u32 each = 0; each < 8; each++) {
#pragma unroll
            for (u32 at = 0; at < 4; at++) {
                const u32 line = down + each / 4 * 16 + lane / 4 + at / 2 * 8;
                const u32 column = over + each % 4 * 8 + lane % 4 * 2 + at % 2;
                numbers[line * (N + PAD) + column] = c[each][at];
            }
        }
        __syncthreads(); // the whole tile is there
        corner<M, N>(down, over);
#pragma unroll
        for (u32 i = 0; i < 8; i++) {
            const u32 line = down + i % 4 + (i < 4 ? 0 : M / 2);
            const float4 value = *(const float4*)(numbers + line * (N + PAD) + over);
            c[i][0] = value.x;
            c[i][1] = value.y;
            c[i][2] = value.z;
            c[i][3] = value.w;
        }
    }
};

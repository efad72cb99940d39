// Matrix products of dense layers, any shape, in binary32 with fused multiplication and addition:
// C = A · B, m × n, summed over k.
//
//   product_forward          Y = X · Wᵀ + bias, then ReLU    m = rows, n = out,  k = in
//   product_input_gradient   dX (+)= dY · W                  m = rows, n = in,   k = out
//   product_weight_gradient  dW = dYᵀ · X, db = Σ_r dY       m = out,  n = in,   k = rows
//
// A block computes a tile of 64 × 64 in steps of 16 along k: its 128 threads hold the next step in
// registers while they compute 8 × 4 numbers each from the present one in shared memory, which is
// kept twice, so that one barrier a step suffices. A step is 4 · 64 · 16 · 2 bytes read for
// 2 · 64 · 64 · 16 operations, 16 operations a byte; the three 16-byte reads of shared memory feed
// 32 fused operations of a thread. Rows are read 16 bytes at a time where they are aligned.
//
// Bias and ReLU are fused into the way out: that saves reading and writing Y twice, 16 bytes a
// number. The gradient of the bias is summed from the tiles of dY that are in shared memory anyway.
//
// Where C has too few tiles to fill a large device, k is cut into `splits` parts (blockIdx.y),
// whose sums go to memory side by side and are added up in their order by product_finish: 8 · splits
// bytes a number of C. How k is cut depends on m, n and k alone, so neither the number of replicas
// (blockIdx.z) nor the device changes a byte, and no sum has an order of its own making.
#include "product.h"

// Of a step in shared memory: lines of 64 numbers along m or n, a bit apart against conflicts.
static const u32 LINE = TILE + 4;
static const u32 BUFFER = STEP * LINE;
// Reads one step of an operand into registers; zeros beyond it.
template <bool ALONG_K>
static __device__ inline void fetch(float4 to[MOVES], const float* from, u64 row, bool fours,
                                    u32 lines, u32 first, u32 end, u32 k) {
#pragma unroll
    for (u32 move = 0; move < MOVES; move++) {
        const Four<ALONG_K> four(move, row, lines, first, end, k);
        const float* source = from + four.offset;
        if (fours && four.there >= 4) {
            to[move] = *(const float4*)source;
        } else {
            to[move].x = four.there > 0 ? source[0] : 0.0f;
            to[move].y = four.there > 1 ? source[1] : 0.0f;
            to[move].z = four.there > 2 ? source[2] : 0.0f;
            to[move].w = four.there > 3 ? source[3] : 0.0f;
        }
    }
}

// Puts them into shared memory, line by line along k.
template <bool ALONG_K>
static __device__ inline void put(float* to, const float4 from[MOVES]) {
#pragma unroll
    for (u32 move = 0; move < MOVES; move++) {
        u32 line, depth;
        Four<ALONG_K>::place(move, line, depth);
        float* target = to + depth * LINE + line;
        if (ALONG_K) {
            target[0 * LINE] = from[move].x;
            target[1 * LINE] = from[move].y;
            target[2 * LINE] = from[move].z;
            target[3 * LINE] = from[move].w;
        } else {
            *(float4*)target = from[move];
        }
    }
}

template <bool A_ALONG_K, bool B_ALONG_K>
static __device__ inline void product(const ProductArguments& a) {
    SHARED(float, lefts, 2 * BUFFER);
    SHARED(float, rights, 2 * BUFFER);
    const u64 replica = blockIdx.z;
    const u32 across = (a.n + TILE - 1) / TILE;
    const u32 top = blockIdx.x / across * TILE, side = blockIdx.x % across * TILE;
    const u32 begin = blockIdx.y * a.split_len;
    const u32 end = begin + a.split_len < a.k ? begin + a.split_len : a.k;
    const float* left = a.a.data + replica * a.a.replica;
    const float* right = a.b.data + replica * a.b.replica;
    const bool left_fours = aligned(left, a.a.row), right_fours = aligned(right, a.b.row);
    // Rows 4 · down … and 32 + 4 · down … of the tile, columns 4 · over ….
    const u32 down = threadIdx.x / (TILE / 4) * 4, over = threadIdx.x % (TILE / 4) * 4;
    const bool sums = a.sums.data && side == 0 && threadIdx.x < TILE;

    float4 next_left[MOVES], next_right[MOVES];
    fetch<A_ALONG_K>(next_left, left, a.a.row, left_fours, a.m, top, end, begin);
    fetch<B_ALONG_K>(next_right, right, a.b.row, right_fours, a.n, side, end, begin);
    put<A_ALONG_K>(lefts, next_left);
    put<B_ALONG_K>(rights, next_right);
    __syncthreads(); // the first step is there
    float c[8][4] = {};
    float sum = 0;
    u32 buffer = 0;
    for (u32 k = begin; k < end; k += STEP) {
        const bool more = k + STEP < end;
        if (more) {
            fetch<A_ALONG_K>(next_left, left, a.a.row, left_fours, a.m, top, end, k + STEP);
            fetch<B_ALONG_K>(next_right, right, a.b.row, right_fours, a.n, side, end, k + STEP);
        }
        const float* x = lefts + buffer;
        const float* y = rights + buffer;
#pragma unroll 4 // four are enough to hide shared memory; sixteen are 200 kB of PTX
        for (u32 depth = 0; depth < STEP; depth++) {
            const float4 low = *(const float4*)(x + depth * LINE + down);
            const float4 high = *(const float4*)(x + depth * LINE + TILE / 2 + down);
            const float4 column = *(const float4*)(y + depth * LINE + over);
            const float rows[8] = {low.x, low.y, low.z, low.w, high.x, high.y, high.z, high.w};
            const float columns[4] = {column.x, column.y, column.z, column.w};
#pragma unroll
            for (u32 i = 0; i < 8; i++) {
#pragma unroll
                for (u32 j = 0; j < 4; j++) {
                    c[i][j] = fmaf(rows[i], columns[j], c[i][j]);
                }
            }
        }
        if (sums) {
#pragma unroll 4
            for (u32 depth = 0; depth < STEP; depth++) {
                sum += x[depth * LINE + threadIdx.x];
            }
        }
        buffer = BUFFER - buffer;
        if (more) {
            put<A_ALONG_K>(lefts + buffer, next_left);
            put<B_ALONG_K>(rights + buffer, next_right);
            __syncthreads(); // the next step is there, and nobody reads the one before this
        }
    }

    const bool whole = a.splits == 1;
    float* partial = a.partial.data + replica * a.partial.replica;
    partial += blockIdx.y * ((u64)a.m * a.n + a.m);
    float* target = whole ? a.c.data + replica * a.c.replica : partial;
    const u64 row = whole ? a.c.row : a.n;
    const float* bias = a.bias.data + replica * a.bias.replica;
    const u32 column = side + over;
    const bool fours = aligned(target, row) && column + 4 <= a.n;
#pragma unroll
    for (u32 i = 0; i < 8; i++) {
        const u32 line = top + down + i % 4 + (i < 4 ? 0 : TILE / 2);
        if (line >= a.m) {
            continue;
        }
        float* place = target + line * row + column;
#pragma unroll
        for (u32 j = 0; j < 4; j++) {
            if (whole && column + j < a.n) {
                const float addend = a.bias.data ? bias[column + j] : 0.0f;
                c[i][j] = finished(a, c[i][j], addend, a.accumulate ? place[j] : 0.0f);
            }
        }
        if (fours) {
            *(float4*)place = make_float4(c[i][0], c[i][1], c[i][2], c[i][3]);
        } else {
#pragma unroll
            for (u32 j = 0; j < 4; j++) {
                if (column + j < a.n) {
                    place[j] = c[i][j];
                }
            }
        }
    }
    if (sums && top + threadIdx.x < a.m) {
        float* place = whole ? a.sums.data + replica * a.sums.replica : partial + (u64)a.m * a.n;
        place[top + threadIdx.x] = sum;
    }
}

KERNEL(product_forward, ProductArguments) {
    product<true, true>(a);
}

KERNEL(product_input_gradient, ProductArguments) {
    product<true, false>(a);
}

KERNEL(product_weight_gradient, ProductArguments) {
    product<false, false>(a);
}

// One thread a number of C, and then a sum.
KERNEL(product_finish, ProductArguments) {
    const u64 replica = blockIdx.y;
    const u64 at = (u64)blockIdx.x * blockDim.x + threadIdx.x;
    const u64 numbers = (u64)a.m * a.n;
    if (at >= numbers + (a.sums.data ? a.m : 0)) {
        return;
    }
    const float* partial = a.partial.data + replica * a.partial.replica + at;
    float sum = 0;
    for (u32 split = 0; split < a.splits; split++) {
        sum += partial[split * (numbers + a.m)];
    }
    if (at >= numbers) {
        a.sums.data[replica * a.sums.replica + (at - numbers)] = sum;
        return;
    }
    const u64 column = at % a.n;
    float* target = a.c.data + replica * a.c.replica + at / a.n * a.c.row + column;
    const float bias = a.bias.data ? a.bias.data[replica * a.bias.replica + column] : 0.0f;
    *target = finished(a, sum, bias, a.accumulate ? *target : 0.0f);
}

// Matrix products of dense layers on tensor cores: what product.cu computes, with the numbers that
// are multiplied rounded to TF32 (10 bits after the point) or BF16 (7 bits), and sums in binary32.
// Weights, activations and gradients stay binary32 in memory: a product rounds them on their way in.
//
//   product_forward_*          Y = X · Wᵀ + bias, then ReLU    m = rows, n = out,  k = in
//   product_input_gradient_*   dX (+)= dY · W                  m = rows, n = in,   k = out
//   product_weight_gradient_*  dW = dYᵀ · X, db = Σ_r dY       m = out,  n = in,   k = rows
//
// A block computes a tile of 64 × 64 in steps of 16 along k, each of its four warps a quarter of
// 32 × 32 in 2 × 4 products of 16 × 8. Steps come by asynchronous copies, three ahead of the one
// that is computed, so that a step costs one barrier and no register waits for memory. As many bytes
// as in product.cu for as many operations, 16 operations a byte, of which tensor cores do so many
// more that memory is what bounds these kernels: bias, ReLU and the gradient of the bias (summed in
// binary32, unrounded) are fused for the same 16 bytes a number.
//
// The operands lie in shared memory as in global memory. Lines are 20 numbers apart where k is
// contiguous and 72 where it is not, so that the 32 lanes that read a fragment meet 32 banks (16 with
// BF16 where k is not contiguous).
//
// k is cut as in product.cu, and product_finish adds up the parts: their order depends on the shape
// alone. Within a product of 16 × 8 the order is the device's, always the same on one kind of device.
#include "product.h"
#include "tensor.h"

static const u32 STAGES = 4;
static const u32 WARP_TILE = 32;
// Numbers from line to line in shared memory, with k contiguous and not.
static const u32 K_LINE = STEP + 4;
static const u32 M_LINE = TILE + 8;

template <bool ALONG_K>
struct Operand {
    static const u32 STAGE = ALONG_K ? TILE * K_LINE : STEP * M_LINE;
    // How far numbers are apart along the tile and along k.
    static const u32 LINE = ALONG_K ? K_LINE : 1;
    static const u32 DEPTH = ALONG_K ? 1 : M_LINE;

    // Begins to copy one step; zeros beyond the operand.
    static __device__ inline void copy(float* stage, const float* from, u64 row, bool fours,
                                       u32 lines, u32 first, u32 end, u32 k) {
#pragma unroll
        for (u32 move = 0; move < MOVES; move++) {
            u32 line, depth;
            Four<ALONG_K>::place(move, line, depth);
            const Four<ALONG_K> four(move, row, lines, first, end, k);
            const u32 there = four.there < 4 ? four.there : 4;
            float* to = stage + line * LINE + depth * DEPTH;
            if (fours) {
                copy_async<16>(to, there ? from + four.offset : from, there * sizeof(float));
                continue;
            }
#pragma unroll
            for (u32 at = 0; at < 4; at++) {
                const bool inside = at < there;
                copy_async<4>(to + at, inside ? from + four.offset + at : from,
                              inside ? sizeof(float) : 0);
            }
        }
    }
};

// One step of a warp: `x` and `y` are its lines of A and its columns of B in shared memory.
template <class Type, class Left, class Right>
static __device__ inline void multiply(float c[2][4][4], const float* x, const float* y) {
    const u32 lane = threadIdx.x % 32, g = lane / 4, t = lane % 4;
#pragma unroll
    for (u32 depth = 0; depth < STEP; depth += Type::DEPTH) {
        u32 a[2][4], b[4][2];
#pragma unroll
        for (u32 i = 0; i < 2; i++) {
#pragma unroll
            for (u32 part = 0; part < 4; part++) {
                const u32 line = i * 16 + g + part % 2 * 8;
                const float* from = x + line * Left::LINE + depth * Left::DEPTH;
                a[i][part] = Type::pack(from, Left::DEPTH, t, part / 2);
            }
        }
#pragma unroll
        for (u32 j = 0; j < 4; j++) {
#pragma unroll
            for (u32 half = 0; half < 2; half++) {
                const float* from = y + (j * 8 + g) * Right::LINE + depth * Right::DEPTH;
                b[j][half] = Type::pack(from, Right::DEPTH, t, half);
            }
        }
#pragma unroll
        for (u32 i = 0; i < 2; i++) {
#pragma unroll
            for (u32 j = 0; j < 4; j++) {
                Type::multiply(c[i][j], a[i], b[j]);
            }
        }
    }
}

template <class Type, bool A_ALONG_K, bool B_ALONG_K>
static __device__ inline void product(const ProductArguments& a) {
    typedef Operand<A_ALONG_K> Left;
    typedef Operand<B_ALONG_K> Right;
    SHARED(float, lefts, STAGES * Left::STAGE);
    SHARED(float, rights, STAGES * Right::STAGE);
    const u64 replica = blockIdx.z;
    const u32 across = (a.n + TILE - 1) / TILE;
    const u32 top = blockIdx.x / across * TILE, side = blockIdx.x % across * TILE;
    const u32 begin = blockIdx.y * a.split_len;
    const u32 end = begin + a.split_len < a.k ? begin + a.split_len : a.k;
    const u32 steps = (end - begin + STEP - 1) / STEP;
    const float* left = a.a.data + replica * a.a.replica;
    const float* right = a.b.data + replica * a.b.replica;
    const bool left_fours = aligned(left, a.a.row), right_fours = aligned(right, a.b.row);
    const bool sums = a.sums.data && side == 0 && threadIdx.x < TILE;
    // Begins to copy a step, if there is one, and ends a group in any case.
    const auto begin_step = [&](u32 step) {
        if (step < steps) {
            const u32 stage = step % STAGES, k = begin + step * STEP;
            Left::copy(lefts + stage * Left::STAGE, left, a.a.row, left_fours, a.m, top, end, k);
            Right::copy(rights + stage * Right::STAGE, right, a.b.row, right_fours, a.n, side,
                        end, k);
        }
        copies_end_group();
    };

    const u32 warp = threadIdx.x / 32, lane = threadIdx.x % 32;
    const u32 down = warp / 2 * WARP_TILE, over = warp % 2 * WARP_TILE;
    float c[2][4][4] = {};
    float sum = 0;
    for (u32 step = 0; step < STAGES - 1; step++) {
        begin_step(step);
    }
    for (u32 step = 0; step < steps; step++) {
        copies_wait<STAGES - 2>();
        __syncthreads(); // everybody's part of this step is there, and nobody reads the one before
        begin_step(step + STAGES - 1);
        const float* x = lefts + step % STAGES * Left::STAGE;
        const float* y = rights + step % STAGES * Right::STAGE;
        multiply<Type, Left, Right>(c, x + down * Left::LINE, y + over * Right::LINE);
        if (sums) {
#pragma unroll 4
            for (u32 depth = 0; depth < STEP; depth++) {
                sum += x[threadIdx.x * Left::LINE + depth * Left::DEPTH];
            }
        }
    }

    const bool whole = a.splits == 1;
    float* partial = a.partial.data + replica * a.partial.replica;
    partial += blockIdx.y * ((u64)a.m * a.n + a.m);
    float* target = whole ? a.c.data + replica * a.c.replica : partial;
    const u64 row = whole ? a.c.row : a.n;
    const float* bias = a.bias.data + replica * a.bias.replica;
#pragma unroll
    for (u32 i = 0; i < 2; i++) {
#pragma unroll
        for (u32 j = 0; j < 4; j++) {
#pragma unroll
            for (u32 at = 0; at < 4; at++) {
                const u32 line = top + down + i * 16 + lane / 4 + at / 2 * 8;
                const u32 column = side + over + j * 8 + lane % 4 * 2 + at % 2;
                if (line < a.m && column < a.n) {
                    float* place = target + line * row + column;
                    const float addend = a.bias.data ? bias[column] : 0.0f;
                    const float old = a.accumulate ? *place : 0.0f;
                    *place = whole ? finished(a, c[i][j][at], addend, old) : c[i][j][at];
                }
            }
        }
    }
    if (sums && top + threadIdx.x < a.m) {
        float* place = whole ? a.sums.data + replica * a.sums.replica : partial + (u64)a.m * a.n;
        place[top + threadIdx.x] = sum;
    }
}

#define PRODUCTS(name, Type)                                  \
    KERNEL(product_forward_##name, ProductArguments) {         \
        product<Type, true, true>(a);                          \
    }                                                          \
    KERNEL(product_input_gradient_##name, ProductArguments) {  \
        product<Type, true, false>(a);                         \
    }                                                          \
    KERNEL(product_weight_gradient_##name, ProductArguments) { \
        product<Type, false, false>(a);                        \
    }

PRODUCTS(tf32, Tf32)
PRODUCTS(bf16, Bf16)

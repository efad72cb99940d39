// Convolutions as products of matrices that are never written down (implicit GEMM): C = A · B,
// m × n, summed over k; in binary32 with fused multiplication and addition (convolution.cu), or with
// factors rounded to TF32 or BF16, on tensor cores (tensor_convolution.cu).
//
//   convolution_forward          Y = W * X + bias, then ReLU
//                                m = out, n = rows · places, k = in · size²
//   convolution_input_gradient   dX (+)= what each input number was unfolded to
//                                m = in, n = rows · positions, k = out · taps
//   convolution_weight_gradient  dW = Σ dY · unfolded X, db = Σ dY
//                                m = out, n = in · size², k = rows · places
//
// Arrays are canonical: samples × channels × height × width. A and C have channels for lines, and
// positions of a channel are contiguous, so that neighbouring threads read and write neighbours;
// B, the unfolded images, is computed from addresses as a step is fetched. Reading it from the
// images costs no more bytes than the images where a tile's windows overlap (from the caches); the
// unfolded matrix would be size² times as large, written and read: for the first 3 × 3 layer of
// the small Inception at batch 128, 2 · 867 MB for the 308 MB that its input is.
//
// The input gradient of a stride s goes in s² launches, one for each remainder of the position
// modulo s: at such positions the same taps of the kernel meet something, so that no operation is
// spent on zeros. With stride 1 that is one launch with all taps.
//
// A block computes a tile of 64 × 64, or of 32 × 128 where that leaves less of it empty, through
// tile.h. Bias and ReLU are fused into the way out: that saves reading and writing Y twice, 16
// bytes a number. The gradient of the bias is summed from the tiles of dY in shared memory.
//
// Where C has too few tiles to fill a large device, k is cut into `splits` parts (blockIdx.y),
// whose sums go to memory side by side and are added up in their order by convolution_finish: 8 ·
// splits bytes a number of C. All of it depends on shapes alone.
#pragma once

#include "tile.h"
#include "windows.h"

struct ConvolutionArguments {
    Windows windows;
    // dY in the weight gradient.
    View gradient;
    // W; what is written in the weight gradient.
    Array weight;
    // Y or dX.
    View target;
    // No data: none. Bias of each line, and sums of the lines of A to be written.
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
    // Of the input gradient: numbers of W from one output channel to the next, and from one input
    // channel to the next; the first tap, and from one tap down and to the right.
    u32 weight_out;
    u32 weight_in;
    u32 weight_first;
    u32 weight_down;
    u32 weight_right;
    // Of the target: its planes' numbers and width, and where position (y, x) goes, which is
    // (step · y + top, step · x + left).
    u32 plane;
    u32 width;
    u32 step;
    u32 top;
    u32 left;
    // Whether all positions of a line of the target are side by side.
    u32 contiguous;
};
static_assert(sizeof(ConvolutionArguments) == 296, "as in image_arguments.rs");

// W as out × (in · size²).
template <u32 M>
struct Kernel {
    static const u32 LINES = M;
    static const bool ALONG = true;
    const float* data;
    u32 first, lines, k;

    __device__ void fetch(float (&to)[M / 8], u32 begin, u32 end) const {
#pragma unroll
        for (u32 each = 0; each < M / 8; each++) {
            u32 line, depth;
            place<M, ALONG>(each, line, depth);
            line += first;
            depth += begin;
            to[each] = line < lines && depth < end ? data[(u64)line * k + depth] : 0.0f;
        }
    }
};

// Some taps of W as in × (out · taps). Neighbours lie size² apart: what a line of the cache holds
// besides is what the next depths want.
template <u32 M>
struct Turned {
    static const u32 LINES = M;
    static const bool ALONG = false;
    const float* data;
    u32 first, lines, line_apart;
    // Where the taps of two steps lie, which `Unfolded` finds.
    const u32* places;

    __device__ void fetch(float (&to)[M / 8], u32 begin, u32 end) const {
#pragma unroll
        for (u32 each = 0; each < M / 8; each++) {
            u32 line, depth;
            place<M, ALONG>(each, line, depth);
            line += first;
            depth += begin;
            const bool there = line < lines && depth < end;
            to[each] = there ? data[places[depth % (2 * STEP)] + line * line_apart] : 0.0f;
        }
    }
};

// Unfolded images as k × positions: a thread keeps its position, and the block keeps the taps of
// this step and the next one.
template <u32 N, bool GRADIENT>
struct Unfolded {
    static const u32 LINES = N;
    static const bool ALONG = false;
    const ConvolutionArguments& a;
    Seen seen;
    bool there;
    Taps taps;
    u32* places;

    __device__ void prepare(u32 begin, u32 end) const {
        const u32 at = begin + threadIdx.x;
        if (threadIdx.x < STEP && at < end) {
            const Tap tap = tap_of(a.windows, at);
            taps.set(a.windows, at % (2 * STEP), tap);
            if (GRADIENT) {
                places[at % (2 * STEP)] = tap.channel * a.weight_out + a.weight_first +
                                          tap.y * a.weight_down + tap.x * a.weight_right;
            }
        }
    }

    __device__ void fetch(float (&to)[N / 8], u32 begin, u32 end) const {
#pragma unroll
        for (u32 each = 0; each < N / 8; each++) {
            u32 line, depth;
            place<N, ALONG>(each, line, depth);
            depth += begin;
            const u32 at = depth % (2 * STEP);
            to[each] = there && depth < end
                           ? look(a.windows, seen, taps.apart[at], taps.offset[at])
                           : 0.0f;
        }
    }
};

// dY as out × positions.
template <u32 M>
struct Gradient {
    static const u32 LINES = M;
    static const bool ALONG = true;
    const ConvolutionArguments& a;
    const float* data;
    u32 first;

    __device__ void fetch(float (&to)[M / 8], u32 begin, u32 end) const {
        const Divisor& places = a.windows.places;
        const u32 position = begin + threadIdx.x % STEP;
        const u32 sample = quotient(position, places);
        const float* image = data + sample * a.gradient.row + (position - sample * places.by);
#pragma unroll
        for (u32 each = 0; each < M / 8; each++) {
            u32 line, depth;
            place<M, ALONG>(each, line, depth);
            line += first;
            to[each] = line < a.m && position < end ? image[(u64)line * places.by] : 0.0f;
        }
    }
};

// Unfolded images as positions × (in · size²): a thread has one position a step, and the block
// keeps the lines' taps.
template <u32 N>
struct Lines {
    static const u32 LINES = N;
    static const bool ALONG = true;
    const Windows& windows;
    const float* data;
    Taps taps;
    // Lines that are there.
    u32 lines;

    __device__ void prepare(u32, u32) const {}

    __device__ void fetch(float (&to)[N / 8], u32 begin, u32 end) const {
        const u32 position = begin + threadIdx.x % STEP;
        const bool there = position < end;
        const Seen seen = seen_from(windows, data, there ? position : begin);
#pragma unroll
        for (u32 each = 0; each < N / 8; each++) {
            u32 line, depth;
            place<N, ALONG>(each, line, depth);
            to[each] = there && line < lines
                           ? look(windows, seen, taps.apart[line], taps.offset[line])
                           : 0.0f;
        }
    }
};

// The block's tile, and its part of k.
struct Block {
    u32 top, side, begin, end;
};

template <u32 M, u32 N>
static __device__ inline Block block_of(const ConvolutionArguments& a) {
    const u32 across = (a.n + N - 1) / N;
    Block block;
    block.top = blockIdx.x / across * M;
    block.side = blockIdx.x % across * N;
    block.begin = blockIdx.y * a.split_len;
    block.end = block.begin + a.split_len < a.k ? block.begin + a.split_len : a.k;
    return block;
}

// Where a column of C goes, in line 0; lines are `line_of` numbers apart.
template <bool WEIGHT>
static __device__ inline float* target_of(const ConvolutionArguments& a, u32 column) {
    const u64 replica = blockIdx.z;
    if (WEIGHT) {
        return a.weight.data + replica * a.weight.replica + column;
    }
    const u32 sample = quotient(column, a.windows.places);
    column -= sample * a.windows.places.by;
    const u32 y = quotient(column, a.windows.across), x = column - y * a.windows.across.by;
    return a.target.data + replica * a.target.replica + sample * a.target.row +
           (y * a.step + a.top) * a.width + x * a.step + a.left;
}

template <bool WEIGHT>
static __device__ inline u32 line_of(const ConvolutionArguments& a) {
    return WEIGHT ? a.n : a.plane;
}

// What becomes of a sum that is complete.
static __device__ inline float finished(const ConvolutionArguments& a, float sum, float bias,
                                        float old) {
    sum = a.bias.data ? sum + bias : sum;
    sum = a.relu && sum < 0 ? 0.0f : sum;
    return a.accumulate ? old + sum : sum;
}

static __device__ inline float bias_of(const ConvolutionArguments& a, u32 line) {
    return a.bias.data ? a.bias.data[blockIdx.z * a.bias.replica + line] : 0.0f;
}

// The thread's part of a tile goes out; four columns at once where they are side by side, which
// `contiguous` says of positions that are not far apart.
template <u32 M, u32 N, bool WEIGHT>
static __device__ inline void leave(const ConvolutionArguments& a, const Block& block,
                                    const float (&c)[8][4], bool sums, float sum) {
    const bool whole = a.splits == 1;
    float* partial = a.partial.data + blockIdx.z * a.partial.replica;
    partial += blockIdx.y * ((u64)a.m * a.n + a.m);
    u32 down, over;
    corner<M, N>(down, over);
    const u32 first = block.side + over;
    const u64 row = whole ? line_of<WEIGHT>(a) : a.n;
    float* start = whole ? target_of<WEIGHT>(a, first < a.n ? first : 0) : partial + first;
    const bool side_by_side =
        WEIGHT || !whole || (a.contiguous && a.windows.places.by % 4 == 0);
    const bool fours = side_by_side && first + 4 <= a.n && aligned(start, row);
    const u32 top = block.top + down;
    const bool added = whole && a.accumulate;
    for (u32 j = 0; j < 4 && !fours; j++) {
        if (first + j >= a.n) {
            break;
        }
        float* column = whole ? target_of<WEIGHT>(a, first + j) : start + j;
#pragma unroll
        for (u32 i = 0; i < 8; i++) {
            const u32 line = top + i % 4 + (i < 4 ? 0 : M / 2);
            if (line < a.m) {
                float* place = column + line * row;
                const float sum = j == 0 ? c[i][0] : j == 1 ? c[i][1] : j == 2 ? c[i][2] : c[i][3];
                *place = whole ? finished(a, sum, bias_of(a, line), added ? *place : 0.0f) : sum;
            }
        }
    }
#pragma unroll
    for (u32 i = 0; i < 8; i++) {
        const u32 line = top + i % 4 + (i < 4 ? 0 : M / 2);
        if (fours && line < a.m) {
            float4* place = (float4*)(start + line * row);
            float4 value = make_float4(c[i][0], c[i][1], c[i][2], c[i][3]);
            if (whole) {
                const float4 old = added ? *place : make_float4(0.0f, 0.0f, 0.0f, 0.0f);
                const float bias = bias_of(a, line);
                value.x = finished(a, value.x, bias, old.x);
                value.y = finished(a, value.y, bias, old.y);
                value.z = finished(a, value.z, bias, old.z);
                value.w = finished(a, value.w, bias, old.w);
            }
            *place = value;
        }
    }
    if (sums && block.top + threadIdx.x < a.m) {
        const u64 replica = blockIdx.z;
        float* place = whole ? a.sums.data + replica * a.sums.replica : partial + (u64)a.m * a.n;
        place[block.top + threadIdx.x] = sum;
    }
}

template <class Arithmetic, u32 M, u32 N, bool GRADIENT>
static __device__ inline void images(const ConvolutionArguments& a) {
    SHARED(u32, apart, 2 * STEP);
    SHARED(u32, offset, 2 * STEP);
    SHARED(u32, places, 2 * STEP);
    const u64 replica = blockIdx.z;
    const Block block = block_of<M, N>(a);
    const float* seen = a.windows.images.data + replica * a.windows.images.replica;
    const float* weight = a.weight.data + replica * a.weight.replica;
    const u32 position = block.side + threadIdx.x % N;
    const bool there = position < a.n;
    const Unfolded<N, GRADIENT> right = {a,     seen_from(a.windows, seen, there ? position : 0),
                                         there, Taps{apart, offset},
                                         places};
    float c[8][4] = {};
    float sum = 0;
    if (GRADIENT) {
        const Turned<M> left = {weight, block.top, a.m, a.weight_in, places};
        tile<Arithmetic>(left, right, block.begin, block.end, c, false, sum);
    } else {
        const Kernel<M> left = {weight, block.top, a.m, a.k};
        tile<Arithmetic>(left, right, block.begin, block.end, c, false, sum);
    }
    leave<M, N, false>(a, block, c, false, sum);
}

template <class Arithmetic, u32 M, u32 N>
static __device__ inline void weights(const ConvolutionArguments& a) {
    SHARED(u32, apart, N);
    SHARED(u32, offset, N);
    const u64 replica = blockIdx.z;
    const Block block = block_of<M, N>(a);
    const Taps taps = {apart, offset};
    if (threadIdx.x < N) {
        // `tile` waits before it fetches.
        taps.set(a.windows, threadIdx.x, tap_of(a.windows, block.side + threadIdx.x));
    }
    const float* seen = a.windows.images.data + replica * a.windows.images.replica;
    const float* gradient = a.gradient.data + replica * a.gradient.replica;
    const bool sums = a.sums.data && block.side == 0 && threadIdx.x < M;
    const Gradient<M> left = {a, gradient, block.top};
    const Lines<N> right = {a.windows, seen, taps, a.n - block.side};
    float c[8][4] = {};
    float sum = 0;
    tile<Arithmetic>(left, right, block.begin, block.end, c, sums, sum);
    leave<M, N, true>(a, block, c, sums, sum);
}

// The kernels of one arithmetic, with tiles of 64 × 64 and (low) of 32 × 128.
#define CONVOLUTIONS(name, Arithmetic)                                        \
    KERNEL(convolution_forward##name, ConvolutionArguments) {                  \
        images<Arithmetic, 64, 64, false>(a);                                  \
    }                                                                          \
    KERNEL(convolution_forward_low##name, ConvolutionArguments) {              \
        images<Arithmetic, 32, 128, false>(a);                                 \
    }                                                                          \
    KERNEL(convolution_input_gradient##name, ConvolutionArguments) {           \
        images<Arithmetic, 64, 64, true>(a);                                   \
    }                                                                          \
    KERNEL(convolution_input_gradient_low##name, ConvolutionArguments) {       \
        images<Arithmetic, 32, 128, true>(a);                                  \
    }                                                                          \
    KERNEL(convolution_weight_gradient##name, ConvolutionArguments) {          \
        weights<Arithmetic, 64, 64>(a);                                        \
    }                                                                          \
    KERNEL(convolution_weight_gradient_low##name, ConvolutionArguments) {      \
        weights<Arithmetic, 32, 128>(a);                                       \
    }

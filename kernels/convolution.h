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
// A block computes a tile of M × 128 through tile.h, where M is 32, 48, 64 or 80, whichever costs
// least (lower_convolution.rs). Bias and ReLU are fused into the way out: that saves reading and writing Y twice, 16
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
            to[each] = load_if(data + (line * k + depth), (line < lines) & (depth < end));
        }
    }
};

// Taps that a block finds at once, a thread each.
static const u32 CHUNK = 64;

// Some taps of W as in × (out · taps). Taps of a channel lie side by side.
template <u32 M>
struct Turned {
    static const u32 LINES = M;
    static const bool ALONG = true;
    const float* data;
    u32 first, lines, line_apart;
    // The first step, and where taps lie, which `Unfolded` finds.
    u32 start;
    const u32* places;

    __device__ void fetch(float (&to)[M / 8], u32 begin, u32 end) const {
        const u32 at = begin + threadIdx.x % STEP;
        const u32 from = places[(at - start) % (2 * CHUNK)];
#pragma unroll
        for (u32 each = 0; each < M / 8; each++) {
            u32 line, depth;
            place<M, ALONG>(each, line, depth);
            line += first;
            to[each] = load_if(data + (from + line * line_apart), (line < lines) & (at < end));
        }
    }
};

// Unfolded images as k × positions: a thread keeps its position, and the block keeps the taps of
// this chunk of steps and the next one, counted from the first step.
template <bool GRADIENT>
struct Unfolded {
    static const u32 LINES = COLUMNS;
    static const bool ALONG = false;
    const ConvolutionArguments& a;
    Seen seen;
    u32 first;
    Look* looks;
    u32* places;

    __device__ void prepare(u32 begin, u32 end) const {
        if ((begin - first) % CHUNK != 0 || threadIdx.x >= CHUNK) {
            return;
        }
        const u32 at = begin + threadIdx.x, to = (at - first) % (2 * CHUNK);
        const Tap tap = tap_of(a.windows, at);
        looks[to] = at < end ? look_of(a.windows, tap) : look_nowhere();
        if (GRADIENT) {
            places[to] = tap.channel * a.weight_out + a.weight_first + tap.y * a.weight_down +
                         tap.x * a.weight_right;
        }
    }

    __device__ void fetch(float (&to)[STEP], u32 begin, u32) const {
        const Look* step = looks + (begin - first) % (2 * CHUNK);
#pragma unroll
        for (u32 depth = 0; depth < STEP; depth++) {
            to[depth] = look(seen, step[depth]);
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
        const float* image =
            held(data + sample * a.gradient.row + (position - sample * places.by));
#pragma unroll
        for (u32 each = 0; each < M / 8; each++) {
            u32 line, depth;
            place<M, ALONG>(each, line, depth);
            line += first;
            to[each] = load_if(image + line * places.by, (line < a.m) & (position < end));
        }
    }
};

// Unfolded images as positions × (in · size²): a thread has one position a step, and the block
// keeps the lines' taps.
struct Lines {
    static const u32 LINES = COLUMNS;
    static const bool ALONG = true;
    const Windows& windows;
    const float* data;
    const Look* looks;

    __device__ void prepare(u32, u32) const {}

    __device__ void fetch(float (&to)[COLUMNS / 8], u32 begin, u32 end) const {
        const u32 position = begin + threadIdx.x % STEP;
        const Seen seen = seen_from(windows, data, position, position < end);
#pragma unroll
        for (u32 each = 0; each < COLUMNS / 8; each++) {
            u32 line, depth;
            place<COLUMNS, ALONG>(each, line, depth);
            to[each] = look(seen, looks[line]);
        }
    }
};

// The block's tile, and its part of k.
struct Block {
    u32 top, side, begin, end;
};

template <u32 M>
static __device__ inline Block block_of(const ConvolutionArguments& a) {
    const u32 across = (a.n + COLUMNS - 1) / COLUMNS;
    Block block;
    block.top = blockIdx.x / across * M;
    block.side = blockIdx.x % across * COLUMNS;
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

// What becomes of a sum on its way out.
struct Epilogue {
    bool biased, relu, added;

    __device__ float out(float sum, float bias, float old) const {
        sum = biased ? sum + bias : sum;
        sum = relu && sum < 0 ? 0.0f : sum;
        return added ? old + sum : sum;
    }
};

// Moves RUN numbers at once.
template <u32 RUN>
static __device__ inline void move(float* to, const float* from) {
    static_assert(RUN == 2 || RUN == 4, "what is moved at once");
    if (RUN == 4) {
        *(float4*)to = *(const float4*)from;
    } else {
        *(float2*)to = *(const float2*)from;
    }
}

// The thread's part of a tile goes out; runs at once where they are side by side, which
// `contiguous` says of positions that are not far apart. (Whole runs in a row follow from `aligned`, too.)
template <class Arithmetic, u32 M, bool WEIGHT>
static __device__ inline void leave(const ConvolutionArguments& a, const Block& block,
                                    const float (&c)[M], bool sums, float sum) {
    const u32 RUN = Arithmetic::RUN, GROUPS = Arithmetic::GROUPS, ROWS = M / (RUN * GROUPS);
    // A part goes out as it is.
    const bool whole = a.splits == 1;
    const Epilogue way = {whole && a.bias.data, whole && a.relu, whole && a.accumulate};
    float* partial = a.partial.data + blockIdx.z * a.partial.replica;
    partial += blockIdx.y * ((u64)a.m * a.n + a.m);
    const u64 row = whole ? line_of<WEIGHT>(a) : a.n;
    const bool side_by_side =
        WEIGHT || !whole || (a.contiguous && a.windows.places.by % RUN == 0);
    const float* bias = a.bias.data + blockIdx.z * a.bias.replica;
#pragma unroll
    for (u32 group = 0; group < GROUPS; group++) {
        const u32 first = block.side + Arithmetic::column(group);
        float* start = whole ? target_of<WEIGHT>(a, first < a.n ? first : 0) : partial + first;
        if (side_by_side && first + RUN <= a.n && aligned(start, row, RUN)) {
#pragma unroll
            for (u32 each = 0; each < ROWS; each++) {
                const u32 line = block.top + Arithmetic::template row<M>(each);
                if (line < a.m) {
                    float* place = start + line * row;
                    alignas(16) float value[RUN], old[RUN] = {};
                    if (way.added) {
                        move<RUN>(old, place);
                    }
                    const float own = load_if(bias + line, way.biased);
#pragma unroll
                    for (u32 j = 0; j < RUN; j++) {
                        value[j] = way.out(c[Arithmetic::at(each, group) + j], own, old[j]);
                    }
                    move<RUN>(place, value);
                }
            }
            continue;
        }
#pragma unroll 1
        for (u32 j = 0; j < RUN && first + j < a.n; j++) {
            float* column = whole ? target_of<WEIGHT>(a, first + j) : start + j;
#pragma unroll
            for (u32 each = 0; each < ROWS; each++) {
                const u32 line = block.top + Arithmetic::template row<M>(each);
                if (line < a.m) {
                    // A register has no number: which one it is must be known to the compiler.
                    float value = c[Arithmetic::at(each, group)];
#pragma unroll
                    for (u32 other = 1; other < RUN; other++) {
                        value = j == other ? c[Arithmetic::at(each, group) + other] : value;
                    }
                    float* place = column + line * row;
                    const float old = way.added ? *place : 0.0f;
                    *place = way.out(value, load_if(bias + line, way.biased), old);
                }
            }
        }
    }
    if (sums && block.top + threadIdx.x < a.m) {
        const u64 replica = blockIdx.z;
        float* place = whole ? a.sums.data + replica * a.sums.replica : partial + (u64)a.m * a.n;
        place[block.top + threadIdx.x] = sum;
    }
}

template <class Arithmetic, u32 M, bool GRADIENT>
static __device__ inline void images(const ConvolutionArguments& a) {
    SHARED(Look, looks, 2 * CHUNK);
    SHARED(u32, places, GRADIENT ? 2 * CHUNK : 1);
    const u64 replica = blockIdx.z;
    const Block block = block_of<M>(a);
    const float* seen = a.windows.images.data + replica * a.windows.images.replica;
    const float* weight = held(a.weight.data + replica * a.weight.replica);
    const u32 position = block.side + threadIdx.x;
    const Unfolded<GRADIENT> right = {a, seen_from(a.windows, seen, position, position < a.n),
                                      block.begin, looks, places};
    float c[M] = {};
    float sum = 0;
    if (GRADIENT) {
        const Turned<M> left = {weight, block.top, a.m, a.weight_in, block.begin, places};
        tile<Arithmetic, M>(left, right, block.begin, block.end, c, false, sum);
    } else {
        const Kernel<M> left = {weight, block.top, a.m, a.k};
        tile<Arithmetic, M>(left, right, block.begin, block.end, c, false, sum);
    }
    leave<Arithmetic, M, false>(a, block, c, false, sum);
}

template <class Arithmetic, u32 M>
static __device__ inline void weights(const ConvolutionArguments& a) {
    SHARED(Look, looks, COLUMNS);
    const u64 replica = blockIdx.z;
    const Block block = block_of<M>(a);
    // `tile` waits before it fetches.
    const u32 line = block.side + threadIdx.x;
    looks[threadIdx.x] = line < a.n ? look_of(a.windows, tap_of(a.windows, line)) : look_nowhere();
    const float* seen = a.windows.images.data + replica * a.windows.images.replica;
    const float* gradient = a.gradient.data + replica * a.gradient.replica;
    const bool sums = a.sums.data && block.side == 0 && threadIdx.x < M;
    const Gradient<M> left = {a, gradient, block.top};
    const Lines right = {a.windows, seen, looks};
    float c[M] = {};
    float sum = 0;
    tile<Arithmetic, M>(left, right, block.begin, block.end, c, sums, sum);
    leave<Arithmetic, M, true>(a, block, c, sums, sum);
}

// The kernels of one arithmetic with tiles of M × 128, and with all.
#define CONVOLUTIONS_OF(M, name, Arithmetic)                                  \
    KERNEL_OF(128, M < 64 ? 4 : 3, convolution_forward_##M##name, ConvolutionArguments) {              \
        images<Arithmetic, M, false>(a);                                       \
    }                                                                          \
    KERNEL_OF(128, M < 64 ? 4 : 3, convolution_input_gradient_##M##name, ConvolutionArguments) {       \
        images<Arithmetic, M, true>(a);                                        \
    }                                                                          \
    KERNEL_OF(128, M < 64 ? 4 : 3, convolution_weight_gradient_##M##name, ConvolutionArguments) {      \
        weights<Arithmetic, M>(a);                                             \
    }
#define CONVOLUTIONS(name, Arithmetic)     \
    CONVOLUTIONS_OF(32, name, Arithmetic)  \
    CONVOLUTIONS_OF(48, name, Arithmetic)  \
    CONVOLUTIONS_OF(64, name, Arithmetic)  \
    CONVOLUTIONS_OF(80, name, Arithmetic)

// Convolutions as products of matrices that are never written down (implicit GEMM), in binary32
// with fused multiplication and addition: C = A · B, m × n, summed over k.
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
#include "image.h"
#include "tile.h"

// Where windows look: at planes of height × width numbers.
struct Windows {
    View images;
    // Positions of an image, and of a row of positions.
    Divisor places;
    Divisor across;
    // Taps of a channel, and of a row of taps.
    Divisor taps;
    Divisor wide;
    u32 height;
    u32 width;
    // Rows and columns from a position to the next.
    u32 step;
    // 1, or −1 where taps go up and to the left.
    u32 direction;
    // Where the first tap of the first position looks.
    u32 top;
    u32 left;
};
static_assert(sizeof(Windows) == 112, "as in image_arguments.rs");

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
    u32 unused;
};
static_assert(sizeof(ConvolutionArguments) == 296, "as in image_arguments.rs");

// Where the windows of a position look, from the image's first number on.
struct Seen {
    const float* image;
    u32 y, x;
};

static __device__ inline Seen seen_from(const Windows& windows, const float* images, u32 position) {
    const u32 sample = quotient(position, windows.places);
    position -= sample * windows.places.by;
    const u32 y = quotient(position, windows.across), x = position - y * windows.across.by;
    Seen seen;
    seen.image = images + sample * windows.images.row;
    seen.y = y * windows.step + windows.top;
    seen.x = x * windows.step + windows.left;
    return seen;
}

// Channel and tap of a line of the unfolded images.
struct Tap {
    u32 channel, y, x;
};

static __device__ inline Tap tap_of(const Windows& windows, u32 at) {
    Tap tap = {at, 0, 0};
    if (windows.taps.by > 1) {
        tap.channel = quotient(at, windows.taps);
        at -= tap.channel * windows.taps.by;
        tap.y = quotient(at, windows.wide);
        tap.x = at - tap.y * windows.wide.by;
    }
    return tap;
}

// What a tap of a position sees: 0 in the padding.
static __device__ inline float look(const Windows& windows, const Seen& seen, u32 offset, u32 down,
                                    u32 over) {
    const u32 y = seen.y + windows.direction * down, x = seen.x + windows.direction * over;
    // Above and to the left of the image numbers have wrapped around.
    const bool inside = y < windows.height && x < windows.width;
    return inside ? seen.image[offset + y * windows.width + x] : 0.0f;
}

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
    const ConvolutionArguments& a;
    const float* data;
    u32 first;

    __device__ void fetch(float (&to)[M / 8], u32 begin, u32 end) const {
#pragma unroll
        for (u32 each = 0; each < M / 8; each++) {
            u32 line, depth;
            place<M, ALONG>(each, line, depth);
            line += first;
            depth += begin;
            to[each] = 0;
            if (line < a.m && depth < end) {
                const Tap tap = tap_of(a.windows, depth);
                const u32 at = a.weight_first + tap.y * a.weight_down + tap.x * a.weight_right;
                to[each] = data[(u64)tap.channel * a.weight_out + line * a.weight_in + at];
            }
        }
    }
};

// Unfolded images as k × positions: a thread keeps its position.
template <u32 N>
struct Unfolded {
    static const u32 LINES = N;
    static const bool ALONG = false;
    const Windows& windows;
    Seen seen;
    bool there;

    __device__ void fetch(float (&to)[N / 8], u32 begin, u32 end) const {
        const u32 plane = windows.height * windows.width;
#pragma unroll
        for (u32 each = 0; each < N / 8; each++) {
            u32 line, depth;
            place<N, ALONG>(each, line, depth);
            depth += begin;
            to[each] = 0;
            if (there && depth < end) {
                const Tap tap = tap_of(windows, depth);
                to[each] = look(windows, seen, tap.channel * plane, tap.y, tap.x);
            }
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

// Unfolded images as positions × (in · size²): a thread has one position a step, and finds the
// lines' taps in shared memory.
template <u32 N>
struct Lines {
    static const u32 LINES = N;
    static const bool ALONG = true;
    const Windows& windows;
    const float* data;
    // Of each line: where its plane begins, and its tap, row · 2^16 + column.
    const u32* planes;
    const u32* taps;
    // Lines that are there.
    u32 lines;

    __device__ void fetch(float (&to)[N / 8], u32 begin, u32 end) const {
        const u32 position = begin + threadIdx.x % STEP;
        const bool there = position < end;
        const Seen seen = seen_from(windows, data, there ? position : begin);
#pragma unroll
        for (u32 each = 0; each < N / 8; each++) {
            u32 line, depth;
            place<N, ALONG>(each, line, depth);
            const u32 tap = taps[line];
            to[each] = there && line < lines
                           ? look(windows, seen, planes[line], tap >> 16, tap & 0xFFFF)
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

// Where a number of C goes.
template <bool WEIGHT>
static __device__ inline float* target_of(const ConvolutionArguments& a, u32 line, u32 column) {
    const u64 replica = blockIdx.z;
    if (WEIGHT) {
        return a.weight.data + replica * a.weight.replica + (u64)line * a.n + column;
    }
    const u32 sample = quotient(column, a.windows.places);
    column -= sample * a.windows.places.by;
    const u32 y = quotient(column, a.windows.across), x = column - y * a.windows.across.by;
    return a.target.data + replica * a.target.replica + sample * a.target.row +
           (u64)line * a.plane + (y * a.step + a.top) * a.width + x * a.step + a.left;
}

// Puts a sum that is complete where it belongs.
template <bool WEIGHT>
static __device__ inline void finish(const ConvolutionArguments& a, u32 line, u32 column,
                                     float sum) {
    if (a.bias.data) {
        sum += a.bias.data[blockIdx.z * a.bias.replica + line];
    }
    sum = a.relu && sum < 0 ? 0.0f : sum;
    float* target = target_of<WEIGHT>(a, line, column);
    *target = a.accumulate ? *target + sum : sum;
}

// The thread's part of a tile goes out.
template <u32 M, u32 N, bool WEIGHT>
static __device__ inline void leave(const ConvolutionArguments& a, const Block& block,
                                    const float (&c)[8][4], bool sums, float sum) {
    const bool whole = a.splits == 1;
    float* partial = a.partial.data + blockIdx.z * a.partial.replica;
    partial += blockIdx.y * ((u64)a.m * a.n + a.m);
    u32 down, over;
    corner<M, N>(down, over);
#pragma unroll
    for (u32 j = 0; j < 4; j++) {
        const u32 column = block.side + over + j;
#pragma unroll
        for (u32 i = 0; i < 8; i++) {
            const u32 line = block.top + down + i % 4 + (i < 4 ? 0 : M / 2);
            if (line < a.m && column < a.n) {
                if (whole) {
                    finish<WEIGHT>(a, line, column, c[i][j]);
                } else {
                    partial[(u64)line * a.n + column] = c[i][j];
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

template <u32 M, u32 N, bool GRADIENT>
static __device__ inline void images(const ConvolutionArguments& a) {
    const u64 replica = blockIdx.z;
    const Block block = block_of<M, N>(a);
    const float* seen = a.windows.images.data + replica * a.windows.images.replica;
    const float* weight = a.weight.data + replica * a.weight.replica;
    const u32 position = block.side + threadIdx.x % N;
    const bool there = position < a.n;
    const Unfolded<N> right = {a.windows, seen_from(a.windows, seen, there ? position : 0), there};
    float c[8][4] = {};
    float sum = 0;
    if (GRADIENT) {
        tile(Turned<M>{a, weight, block.top}, right, block.begin, block.end, c, false, sum);
    } else {
        tile(Kernel<M>{weight, block.top, a.m, a.k}, right, block.begin, block.end, c, false, sum);
    }
    leave<M, N, false>(a, block, c, false, sum);
}

template <u32 M, u32 N>
static __device__ inline void weights(const ConvolutionArguments& a) {
    SHARED(u32, planes, N);
    SHARED(u32, taps, N);
    const u64 replica = blockIdx.z;
    const Block block = block_of<M, N>(a);
    if (threadIdx.x < N) {
        const Tap tap = tap_of(a.windows, block.side + threadIdx.x);
        planes[threadIdx.x] = tap.channel * a.windows.height * a.windows.width;
        taps[threadIdx.x] = tap.y << 16 | tap.x;
    }
    __syncthreads(); // the lines' taps are there
    const float* seen = a.windows.images.data + replica * a.windows.images.replica;
    const float* gradient = a.gradient.data + replica * a.gradient.replica;
    const bool sums = a.sums.data && block.side == 0 && threadIdx.x < M;
    float c[8][4] = {};
    float sum = 0;
    tile(Gradient<M>{a, gradient, block.top},
         Lines<N>{a.windows, seen, planes, taps, a.n - block.side}, block.begin, block.end, c,
         sums, sum);
    leave<M, N, true>(a, block, c, sums, sum);
}

KERNEL(convolution_forward, ConvolutionArguments) {
    images<64, 64, false>(a);
}

KERNEL(convolution_forward_low, ConvolutionArguments) {
    images<32, 128, false>(a);
}

KERNEL(convolution_input_gradient, ConvolutionArguments) {
    images<64, 64, true>(a);
}

KERNEL(convolution_input_gradient_low, ConvolutionArguments) {
    images<32, 128, true>(a);
}

KERNEL(convolution_weight_gradient, ConvolutionArguments) {
    weights<64, 64>(a);
}

KERNEL(convolution_weight_gradient_low, ConvolutionArguments) {
    weights<32, 128>(a);
}

// One thread a number of C, and then a sum. Replicas are in the third direction, as above.
template <bool WEIGHT>
static __device__ inline void add_up(const ConvolutionArguments& a) {
    const u32 at = blockIdx.x * blockDim.x + threadIdx.x;
    const u32 numbers = a.m * a.n;
    if (at >= numbers + (a.sums.data ? a.m : 0)) {
        return;
    }
    const float* partial = a.partial.data + blockIdx.z * a.partial.replica + at;
    float sum = 0;
    for (u32 split = 0; split < a.splits; split++) {
        sum += partial[split * ((u64)numbers + a.m)];
    }
    if (at >= numbers) {
        a.sums.data[blockIdx.z * a.sums.replica + (at - numbers)] = sum;
        return;
    }
    finish<WEIGHT>(a, at / a.n, at % a.n, sum);
}

KERNEL(convolution_finish, ConvolutionArguments) {
    add_up<false>(a);
}

KERNEL(convolution_weight_finish, ConvolutionArguments) {
    add_up<true>(a);
}

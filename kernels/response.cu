// Local response normalization across channels (Krizhevsky, Sutskever & Hinton, NIPS 2012), rows ×
// channels × area. With s_c = k + weight · Σ x_i² over i from c − ⌊size/2⌋ to c + ⌊(size−1)/2⌋:
//
//   response           y_c = x_c · s_c^−beta; keeps s
//   response_gradient  dx_c (+)= g_c · s_c^−beta + factor · x_c · Σ g_i · x_i · s_i^−(beta+1), over
//                      the i whose windows contain c
//
// A thread takes a number; sums go from the lowest channel to the highest, as on the processor.
// Forwards 12 bytes a number, backwards 16, 20 if added to: what a window sees besides comes from
// the cache, since a plane's neighbours are read by the same multiprocessors at the same time. The
// gradient computes a term `size` times, two roots and a division each, which is more than its
// bytes take; a network has few and small such layers (that of AlexNet: 2 million numbers a batch).
#include "image.h"

struct ResponseArguments {
    View input;
    // What comes out; in the gradient, its gradient.
    View output;
    View input_gradient;
    Array sums;
    Divisor len;
    Divisor plane;
    u32 count;
    u32 channels;
    // Channels before and after a number in its window.
    u32 before;
    u32 after;
    float weight;
    float k;
    float beta;
    float factor;
    // beta = 3/4, which is two roots.
    u32 three_quarters;
    u32 accumulate;
    u32 unused[2];
};
static_assert(sizeof(ResponseArguments) == 168, "as in image_arguments.rs");

static __device__ inline float power(const ResponseArguments& a, float sum) {
    if (a.three_quarters) {
        const float root = sqrtf(sum);
        return 1.0f / (root * sqrtf(root));
    }
    return powf(sum, -a.beta);
}

struct Channels {
    u32 sample, within, first, last;
};

// The number that a thread takes, and the channels from `before` its own to `after` it.
static __device__ inline Channels channels_of(const ResponseArguments& a, u32 at, u32 before,
                                              u32 after) {
    Channels of;
    of.sample = quotient(at, a.len);
    of.within = at - of.sample * a.len.by;
    const u32 channel = quotient(of.within, a.plane);
    of.first = channel < before ? 0 : channel - before;
    of.last = a.channels - 1 - channel < after ? a.channels - 1 : channel + after;
    // Places of the same position in those channels.
    const u32 position = of.within - channel * a.plane.by;
    of.first = of.first * a.plane.by + position;
    of.last = of.last * a.plane.by + position;
    return of;
}

KERNEL(response, ResponseArguments) {
    const u64 replica = blockIdx.y;
    const u32 at = blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= a.count) {
        return;
    }
    const Channels of = channels_of(a, at, a.before, a.after);
    const float* input = a.input.data + replica * a.input.replica + of.sample * a.input.row;
    float squares = 0;
    for (u32 i = of.first; i <= of.last; i += a.plane.by) {
        squares += input[i] * input[i];
    }
    const float sum = a.k + a.weight * squares;
    a.sums.data[replica * a.sums.replica + at] = sum;
    a.output.data[replica * a.output.replica + of.sample * a.output.row + of.within] =
        input[of.within] * power(a, sum);
}

KERNEL(response_gradient, ResponseArguments) {
    const u64 replica = blockIdx.y;
    const u32 at = blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= a.count) {
        return;
    }
    const Channels of = channels_of(a, at, a.after, a.before);
    const float* input = a.input.data + replica * a.input.replica + of.sample * a.input.row;
    const float* gradient = a.output.data + replica * a.output.replica + of.sample * a.output.row;
    const float* sums = a.sums.data + replica * a.sums.replica + (u64)of.sample * a.len.by;
    float terms = 0;
    for (u32 i = of.first; i <= of.last; i += a.plane.by) {
        terms += gradient[i] * input[i] * power(a, sums[i]) / sums[i];
    }
    const float own = gradient[of.within] * power(a, sums[of.within]) +
                      a.factor * input[of.within] * terms;
    float* target = a.input_gradient.data + replica * a.input_gradient.replica +
                    of.sample * a.input_gradient.row + of.within;
    *target = a.accumulate ? *target + own : own;
}

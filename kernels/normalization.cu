// Batch normalization of each channel over rows × area numbers: rows × channels × area.
//
//   normalization_moments     mean and centred squares of each part of a channel
//   normalization_statistics  joins them: the batch's mean and 1/√(variance + eps), and the running
//                             statistics, 0.9 of themselves and 0.1 of the batch's
//   normalize                 output = scale · (input − mean)/√(variance + eps) + shift, then ReLU
//   normalization_sums        Σ g and Σ g · (x − mean) of each part of a channel
//   normalization_parameters  adds them up: gradients of shift and scale
//   normalization_gradient    dx (+)= factor · (g − Σ g/n − (x − mean) · slope)
//
// A block takes a part of 4096 numbers of one channel. Its threads hold sixteen numbers each in
// registers, so that the mean comes first and the squares are centred on it, for one reading of
// memory; parts are joined one after the other by the formula of Chan, Golub & LeVeque (1979), as
// exact as two passes over the batch. Parts depend on the shape alone.
//
// ReLU is fused forwards and backwards: that saves 8 bytes a number forwards (reading and writing
// the output once more) and 8 backwards (reading and writing the gradient). Forwards 12 bytes a
// number, backwards 28, and 4 more if it is added to.
#include "image.h"

struct NormalizationArguments {
    View input;
    // What comes out; in the gradient, no data where there was no ReLU.
    View output;
    View output_gradient;
    View input_gradient;
    Array scale;
    Array shift;
    // Mean, and 1/√(variance + eps) in training, the variance itself otherwise.
    Array mean;
    Array inverse;
    Array running_mean;
    Array running_variance;
    Array scale_gradient;
    Array shift_gradient;
    // Two numbers a part, parts of a channel side by side.
    Array partial;
    Divisor plane;
    u32 rows;
    u32 channels;
    u32 parts;
    // Blocks a row, of those kernels that write images.
    u32 chunks;
    u32 training;
    u32 relu;
    u32 accumulate;
    u32 unused;
};
static_assert(sizeof(NormalizationArguments) == 288, "as in image_arguments.rs");

static const u32 BLOCK = 256;
// Numbers of a part that a thread takes.
static const u32 EACH = 16;
static const u32 PART = BLOCK * EACH;
static const float EPS = 1e-5f;

static __device__ inline float& of_channel(const Array& array, u64 replica, u32 channel) {
    return array.data[replica * array.replica + channel];
}

// A block's part of a channel.
struct Part {
    u32 channel, first, count;
};

static __device__ inline Part part_of(const NormalizationArguments& a) {
    Part part;
    part.channel = blockIdx.x / a.parts;
    part.first = blockIdx.x % a.parts * PART;
    const u32 left = a.rows * a.plane.by - part.first;
    part.count = left < PART ? left : PART;
    return part;
}

// Where number `at` of a channel lies in a view.
static __device__ inline u64 place(const NormalizationArguments& a, const View& view, u32 channel,
                                   u32 at) {
    const u32 row = quotient(at, a.plane);
    return row * view.row + (u64)channel * a.plane.by + (at - row * a.plane.by);
}

static __device__ inline void leave(const NormalizationArguments& a, float one, float other) {
    if (threadIdx.x == 0) {
        float* place = a.partial.data + blockIdx.y * a.partial.replica + 2 * (u64)blockIdx.x;
        place[0] = one;
        place[1] = other;
    }
}

KERNEL(normalization_moments, NormalizationArguments) {
    SHARED(float, sums, 8);
    SHARED(float, squares, 8);
    const Part part = part_of(a);
    const float* input = a.input.data + blockIdx.y * a.input.replica;
    float values[EACH];
    float sum = 0;
#pragma unroll
    for (u32 each = 0; each < EACH; each++) {
        const u32 at = each * BLOCK + threadIdx.x;
        const bool there = at < part.count;
        values[each] = there ? input[place(a, a.input, part.channel, part.first + at)] : 0.0f;
        sum += values[each];
    }
    const float mean = block_sum(sum, sums) / part.count;
    float square = 0;
#pragma unroll
    for (u32 each = 0; each < EACH; each++) {
        const float centred = values[each] - mean;
        square += each * BLOCK + threadIdx.x < part.count ? centred * centred : 0.0f;
    }
    leave(a, mean, block_sum(square, squares));
}

// A thread takes a channel.
KERNEL(normalization_statistics, NormalizationArguments) {
    const u64 replica = blockIdx.y;
    const u32 channel = blockIdx.x * blockDim.x + threadIdx.x;
    if (channel >= a.channels) {
        return;
    }
    const float* part = a.partial.data + replica * a.partial.replica;
    part += 2 * (u64)channel * a.parts;
    const u32 all = a.rows * a.plane.by;
    float mean = 0, squares = 0;
#pragma unroll 8 // reads of several parts are under way
    for (u32 first = 0; first < all; first += PART, part += 2) {
        const u32 theirs = all - first < PART ? all - first : PART;
        const float share = (float)theirs / (float)(first + theirs), apart = part[0] - mean;
        mean += apart * share;
        squares += part[1] + apart * apart * (share * (float)first);
    }
    of_channel(a.mean, replica, channel) = mean;
    of_channel(a.inverse, replica, channel) =
        1.0f / sqrtf(squares / (float)all + EPS);
    float& running_mean = of_channel(a.running_mean, replica, channel);
    float& running = of_channel(a.running_variance, replica, channel);
    running_mean = 0.9f * running_mean + 0.1f * mean;
    // A single number has no unbiased variance: the biased one, 0, takes its place.
    running = 0.9f * running + 0.1f * (squares / (float)(all > 1 ? all - 1 : 1));
}

// Up to four numbers of a row that a thread takes: side by side where all rows of all that it reads and
// writes let four be moved at once, and otherwise apart, so that neighbouring threads take neighbours.
struct Four {
    u32 row, first, apart, len;

    __device__ u32 at(u32 each) const {
        return first + each * apart;
    }

    __device__ void read(float (&to)[4], const float* from, const View& view) const {
        from += row * view.row;
        if (apart == 1) {
            const float4 four = first < len ? *(const float4*)(from + first) : float4{};
            to[0] = four.x;
            to[1] = four.y;
            to[2] = four.z;
            to[3] = four.w;
            return;
        }
#pragma unroll
        for (u32 each = 0; each < 4; each++) {
            to[each] = at(each) < len ? from[at(each)] : 0.0f;
        }
    }

    __device__ void write(const float (&from)[4], float* to, const View& view) const {
        to += row * view.row;
        if (apart == 1) {
            if (first < len) {
                *(float4*)(to + first) = make_float4(from[0], from[1], from[2], from[3]);
            }
            return;
        }
#pragma unroll
        for (u32 each = 0; each < 4; each++) {
            if (at(each) < len) {
                to[at(each)] = from[each];
            }
        }
    }
};

static __device__ inline Four four_of(const NormalizationArguments& a, bool side_by_side) {
    Four four;
    four.len = a.channels * a.plane.by;
    four.row = blockIdx.x / a.chunks;
    const bool by_four = side_by_side && four.len % 4 == 0;
    four.apart = by_four ? 1 : BLOCK;
    four.first = blockIdx.x % a.chunks * (4 * BLOCK) + threadIdx.x * (by_four ? 4 : 1);
    return four;
}

// Calls `act` with each number that is there and what `of` finds of its channel, once a channel.
template <class Of, class Act>
static __device__ inline void each_of(const NormalizationArguments& a, const Four& four, Of of,
                                      Act act) {
    u32 channel = quotient(four.first, a.plane);
    auto found = of(channel < a.channels ? channel : 0);
#pragma unroll
    for (u32 each = 0; each < 4; each++) {
        const u32 its = quotient(four.at(each), a.plane);
        if (its < a.channels) {
            if (its != channel) {
                channel = its;
                found = of(channel);
            }
            act(each, found);
        }
    }
}

KERNEL(normalize, NormalizationArguments) {
    const u64 replica = blockIdx.y;
    const float* input = a.input.data + replica * a.input.replica;
    float* output = a.output.data + replica * a.output.replica;
    const Four four =
        four_of(a, aligned(input, a.input.row) && aligned(output, a.output.row));
    float values[4];
    four.read(values, input, a.input);
    struct Line {
        float mean, factor, shift;
    };
    const auto of = [&](u32 channel) {
        const float kept = of_channel(a.inverse, replica, channel);
        const float inverse = a.training ? kept : 1.0f / sqrtf(kept + EPS);
        return Line{of_channel(a.mean, replica, channel),
                    of_channel(a.scale, replica, channel) * inverse,
                    of_channel(a.shift, replica, channel)};
    };
    each_of(a, four, of, [&](u32 each, const Line& line) {
        const float value = (values[each] - line.mean) * line.factor + line.shift;
        values[each] = a.relu && value < 0 ? 0.0f : value;
    });
    four.write(values, output, a.output);
}

// The gradient before the ReLU, if there was one. Not a number in the output is no positive one.
static __device__ inline float masked(const NormalizationArguments& a, float gradient, u64 replica,
                                      u64 place) {
    if (!a.output.data) {
        return gradient;
    }
    return a.output.data[replica * a.output.replica + place] > 0 ? gradient : 0.0f;
}

KERNEL(normalization_sums, NormalizationArguments) {
    SHARED(float, plains, 8);
    SHARED(float, centreds, 8);
    const u64 replica = blockIdx.y;
    const Part part = part_of(a);
    const float* input = a.input.data + replica * a.input.replica;
    const float* gradient = a.output_gradient.data + replica * a.output_gradient.replica;
    const float mean = of_channel(a.mean, replica, part.channel);
    float plain = 0, centred = 0;
#pragma unroll 4 // reads of several numbers are under way
    for (u32 at = threadIdx.x; at < part.count; at += BLOCK) {
        const u32 of = part.first + at;
        float g = gradient[place(a, a.output_gradient, part.channel, of)];
        g = masked(a, g, replica, place(a, a.output, part.channel, of));
        plain += g;
        centred += g * (input[place(a, a.input, part.channel, of)] - mean);
    }
    plain = block_sum(plain, plains);
    leave(a, plain, block_sum(centred, centreds));
}

// A thread takes a channel.
KERNEL(normalization_parameters, NormalizationArguments) {
    const u64 replica = blockIdx.y;
    const u32 channel = blockIdx.x * blockDim.x + threadIdx.x;
    if (channel >= a.channels) {
        return;
    }
    const float* part = a.partial.data + replica * a.partial.replica;
    part += 2 * (u64)channel * a.parts;
    float plain = 0, centred = 0;
#pragma unroll 8 // as above
    for (u32 at = 0; at < a.parts; at++) {
        plain += part[2 * at];
        centred += part[2 * at + 1];
    }
    of_channel(a.shift_gradient, replica, channel) = plain;
    of_channel(a.scale_gradient, replica, channel) =
        centred * of_channel(a.inverse, replica, channel);
}

KERNEL(normalization_gradient, NormalizationArguments) {
    const u64 replica = blockIdx.y;
    const float* input = a.input.data + replica * a.input.replica;
    const float* gradient = a.output_gradient.data + replica * a.output_gradient.replica;
    const float* output = a.output.data + replica * a.output.replica;
    float* target = a.input_gradient.data + replica * a.input_gradient.replica;
    const Four four = four_of(a, aligned(input, a.input.row) && aligned(target, a.input_gradient.row) &&
                                     aligned(gradient, a.output_gradient.row) &&
                                     (!a.output.data || aligned(output, a.output.row)));
    float values[4], gradients[4], outputs[4], old[4] = {};
    four.read(values, input, a.input);
    four.read(gradients, gradient, a.output_gradient);
    if (a.output.data) {
        four.read(outputs, output, a.output);
    }
    if (a.accumulate) {
        four.read(old, target, a.input_gradient);
    }
    const float share = 1.0f / (float)(a.rows * a.plane.by);
    struct Line {
        float mean, factor, plain, slope;
    };
    const auto of = [&](u32 channel) {
        const float inverse = of_channel(a.inverse, replica, channel);
        return Line{of_channel(a.mean, replica, channel),
                    of_channel(a.scale, replica, channel) * inverse,
                    of_channel(a.shift_gradient, replica, channel) * share,
                    of_channel(a.scale_gradient, replica, channel) * inverse * share};
    };
    each_of(a, four, of, [&](u32 each, const Line& line) {
        const float g = !a.output.data || outputs[each] > 0 ? gradients[each] : 0.0f;
        const float own =
            line.factor * (g - line.plain - (values[each] - line.mean) * line.slope);
        values[each] = a.accumulate ? old[each] + own : own;
    });
    four.write(values, target, a.input_gradient);
}

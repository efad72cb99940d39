// Max- and mean-pooling over windows, and means over whole images: rows × channels planes, each by
// itself. A thread takes a number of what is written, so nothing is written twice and no sum is
// shared; neighbouring threads take neighbouring columns. Numbers that several windows see come
// from the cache.
//
// pool:                 Of equal maxima the first in row-major order wins, and not a number wins
//                       over all that stood before it; padding never is a maximum and counts as
//                       zeros in a mean. Keeps the place of each maximum in its window if a
//                       gradient follows. 4 bytes a number of the input, 8 a number of the output.
// pool_gradient:        gathers: a number of the input adds up, in row-major order, what the
//                       windows that contain it hand to it. 4 bytes a number of the input, 8 if
//                       added to; 8 a number of the output. The order of the sums is that of the
//                       processor, whose bytes they are. The gradient of a ReLU whose output went
//                       in comes along: 4 bytes a number more, in place of the 12 of a pass.
// global_mean:          a warp takes a plane, lane by lane; 4 bytes a number.
// global_mean_gradient: 4 bytes a number, 8 if added to.
#include "image.h"

struct PoolArguments {
    // In a gradient, that of what went in and that of what came out.
    View input;
    View output;
    // Of each number of the output; no data: none.
    Indices places;
    // Where this is not positive the gradient is zero; no data: everywhere positive.
    View positive;
    // Of what a thread takes one number of.
    Sides sides;
    u32 count;
    // Sides of input and output.
    u32 height;
    u32 width;
    u32 down;
    u32 across;
    u32 size;
    u32 stride;
    u32 padding;
    // One over the numbers of a mean.
    float share;
    u32 maximum;
    u32 accumulate;
    u32 channels;
    // By `stride`.
    Divisor strides;
};
static_assert(sizeof(PoolArguments) == 200, "as in image_arguments.rs");

KERNEL(pool, PoolArguments) {
    const u64 replica = blockIdx.y;
    const u32 at = blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= a.count) {
        return;
    }
    const ImagePlace to = place_of(at, a.sides);
    const float* plane = a.input.data + replica * a.input.replica + to.sample * a.input.row +
                         (u64)to.channel * a.height * a.width;
    // Infinity backwards: whatever is there exceeds it.
    float result = a.maximum ? __int_as_float((int)0xFF800000) : 0.0f;
    u32 best = ALL;
    for (u32 i = 0; i < a.size; i++) {
        const u32 y = to.y * a.stride + i - a.padding;
        for (u32 j = 0; j < a.size; j++) {
            const u32 x = to.x * a.stride + j - a.padding;
            if (y >= a.height || x >= a.width) {
                continue; // above and left of the image these numbers wrapped around
            }
            const float value = plane[y * a.width + x];
            if (!a.maximum) {
                result += value;
            } else if (value > result || value != value || best == ALL) {
                result = value;
                best = i * a.size + j;
            }
        }
    }
    const u32 within = at - to.sample * a.sides.len.by;
    a.output.data[replica * a.output.replica + to.sample * a.output.row + within] =
        a.maximum ? result : result * a.share;
    if (a.places.data) {
        a.places.data[replica * a.places.replica + at] = best == ALL ? 0 : best;
    }
}

KERNEL(pool_gradient, PoolArguments) {
    const u64 replica = blockIdx.y;
    const u32 at = blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= a.count) {
        return;
    }
    const ImagePlace to = place_of(at, a.sides);
    const u32 y = to.y + a.padding, x = to.x + a.padding, len = a.down * a.across;
    const float* gradient = a.output.data + replica * a.output.replica +
                            to.sample * a.output.row + (u64)to.channel * len;
    const u32* places = a.places.data + replica * a.places.replica +
                        ((u64)to.sample * a.channels + to.channel) * len;
    const u32 within = at - to.sample * a.sides.len.by;
    float* target = a.input.data + replica * a.input.replica + to.sample * a.input.row + within;
    if (a.positive.data && a.positive.data[replica * a.positive.replica +
                                           to.sample * a.positive.row + within] <= 0) {
        *target = 0.0f;
        return;
    }
    // The windows along one axis that contain a coordinate: the first one, and beyond the last.
    const u32 top = y < a.size ? 0 : quotient(y - a.size, a.strides) + 1;
    const u32 left = x < a.size ? 0 : quotient(x - a.size, a.strides) + 1;
    const u32 below = quotient(y, a.strides) + 1, beyond = quotient(x, a.strides) + 1;
    const u32 bottom = below < a.down ? below : a.down;
    const u32 right = beyond < a.across ? beyond : a.across;
    float sum = a.accumulate ? *target : 0.0f;
    for (u32 i = top; i < bottom; i++) {
        for (u32 j = left; j < right; j++) {
            const u32 seen = i * a.across + j;
            if (!a.maximum) {
                sum += gradient[seen] * a.share;
            } else {
                const u32 tap = (y - i * a.stride) * a.size + (x - j * a.stride);
                sum += places[seen] == tap ? gradient[seen] : 0.0f;
            }
        }
    }
    *target = sum;
}

// `count` planes, a warp each; `sides` are those of the output.
KERNEL(global_mean, PoolArguments) {
    const u64 replica = blockIdx.y;
    const u32 at = (blockIdx.x * blockDim.x + threadIdx.x) / WARP, lane = threadIdx.x % WARP;
    if (at >= a.count) {
        return;
    }
    const u32 sample = quotient(at, a.sides.len), channel = at - sample * a.sides.len.by;
    const u32 len = a.height * a.width;
    const float* plane = a.input.data + replica * a.input.replica + sample * a.input.row +
                         (u64)channel * len;
    float sum = 0;
    for (u32 place = lane; place < len; place += WARP) {
        sum += plane[place];
    }
    sum = warp_sum(sum);
    if (lane == 0) {
        a.output.data[replica * a.output.replica + sample * a.output.row + channel] =
            sum * a.share;
    }
}

KERNEL(global_mean_gradient, PoolArguments) {
    const u64 replica = blockIdx.y;
    const u32 at = blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= a.count) {
        return;
    }
    const ImagePlace to = place_of(at, a.sides);
    const u32 within = at - to.sample * a.sides.len.by;
    const float* gradient = a.output.data + replica * a.output.replica;
    const float own = gradient[to.sample * a.output.row + to.channel] * a.share;
    float* target = a.input.data + replica * a.input.replica + to.sample * a.input.row + within;
    *target = a.accumulate ? *target + own : own;
}

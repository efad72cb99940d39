// gather_augmented: output[r] = images[chosen[r]], cut out, flipped, rotated and whitened: channels
// × height × width of channels × down × across. What is drawn depends on seed, epoch and image
// alone (src/prepare/augment.rs), by the same words of Philox as on the processor, so nothing is
// kept of it. Not a number where there is no such image, so that the loss shows it.
//
// A block takes a sample: numbers are written once as they are, summed up, and written again when
// mean and deviation are known; each thread reads what it wrote, which is in the cache. So memory
// is read and written once, 8 bytes a number, and no whitened copy of the set is kept for each
// crop. Interpolation and whitening are computed in binary64 and rounded once, as on the processor:
// about 20 operations a number.
#include "image.h"
#include "philox.h"

struct AugmentArguments {
    const Control* control;
    Array images;
    u64 samples;
    Indices chosen;
    View output;
    // Of the images that are stored, and of those that come out.
    u32 down;
    u32 across;
    u32 height;
    u32 width;
    Divisor plane;
    Divisor wide;
    u32 len;
    u32 crop;
    u32 flip;
    u32 whiten;
    // The largest angle in degrees; 0 for no rotation.
    double rotation;
};
static_assert(sizeof(AugmentArguments) == 144, "as in image_arguments.rs");

// Two places between which one on an axis lies, and how far it is on the way between them.
struct Between {
    u32 low, high;
    double part;
};

static __device__ inline Between between(double last, double offset) {
    double at = last / 2.0 + offset;
    at = at < 0.0 ? 0.0 : at > last ? last : at;
    const double low = floor(at);
    Between result;
    result.low = (u32)low;
    result.high = low + 1.0 < last ? (u32)low + 1 : (u32)last;
    result.part = at - low;
    return result;
}

static __device__ inline double mix(double a, double b, double part) {
    return a + part * (b - a);
}

KERNEL(gather_augmented, AugmentArguments) {
    SHARED(double, turn, 2);
    SHARED(double, sums, 8);
    SHARED(double, squares, 8);
    const u64 replica = blockIdx.y;
    const u32 row = blockIdx.x;
    float* output = a.output.data + replica * a.output.replica + row * a.output.row;
    const u64 index = a.chosen.data[replica * a.chosen.replica + row];
    if (index >= a.samples) {
        for (u32 at = threadIdx.x; at < a.len; at += blockDim.x) {
            output[at] = __int_as_float(0x7FC00000);
        }
        return;
    }
    const Control& control = a.control[replica];
    u32 words[4] = {(u32)index, control.epoch, 0, 1}; // 1: the domain of augmentation
    philox(words, control.seed[0], control.seed[1]);
    const u32 room_y = a.down - a.height, room_x = a.across - a.width;
    const u32 dy = a.crop ? (u32)((u64)words[0] * (room_y + 1) >> 32) : room_y / 2;
    const u32 dx = a.crop ? (u32)((u64)words[1] * (room_x + 1) >> 32) : room_x / 2;
    const bool flip = a.flip && words[2] >> 31;
    const double angle = a.rotation > 0 ? (2.0 * (words[3] / 4294967296.0) - 1.0) * a.rotation : 0;
    if (threadIdx.x == 0) {
        turn[0] = sinpi(angle / 180.0);
        turn[1] = cospi(angle / 180.0);
    }
    __syncthreads(); // sine and cosine are there
    const double sine = turn[0], cosine = turn[1];
    const float* window = a.images.data + replica * a.images.replica +
                          index * (a.len / a.plane.by) * a.down * a.across + dy * a.across + dx;
    const double bottom = a.height - 1.0, right = a.width - 1.0;
    for (u32 at = threadIdx.x; at < a.len; at += blockDim.x) {
        const u32 channel = quotient(at, a.plane), within = at - channel * a.plane.by;
        const u32 y = quotient(within, a.wide), x = within - y * a.wide.by;
        const float* plane = window + (u64)channel * a.down * a.across;
        const auto number = [&](u32 y, u32 x) {
            return plane[y * a.across + (flip ? a.width - 1 - x : x)];
        };
        if (angle == 0) {
            output[at] = number(y, x);
            continue;
        }
        const double from_y = y - bottom / 2.0, from_x = x - right / 2.0;
        const Between down = between(bottom, from_y * cosine + from_x * sine);
        const Between over = between(right, from_x * cosine - from_y * sine);
        const double low = mix(number(down.low, over.low), number(down.low, over.high), over.part);
        const double high =
            mix(number(down.high, over.low), number(down.high, over.high), over.part);
        output[at] = (float)mix(low, high, down.part);
    }
    if (!a.whiten) {
        return;
    }
    double sum = 0, square = 0;
    for (u32 at = threadIdx.x; at < a.len; at += blockDim.x) {
        sum += output[at];
    }
    const double mean = block_sum(sum, sums) / a.len;
    for (u32 at = threadIdx.x; at < a.len; at += blockDim.x) {
        const double centred = output[at] - mean;
        square += centred * centred;
    }
    const double deviation = sqrt(block_sum(square, squares) / a.len);
    const double least = 1.0 / sqrt((double)a.len);
    // Not a number is not below the least, and stays for the loss to show.
    const double divisor = deviation < least ? least : deviation;
    for (u32 at = threadIdx.x; at < a.len; at += blockDim.x) {
        output[at] = (float)((output[at] - mean) / divisor);
    }
}

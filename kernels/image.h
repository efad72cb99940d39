// What kernels of images share: places in arrays of images, which are a sample's channels, each a
// plane of height × width, and sums over the threads of a block.
#pragma once

#include "device.h"

static const u32 WARP = 32;
static const u32 ALL = 0xFFFFFFFF;

// Division of numbers below 2^31 by a number that the host knows: ⌊n · factor / 2^shift⌋, which
// src/device/cuda/image_arguments.rs makes exact (Granlund & Montgomery, PLDI 1994).
struct Divisor {
    u32 by;
    u32 factor;
    u32 shift;
    u32 unused;
};
static_assert(sizeof(Divisor) == 16, "as in image_arguments.rs");

static __device__ inline u32 quotient(u32 number, const Divisor& divisor) {
    return (u32)((u64)number * divisor.factor >> divisor.shift);
}

// A number's sample, channel, row and column.
struct ImagePlace {
    u32 sample, channel, y, x;
};

// The sides of images.
struct Sides {
    Divisor len;
    Divisor plane;
    Divisor width;
};

static __device__ inline ImagePlace place_of(u32 at, const Sides& sides) {
    ImagePlace place;
    place.sample = quotient(at, sides.len);
    at -= place.sample * sides.len.by;
    place.channel = quotient(at, sides.plane);
    at -= place.channel * sides.plane.by;
    place.y = quotient(at, sides.width);
    place.x = at - place.y * sides.width.by;
    return place;
}

template <class Number>
static __device__ inline Number warp_sum(Number value) {
    for (u32 other = WARP / 2; other > 0; other /= 2) {
        value += __shfl_xor_sync(ALL, value, other);
    }
    return value;
}

// The sum over a block of 256 threads, in an order of its own: lanes pairwise, then warps one after
// the other. `sums` are eight numbers of shared memory, for one sum only.
template <class Number>
static __device__ inline Number block_sum(Number value, Number* sums) {
    value = warp_sum(value);
    if (threadIdx.x % WARP == 0) {
        sums[threadIdx.x / WARP] = value;
    }
    __syncthreads(); // all warps have left their sums
    Number sum = sums[0];
    for (u32 warp = 1; warp < 8; warp++) {
        sum += sums[warp];
    }
    return sum;
}

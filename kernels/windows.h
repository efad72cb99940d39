// Windows on images: where the taps of a kernel look from each position, without unfolding anything.
// Coordinates are whole numbers modulo 2^32.
#pragma once

#include "image.h"

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

// Where the windows of a position look: at a number of the image, which need not be inside of it,
// and how far its row and its column are from the first (`low`) and to the last (`high`), as rows ·
// 2^16 + columns, each half with its first bit turned over. It stays turned over in `low` plus, and in
// `high` minus, what a tap is further down and to the right, exactly where the tap looks inside: so two
// additions and a comparison of four bits find all four borders. Sides with their padding are below 2^14,
// which lower_convolution.rs sees to, so that no half overflows.
struct Seen {
    const float* from;
    u32 low, high;
};

static const u32 INSIDE = 0x80008000;

// Whose windows see nothing but padding, if the position is not `there`.
static __device__ inline Seen seen_from(const Windows& windows, const float* images, u32 position,
                                        bool there) {
    position = there ? position : 0;
    const u32 sample = quotient(position, windows.places);
    position -= sample * windows.places.by;
    const u32 row = quotient(position, windows.across), column = position - row * windows.across.by;
    const u32 y = row * windows.step + windows.top, x = column * windows.step + windows.left;
    Seen seen;
    seen.from = held(images + sample * windows.images.row + (int)(y * windows.width + x));
    // Elsewhere both are 0: no number and its negative have both bits of INSIDE.
    seen.low = there ? INSIDE + (y << 16) + x : 0;
    seen.high = there ? INSIDE + ((windows.height - 1 - y) << 16) + (windows.width - 1 - x) : 0;
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

// What threads of a block find out for each other: where a tap looks, from where the first one
// does, as rows · 2^16 + columns, and in numbers of the image.
struct alignas(8) Look {
    u32 apart, offset;
};

static __device__ inline Look look_of(const Windows& windows, const Tap& tap) {
    const u32 y = windows.direction * tap.y, x = windows.direction * tap.x;
    return {(y << 16) + x, tap.channel * windows.height * windows.width + y * windows.width + x};
}

// Of a tap that there is not: 2^14 rows further down, below every image.
static __device__ inline Look look_nowhere() {
    return {1 << 30, 0};
}

// What a tap of a position sees: 0 in the padding.
static __device__ inline float look(const Seen& seen, const Look& at) {
    const u32 inside = (seen.low + at.apart) & (seen.high - at.apart) & INSIDE;
    return load_if(seen.from + (int)at.offset, inside == INSIDE);
}

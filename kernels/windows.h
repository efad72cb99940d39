// Windows on images: where the taps of a kernel look from each position, without unfolding anything.
// Coordinates are whole numbers modulo 2^32, so that what lies above or to the left of an image is
// beyond its last row or column, and one comparison finds it.
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

// Taps that threads of a block find out for each other: where a tap looks, from where the first
// one does, as rows · 2^16 + columns with their signs, and in numbers of the image.
struct Taps {
    u32* apart;
    u32* offset;

    __device__ void set(const Windows& windows, u32 at, const Tap& tap) const {
        const u32 y = windows.direction * tap.y, x = windows.direction * tap.x;
        apart[at] = y << 16 | (x & 0xFFFF);
        offset[at] = tap.channel * windows.height * windows.width + y * windows.width + x;
    }
};

// What a tap of a position sees: 0 in the padding. Above and to the left of the image numbers have
// wrapped around.
static __device__ inline float look(const Windows& windows, const Seen& seen, u32 apart,
                                    u32 offset) {
    const u32 y = seen.y + (u32)((int)apart >> 16), x = seen.x + (u32)((int)(apart << 16) >> 16);
    const bool inside = y < windows.height && x < windows.width;
    return inside ? seen.image[seen.y * windows.width + seen.x + offset] : 0.0f;
}

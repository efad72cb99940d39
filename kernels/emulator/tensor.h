// Tensor cores and asynchronous copies, on the processor.
//
// A product adds exact products in binary64 and rounds once: more finely than a device does. A copy
// is done as late as is allowed, when its thread waits for it, or as early, when it begins, with
// SHATTER_EMULATOR_ORDER=reverse: so both a wait and a barrier that are missing show.
#pragma once

#include "host.h"

namespace emulator {

// Hands 64 bits in and gets those of any lane of the warp.
inline uint64_t from_lane(uint64_t bits, unsigned lane) {
    return shuffle(0xFFFFFFFF, bits, lane);
}

void copy(void* to, const void* from, unsigned bytes, unsigned there);
void end_group();
void wait(unsigned pending);

inline float number(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

// c += A · B; `parts` numbers of `bits` bits are in each register, the first in the lowest.
inline void multiply(float c[4], const uint32_t a[4], const uint32_t b[2], unsigned parts) {
    const unsigned lane = thread_index.x % 32, g = lane / 4, t = lane % 4;
    // Of lines g and g + 8 of A, and columns 2t and 2t + 1 of B: registers of four lanes each.
    uint32_t lines[2][2][4], columns[2][2][4];
    for (unsigned peer = 0; peer < 4; peer++) {
        for (unsigned half = 0; half < 2; half++) {
            const uint64_t held = from_lane((uint64_t)a[2 * half + 1] << 32 | a[2 * half], 4 * g + peer);
            lines[0][half][peer] = (uint32_t)held;
            lines[1][half][peer] = (uint32_t)(held >> 32);
        }
        for (unsigned column = 0; column < 2; column++) {
            const uint64_t held = from_lane((uint64_t)b[1] << 32 | b[0], 4 * (2 * t + column) + peer);
            columns[column][0][peer] = (uint32_t)held;
            columns[column][1][peer] = (uint32_t)(held >> 32);
        }
    }
    for (unsigned at = 0; at < 4; at++) {
        double sum = c[at];
        for (unsigned half = 0; half < 2; half++) {
            for (unsigned peer = 0; peer < 4; peer++) {
                uint32_t x = lines[at / 2][half][peer], y = columns[at % 2][half][peer];
                for (unsigned part = 0; part < parts; part++) {
                    // A BF16 is the upper half of a binary32; of a TF32 the last 13 bits are
                    // not looked at.
                    const bool bf16 = parts == 2;
                    const uint32_t u = bf16 ? x << 16 : x & ~0x1FFFu;
                    const uint32_t v = bf16 ? y << 16 : y & ~0x1FFFu;
                    sum += (double)number(u) * number(v);
                    x >>= 16;
                    y >>= 16;
                }
            }
        }
        c[at] = (float)sum;
    }
}

} // namespace emulator

// Adds what is half of the last bit that is kept, and cuts; what is not finite stays.
static inline uint32_t round_tf32(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    const bool finite = (bits & 0x7F800000) != 0x7F800000;
    return finite ? (bits + 0x1000) & ~0x1FFFu : bits;
}

// Ties to even.
static inline uint32_t round_bf16(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return value != value ? 0x7FFF : (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
}

static inline uint32_t round_bf16(float low, float high) {
    return round_bf16(high) << 16 | round_bf16(low);
}

static inline void multiply_tf32(float c[4], const uint32_t a[4], const uint32_t b[2]) {
    emulator::multiply(c, a, b, 1);
}

static inline void multiply_bf16(float c[4], const uint32_t a[4], const uint32_t b[2]) {
    emulator::multiply(c, a, b, 2);
}

template <unsigned BYTES>
static inline void copy_async(float* to, const float* from, unsigned there) {
    static_assert(BYTES == 4 || BYTES == 16, "what the instruction takes");
    emulator::copy(to, from, BYTES, there);
}

static inline void copies_end_group() {
    emulator::end_group();
}

template <unsigned PENDING>
static inline void copies_wait() {
    emulator::wait(PENDING);
}

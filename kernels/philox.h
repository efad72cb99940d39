// Philox4x32-10, word for word that of src/random/philox.rs: 20 multiplications of 32-bit words for
// four words that depend on counter and key alone.
#pragma once

#include "device.h"

static __device__ inline void philox(u32 c[4], u32 k0, u32 k1) {
    for (int round = 0; round < 10; round++) {
        const u64 p0 = (u64)0xD2511F53 * c[0];
        const u64 p1 = (u64)0xCD9E8D57 * c[2];
        const u32 c1 = c[1], c3 = c[3];
        c[0] = (u32)(p1 >> 32) ^ c1 ^ k0;
        c[1] = (u32)p1;
        c[2] = (u32)(p0 >> 32) ^ c3 ^ k1;
        c[3] = (u32)p0;
        k0 += 0x9E3779B9;
        k1 += 0xBB67AE85;
    }
}

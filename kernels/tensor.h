// Instructions that want compute capability 8.0, each in one function: matrix products of a warp on
// tensor cores, rounding to their types, and copies from global to shared memory that nobody waits
// for. The emulator has definitions of its own (emulator/tensor.h).
//
// A warp computes C += A · B, 16 × 8 over DEPTH. Lane 4g + t holds, of what it hands in,
//   a[0], a[1]: lines g and g + 8 of A, half 0;   a[2], a[3]: the same lines, half 1;
//   b[0], b[1]: column g of B, halves 0 and 1,
// and of C lines g and g + 8, columns 2t and 2t + 1, in c[0 … 1] and c[2 … 3]. A half of a line is
// what `pack` takes: one number of TF32, or two of BF16, of every four lanes together DEPTH / 2.
#pragma once

#include "device.h"

#ifdef SHATTER_EMULATOR
#include "emulator/tensor.h"
#else

// Rounds to TF32: 10 bits after the point, ties away from zero.
static __device__ inline u32 round_tf32(float value) {
    u32 rounded;
    asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(rounded) : "f"(value));
    return rounded;
}

// Rounds two numbers to BF16: 7 bits after the point, ties to even.
static __device__ inline u32 round_bf16(float low, float high) {
    u32 rounded;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(rounded) : "f"(high), "f"(low));
    return rounded;
}

static __device__ inline void multiply_tf32(float c[4], const u32 a[4], const u32 b[2]) {
    asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 "
        "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

static __device__ inline void multiply_bf16(float c[4], const u32 a[4], const u32 b[2]) {
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
        "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

// Begins to copy BYTES (4 or 16) to shared memory, of which those beyond `there` become zero.
template <u32 BYTES>
static __device__ inline void copy_async(float* to, const float* from, u32 there) {
    const u32 place = (u32)__cvta_generic_to_shared(to);
    asm volatile("cp.async.ca.shared.global [%0], [%1], %2, %3;"
                 :: "r"(place), "l"(from), "n"(BYTES), "r"(there) : "memory");
}

// Ends a group of the copies that this thread has begun.
static __device__ inline void copies_end_group() {
    asm volatile("cp.async.commit_group;" ::: "memory");
}

// Waits until at most PENDING groups of this thread's copies are not done.
template <u32 PENDING>
static __device__ inline void copies_wait() {
    asm volatile("cp.async.wait_group %0;" :: "n"(PENDING) : "memory");
}
#endif

// What a type does with a half of a line, whose numbers are `stride` apart.
struct Tf32 {
    static const u32 DEPTH = 8;

    static __device__ inline u32 pack(const float* line, u32 stride, u32 t, u32 half) {
        return round_tf32(line[(t + 4 * half) * stride]);
    }

    static __device__ inline void multiply(float c[4], const u32 a[4], const u32 b[2]) {
        multiply_tf32(c, a, b);
    }
};

struct Bf16 {
    static const u32 DEPTH = 16;

    static __device__ inline u32 pack(const float* line, u32 stride, u32 t, u32 half) {
        const float* pair = line + (2 * t + 8 * half) * stride;
        return round_bf16(pair[0], pair[stride]);
    }

    static __device__ inline void multiply(float c[4], const u32 a[4], const u32 b[2]) {
        multiply_bf16(c, a, b);
    }
};

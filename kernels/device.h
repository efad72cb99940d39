// What all kernels share: how a kernel and its shared memory are declared, for nvcc and for the
// emulator (emulator/host.h), and how arrays of a plan look from inside one.
//
// Every kernel takes one structure of arguments, which src/device/cuda/{arguments,image_arguments,
// brute_force}.rs mirror, and works on all replicas of a network at once: a replica's numbers lie `replica` numbers behind
// those of the one before it (0 for an array that all share), and what a block does never depends
// on how many replicas there are.
#pragma once

#ifdef SHATTER_EMULATOR
#include "emulator/host.h"
#else
#define KERNEL(name, Arguments) \
    extern "C" __global__ void name(const __grid_constant__ Arguments a)
// Of blocks of so many threads, so many of which should fit a multiprocessor's registers.
#define KERNEL_OF(threads, blocks, name, Arguments)                 \
    extern "C" __global__ void __launch_bounds__(threads, blocks) \
        name(const __grid_constant__ Arguments a)
#define SHARED(type, name, count) __shared__ __align__(16) type name[count]
#endif

typedef unsigned int u32;
typedef unsigned long long u64;

// A number where there is one, and 0 elsewhere, where nothing is read: without a branch, so that a
// thread can have many such reads under way. Of memory that no thread of the launch writes.
#ifdef SHATTER_EMULATOR
inline float load_if(const float* from, bool there) {
    return there ? *from : 0.0f;
}
inline const float* held(const float* from) {
    return from;
}
#else
static __device__ inline float load_if(const float* from, bool there) {
    float value;
    asm("{ .reg .pred there; setp.ne.u32 there, %2, 0; mov.f32 %0, 0f00000000; "
        "@there ld.global.f32 %0, [%1]; }"
        : "=f"(value) : "l"(from), "r"((u32)there));
    return value;
}

// An address that is kept, and not put together again at each use.
static __device__ inline const float* held(const float* from) {
    asm("" : "+l"(from));
    return from;
}
#endif

// What a device is told before it runs a sequence and counts on by itself; one a replica.
struct Control {
    u32 position;
    u32 step;
    u32 epoch;
    float rate;
    u32 seed[2];
    // Outcomes that losses have appended to the ring, modulo 2^32.
    u32 outcomes;
    // Blocks of a loss that are done.
    u32 arrived;
};
static_assert(sizeof(Control) == 32, "as in arguments.rs");

// Numbers, and how far the next replica's are.
struct Array {
    float* data;
    u64 replica;
};

// Whole numbers.
struct Indices {
    u32* data;
    u64 replica;
};

// Some channels of an array of activations: in canonical order these are `len` consecutive numbers
// of each sample, and samples are `row` numbers apart.
struct View {
    float* data;
    u64 replica;
    u64 row;
};

// Whether so many numbers, 2 or 4, can be moved at once from here on, and from whole rows behind it.
static __device__ inline bool aligned(const float* data, u64 row, u32 numbers = 4) {
    return ((u64)data | row * sizeof(float)) % (numbers * sizeof(float)) == 0;
}

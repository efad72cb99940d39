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
#define SHARED(type, name, count) __shared__ __align__(16) type name[count]
#endif

typedef unsigned int u32;
typedef unsigned long long u64;

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

// Whether four numbers can be moved at once from here on, and from whole rows behind it.
static __device__ inline bool aligned(const float* data, u64 row) {
    return ((u64)data | row * sizeof(float)) % sizeof(float4) == 0;
}

// CUDA C++ as host C++: what kernels/*.cu use of it, for tests without a GPU.
//
// Every CUDA thread is a fiber (fibers.cpp). Fibers run one after the other, each until it waits at a
// barrier or a shuffle, so that a barrier that is missing is not hidden by luck: whoever comes first
// reads what nobody has written yet. Blocks run one after the other, or, if it is asked for, some at
// a time, so that one may read what another has not written yet. Shared memory is filled with
// not-a-number before each block.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

struct dim3 {
    unsigned x, y, z;
};

struct alignas(8) float2 {
    float x, y;
};

struct alignas(16) float4 {
    float x, y, z, w;
};

inline float4 make_float4(float x, float y, float z, float w) {
    return {x, y, z, w};
}

inline float2 make_float2(float x, float y) {
    return {x, y};
}

namespace emulator {

// The running thread's place.
extern dim3 thread_index, block_index, block_size, grid_size;

// A kernel that launches can name.
struct Kernel {
    Kernel(const char* name, size_t arguments, void (*run)(const void*));
    const char* name;
    size_t arguments;
    void (*run)(const void*);
    Kernel* next;
};

// The first kernel of the list of all.
extern Kernel* kernels;

// Runs all threads of all blocks; what went wrong, or null.
const char* launch(dim3 grid, dim3 block, const Kernel& kernel, const void* arguments);

// The block's shared memory that belongs to a place in the source.
void* shared(const void* site, size_t bytes);

// Waits for all threads of the block that are not done; they must come to the same place.
void barrier(unsigned place);

// Hands `bits` in, and gets those of another lane of the warp.
uint64_t shuffle(unsigned lanes, uint64_t bits, unsigned other);

template <class Value>
Value shuffle_xor(unsigned lanes, Value value, unsigned distance) {
    static_assert(sizeof value <= sizeof(uint64_t), "a shuffle moves 64 bits at most");
    const unsigned lane = thread_index.x + block_size.x * (thread_index.y + block_size.y * thread_index.z);
    uint64_t bits = 0;
    memcpy(&bits, &value, sizeof value);
    bits = shuffle(lanes, bits, (lane % 32) ^ distance);
    memcpy(&value, &bits, sizeof value);
    return value;
}

} // namespace emulator

#define __device__
#define KERNEL(name, Arguments)                                                              \
    static void name(const Arguments& a);                                                    \
    static const emulator::Kernel kernel_##name(#name, sizeof(Arguments), [](const void* a) { \
        name(*(const Arguments*)a);                                                          \
    });                                                                                      \
    static void name(const Arguments& a)
#define KERNEL_OF(threads, blocks, name, Arguments) KERNEL(name, Arguments)
#define SHARED(type, name, count)                                              \
    static const char site_##name = 0;                                         \
    type* const name = (type*)emulator::shared(&site_##name, sizeof(type) * (count))

#define threadIdx emulator::thread_index
#define blockIdx emulator::block_index
#define blockDim emulator::block_size
#define gridDim emulator::grid_size

#define __syncthreads() emulator::barrier(__LINE__)

template <class Value>
Value __shfl_xor_sync(unsigned lanes, Value value, unsigned distance) {
    return emulator::shuffle_xor(lanes, value, distance);
}

// Memory is that of one processor: what was written is seen.
inline void __threadfence() {}

inline unsigned atomicAdd(unsigned* place, unsigned value) {
    const unsigned old = *place;
    *place += value;
    return old;
}

inline float __int_as_float(int bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

inline int __float_as_int(float value) {
    int bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

inline double sinpi(double turns) {
    return sin(3.14159265358979323846 * turns);
}

inline double cospi(double turns) {
    return cos(3.14159265358979323846 * turns);
}

// Operations that take each number by itself: rows × len in both views. Every number is read and
// written once, 8 bytes (12 where the target is read, too), and a block takes 1024 numbers of a
// row, four a thread. Where rows follow one another without a gap the host makes one row of them.
//
// relu:          to = max(from, 0); not a number stays not a number, so that the loss shows it.
// relu_gradient: to = 0 where from, which came out of the ReLU, is not positive.
// pass:          to = from, or to += from: gradients handed on, copies between views, and
//                flattening, which moves nothing in canonical order.
//
// set_control:   position, step, epoch and learning rate of every replica, from the host: a launch
//                of its own, so that it keeps its place in the stream and nobody waits.
#include "device.h"

struct ElementwiseArguments {
    View from;
    View to;
    u64 len;
    // Blocks a row.
    u32 chunks;
    u32 accumulate;
};
static_assert(sizeof(ElementwiseArguments) == 64, "as in arguments.rs");

template <class Act>
static __device__ inline void each(const ElementwiseArguments& a, Act act) {
    const u64 row = blockIdx.x / a.chunks;
    const u64 start = ((u64)(blockIdx.x % a.chunks) * blockDim.x + threadIdx.x) * 4;
    if (start >= a.len) {
        return;
    }
    const u64 replica = blockIdx.y;
    const float* from = a.from.data + replica * a.from.replica + row * a.from.row + start;
    float* to = a.to.data + replica * a.to.replica + row * a.to.row + start;
    if (start + 4 <= a.len && aligned(from, 0) && aligned(to, 0)) {
        const float4 value = *(const float4*)from;
        float4 result = *(float4*)to;
        result.x = act(value.x, result.x);
        result.y = act(value.y, result.y);
        result.z = act(value.z, result.z);
        result.w = act(value.w, result.w);
        *(float4*)to = result;
        return;
    }
    for (u32 at = 0; at < 4 && start + at < a.len; at++) {
        to[at] = act(from[at], to[at]);
    }
}

KERNEL(relu, ElementwiseArguments) {
    each(a, [](float value, float) { return value < 0 ? 0.0f : value; });
}

KERNEL(relu_gradient, ElementwiseArguments) {
    each(a, [](float output, float gradient) { return output <= 0 ? 0.0f : gradient; });
}

KERNEL(pass, ElementwiseArguments) {
    if (a.accumulate) {
        each(a, [](float value, float old) { return old + value; });
    } else {
        each(a, [](float value, float) { return value; });
    }
}

struct ControlArguments {
    Control* control;
    u32 replicas;
    u32 position;
    u32 step;
    u32 epoch;
    float rate;
    u32 unused;
};
static_assert(sizeof(ControlArguments) == 32, "as in arguments.rs");

KERNEL(set_control, ControlArguments) {
    const u32 replica = blockIdx.x * blockDim.x + threadIdx.x;
    if (replica < a.replicas) {
        Control* control = a.control + replica;
        control->position = a.position;
        control->step = a.step;
        control->epoch = a.epoch;
        control->rate = a.rate;
    }
}

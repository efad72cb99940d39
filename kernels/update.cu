// update: v = momentum · v + (g + decay · w); w = w − rate · v, for all parameters of all replicas
// in one launch, then step += 1. A table on the device cuts the arrays into pieces of at most 4096
// numbers, one a block, so that a network of many small arrays costs one launch and no block
// searches for its array. 20 bytes a number (w, g, v read; w, v written), four operations; products
// and sums are rounded one by one, which gives the processor's bytes.
#include "device.h"

struct Piece {
    Array weight;
    Array gradient;
    Array velocity;
    u64 len;
};
static_assert(sizeof(Piece) == 56, "as in arguments.rs");

struct UpdateArguments {
    Control* control;
    const Piece* pieces;
    float momentum;
    float decay;
};
static_assert(sizeof(UpdateArguments) == 24, "as in arguments.rs");

struct Rule {
    float momentum, decay, rate;

    __device__ void apply(float& w, float g, float& v) const {
        v = momentum * v + (g + decay * w);
        w -= rate * v;
    }
};

KERNEL(update, UpdateArguments) {
    const u64 replica = blockIdx.y;
    const Piece& piece = a.pieces[blockIdx.x];
    Control* control = a.control + replica;
    const Rule rule = {a.momentum, a.decay, control->rate};
    float* weight = piece.weight.data + replica * piece.weight.replica;
    const float* gradient = piece.gradient.data + replica * piece.gradient.replica;
    float* velocity = piece.velocity.data + replica * piece.velocity.replica;
    // Arrays and pieces begin at multiples of 16 bytes.
    const u64 fours = piece.len / 4;
    for (u64 at = threadIdx.x; at < fours; at += blockDim.x) {
        float4 w = ((float4*)weight)[at], v = ((float4*)velocity)[at];
        const float4 g = ((const float4*)gradient)[at];
        rule.apply(w.x, g.x, v.x);
        rule.apply(w.y, g.y, v.y);
        rule.apply(w.z, g.z, v.z);
        rule.apply(w.w, g.w, v.w);
        ((float4*)weight)[at] = w;
        ((float4*)velocity)[at] = v;
    }
    const u64 at = fours * 4 + threadIdx.x;
    if (at < piece.len) {
        rule.apply(weight[at], gradient[at], velocity[at]);
    }
    // Dropout reads the step; no other block of this launch does.
    if (blockIdx.x == 0 && threadIdx.x == 0 && control->step != 0xFFFFFFFF) {
        control->step += 1;
    }
}

// loss_and_gradient: what a loss finds on a batch of rows × outputs, and its gradient, in one pass.
//
// A warp takes a row: softmax cross-entropy ln Σ_j exp(z_j − m) − (z_k − m), m the largest logit,
// with gradient (softmax(z) − e_k) / rows; or ½ Σ_j (output_j − target_j)² with gradient
// (output − target) / rows. Both in binary64, as on the processor, since losses are summed over
// thousands of samples; two exponentials a number are nothing beside the products before. Outputs
// that are not finite and labels that are not there give not a number.
//
// The outcome (sum of losses, counts of right answers) is appended to a ring in device memory: the
// block that finishes last adds up what the rows found, always in the same order, so that no
// second launch and no floating-point atomic is needed. Rows leave 16 bytes each for it; numbers
// are read twice (from the cache the second time) and written once.
#include "device.h"

struct RowResult {
    double loss;
    u32 met;
    u32 changed;
};

struct Outcome {
    double loss;
    u32 clean_met, clean_all, changed_met, changed_all;
};
static_assert(sizeof(RowResult) == 16 && sizeof(Outcome) == 24, "as in arguments.rs");

struct LossArguments {
    Control* control;
    View outputs;
    // No data: not wanted.
    View gradient;
    Indices chosen;
    Indices changed;
    u64 changed_len;
    // Classes, or real labels (samples × outputs) if there is no data here.
    Indices classes;
    Array numbers;
    u64 samples;
    RowResult* results;
    Outcome* ring;
    u32 capacity;
    u32 rows;
    u32 len;
    u32 squared;
};
static_assert(sizeof(LossArguments) == 168, "as in arguments.rs");

static const u32 WARP = 32;
static const u32 ALL = 0xFFFFFFFF;

static __device__ inline double warp_sum(double value) {
    for (u32 other = WARP / 2; other > 0; other /= 2) {
        value += __shfl_xor_sync(ALL, value, other);
    }
    return value;
}

static __device__ inline u32 warp_sum(u32 value) {
    for (u32 other = WARP / 2; other > 0; other /= 2) {
        value += __shfl_xor_sync(ALL, value, other);
    }
    return value;
}

static __device__ inline bool finite(float value) {
    return (__float_as_int(value) & 0x7F800000) != 0x7F800000;
}

// The first of the largest numbers of a row, and whether all are finite.
static __device__ inline u32 largest(const float* values, u32 len, u32 lane, bool& all_finite) {
    u32 bad = 0, best = lane < len ? lane : 0;
    for (u32 at = lane; at < len; at += WARP) {
        bad |= !finite(values[at]);
        best = values[at] > values[best] ? at : best;
    }
    all_finite = warp_sum(bad) == 0;
    for (u32 other = WARP / 2; other > 0; other /= 2) {
        const u32 there = __shfl_xor_sync(ALL, best, other);
        const float here = values[best], rival = values[there];
        best = rival > here || (rival == here && there < best) ? there : best;
    }
    return best;
}

static __device__ RowResult take_row(const LossArguments& a, u64 replica, u32 row, u32 lane) {
    const float* values = a.outputs.data + replica * a.outputs.replica + row * a.outputs.row;
    float* gradient = a.gradient.data + replica * a.gradient.replica + row * a.gradient.row;
    const bool wanted = a.gradient.data;
    const u64 index = a.chosen.data[replica * a.chosen.replica + row];
    const u32* changed = a.changed.data + replica * a.changed.replica;
    RowResult result;
    result.met = 0;
    result.changed = index < a.changed_len && changed[index] != 0;

    const bool classes = a.classes.data;
    bool there;
    const u32 best = largest(values, a.len, lane, there);
    there = there && index < a.samples && (classes || a.squared);
    u32 label = 0;
    if (there && classes) {
        label = a.classes.data[replica * a.classes.replica + index];
        there = label < a.len;
    }
    if (!there) {
        const float nan = __int_as_float(0x7FC00000);
        for (u32 at = lane; wanted && at < a.len; at += WARP) {
            gradient[at] = nan;
        }
        result.loss = nan;
        return result;
    }
    result.met = classes && best == label;
    const double rows = a.rows;
    double sum = 0;
    if (a.squared) {
        const float* numbers = a.numbers.data + replica * a.numbers.replica + index * a.len;
        for (u32 at = lane; at < a.len; at += WARP) {
            const double target = classes ? (double)(at == label) : (double)numbers[at];
            const double difference = (double)values[at] - target;
            sum += difference * difference;
            if (wanted) {
                gradient[at] = (float)(difference / rows);
            }
        }
        result.loss = warp_sum(sum) / 2;
    } else {
        const double most = values[best];
        for (u32 at = lane; at < a.len; at += WARP) {
            sum += exp((double)values[at] - most);
        }
        sum = warp_sum(sum);
        for (u32 at = lane; wanted && at < a.len; at += WARP) {
            const double share = exp((double)values[at] - most) / sum;
            gradient[at] = (float)((share - (double)(at == label)) / rows);
        }
        result.loss = log(sum) - ((double)values[label] - most);
    }
    return result;
}

KERNEL(loss_and_gradient, LossArguments) {
    const u64 replica = blockIdx.y;
    const u32 lane = threadIdx.x % WARP;
    const u32 row = blockIdx.x * (blockDim.x / WARP) + threadIdx.x / WARP;
    Control* control = a.control + replica;
    // Other blocks of this launch write what the last one reads: past the first-level cache.
    volatile RowResult* results = a.results + replica * a.rows;
    if (row < a.rows) {
        const RowResult result = take_row(a, replica, row, lane);
        if (lane == 0) {
            results[row].loss = result.loss;
            results[row].met = result.met;
            results[row].changed = result.changed;
        }
    }
    __threadfence();
    __syncthreads(); // the rows of this block are written
    SHARED(u32, last, 1);
    if (threadIdx.x == 0) {
        last[0] = atomicAdd(&control->arrived, 1) + 1 == gridDim.x;
    }
    __syncthreads(); // all know whether this is the last block
    if (!last[0] || threadIdx.x >= WARP) {
        return;
    }
    __threadfence();
    double loss = 0;
    u32 met[2] = {0, 0}, all[2] = {0, 0};
    for (u32 at = lane; at < a.rows; at += WARP) {
        loss += results[at].loss;
        const u32 changed = results[at].changed;
        met[0] += changed ? 0 : results[at].met;
        met[1] += changed ? results[at].met : 0;
        all[0] += !changed;
        all[1] += changed;
    }
    loss = warp_sum(loss);
    const u32 counts[4] = {warp_sum(met[0]), warp_sum(all[0]), warp_sum(met[1]), warp_sum(all[1])};
    if (lane == 0) {
        const u64 place = control->outcomes % a.capacity;
        const Outcome outcome = {loss, counts[0], counts[1], counts[2], counts[3]};
        // Replicas side by side, so that what is new lies together.
        a.ring[place * gridDim.y + replica] = outcome;
        control->outcomes += 1;
        control->arrived = 0;
    }
}

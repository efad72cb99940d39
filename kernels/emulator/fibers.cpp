// The threads of a block as fibers: each has a stack of its own and runs until it waits.
//
// SHATTER_EMULATOR_ORDER, read at every launch, chooses who comes first, so that a result that
// depends on it shows as a difference:
//
//   forward      a block after the other, its threads from the first to the last (the default)
//   reverse      the same from the last to the first
//   interleaved  four blocks at a time, whose warps have ranks drawn from a fixed stream: the first
//                in rank that can go on runs until all its threads wait at a barrier, so that some
//                warps stay far behind those of their own block and of others
#include "host.h"
#include "tensor.h"

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <map>
#include <memory>
#include <vector>

#if !defined(__x86_64__)
#error "the emulator switches stacks in x86-64 assembly"
#endif

// Leaves the running stack, whose pointer it stores, for another one. The registers that a function
// must preserve lie on the stack that is left.
extern "C" void emulator_switch(void** from, void* to);
asm(R"(
.text
.globl emulator_switch
.type emulator_switch, @function
emulator_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
)");

namespace emulator {

dim3 thread_index, block_index, block_size, grid_size;
Kernel* kernels = nullptr;

Kernel::Kernel(const char* name, size_t arguments, void (*run)(const void*))
    : name(name), arguments(arguments), run(run), next(kernels) {
    kernels = this;
}

namespace {

const size_t STACK = 256 * 1024;
// Bytes of shared memory that a block has without asking for more.
const size_t SHARED_MEMORY = 48 * 1024;
const unsigned WARP = 32;

enum class State { Ready, AtBarrier, AtShuffle, Done };

struct Copy {
    void* to;
    const void* from;
    unsigned bytes, there;
};

struct Fiber {
    void* stack_pointer;
    dim3 index;
    State state;
    // Of a shuffle: who takes part, what is handed in and then what comes out, from which lane.
    unsigned lanes;
    uint64_t bits;
    unsigned other;
    // Of a barrier: in which line.
    unsigned place;
    // Copies that are begun and not done, by groups; the last group has not ended.
    std::deque<std::vector<Copy>> copies;
};

struct Block {
    dim3 index;
    std::vector<Fiber> fibers;
    std::map<const void*, std::vector<float4>> shared_memory;
    std::vector<uint32_t> ranks; // of warps
};

const size_t RESIDENT = 4;
Block blocks[RESIDENT];
std::vector<std::unique_ptr<char[]>> stacks[RESIDENT];
Block* block;
size_t running;
bool reversed;
// What a thread did that a device does not let it do.
const char* fault;
void* scheduler;
const Kernel* kernel;
const void* arguments;

void leave() {
    emulator_switch(&block->fibers[running].stack_pointer, scheduler);
}

void entry() {
    kernel->run(arguments);
    block->fibers[running].state = State::Done;
    leave();
    abort(); // nobody resumes a fiber that is done
}

void resume(size_t at) {
    running = at;
    block_index = block->index;
    thread_index = block->fibers[at].index;
    emulator_switch(&scheduler, block->fibers[at].stack_pointer);
}

// A stack on which `emulator_switch` finds six registers and returns into `entry`.
void prepare(size_t at) {
    std::vector<std::unique_ptr<char[]>>& stacks = emulator::stacks[block - blocks];
    if (stacks.size() <= at) {
        stacks.emplace_back(new char[STACK]);
    }
    void** top = (void**)(((uintptr_t)stacks[at].get() + STACK) & ~(uintptr_t)15);
    *--top = nullptr; // a call leaves the stack 8 bytes off a multiple of 16
    *--top = (void*)entry;
    for (int i = 0; i < 6; i++) {
        *--top = nullptr;
    }
    const unsigned i = (unsigned)at;
    Fiber& fiber = block->fibers[at];
    fiber.stack_pointer = top;
    fiber.index = {i % block_size.x, i / block_size.x % block_size.y,
                   i / (block_size.x * block_size.y)};
    fiber.state = State::Ready;
    fiber.copies.assign(1, {});
}

// Makes `block` the block of this number, its threads at their first instruction.
void begin(uint64_t number) {
    block->index = {(unsigned)(number % grid_size.x), (unsigned)(number / grid_size.x % grid_size.y),
                    (unsigned)(number / grid_size.x / grid_size.y)};
    for (auto& entry : block->shared_memory) {
        memset(entry.second.data(), 0xFF, entry.second.size() * sizeof(float4));
    }
    block->fibers.resize((size_t)block_size.x * block_size.y * block_size.z);
    for (size_t at = 0; at < block->fibers.size(); at++) {
        prepare(at);
    }
}

// Completes the shuffles of a warp for which all lanes have come; whether there was one.
bool exchange(size_t first) {
    std::vector<Fiber>& fibers = block->fibers;
    const size_t end = first + WARP < fibers.size() ? first + WARP : fibers.size();
    for (size_t at = first; at < end; at++) {
        const unsigned lanes = fibers[at].lanes;
        bool complete = fibers[at].state == State::AtShuffle && lanes >> (at - first) & 1;
        for (unsigned lane = 0; complete && lane < WARP; lane++) {
            if (lanes >> lane & 1) {
                const size_t peer = first + lane;
                complete = peer < end && fibers[peer].state == State::AtShuffle &&
                           fibers[peer].lanes == lanes;
            }
        }
        if (complete) {
            uint64_t handed[WARP];
            for (size_t peer = first; peer < end; peer++) {
                handed[peer - first] = fibers[peer].bits;
            }
            for (size_t peer = first; peer < end; peer++) {
                if (lanes >> (peer - first) & 1) {
                    fibers[peer].bits = handed[fibers[peer].other % WARP];
                    fibers[peer].state = State::Ready;
                }
            }
            return true;
        }
    }
    return false;
}

const char* const STUCK = "its threads wait for each other at different places";

// Whether all threads of the block are done; lets them go on if all others are at a barrier.
bool finished() {
    size_t done = 0, waiting = 0;
    for (const Fiber& fiber : block->fibers) {
        done += fiber.state == State::Done;
        waiting += fiber.state == State::AtBarrier;
    }
    if (waiting > 0 && waiting + done == block->fibers.size()) {
        const Fiber* first = nullptr;
        for (const Fiber& fiber : block->fibers) {
            if (fiber.state == State::AtBarrier) {
                first = first ? first : &fiber;
                fault = fiber.place == first->place ? fault : STUCK;
            }
        }
        for (Fiber& fiber : block->fibers) {
            fiber.state = fiber.state == State::AtBarrier ? State::Ready : fiber.state;
        }
    }
    return done == block->fibers.size();
}

// Lets the threads of a range run until each waits, once; whether one did.
bool run_once(size_t first, size_t end) {
    bool progress = false;
    for (size_t i = first; i < end; i++) {
        const size_t at = reversed ? first + end - 1 - i : i;
        if (block->fibers[at].state == State::Ready) {
            resume(at);
            progress = true;
        }
    }
    for (size_t warp = first; warp < end; warp += WARP) {
        while (exchange(warp)) {
            progress = true;
        }
    }
    return progress;
}

const char* run_block() {
    for (bool progress = true; !finished();) {
        if (!progress) {
            return STUCK;
        }
        progress = run_once(0, block->fibers.size());
    }
    return fault;
}

const char* run_interleaved(uint64_t count) {
    uint64_t next = 0, stream = 1;
    std::vector<Block*> resident;
    auto begin_next = [&] {
        begin(next++);
        block->ranks.resize((block->fibers.size() + WARP - 1) / WARP);
        for (uint32_t& rank : block->ranks) {
            stream = stream * 6364136223846793005u + 1442695040888963407u;
            rank = (uint32_t)(stream >> 32);
        }
    };
    for (size_t i = 0; i < RESIDENT && next < count; i++) {
        resident.push_back(block = &blocks[i]);
        begin_next();
    }
    while (!resident.empty()) {
        // The warp to run: the lowest rank of those that can go on.
        size_t slot = 0, warp = 0;
        uint64_t lowest = UINT64_MAX;
        for (size_t i = 0; i < resident.size(); i++) {
            const std::vector<Fiber>& fibers = resident[i]->fibers;
            for (size_t at = 0; at < fibers.size(); at++) {
                const uint32_t rank = resident[i]->ranks[at / WARP];
                if (fibers[at].state == State::Ready && rank < lowest) {
                    lowest = rank;
                    slot = i;
                    warp = at / WARP * WARP;
                }
            }
        }
        if (lowest == UINT64_MAX) {
            return STUCK;
        }
        block = resident[slot];
        while (run_once(warp, std::min(warp + WARP, block->fibers.size()))) {
        }
        if (finished()) {
            if (next < count) {
                begin_next();
            } else {
                resident.erase(resident.begin() + (ptrdiff_t)slot);
            }
        }
    }
    return fault;
}

} // namespace

void* shared(const void* site, size_t bytes) {
    std::vector<float4>& memory = block->shared_memory[site];
    if (memory.empty()) {
        memory.resize((bytes + sizeof(float4) - 1) / sizeof(float4));
        memset(memory.data(), 0xFF, memory.size() * sizeof(float4));
        size_t all = 0;
        for (const auto& entry : block->shared_memory) {
            all += entry.second.size() * sizeof(float4);
        }
        if (all > SHARED_MEMORY) {
            fault = "its blocks share more than 48 KiB";
        }
    }
    return memory.data();
}

void barrier(unsigned place) {
    block->fibers[running].place = place;
    block->fibers[running].state = State::AtBarrier;
    leave();
}

uint64_t shuffle(unsigned lanes, uint64_t bits, unsigned other) {
    Fiber& fiber = block->fibers[running];
    fiber.lanes = lanes;
    fiber.bits = bits;
    fiber.other = other;
    fiber.state = State::AtShuffle;
    leave();
    return fiber.bits;
}

void finish(const Copy& copy) {
    memset(copy.to, 0, copy.bytes);
    memcpy(copy.to, copy.from, copy.there);
}

void copy(void* to, const void* from, unsigned bytes, unsigned there) {
    const Copy begun = {to, from, bytes, there};
    if (((uintptr_t)to | (uintptr_t)from) % bytes != 0) {
        fault = "it copies to or from an address that is no multiple of what is copied";
        return;
    }
    if (reversed) {
        finish(begun);
    } else {
        block->fibers[running].copies.back().push_back(begun);
    }
}

void end_group() {
    block->fibers[running].copies.emplace_back();
}

void wait(unsigned pending) {
    std::deque<std::vector<Copy>>& copies = block->fibers[running].copies;
    while (copies.size() > (size_t)pending + 1) {
        for (const Copy& copy : copies.front()) {
            finish(copy);
        }
        copies.pop_front();
    }
}

const char* launch(dim3 grid, dim3 threads, const Kernel& which, const void* with) {
    const char* order = getenv("SHATTER_EMULATOR_ORDER");
    fault = nullptr;
    reversed = order && !strcmp(order, "reverse");
    kernel = &which;
    arguments = with;
    grid_size = grid;
    block_size = threads;
    for (Block& each : blocks) {
        each.shared_memory.clear();
    }
    const uint64_t count = (uint64_t)grid.x * grid.y * grid.z;
    if (order && !strcmp(order, "interleaved")) {
        return run_interleaved(count);
    }
    block = &blocks[0];
    for (uint64_t number = 0; number < count; number++) {
        begin(number);
        if (const char* error = run_block()) {
            return error;
        }
    }
    return nullptr;
}

} // namespace emulator

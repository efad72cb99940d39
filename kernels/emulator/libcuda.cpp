// A stand-in for libcuda.so.1 that runs our kernels on the processor: so much of the driver as
// src/device/cuda uses. It is stricter than a driver: what is enqueued is done as late as is allowed,
// when somebody waits for the stream; copies must lie within one allocation; the bytes around
// allocations are watched, and are not-a-number like fresh memory; a kernel is found only if the PTX
// of the module has it, too. While a stream captures, what a driver may refuse is refused: use of the
// stream without a name, by any thread, and memory or modules that the capturing thread asks for. A
// thread must have a context, and what went wrong in a kernel is the answer to every call after it.
//
// SHATTER_EMULATOR_DEVICES, SHATTER_EMULATOR_DRIVER, SHATTER_EMULATOR_CAPABILITY,
// SHATTER_EMULATOR_MEMORY and SHATTER_EMULATOR_NAME pretend another number of devices (1), version of
// the driver (13000), compute capability (80), MiB of memory (4096) and name. SHATTER_EMULATOR_LOG
// names a file to which the name of each kernel is added, a line a launch.
#include "host.h"

#include <cstdio>
#include <cstdlib>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
const bool SANITIZED = true;
#else
#define ASAN_POISON_MEMORY_REGION(start, bytes)
#define ASAN_UNPOISON_MEMORY_REGION(start, bytes)
const bool SANITIZED = false;
#endif

namespace {

enum Status {
    SUCCESS = 0,
    INVALID_VALUE = 1,
    OUT_OF_MEMORY = 2,
    NO_DEVICE = 100,
    INVALID_DEVICE = 101,
    INVALID_CONTEXT = 201,
    INVALID_PTX = 218,
    INVALID_HANDLE = 400,
    NOT_FOUND = 500,
    ILLEGAL_ADDRESS = 700,
    LAUNCH_FAILED = 719,
    CAPTURE_UNSUPPORTED = 900,
    CAPTURE_INVALIDATED = 901,
    CAPTURE_IMPLICIT = 906,
};

typedef unsigned long long Pointer;

const size_t GUARD = 256, GRID = 65535;
const unsigned char FRESH = 0xFF;

struct Launch {
    const emulator::Kernel* kernel;
    dim3 grid, block;
    std::vector<char> arguments;
};

struct Graph {
    std::vector<Launch> launches;
};

typedef std::function<int()> Work;

// Of captures: whose calls may break one.
enum Mode { ANY_THREAD = 0, CAPTURING_THREAD = 1, NOBODY = 2 };

struct Stream {
    // Whether the stream without a name waits for it, and it for that one.
    bool blocking = true;
    // What was enqueued and not done.
    std::deque<Work> work;
    Graph* capture = nullptr;
    bool invalidated = false;
    std::thread::id capturing;
    int mode = ANY_THREAD;
};

struct Module {
    std::string ptx;
};

std::recursive_mutex mutex;
typedef std::lock_guard<std::recursive_mutex> Lock;
std::map<Pointer, size_t> allocations;
size_t allocated = 0;
std::set<Stream*> streams;
// What went wrong in a kernel.
int broken = SUCCESS;
thread_local bool has_context = false;

int setting(const char* name, int otherwise) {
    const char* text = getenv(name);
    return text ? atoi(text) : otherwise;
}

// Of what lies around allocations: not-a-number in every floating-point format, and not FRESH.
unsigned char guard(Pointer at) {
    return at % 2 ? 0xFF : 0xF5;
}

size_t memory_size() {
    return (size_t)setting("SHATTER_EMULATOR_MEMORY", 4096) << 20;
}

bool watched(Pointer start) {
    for (Pointer at = start; at < start + GUARD; at++) {
        if (*(const unsigned char*)at != guard(at)) {
            return false;
        }
    }
    return true;
}

// Whether nobody wrote around an allocation.
bool intact(Pointer start, size_t bytes) {
    return SANITIZED || (watched(start - GUARD) && watched(start + bytes));
}

bool inside(Pointer start, size_t bytes) {
    auto after = allocations.upper_bound(start);
    if (after == allocations.begin()) {
        return false;
    }
    --after;
    return start - after->first <= after->second && bytes <= after->second - (start - after->first);
}

// Why a call that wants a context cannot be answered.
int obstacle() {
    return broken ? broken : has_context ? SUCCESS : INVALID_CONTEXT;
}

int run(const Launch& launch) {
    if (const char* file = getenv("SHATTER_EMULATOR_LOG")) {
        if (FILE* log = fopen(file, "a")) {
            fprintf(log, "%s\n", launch.kernel->name);
            fclose(log);
        }
    }
    const char* error =
        emulator::launch(launch.grid, launch.block, *launch.kernel, launch.arguments.data());
    if (error) {
        fprintf(stderr, "emulator: %s: %s\n", launch.kernel->name, error);
        return broken = LAUNCH_FAILED;
    }
    for (const auto& allocation : allocations) {
        if (!intact(allocation.first, allocation.second)) {
            fprintf(stderr, "emulator: %s wrote beside an array\n", launch.kernel->name);
            return broken = ILLEGAL_ADDRESS;
        }
    }
    return SUCCESS;
}

// Does what was enqueued on a stream, up to what fails.
int finish(Stream* stream) {
    while (!stream->work.empty()) {
        Work work = std::move(stream->work.front());
        stream->work.pop_front();
        if (int status = work()) {
            stream->work.clear();
            return status;
        }
    }
    return SUCCESS;
}

// Enqueues work on a stream that does not capture.
int enqueue(void* stream, Work work) {
    Stream* of = (Stream*)stream;
    if (of->capture) {
        of->invalidated = true;
        return CAPTURE_UNSUPPORTED;
    }
    of->work.push_back(std::move(work));
    return SUCCESS;
}

// Does work on the stream without a name.
int without_name(Work work) {
    for (Stream* stream : streams) {
        if (stream->blocking && stream->capture) {
            stream->invalidated = true;
            return CAPTURE_IMPLICIT;
        }
    }
    for (Stream* stream : streams) {
        if (int status = stream->blocking ? finish(stream) : 0) {
            return status;
        }
    }
    return work();
}

// Whether what the running thread wants to do breaks a capture.
bool captures() {
    for (Stream* stream : streams) {
        const bool own = stream->capturing == std::this_thread::get_id();
        if (stream->capture && (stream->mode == ANY_THREAD || (stream->mode == CAPTURING_THREAD && own))) {
            stream->invalidated = true;
            return true;
        }
    }
    return false;
}

int copy(void* to, const void* from, size_t bytes) {
    memmove(to, from, bytes);
    return SUCCESS;
}

int set(Pointer to, unsigned char value, size_t bytes) {
    memset((void*)to, value, bytes);
    return SUCCESS;
}

} // namespace

extern "C" {

int cuInit(unsigned) {
    return SUCCESS;
}

int cuDriverGetVersion(int* version) {
    *version = setting("SHATTER_EMULATOR_DRIVER", 13000);
    return SUCCESS;
}

int cuDeviceGetCount(int* count) {
    *count = setting("SHATTER_EMULATOR_DEVICES", 1);
    return SUCCESS;
}

int cuDeviceGet(int* device, int ordinal) {
    *device = ordinal;
    const int count = setting("SHATTER_EMULATOR_DEVICES", 1);
    return ordinal >= 0 && ordinal < count ? SUCCESS : INVALID_DEVICE;
}

int cuDeviceGetName(char* name, int len, int) {
    const char* given = getenv("SHATTER_EMULATOR_NAME");
    snprintf(name, (size_t)len, "%s", given ? given : "CUDA on a processor");
    return SUCCESS;
}

int cuDeviceGetAttribute(int* value, int attribute, int) {
    const int MAJOR = 75, MINOR = 76;
    const int capability = setting("SHATTER_EMULATOR_CAPABILITY", 80);
    *value = attribute == MAJOR ? capability / 10 : attribute == MINOR ? capability % 10 : 0;
    return SUCCESS;
}

int cuDeviceTotalMem_v2(size_t* bytes, int) {
    *bytes = memory_size();
    return SUCCESS;
}

int cuDevicePrimaryCtxRetain(void** context, int) {
    *context = &allocations;
    return SUCCESS;
}

int cuDevicePrimaryCtxRelease_v2(int) {
    return SUCCESS;
}

int cuCtxSetCurrent(void* context) {
    has_context = context;
    return SUCCESS;
}

int cuModuleLoadDataEx(void** module, const void* image, unsigned, int*, void**) {
    Lock lock(mutex);
    if (int status = obstacle()) {
        return status;
    }
    const char* text = (const char*)image;
    if (captures()) {
        return CAPTURE_UNSUPPORTED;
    }
    if (!strstr(text, ".version ")) {
        return INVALID_PTX;
    }
    *module = new Module{text};
    return SUCCESS;
}

int cuModuleLoadData(void** module, const void* image) {
    return cuModuleLoadDataEx(module, image, 0, nullptr, nullptr);
}

int cuModuleUnload(void* module) {
    delete (Module*)module;
    return SUCCESS;
}

int cuModuleGetFunction(void** function, void* module, const char* name) {
    const std::string entry = std::string(".entry ") + name + "(";
    for (emulator::Kernel* kernel = emulator::kernels; kernel; kernel = kernel->next) {
        if (!strcmp(kernel->name, name) && ((Module*)module)->ptx.find(entry) != std::string::npos) {
            *function = kernel;
            return SUCCESS;
        }
    }
    return NOT_FOUND;
}

int cuFuncGetAttribute(int* value, int, void* function) {
    *value = 0;
    return function ? SUCCESS : INVALID_HANDLE;
}

int cuStreamCreateWithPriority(void** stream, unsigned flags, int) {
    Lock lock(mutex);
    if (int status = obstacle()) {
        return status;
    }
    Stream* made = new Stream;
    made->blocking = (flags & 1) == 0;
    streams.insert(made);
    *stream = made;
    return SUCCESS;
}

int cuStreamDestroy_v2(void* stream) {
    Lock lock(mutex);
    finish((Stream*)stream);
    streams.erase((Stream*)stream);
    delete (Stream*)stream;
    return SUCCESS;
}

int cuStreamSynchronize(void* stream) {
    Lock lock(mutex);
    if (int status = obstacle()) {
        return status;
    }
    if (!stream) {
        return without_name([] { return SUCCESS; });
    }
    if (((Stream*)stream)->capture) {
        ((Stream*)stream)->invalidated = true;
        return CAPTURE_UNSUPPORTED;
    }
    return finish((Stream*)stream);
}

int cuMemAlloc_v2(Pointer* start, size_t bytes) {
    Lock lock(mutex);
    if (int status = obstacle()) {
        return status;
    }
    if (captures()) {
        return CAPTURE_UNSUPPORTED;
    }
    if (bytes == 0) {
        return INVALID_VALUE;
    }
    if (bytes > memory_size() - allocated) {
        return OUT_OF_MEMORY;
    }
    const size_t all = (bytes + 2 * GUARD + 255) & ~(size_t)255;
    char* memory = (char*)aligned_alloc(256, all);
    if (!memory) {
        return OUT_OF_MEMORY;
    }
    memset(memory + GUARD, FRESH, bytes);
    for (size_t at = 0; at < all; at = at + 1 == GUARD ? GUARD + bytes : at + 1) {
        memory[at] = (char)guard(at);
    }
    *start = (Pointer)(memory + GUARD);
    ASAN_POISON_MEMORY_REGION(memory, GUARD);
    ASAN_POISON_MEMORY_REGION(memory + GUARD + bytes, all - GUARD - bytes);
    allocations[*start] = bytes;
    allocated += bytes;
    return SUCCESS;
}

int cuMemFree_v2(Pointer start) {
    Lock lock(mutex);
    if (int status = obstacle()) {
        return status;
    }
    auto found = allocations.find(start);
    if (found == allocations.end()) {
        return INVALID_VALUE;
    }
    if (captures()) {
        return CAPTURE_UNSUPPORTED;
    }
    int status = SUCCESS;
    for (Stream* stream : streams) {
        const int of = finish(stream);
        status = status ? status : of;
    }
    const bool good = intact(start, found->second);
    ASAN_UNPOISON_MEMORY_REGION((void*)(start - GUARD), (found->second + 2 * GUARD + 255) & ~(size_t)255);
    allocated -= found->second;
    allocations.erase(found);
    free((void*)(start - GUARD));
    return good ? status : broken = ILLEGAL_ADDRESS;
}

int cuMemcpyHtoD_v2(Pointer to, const void* from, size_t bytes) {
    Lock lock(mutex);
    if (int status = obstacle()) {
        return status;
    }
    return inside(to, bytes) ? without_name([=] { return copy((void*)to, from, bytes); }) : INVALID_VALUE;
}

int cuMemcpyDtoH_v2(void* to, Pointer from, size_t bytes) {
    Lock lock(mutex);
    if (int status = obstacle()) {
        return status;
    }
    return inside(from, bytes) ? without_name([=] { return copy(to, (void*)from, bytes); }) : INVALID_VALUE;
}

int cuMemsetD8_v2(Pointer to, unsigned char value, size_t bytes) {
    Lock lock(mutex);
    if (int status = obstacle()) {
        return status;
    }
    return inside(to, bytes) ? without_name([=] { return set(to, value, bytes); }) : INVALID_VALUE;
}

int cuMemcpyHtoDAsync_v2(Pointer to, const void* from, size_t bytes, void* stream) {
    Lock lock(mutex);
    if (int status = obstacle()) {
        return status;
    }
    return inside(to, bytes) ? enqueue(stream, [=] { return copy((void*)to, from, bytes); }) : INVALID_VALUE;
}

int cuMemcpyDtoHAsync_v2(void* to, Pointer from, size_t bytes, void* stream) {
    Lock lock(mutex);
    if (int status = obstacle()) {
        return status;
    }
    return inside(from, bytes) ? enqueue(stream, [=] { return copy(to, (void*)from, bytes); }) : INVALID_VALUE;
}

int cuMemsetD8Async(Pointer to, unsigned char value, size_t bytes, void* stream) {
    Lock lock(mutex);
    if (int status = obstacle()) {
        return status;
    }
    return inside(to, bytes) ? enqueue(stream, [=] { return set(to, value, bytes); }) : INVALID_VALUE;
}

int cuLaunchKernel(void* function, unsigned x, unsigned y, unsigned z, unsigned block_x,
                   unsigned block_y, unsigned block_z, unsigned, void* stream, void** arguments,
                   void**) {
    Lock lock(mutex);
    if (int status = obstacle()) {
        return status;
    }
    const emulator::Kernel* kernel = (const emulator::Kernel*)function;
    const size_t threads = (size_t)block_x * block_y * block_z;
    const bool empty = x == 0 || y == 0 || z == 0 || threads == 0;
    if (!kernel || empty || threads > 1024 || x > 0x7FFFFFFF || y > GRID || z > GRID) {
        return INVALID_VALUE;
    }
    const char* given = (const char*)arguments[0];
    Launch launch{kernel, {x, y, z}, {block_x, block_y, block_z},
                  std::vector<char>(given, given + kernel->arguments)};
    Stream* of = (Stream*)stream;
    if (!of) {
        return without_name([=] { return run(launch); });
    }
    if (of->capture) {
        of->capture->launches.push_back(launch);
        return SUCCESS;
    }
    return enqueue(of, [=] { return run(launch); });
}

int cuStreamBeginCapture_v2(void* stream, int mode) {
    Lock lock(mutex);
    if (int status = obstacle()) {
        return status;
    }
    Stream* of = (Stream*)stream;
    if (of->capture) {
        return INVALID_VALUE;
    }
    of->capture = new Graph;
    of->invalidated = false;
    of->capturing = std::this_thread::get_id();
    of->mode = mode;
    return SUCCESS;
}

int cuStreamEndCapture(void* stream, void** graph) {
    Lock lock(mutex);
    Stream* of = (Stream*)stream;
    Graph* captured = of->capture;
    of->capture = nullptr;
    *graph = nullptr;
    if (!captured) {
        return INVALID_HANDLE;
    }
    if (of->invalidated) {
        delete captured;
        return CAPTURE_INVALIDATED;
    }
    *graph = captured;
    return SUCCESS;
}

int cuGraphInstantiateWithFlags(void** executable, void* graph, unsigned long long) {
    *executable = new Graph(*(Graph*)graph);
    return SUCCESS;
}

int cuGraphLaunch(void* executable, void* stream) {
    Lock lock(mutex);
    if (int status = obstacle()) {
        return status;
    }
    for (const Launch& launch : ((Graph*)executable)->launches) {
        if (int status = enqueue(stream, [=] { return run(launch); })) {
            return status;
        }
    }
    return SUCCESS;
}

int cuGraphDestroy(void* graph) {
    delete (Graph*)graph;
    return SUCCESS;
}

int cuGraphExecDestroy(void* executable) {
    delete (Graph*)executable;
    return SUCCESS;
}

int cuGetErrorString(int, const char** text) {
    *text = "error of the emulator";
    return SUCCESS;
}

int cuGetErrorName(int, const char** text) {
    *text = "CUDA_ERROR";
    return SUCCESS;
}
}

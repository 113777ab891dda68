// A header that records. A kernel for one core, written against the tile and flag calls of Ascend C,
// compiles with it on any machine (g++ or clang++, -std=c++17). Run, it computes nothing: it prints
// what it would have issued, one micro-op a line, in the form of docs/import.md.
//
//   g++ -std=c++17 add.cpp -o add && ./add > add.rec
//   simctl check add.rec --config ascend-910b-like
//
// Values are not there: GetValue and branches on data cannot be recorded, and what is not declared here
// does not compile. Names and meanings follow the public documentation of the calls; the code is ours.
#ifndef NPUSIM_RECORDING_KERNEL_OPERATOR_H
#define NPUSIM_RECORDING_KERNEL_OPERATOR_H

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <vector>

#define __aicore__
#define __global__
#define __vector__
#define __cube__
#define __gm__
#define __ubuf__
#define GM_ADDR uint8_t *
// Tiling data is a struct of the kernel's own, which the driver hands over by its address.
#define REGISTER_TILING_DEFAULT(TYPE) using NPUSimTiling = TYPE
#define GET_TILING_DATA(NAME, ADDRESS) \
  NPUSimTiling NAME = *reinterpret_cast<const NPUSimTiling *>(ADDRESS)
#define GET_TILING_DATA_WITH_STRUCT(TYPE, NAME, ADDRESS) \
  TYPE NAME = *reinterpret_cast<const TYPE *>(ADDRESS)
#define ASSERT(CONDITION) ((CONDITION) ? (void)0 : std::abort())
#define ascendc_assert(CONDITION, ...) ASSERT(CONDITION)
// The place of a call, as the last two arguments of each that is recorded.
#define NPUSIM_AT const char *file = __builtin_FILE(), int line = __builtin_LINE()
#define NPUSIM_PASS file, line

// Formats by their sizes: values are never looked at.
struct half {
  uint16_t bits;
  half() = default;
  half(double) : bits(0) {}
};
struct bfloat16_t {
  uint16_t bits;
  bfloat16_t() = default;
  bfloat16_t(double) : bits(0) {}
};

// MARK: The record

namespace npusim {

enum Queue { load, feed, matrix, drain, vector, store, scalar, none };

inline const char *name(Queue queue) {
  static const char *names[] = {"load",   "feed",  "matrix", "drain",
                                "vector", "store", "scalar", "none"};
  return names[queue];
}

[[noreturn]] inline void stop(const char *what, NPUSIM_AT) {
  std::fprintf(stderr, "%s:%d: %s\n", file, line, what);
  std::exit(2);
}

struct Record {
  bool begun = false;
  uint64_t next = 0x1000;
  std::map<std::string, uint64_t> used;  // bytes of each memory
  std::map<std::pair<int, int>, int> ids;  // next ID of each pair of queues

  void begin() {
    if (!begun) std::printf("npusim record 1\n");
    begun = true;
  }
  int id(Queue from, Queue to) { return ids[{from, to}]++; }
};

inline Record &record() {
  static Record one;
  one.begin();
  return one;
}

/// A tensor in HBM for the kernel's arguments: its role is input, output, update or scratch.
inline GM_ADDR tensor(const char *name, const char *role, uint64_t bytes) {
  Record &r = record();
  uint64_t address = r.next;
  r.next += (bytes + 4095) / 4096 * 4096 + 4096;
  std::printf("hbm %s %s %llu %llu\n", name, role, (unsigned long long)address,
              (unsigned long long)bytes);
  return reinterpret_cast<GM_ADDR>(address);
}

/// Bytes of a memory: rows of `length` bytes, `pitch` apart.
struct Area {
  std::string memory;
  uint64_t address, length, rows = 1, pitch = 0;

  std::string text() const {
    std::string t = memory + ":" + std::to_string(address) + ":" + std::to_string(length);
    if (rows > 1) t += "*" + std::to_string(rows) + "/" + std::to_string(pitch);
    return t;
  }
};

/// What a record says of an instruction beside its bytes: that it works element by element or adds to its
/// accumulator, with or without a unit flag; or the unit flag of a drain.
enum Flag { plain, stream, hold, release, drained };

inline void op(Queue queue, const char *call, std::vector<Area> written, std::vector<Area> read,
               Flag flag, NPUSIM_AT) {
  static const char *flags[] = {"", " stream", " stream unit hold",
                                " stream unit release", " unit yes"};
  record();
  std::printf("op %s %s", name(queue), call);
  if (!written.empty()) std::printf(" write");
  for (auto &a : written) std::printf(" %s", a.text().c_str());
  if (!read.empty()) std::printf(" read");
  for (auto &a : read) std::printf(" %s", a.text().c_str());
  std::printf("%s @ %s:%d\n", flags[flag], file, line);
}

inline void op(Queue queue, const char *call, std::vector<Area> written, std::vector<Area> read,
               NPUSIM_AT) {
  op(queue, call, written, read, plain, NPUSIM_PASS);
}

inline void event(const char *what, Queue from, Queue to, int id, NPUSIM_AT) {
  record();
  std::printf("%s %s->%s:%d @ %s:%d\n", what, name(from), name(to), id, file, line);
}

}  // namespace npusim

namespace AscendC {

// MARK: Places, pipes and events

enum class TPosition { GM, A1, A2, B1, B2, C1, C2, CO1, CO2, VECIN, VECOUT, VECCALC };
using QuePosition = TPosition;

inline const char *memory(TPosition position) {
  switch (position) {
    case TPosition::GM: return "hbm";
    case TPosition::A1: case TPosition::B1: case TPosition::C1: return "l1";
    case TPosition::A2: return "left";
    case TPosition::B2: return "right";
    case TPosition::CO1: return "acc";
    default: return "ub";
  }
}

/// The pipes that fill and use up what a queue of a position holds.
inline std::pair<npusim::Queue, npusim::Queue> sides(TPosition position) {
  switch (position) {
    case TPosition::VECIN: return {npusim::load, npusim::vector};
    case TPosition::VECOUT: return {npusim::vector, npusim::store};
    case TPosition::A1: case TPosition::B1: return {npusim::load, npusim::feed};
    case TPosition::A2: case TPosition::B2: return {npusim::feed, npusim::matrix};
    case TPosition::CO1: return {npusim::matrix, npusim::drain};
    default: return {npusim::none, npusim::none};
  }
}

enum pipe_t { PIPE_S, PIPE_V, PIPE_M, PIPE_MTE1, PIPE_MTE2, PIPE_MTE3, PIPE_FIX, PIPE_ALL };

inline npusim::Queue queue(pipe_t pipe) {
  static const npusim::Queue queues[] = {npusim::none, npusim::vector, npusim::matrix, npusim::feed,
                                         npusim::load, npusim::store, npusim::drain};
  return pipe == PIPE_ALL ? npusim::none : queues[pipe];
}

#define NPUSIM_EVENTS(E)                                                                       \
  E(MTE2_V) E(V_MTE2) E(MTE3_V) E(V_MTE3) E(MTE2_MTE3) E(MTE3_MTE2) E(MTE2_MTE1) E(MTE1_MTE2)    \
  E(MTE1_M) E(M_MTE1) E(M_FIX) E(FIX_M) E(M_V) E(V_M) E(FIX_MTE2) E(MTE2_FIX) E(FIX_MTE3)        \
  E(MTE3_FIX) E(MTE1_V) E(V_MTE1) E(MTE1_MTE3) E(MTE3_MTE1) E(MTE1_FIX) E(FIX_MTE1) E(MTE2_S)    \
  E(S_MTE2) E(MTE3_S) E(S_MTE3) E(V_S) E(S_V) E(M_S) E(S_M) E(FIX_S) E(S_FIX)
enum class HardEvent {
#define NPUSIM_NAME(e) e,
  NPUSIM_EVENTS(NPUSIM_NAME)
#undef NPUSIM_NAME
};

inline std::pair<npusim::Queue, npusim::Queue> sides(HardEvent event) {
  static const char *texts[] = {
#define NPUSIM_NAME(e) #e,
      NPUSIM_EVENTS(NPUSIM_NAME)
#undef NPUSIM_NAME
  };
  static const std::map<std::string, npusim::Queue> queues = {
      {"V", npusim::vector}, {"M", npusim::matrix}, {"MTE1", npusim::feed},
      {"MTE2", npusim::load}, {"MTE3", npusim::store}, {"FIX", npusim::drain},
      {"S", npusim::scalar}};
  std::string text = texts[static_cast<int>(event)];
  size_t line = text.find('_');
  return {queues.at(text.substr(0, line)), queues.at(text.substr(line + 1))};
}

using TEventID = int8_t;
using event_t = int32_t;
enum : int32_t { EVENT_ID0, EVENT_ID1, EVENT_ID2, EVENT_ID3, EVENT_ID4, EVENT_ID5, EVENT_ID6, EVENT_ID7 };

template <HardEvent event>
void SetFlag(int32_t id, NPUSIM_AT) {
  auto [from, to] = sides(event);
  npusim::event("set", from, to, id, NPUSIM_PASS);
}
template <HardEvent event>
void WaitFlag(int32_t id, NPUSIM_AT) {
  auto [from, to] = sides(event);
  npusim::event("wait", from, to, id, NPUSIM_PASS);
}
template <pipe_t pipe>
void PipeBarrier(NPUSIM_AT) {
  npusim::record();
  if (pipe == PIPE_ALL) {
    std::printf("barrier_all @ %s:%d\n", NPUSIM_PASS);
  } else {
    std::printf("barrier %s @ %s:%d\n", npusim::name(queue(pipe)), NPUSIM_PASS);
  }
}

inline int64_t GetBlockIdx() { return 0; }
inline int64_t GetBlockNum() { return 1; }
inline void InitSocState() {}
template <typename... T>
void printf(T...) {}

// MARK: Tensors

template <typename T>
struct GlobalTensor {
  uint64_t address = 0;

  void SetGlobalBuffer(T *start, uint64_t = 0) { address = reinterpret_cast<uint64_t>(start); }
  GlobalTensor operator[](uint64_t offset) const {
    GlobalTensor other = *this;
    other.address += offset * sizeof(T);
    return other;
  }
  npusim::Area area(uint64_t bytes, uint64_t rows = 1, uint64_t pitch = 0) const {
    return {"hbm", address, bytes, rows, pitch};
  }
};

template <typename T>
struct LocalTensor {
  TPosition position = TPosition::VECCALC;
  uint64_t address = 0, bytes = 0;
  int slot = -1;

  LocalTensor operator[](uint64_t offset) const {
    LocalTensor other = *this;
    other.address += offset * sizeof(T);
    return other;
  }
  template <typename U>
  LocalTensor<U> ReinterpretCast() const {
    return {position, address, bytes, slot};
  }
  uint32_t GetSize() const { return uint32_t(bytes / sizeof(T)); }
  npusim::Area area(uint64_t length, uint64_t rows = 1, uint64_t pitch = 0) const {
    return {memory(position), address, length, rows, pitch};
  }
};

// MARK: Buffers and queues

struct Slots {
  TPosition position = TPosition::VECCALC;
  uint64_t address = 0, bytes = 0;
  int count = 0, next = 0;
  std::vector<int> full, free;  // event IDs by slot
  std::vector<bool> isFreed;
  const char *file = "";  // where it was made
  int line = 0;
};

class TPipe {
 public:
  TPipe() { current() = this; }
  ~TPipe() { Destroy(); }

  template <typename Q>
  bool InitBuffer(Q &queue, uint8_t count, uint32_t bytes, NPUSIM_AT) {
    queue.slots = std::make_shared<Slots>();
    uint64_t slot = (bytes + 31) / 32 * 32;
    uint64_t &used = npusim::record().used[memory(Q::place)];
    Slots &s = *queue.slots;
    s.file = file;
    s.line = line;
    s.position = Q::place;
    s.address = used;
    s.bytes = slot;
    s.count = count;
    used += slot * count;
    std::printf("buffer q%d %s %llu %llu %d\n", made++, memory(Q::place),
                (unsigned long long)s.address, (unsigned long long)slot, int(count));
    auto [from, to] = sides(Q::place);
    s.isFreed.assign(count, false);
    for (int i = 0; i < count && from != npusim::none; i++) {
      s.full.push_back(npusim::record().id(from, to));
      s.free.push_back(npusim::record().id(to, from));
    }
    all.push_back(queue.slots);
    return true;
  }
  template <typename B>
  bool InitBuffer(B &buffer, uint32_t bytes, NPUSIM_AT) {
    return InitBuffer(buffer, uint8_t(1), bytes, NPUSIM_PASS);
  }
  TEventID FetchEventID(HardEvent event) {
    auto [from, to] = sides(event);
    return TEventID(npusim::record().id(from, to));
  }
  template <HardEvent event>
  TEventID AllocEventID() { return FetchEventID(event); }
  template <HardEvent event>
  void ReleaseEventID(TEventID) {}

  /// Takes back what was said to be free and is not filled again.
  void Destroy() {
    for (auto &s : all) {
      auto [from, to] = sides(s->position);
      for (int i = 0; i < s->count; i++) {
        if (s->isFreed[i]) npusim::event("wait", to, from, s->free[i], s->file, s->line);
      }
    }
    all.clear();
  }
  static TPipe *&current() {
    static TPipe *pipe = nullptr;
    return pipe;
  }

 private:
  std::vector<std::shared_ptr<Slots>> all;
  int made = 0;
};

inline TPipe *GetTPipePtr() { return TPipe::current(); }

/// A ring of slots between the two pipes of its position; one event ID a slot in each direction.
template <TPosition position, int depth = 1, int mask = 0>
class TQue {
 public:
  static constexpr TPosition place = position;
  std::shared_ptr<Slots> slots;

  template <typename T>
  LocalTensor<T> AllocTensor(NPUSIM_AT) {
    auto [from, to] = sides(position);
    int i = slots->next++ % slots->count;
    if (slots->isFreed[i]) npusim::event("wait", to, from, slots->free[i], NPUSIM_PASS);
    slots->isFreed[i] = false;
    return {position, slots->address + i * slots->bytes, slots->bytes, i};
  }
  template <typename T>
  bool EnQue(const LocalTensor<T> &tensor, NPUSIM_AT) {
    auto [from, to] = sides(position);
    npusim::event("set", from, to, slots->full[tensor.slot], NPUSIM_PASS);
    filled.push_back(tensor.slot);
    return true;
  }
  template <typename T>
  LocalTensor<T> DeQue(NPUSIM_AT) {
    if (filled.empty()) npusim::stop("DeQue of a queue that holds nothing", NPUSIM_PASS);
    auto [from, to] = sides(position);
    int i = filled.front();
    filled.erase(filled.begin());
    npusim::event("wait", from, to, slots->full[i], NPUSIM_PASS);
    return {position, slots->address + i * slots->bytes, slots->bytes, i};
  }
  template <typename T>
  void FreeTensor(const LocalTensor<T> &tensor, NPUSIM_AT) {
    auto [from, to] = sides(position);
    npusim::event("set", to, from, slots->free[tensor.slot], NPUSIM_PASS);
    slots->isFreed[tensor.slot] = true;
  }

 private:
  std::vector<int> filled;
};

template <TPosition position = TPosition::VECCALC>
class TBuf {
 public:
  static constexpr TPosition place = position;
  std::shared_ptr<Slots> slots;

  template <typename T>
  LocalTensor<T> Get(uint32_t = 0) {
    return {position, slots->address, slots->bytes, -1};
  }
  template <typename T>
  LocalTensor<T> GetWithOffset(uint32_t, uint32_t offset) {
    return {position, slots->address + offset, slots->bytes - offset, -1};
  }
};

enum class Hardware { UB, L1, L0A, L0B, L0C };

/// Tensors one behind the other, without a pipe.
template <Hardware hardware>
class LocalMemAllocator {
 public:
  template <TPosition position, typename T>
  LocalTensor<T> Alloc(uint32_t count) {
    uint64_t &used = npusim::record().used[memory(position)];
    uint64_t address = used, bytes = count * sizeof(T);
    used += (bytes + 31) / 32 * 32;
    return {position, address, bytes, -1};
  }
  template <typename T, uint32_t count>
  LocalTensor<T> Alloc() {
    static_assert(hardware == Hardware::UB, "name the position: Alloc<TPosition::A1, half>(count)");
    return Alloc<TPosition::VECCALC, T>(count);
  }
};

// MARK: Copies

struct DataCopyParams {
  uint16_t blockCount = 1, blockLen = 0, srcStride = 0, dstStride = 0;  // in blocks of 32 bytes
  DataCopyParams() = default;
  DataCopyParams(uint16_t count, uint16_t length, uint16_t from, uint16_t to)
      : blockCount(count), blockLen(length), srcStride(from), dstStride(to) {}
};
struct DataCopyExtParams {
  uint16_t blockCount = 1;
  uint32_t blockLen = 0;
  int64_t srcStride = 0, dstStride = 0;  // bytes in HBM, blocks of 32 bytes on chip
  uint32_t rsv = 0;
};
template <typename T>
struct DataCopyPadExtParams {
  bool isPad = false;
  uint8_t leftPadding = 0, rightPadding = 0;
  T paddingValue = T();
};

/// The pipe of a copy on chip.
inline npusim::Queue way(TPosition from, TPosition to) {
  std::string source = memory(from), target = memory(to);
  if (source == "ub") return target == "ub" ? npusim::vector : npusim::store;
  if (source == "l1") return npusim::feed;
  return npusim::drain;
}

template <typename T>
void DataCopy(const LocalTensor<T> &to, const GlobalTensor<T> &from, uint32_t count, NPUSIM_AT) {
  npusim::op(npusim::load, "DataCopy", {to.area(count * sizeof(T))}, {from.area(count * sizeof(T))},
             NPUSIM_PASS);
}
template <typename T>
void DataCopy(const GlobalTensor<T> &to, const LocalTensor<T> &from, uint32_t count, NPUSIM_AT) {
  npusim::op(npusim::store, "DataCopy", {to.area(count * sizeof(T))}, {from.area(count * sizeof(T))},
             NPUSIM_PASS);
}
template <typename T>
void DataCopy(const LocalTensor<T> &to, const LocalTensor<T> &from, uint32_t count, NPUSIM_AT) {
  npusim::op(way(from.position, to.position), "DataCopy", {to.area(count * sizeof(T))},
             {from.area(count * sizeof(T))}, NPUSIM_PASS);
}
template <typename T>
void DataCopy(const LocalTensor<T> &to, const GlobalTensor<T> &from, const DataCopyParams &p,
              NPUSIM_AT) {
  uint64_t n = p.blockLen * 32;
  npusim::op(npusim::load, "DataCopy", {to.area(n, p.blockCount, n + p.dstStride * 32)},
             {from.area(n, p.blockCount, n + p.srcStride * 32)}, NPUSIM_PASS);
}
template <typename T>
void DataCopy(const GlobalTensor<T> &to, const LocalTensor<T> &from, const DataCopyParams &p,
              NPUSIM_AT) {
  uint64_t n = p.blockLen * 32;
  npusim::op(npusim::store, "DataCopy", {to.area(n, p.blockCount, n + p.dstStride * 32)},
             {from.area(n, p.blockCount, n + p.srcStride * 32)}, NPUSIM_PASS);
}
template <typename T>
void DataCopyPad(const LocalTensor<T> &to, const GlobalTensor<T> &from, const DataCopyExtParams &p,
                 const DataCopyPadExtParams<T> &, NPUSIM_AT) {
  uint64_t row = (p.blockLen + 31) / 32 * 32;
  npusim::op(npusim::load, "DataCopyPad", {to.area(row, p.blockCount, row + p.dstStride * 32)},
             {from.area(p.blockLen, p.blockCount, p.blockLen + p.srcStride)}, NPUSIM_PASS);
}
template <typename T>
void DataCopyPad(const GlobalTensor<T> &to, const LocalTensor<T> &from, const DataCopyExtParams &p,
                 NPUSIM_AT) {
  uint64_t row = (p.blockLen + 31) / 32 * 32;
  npusim::op(npusim::store, "DataCopyPad",
             {to.area(p.blockLen, p.blockCount, p.blockLen + p.dstStride)},
             {from.area(p.blockLen, p.blockCount, row + p.srcStride * 32)}, NPUSIM_PASS);
}

// MARK: The matrix unit

// Fractals: 16 rows of 32 bytes, and of an accumulator 16 rows of 16 floats.
constexpr uint64_t fractal = 512, floats = 16 * sizeof(float);

inline uint64_t up(uint64_t value, uint64_t unit) { return (value + unit - 1) / unit * unit; }

/// Rows in HBM to fractals in columns; strides in elements there, in blocks of 32 bytes on chip.
struct Nd2NzParams {
  uint16_t ndNum = 1, nValue = 0, dValue = 0, srcNdMatrixStride = 0, srcDValue = 0;
  uint16_t dstNzC0Stride = 0, dstNzNStride = 1, dstNzMatrixStride = 0;
};
template <typename T>
void DataCopy(const LocalTensor<T> &to, const GlobalTensor<T> &from, const Nd2NzParams &p,
              NPUSIM_AT) {
  if (p.ndNum != 1 || p.dstNzNStride != 1) npusim::stop("only one matrix, rows behind rows", NPUSIM_PASS);
  uint64_t row = p.dValue * sizeof(T);
  npusim::op(npusim::load, "DataCopy",
             {to.area(p.nValue * 32, up(row, 32) / 32, p.dstNzC0Stride * 32)},
             {from.area(row, p.nValue, p.srcDValue * sizeof(T))}, NPUSIM_PASS);
}

struct LoadData2DParams {
  uint16_t startIndex = 0;
  uint8_t repeatTimes = 0;
  uint16_t srcStride = 0;  // from start to start, in fractals
  uint8_t sid = 0;
  uint16_t dstGap = 0;  // from end to start
  bool ifTranspose = false;
  uint8_t addrMode = 0;
};
template <typename T>
void LoadData(const LocalTensor<T> &to, const LocalTensor<T> &from, const LoadData2DParams &p,
              NPUSIM_AT) {
  auto source = from[p.startIndex * fractal / sizeof(T)];
  npusim::op(npusim::feed, "LoadData", {to.area(fractal, p.repeatTimes, (1 + p.dstGap) * fractal)},
             {source.area(fractal, p.repeatTimes, p.srcStride * fractal)}, NPUSIM_PASS);
}

struct MmadParams {
  uint16_t m = 0, n = 0, k = 0;
  uint8_t unitFlag = 0;  // 2: the chain goes on; 3: it ends
  bool cmatrixSource = false, cmatrixInitVal = true;
};
template <typename C, typename A, typename B>
void Mmad(const LocalTensor<C> &c, const LocalTensor<A> &a, const LocalTensor<B> &b,
          const MmadParams &p, NPUSIM_AT) {
  uint64_t m = up(p.m, 16), n = up(p.n, 16);
  auto sums = c.area(m * n * sizeof(C));
  std::vector<npusim::Area> read = {a.area(m * up(p.k * sizeof(A), 32)),
                                    b.area(n * up(p.k * sizeof(B), 32))};
  if (!p.cmatrixInitVal) read.push_back(sums);
  npusim::op(npusim::matrix, "Mmad", {sums}, read,
             p.unitFlag == 3   ? npusim::release
             : p.unitFlag == 2 ? npusim::hold
                               : npusim::stream,
             NPUSIM_PASS);
}

enum class QuantMode_t { NoQuant, F322F16, F322BF16 };

struct FixpipeParamsV220 {
  uint16_t nSize = 0, mSize = 0, srcStride = 0;  // in rows of 16 floats
  uint32_t dstStride = 0;                        // in elements
  bool reluEn = false;
  QuantMode_t quantPre = QuantMode_t::NoQuant;
  int64_t deqScalar = 0;
  uint16_t ndNum = 1, srcNdStride = 0, dstNdStride = 0;
  uint8_t unitFlag = 0;
};
template <typename T, typename C>
void Fixpipe(const GlobalTensor<T> &to, const LocalTensor<C> &c, const FixpipeParamsV220 &p,
             NPUSIM_AT) {
  if (p.ndNum != 1) npusim::stop("only one matrix", NPUSIM_PASS);
  npusim::op(npusim::drain, "Fixpipe",
             {to.area(p.nSize * sizeof(T), p.mSize, p.dstStride * sizeof(T))},
             {c.area(up(p.mSize, 16) * floats, up(p.nSize, 16) / 16, p.srcStride * floats)},
             p.unitFlag == 0 ? npusim::plain : npusim::drained, NPUSIM_PASS);
}

// MARK: The vector unit

#define NPUSIM_BINARY(NAME)                                                                     \
  template <typename T>                                                                         \
  void NAME(const LocalTensor<T> &to, const LocalTensor<T> &a, const LocalTensor<T> &b,         \
            int32_t count, NPUSIM_AT) {                                                         \
    uint64_t n = count * sizeof(T);                                                             \
    npusim::op(npusim::vector, #NAME, {to.area(n)}, {a.area(n), b.area(n)},                     \
               npusim::stream, NPUSIM_PASS);                                                    \
  }
NPUSIM_BINARY(Add) NPUSIM_BINARY(Sub) NPUSIM_BINARY(Mul) NPUSIM_BINARY(Div) NPUSIM_BINARY(Max)
NPUSIM_BINARY(Min) NPUSIM_BINARY(And) NPUSIM_BINARY(Or) NPUSIM_BINARY(AddRelu)

#define NPUSIM_UNARY(NAME)                                                                      \
  template <typename T>                                                                         \
  void NAME(const LocalTensor<T> &to, const LocalTensor<T> &a, int32_t count, NPUSIM_AT) {      \
    uint64_t n = count * sizeof(T);                                                             \
    npusim::op(npusim::vector, #NAME, {to.area(n)}, {a.area(n)}, npusim::stream,                \
               NPUSIM_PASS);                                                                    \
  }
NPUSIM_UNARY(Exp) NPUSIM_UNARY(Ln) NPUSIM_UNARY(Abs) NPUSIM_UNARY(Reciprocal) NPUSIM_UNARY(Sqrt)
NPUSIM_UNARY(Rsqrt) NPUSIM_UNARY(Relu) NPUSIM_UNARY(Not)

#define NPUSIM_SCALAR(NAME)                                                                     \
  template <typename T, typename S>                                                             \
  void NAME(const LocalTensor<T> &to, const LocalTensor<T> &a, const S &, int32_t count,        \
            NPUSIM_AT) {                                                                        \
    uint64_t n = count * sizeof(T);                                                             \
    npusim::op(npusim::vector, #NAME, {to.area(n)}, {a.area(n)}, npusim::stream,                \
               NPUSIM_PASS);                                                                    \
  }
NPUSIM_SCALAR(Adds) NPUSIM_SCALAR(Muls) NPUSIM_SCALAR(Maxs) NPUSIM_SCALAR(Mins)
NPUSIM_SCALAR(LeakyRelu)

template <typename T, typename S>
void Duplicate(const LocalTensor<T> &to, const S &, int32_t count, NPUSIM_AT) {
  npusim::op(npusim::vector, "Duplicate", {to.area(count * sizeof(T))}, {}, npusim::stream,
             NPUSIM_PASS);
}

enum class RoundMode { CAST_NONE, CAST_RINT, CAST_FLOOR, CAST_CEIL, CAST_ROUND, CAST_TRUNC, CAST_ODD };

template <typename T, typename U>
void Cast(const LocalTensor<T> &to, const LocalTensor<U> &a, const RoundMode &, uint32_t count,
          NPUSIM_AT) {
  npusim::op(npusim::vector, "Cast", {to.area(count * sizeof(T))}, {a.area(count * sizeof(U))},
             npusim::stream, NPUSIM_PASS);
}

#define NPUSIM_REDUCTION(NAME)                                                                  \
  template <typename T>                                                                         \
  void NAME(const LocalTensor<T> &to, const LocalTensor<T> &a, const LocalTensor<T> &work,      \
            int32_t count, NPUSIM_AT) {                                                         \
    npusim::op(npusim::vector, #NAME, {to.area(32), work.area(work.bytes)},                     \
               {a.area(count * sizeof(T))}, NPUSIM_PASS);                                       \
  }
NPUSIM_REDUCTION(ReduceMax) NPUSIM_REDUCTION(ReduceMin) NPUSIM_REDUCTION(ReduceSum)

}  // namespace AscendC

using AscendC::QuantMode_t;
using AscendC::PIPE_ALL;
using AscendC::PIPE_FIX;
using AscendC::PIPE_M;
using AscendC::PIPE_MTE1;
using AscendC::PIPE_MTE2;
using AscendC::PIPE_MTE3;
using AscendC::PIPE_S;
using AscendC::PIPE_V;
using AscendC::EVENT_ID0;
using AscendC::EVENT_ID1;
using AscendC::EVENT_ID2;
using AscendC::EVENT_ID3;
using AscendC::EVENT_ID4;
using AscendC::EVENT_ID5;
using AscendC::EVENT_ID6;
using AscendC::EVENT_ID7;

#endif  // NPUSIM_RECORDING_KERNEL_OPERATOR_H

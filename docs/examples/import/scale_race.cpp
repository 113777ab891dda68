// y = exp(2 x) over tiles, with flags by hand. It has a race: nothing keeps the next load from the slot
// whose last exp is still reading. The flags that would are in comments.
#include "kernel_operator.h"

using namespace AscendC;

extern "C" __global__ __aicore__ void scale(GM_ADDR x, GM_ADDR y) {
  const uint32_t tile = 1024, tiles = 6;
  TPipe pipe;
  TBuf<TPosition::VECCALC> buffer;
  pipe.InitBuffer(buffer, 4 * tile * sizeof(float));
  LocalTensor<float> all = buffer.Get<float>();
  GlobalTensor<float> xs, ys;
  xs.SetGlobalBuffer((__gm__ float *)x, tiles * tile);
  ys.SetGlobalBuffer((__gm__ float *)y, tiles * tile);
  for (uint32_t i = 0; i < tiles; i++) {
    int32_t slot = i % 2;
    LocalTensor<float> in = all[slot * tile], out = all[(2 + slot) * tile];
    // if (i > 1) WaitFlag<HardEvent::V_MTE2>(slot);
    DataCopy(in, xs[i * tile], tile);
    SetFlag<HardEvent::MTE2_V>(slot);
    WaitFlag<HardEvent::MTE2_V>(slot);
    if (i > 1) WaitFlag<HardEvent::MTE3_V>(slot);
    Muls(out, in, 2.0f, tile);
    PipeBarrier<PIPE_V>();
    Exp(out, out, tile);
    // if (i + 2 < tiles) SetFlag<HardEvent::V_MTE2>(slot);
    SetFlag<HardEvent::V_MTE3>(slot);
    WaitFlag<HardEvent::V_MTE3>(slot);
    DataCopy(ys[i * tile], out, tile);
    if (i + 2 < tiles) SetFlag<HardEvent::MTE3_V>(slot);
  }
}

int main() {
  const uint32_t bytes = 6 * 1024 * sizeof(float);
  GM_ADDR x = npusim::tensor("x", "input", bytes);
  GM_ADDR y = npusim::tensor("y", "output", bytes);
  scale(x, y);
}

// z = x + y over tiles, with queues of two slots: what is loaded, added and stored overlaps.
#include "kernel_operator.h"

using namespace AscendC;

class Add2 {
 public:
  __aicore__ inline void Init(GM_ADDR x, GM_ADDR y, GM_ADDR z, uint32_t length, uint32_t tiles) {
    tile = length / tiles;
    count = tiles;
    xs.SetGlobalBuffer((__gm__ half *)x, length);
    ys.SetGlobalBuffer((__gm__ half *)y, length);
    zs.SetGlobalBuffer((__gm__ half *)z, length);
    pipe.InitBuffer(inX, 2, tile * sizeof(half));
    pipe.InitBuffer(inY, 2, tile * sizeof(half));
    pipe.InitBuffer(out, 2, tile * sizeof(half));
  }

  __aicore__ inline void Process() {
    for (uint32_t i = 0; i < count; i++) {
      LocalTensor<half> x = inX.AllocTensor<half>();
      LocalTensor<half> y = inY.AllocTensor<half>();
      DataCopy(x, xs[i * tile], tile);
      DataCopy(y, ys[i * tile], tile);
      inX.EnQue(x);
      inY.EnQue(y);
      x = inX.DeQue<half>();
      y = inY.DeQue<half>();
      LocalTensor<half> z = out.AllocTensor<half>();
      Add(z, x, y, tile);
      out.EnQue(z);
      inX.FreeTensor(x);
      inY.FreeTensor(y);
      z = out.DeQue<half>();
      DataCopy(zs[i * tile], z, tile);
      out.FreeTensor(z);
    }
  }

 private:
  TPipe pipe;
  TQue<QuePosition::VECIN, 2> inX, inY;
  TQue<QuePosition::VECOUT, 2> out;
  GlobalTensor<half> xs, ys, zs;
  uint32_t tile = 0, count = 0;
};

extern "C" __global__ __aicore__ void add(GM_ADDR x, GM_ADDR y, GM_ADDR z) {
  Add2 op;
  op.Init(x, y, z, 8 * 2048, 8);
  op.Process();
}

int main() {
  const uint32_t bytes = 8 * 2048 * sizeof(half);
  GM_ADDR x = npusim::tensor("x", "input", bytes);
  GM_ADDR y = npusim::tensor("y", "input", bytes);
  GM_ADDR z = npusim::tensor("z", "output", bytes);
  add(x, y, z);
}

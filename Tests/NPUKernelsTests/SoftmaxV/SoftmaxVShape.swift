import NPUKernels
import NPUSim

/// A shape of softmax_v as tests name it.
struct SoftmaxVShape: Sendable, Hashable, CustomStringConvertible {
  var kv: Int
  var heads: Int
  var kvHeads: Int
  var queries: Int
  var headDim: Int
  var batch: Int
  var isStable: Bool

  init(
    kv: Int, heads: Int = 2, kvHeads: Int? = nil, queries: Int = 1, headDim: Int = 64,
    batch: Int = 1, isStable: Bool = false
  ) {
    self.kv = kv
    self.heads = heads
    self.kvHeads = kvHeads ?? heads
    self.queries = queries
    self.headDim = headDim
    self.batch = batch
    self.isStable = isStable
  }

  var description: String {
    "kv \(kv) heads \(heads)/\(kvHeads) q \(queries) d \(headDim) batch \(batch)"
      + (isStable ? " stable" : "")
  }

  /// The kernel of this shape, through the flags that users type.
  func kernel(on machine: MachineConfiguration, schedule: String? = nil) throws(NPUError)
    -> SoftmaxV
  {
    var values = [
      "kv": "\(kv)", "heads": "\(heads)", "kv-heads": "\(kvHeads)", "q": "\(queries)",
      "head-dim": "\(headDim)", "batch": "\(batch)",
    ]
    if isStable { values["stable"] = "true" }
    // The suites look at the program as it is written, and choose for that.
    let order = "queue.order=written"
    return try SoftmaxV(
      KernelArguments(kernel: SoftmaxV.name, options: SoftmaxV.options, values: values),
      machine: machine, schedule: schedule.map { "\($0),\(order)" } ?? order)
  }

  var scoreShape: [Int] { [batch, heads, queries, kv] }
  /// Multiply-accumulates.
  var work: Int { batch * heads * queries * kv * headDim }
  var valueShape: [Int] { [batch, kvHeads, kv, headDim] }

  /// The inputs of the seeded generator: scores, and v encoded along kv.
  func inputs(seed: UInt64) throws(NPUError) -> [String: TensorValue] {
    let scores = try SeededInput(seed: seed, name: "softmaxed_v.qk_T").tensor(shape: scoreShape)
    let v = try SeededInput(seed: seed, name: "softmaxed_v.v").tensor(shape: valueShape)
    return [
      "softmaxed_v.qk_T": .plain(scores),
      "softmaxed_v.v": .mx(try Self.encodeAlongRows(v.floats(), shape: valueShape)),
    ]
  }

  /// Inputs of a file: v may be of any float type, or MXINT8 already.
  func inputs(_ file: TensorSet) throws(NPUError) -> [String: TensorValue] {
    let scores = try file.tensor(named: "softmaxed_v.qk_T", dtype: .bf16, shape: scoreShape)
    let v = try file.tensor(named: "softmaxed_v.v", shape: valueShape)
    let encoded =
      v.dtype == .i8
      ? try file.mxTensor(named: "softmaxed_v.v")
      : try Self.encodeAlongRows(v.floats(), shape: valueShape)
    return ["softmaxed_v.qk_T": .plain(scores), "softmaxed_v.v": .mx(encoded)]
  }

  /// MXINT8 with blocks along the last dimension but one, slab by slab.
  private static func encodeAlongRows(_ values: [Float], shape: [Int]) throws(NPUError) -> MXTensor
  {
    let columns = shape[3]
    let rows = shape[2]
    let slabs = shape[0] * shape[1]
    let blocks = MXINT8.blocks(rows)
    var payload = [UInt8](repeating: 0, count: slabs * rows * columns)
    var scales = [UInt8](repeating: 0, count: slabs * blocks * columns)
    var encoded = [Int8](repeating: 0, count: blocks * MXINT8.blockSize * columns)
    values.withUnsafeBufferPointer { source in
      scales.withUnsafeMutableBufferPointer { scale in
        encoded.withUnsafeMutableBufferPointer { target in
          guard let source = source.baseAddress, let scale = scale.baseAddress,
            let target = target.baseAddress
          else { return }
          for slab in 0..<slabs {
            Bulk.encodeMXColumns(
              source + slab * rows * columns, sourceStride: columns, rows: rows, cols: columns,
              payload: target, payloadStride: columns, scales: scale + slab * blocks * columns,
              scaleStride: columns)
            let first = slab * rows * columns
            for index in 0..<rows * columns {
              payload[first + index] = UInt8(bitPattern: target[index])
            }
          }
        }
      }
    }
    return try MXTensor(
      payload: Tensor(dtype: .i8, shape: shape, storage: payload),
      scale: Tensor(
        dtype: .e8m0, shape: [shape[0], shape[1], blocks, columns], storage: scales), axis: -2)
  }
}

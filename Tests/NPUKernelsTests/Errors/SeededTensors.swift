import NPUKernels
import NPUSim

/// The inputs of a kernel as a run makes them from a seed, for references alone.
enum SeededTensors {
  static func inputs(_ kernel: any Kernel, seed: UInt64) throws(NPUError) -> [String: TensorValue] {
    var inputs: [String: TensorValue] = [:]
    for spec in kernel.tensors where spec.role.isGiven {
      inputs[spec.name] = try value(spec, kernel, seed)
    }
    return inputs
  }

  private static func value(
    _ spec: TensorSpec, _ kernel: any Kernel, _ seed: UInt64
  ) throws(NPUError) -> TensorValue {
    if let value = try kernel.seededInput(spec, seed: seed) { return value }
    let source = SeededInput(seed: seed, name: spec.name)
    guard spec.format == .mxint8 else {
      return .plain(try source.tensor(shape: spec.shape, dtype: spec.format.dtype))
    }
    return .mx(try encoded(source.tensor(shape: spec.shape).floats(), spec))
  }

  /// MXINT8 along a tensor's block axis, block by block from the definition.
  static func encoded(_ values: [Float], _ spec: TensorSpec) throws(NPUError) -> MXTensor {
    let columns = spec.shape.last ?? 1
    let depth = spec.axis == .alongColumns ? columns : spec.shape[spec.shape.count - 2]
    let stride = spec.axis == .alongColumns ? 1 : columns
    let blocks = MXINT8.blocks(depth)
    let slab = depth * stride
    var payload = [UInt8](repeating: 0, count: values.count)
    var scales = [UInt8](repeating: 0, count: values.count / max(1, depth) * blocks)
    for first in 0..<values.count / max(1, depth) {
      let (part, line) = (first / stride, first % stride)
      for block in 0..<blocks {
        let places = (block * 32..<min(block * 32 + 32, depth)).map {
          part * slab + $0 * stride + line
        }
        let encoded = MXINT8.encodeBlock(places.map { values[$0] })
        for (place, word) in zip(places, encoded.payload) {
          payload[place] = UInt8(bitPattern: word)
        }
        scales[(part * blocks + block) * stride + line] = encoded.scale.bits
      }
    }
    var shape = spec.shape
    shape[shape.count + spec.fileAxis] = blocks
    return try MXTensor(
      payload: Tensor(dtype: .i8, shape: spec.shape, storage: payload),
      scale: Tensor(dtype: .e8m0, shape: shape, storage: scales), axis: spec.fileAxis)
  }
}

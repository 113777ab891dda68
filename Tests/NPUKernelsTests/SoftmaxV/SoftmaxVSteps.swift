import NPUKernels
import NPUSim

/// The step tensors of softmax_v as bytes by name; the scales of an MXINT8 tensor are `NAME.scale`.
struct SoftmaxVSteps: Sendable, Equatable {
  private(set) var bytes: [String: [UInt8]] = [:]

  /// The words that executing a program makes.
  init(
    executing program: Program, of kernel: SoftmaxV, inputs: [String: TensorValue]
  ) throws(NPUError) {
    let state = MachineState(program)
    for (index, buffer) in program.buffers.enumerated() where buffer.role == .input {
      guard buffer.space == .hbm, let value = inputs[buffer.name] else {
        throw NPUError(.internal, "the program has an input \(buffer.name) that no one gives")
      }
      let payload = value.payload
      let result: Result<Void, NPUError> = payload.withUnsafeBytes { payload in
        do throws(NPUError) {
          try state.writeTensor(UInt32(index), payload: payload, scales: value.scales)
          return .success(())
        } catch { return .failure(error) }
      }
      try result.get()
    }
    let result = try FunctionalEngine.run(program, state: state)
    for (index, buffer) in program.buffers.enumerated() where buffer.space == .hbm {
      let words = state.readTensor(UInt32(index))
      guard state.isWritten(UInt32(index)) else {
        throw NPUError(.internal, "the program leaves bytes of \(buffer.name) unwritten")
      }
      insert(buffer, words.payload, words.scales)
    }
    for tap in result.taps {
      guard tap.isComplete else {
        throw NPUError(.internal, "the taps of \(tap.buffer.name) leave bytes unwritten")
      }
      insert(tap.buffer, tap.payload, tap.scales)
    }
  }

  /// The words of the pure reference, every unit.
  init(reference kernel: SoftmaxV, inputs: [String: TensorValue], machine: MachineConfiguration)
    throws(NPUError)
  {
    let reference = try kernel.reference(inputs, settings: DatapathSettings(machine))
    for spec in kernel.tensors {
      let blocks = spec.format == .mxint8 ? Self.scaleCount(spec) : 0
      bytes[spec.name] = [UInt8](repeating: 0, count: spec.elements * spec.format.bytes)
      if spec.format == .mxint8 {
        bytes[spec.name + ".scale"] = [UInt8](repeating: 0, count: blocks)
      }
    }
    for (name, value) in inputs {
      bytes[name] = value.payload
      if !value.scales.isEmpty { bytes[name + ".scale"] = value.scales }
    }
    for unit in 0..<kernel.referenceUnits {
      for slice in reference.evaluate(unit: unit).words {
        let size = kernel.tensors.first { $0.name == slice.tensor }?.format.bytes ?? 1
        let start = slice.start * size
        bytes[slice.tensor]?.replaceSubrange(start..<start + slice.bytes.count, with: slice.bytes)
      }
    }
  }

  private static func scaleCount(_ spec: TensorSpec) -> Int {
    var shape = spec.shape
    let axis = shape.count + spec.fileAxis
    shape[axis] = MXINT8.blocks(shape[axis])
    return shape.reduce(1, *)
  }

  private mutating func insert(_ buffer: Buffer, _ payload: [UInt8], _ scales: [UInt8]) {
    bytes[buffer.name] = payload
    if buffer.format == .mxint8 { bytes[buffer.name + ".scale"] = scales }
  }

  /// The first difference to other steps in words, or `nil`.
  func difference(to other: SoftmaxVSteps) -> String? {
    guard Set(bytes.keys) == Set(other.bytes.keys) else {
      return "tensors \(bytes.keys.sorted()) and \(other.bytes.keys.sorted())"
    }
    for name in Self.order {
      let size = Self.width(name)
      let (mine, theirs) = (bytes[name] ?? [], other.bytes[name] ?? [])
      if mine == theirs { continue }
      if mine.count != theirs.count {
        return "\(name) has \(mine.count) and \(theirs.count) bytes"
      }
      let different = mine.indices.filter { mine[$0] != theirs[$0] }
      let element = (different.first ?? 0) / size
      return "\(name)[\(element)] is \(Self.words(mine, element, size)) and "
        + "\(Self.words(theirs, element, size)); \(different.count) of \(mine.count) bytes differ"
    }
    return nil
  }

  /// The names in the order of the algorithm, so that the first difference is the cause.
  static let order = [
    "qk_T", "v", "v.scale", "exp-bf16", "exp_sum", "exp_mxint8", "exp_mxint8.scale", "scaled_v",
    "inv", "out",
  ].map { "softmaxed_v." + $0 }

  /// Bytes of an element.
  static func width(_ name: String) -> Int {
    name.hasSuffix(".scale") || name.hasSuffix("exp_mxint8") || name.hasSuffix(".v") ? 1 : 2
  }

  /// Little-endian words of a tensor's bytes in hexadecimal, from element `first` on.
  static func words(_ bytes: [UInt8], _ first: Int, _ size: Int, count: Int = 1) -> String {
    (first..<first + count).map { element in
      (0..<size).reversed().map { byte in
        let text = String(bytes[element * size + byte], radix: 16)
        return text.count == 1 ? "0" + text : text
      }.joined()
    }.joined(separator: " ")
  }
}

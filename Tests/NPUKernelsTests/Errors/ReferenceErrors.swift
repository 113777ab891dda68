import NPUKernels
import NPUSim

/// The errors of a kernel's reference over given inputs: of its own words, or of other ones.
enum ReferenceErrors {
  /// What stands in the place of the datapath's words.
  enum Words { case own, zeros }

  static func errors(
    _ kernel: any Kernel, on machine: MachineConfiguration, _ inputs: [String: TensorValue],
    units: Range<Int>? = nil, words: Words = .own
  ) throws(NPUError) -> [RunReport.TensorError] {
    let reference = try kernel.reference(inputs, settings: DatapathSettings(machine))
    var tally = ErrorTally(kernel.tensors)
    for index in units ?? 0..<kernel.referenceUnits {
      take(reference.evaluate(unit: index), kernel, words, &tally)
    }
    return tally.errors
  }

  /// Compares a unit with words that it makes itself.
  static func take(
    _ unit: ReferenceUnit, _ kernel: any Kernel, _ words: Words, _ tally: inout ErrorTally
  ) {
    for slice in unit.errors { take(slice, unit, kernel, words, &tally) }
  }

  private static func take(
    _ slice: ErrorSlice, _ unit: ReferenceUnit, _ kernel: any Kernel, _ words: Words,
    _ tally: inout ErrorTally
  ) {
    let bytes = bytes(slice.tensor, unit, kernel)
    let scales = slice.scaling.map { self.bytes($0.tensor, unit, kernel) }
    let payload = words == .own ? bytes : [UInt8](repeating: 0, count: bytes.count)
    payload.withUnsafeBytes { payload in
      (scales ?? []).withUnsafeBytes {
        tally.take(slice, words: payload, scales: scales == nil ? nil : $0)
      }
    }
  }

  /// A tensor's bytes as far as a unit says them, from the tensor's first element on.
  private static func bytes(
    _ name: String, _ unit: ReferenceUnit, _ kernel: any Kernel
  ) -> [UInt8] {
    let size = kernel.tensors.first { $0.name == name }?.format.bytes ?? 1
    var result: [UInt8] = []
    for slice in unit.words where slice.tensor == name {
      let end = slice.start * size + slice.bytes.count
      if result.count < end { result += [UInt8](repeating: 0, count: end - result.count) }
      result.replaceSubrange(slice.start * size..<end, with: slice.bytes)
    }
    return result
  }
}

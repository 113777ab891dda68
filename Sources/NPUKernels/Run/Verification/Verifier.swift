import Dispatch
import NPUSim
import Synchronization

/// Compares the datapath's words with the reference's, and their values with exact ones.
struct Verifier: Sendable {
  /// Most reference MACs that are verified in full by default.
  static let fullLimit = 1 << 27
  /// Least output elements of a sample.
  static let sampleOutputs = 4096

  /// What a comparison gave.
  struct Result: Sendable {
    var units = 0
    var checkedOutputs = 0
    var totalOutputs = 0
    /// Words compared over all tensors, and those that differ.
    var words = 0
    var mismatches = 0
    /// The lowest unit's first difference.
    var first: Mismatch?
    var errors: ErrorTally
    /// ``ReferenceUnit/reached`` over all units.
    var reached = 0
    /// ``ReferenceUnit/ties`` over all units.
    var ties = 0

    init(_ tensors: [TensorSpec]) { errors = ErrorTally(tensors) }
  }

  /// One word that differs.
  struct Mismatch: Sendable {
    var tensor: String
    /// In the flattened tensor.
    var element: Int
    var found: UInt32
    var needed: UInt32
  }

  let kernel: any Kernel
  let tensors: RunTensors
  private let elementBytes: [String: Int]

  init(_ kernel: any Kernel, _ tensors: RunTensors) {
    self.kernel = kernel
    self.tensors = tensors
    var sizes: [String: Int] = [:]
    for spec in kernel.tensors {
      sizes[spec.name] = spec.format.bytes
      if spec.format == .mxint8 { sizes[spec.name + ".scale"] = 1 }
    }
    elementBytes = sizes
  }

  /// How many units are compared: all, or a sample of at least `sampleOutputs` output elements.
  static func unitCount(of kernel: any Kernel, _ verification: RunRequest.Verification) -> Int {
    let count = kernel.referenceUnits
    let (macs, overflow) = count.multipliedReportingOverflow(by: max(1, kernel.macsPerUnit))
    switch verification {
    case .none: return 0
    case .full: return count
    case .standard where !overflow && macs <= fullLimit: return count
    case .standard, .sample:
      let wanted = (sampleOutputs + kernel.outputsPerUnit - 1) / max(1, kernel.outputsPerUnit)
      return min(count, max(2, wanted))
    }
  }

  /// The units to compare: all, or a seeded choice that includes the first and the last.
  static func units(
    of kernel: any Kernel, _ verification: RunRequest.Verification, seed: UInt64
  ) -> [Int] {
    let count = kernel.referenceUnits
    let wanted = unitCount(of: kernel, verification)
    if wanted >= count { return Array(0..<count) }
    if wanted == 0 { return [] }
    let source = SeededInput(seed: seed, name: "verified units")
    var chosen: Set<Int> = [0, count - 1]
    var draw = 0
    while chosen.count < wanted {
      chosen.insert(Int(source.word(draw) % UInt64(count)))
      draw += 1
    }
    return chosen.sorted()
  }

  /// Parts of the comparison. Errors are summed up part by part, so that no digit depends on which
  /// thread took which part, or on how many units were evaluated before.
  private static let bands = 64

  /// Compares units, in two or more threads; the first ones may have been evaluated before.
  func verify(_ ahead: ReferenceAhead.Evaluated, units: [Int]) -> Result {
    let bands = min(units.count, Self.bands)
    let empty = Result(kernel.tensors)
    let results = Mutex([Result](repeating: empty, count: bands))
    // A task is as many bands as have the units that are evaluated together.
    let together = ahead.reference.unitsTogether
    let width = max(1, together * bands / max(1, units.count))
    let tasks = (bands + width - 1) / width
    inThreads(tasks) { task in
      var evaluated: ArraySlice<ReferenceUnit> = []
      let last = WorkSplit.range(
        units.count, core: min(bands, (task + 1) * width) - 1, of: bands
      ).upperBound
      for band in task * width..<min(bands, (task + 1) * width) {
        var part = empty
        for index in WorkSplit.range(units.count, core: band, of: bands) {
          if index < ahead.units.count {
            compare(ahead.units[index], &part)
            continue
          }
          if evaluated.isEmpty {
            evaluated = ahead.reference.evaluate(units: units[index..<last].prefix(together))[...]
          }
          compare(evaluated.removeFirst(), &part)
        }
        results.withLock { $0[band] = part }
      }
    }
    var total = empty
    for part in results.withLock({ $0 }) {
      total.words += part.words
      total.mismatches += part.mismatches
      if total.first == nil { total.first = part.first }
      total.errors.join(part.errors)
      total.reached += part.reached
      total.ties += part.ties
    }
    total.units = units.count
    total.checkedOutputs = units.count * kernel.outputsPerUnit
    total.totalOutputs = kernel.referenceUnits * kernel.outputsPerUnit
    return total
  }

  /// Does tasks in as many threads as the memory for the reference allows.
  private func inThreads(_ tasks: Int, _ body: @Sendable (Int) -> Void) {
    let next = Atomic(0)
    DispatchQueue.concurrentPerform(iterations: min(tasks, ReferenceCost(kernel).threads)) { _ in
      while true {
        let task = next.wrappingAdd(1, ordering: .relaxed).oldValue
        if task >= tasks { return }
        body(task)
      }
    }
  }

  private func compare(_ unit: ReferenceUnit, _ result: inout Result) {
    result.reached += unit.reached
    result.ties += unit.ties
    for slice in unit.words {
      guard let size = elementBytes[slice.tensor] else { continue }
      tensors.withBytes(of: slice.tensor) { compare(slice, size, $0, &result) }
    }
    for slice in unit.errors {
      tensors.withBytes(of: slice.tensor) { words in
        guard let scaling = slice.scaling else {
          return result.errors.take(slice, words: words, scales: nil)
        }
        tensors.withBytes(of: scaling.tensor) {
          result.errors.take(slice, words: words, scales: $0)
        }
      }
    }
  }

  private func compare(
    _ slice: ReferenceSlice, _ size: Int, _ found: UnsafeRawBufferPointer,
    _ result: inout Result
  ) {
    let count = slice.bytes.count / size
    result.words += count
    let start = slice.start * size
    if start + slice.bytes.count <= found.count,
      found[start..<start + slice.bytes.count].elementsEqual(slice.bytes)
    {
      return
    }
    for element in 0..<count {
      let needed = Self.word(slice.bytes, element * size, size)
      let actual = Self.word(found, start + element * size, size)
      if needed != actual {
        result.mismatches += 1
        if result.first == nil {
          result.first = Mismatch(
            tensor: slice.tensor, element: slice.start + element, found: actual, needed: needed)
        }
      }
    }
  }

  /// Little-endian word of `size` bytes; 0 past the end.
  static func word<Bytes: RandomAccessCollection>(
    _ bytes: Bytes, _ start: Int, _ size: Int
  ) -> UInt32 where Bytes.Element == UInt8, Bytes.Index == Int {
    var word: UInt32 = 0
    for index in 0..<size where start + index < bytes.count {
      word |= UInt32(bytes[start + index]) << UInt32(8 * index)
    }
    return word
  }

  /// The value of a word; NaN for formats without one.
  static func value(_ word: UInt32, _ format: ElementFormat) -> Double {
    switch format {
    case .bf16: Double(BF16(bits: UInt16(truncatingIfNeeded: word)).float)
    case .f16: Double(FP16(bits: UInt16(truncatingIfNeeded: word)).float)
    case .f32: Double(Float(bitPattern: word))
    case .e4m3fn: Double(E4M3FN(bits: UInt8(truncatingIfNeeded: word)).float)
    case .e5m2: Double(E5M2(bits: UInt8(truncatingIfNeeded: word)).float)
    case .e8m0: Double(E8M0(bits: UInt8(truncatingIfNeeded: word)).float)
    case .i8, .mxint8: Double(Int8(truncatingIfNeeded: word))
    case .i32: Double(Int32(bitPattern: word))
    }
  }
}

/// A special function on BF16 as a table of all 65,536 results, for long arrays.
///
/// Building one evaluates the function for every input; keep it and reuse it.
public struct BF16FunctionTable: Sendable {
  /// The function and mode it was built for.
  public let function: SpecialFunction
  public let mode: SFUMode
  /// Result words, indexed by the argument's word: 65,536 entries.
  public let words: [UInt16]

  /// Evaluates `function` for every BF16 word.
  public init(_ function: SpecialFunction, mode: SFUMode) {
    self.function = function
    self.mode = mode
    let arguments = (0...0xFFFF).map { BF16(bits: UInt16($0)).float }
    words = [UInt16](unsafeUninitializedCapacity: arguments.count) { words, count in
      guard let base = words.baseAddress else { return }
      Bulk.specialToBF16(function, mode: mode, arguments, base, count: arguments.count)
      count = arguments.count
    }
  }

  /// ``SpecialFunction/bf16(_:mode:)`` over an array of BF16 words. The destination may be the
  /// source.
  public func apply(
    _ source: UnsafePointer<UInt16>, _ destination: UnsafeMutablePointer<UInt16>, count: Int
  ) {
    words.withUnsafeBufferPointer { table in
      guard let table = table.baseAddress else { return }
      var index = 0
      while index < count {
        destination[index] = table[Int(source[index])]
        index &+= 1
      }
    }
  }

  /// The same over Floats that hold BF16 values; a Float's low sixteen bits are ignored.
  public func apply(
    _ source: UnsafePointer<Float>, _ destination: UnsafeMutablePointer<Float>, count: Int
  ) {
    words.withUnsafeBufferPointer { table in
      guard let table = table.baseAddress else { return }
      var index = 0
      while index < count {
        let word = table[Int(source[index].bitPattern &>> 16)]
        destination[index] = Float(bitPattern: UInt32(word) &<< 16)
        index &+= 1
      }
    }
  }
}

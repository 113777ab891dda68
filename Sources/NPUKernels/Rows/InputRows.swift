import NPUSim

/// The rows of a BF16, FP16 or FP32 input, widened one at a time: a whole table need not be.
struct InputRows: Sendable {
  private let tensor: Tensor
  private let columns: Int

  /// Throws `.internal` where the input is missing or of another type.
  init(_ name: String, columns: Int, _ inputs: [String: TensorValue]) throws(NPUError) {
    guard case .plain(let tensor) = inputs[name], [.bf16, .f16, .f32].contains(tensor.dtype) else {
      throw NPUError(.internal, "the reference was not given \(name)")
    }
    self.tensor = tensor
    self.columns = columns
  }

  /// The bytes of a row.
  func bytes(_ row: Int) -> [UInt8] {
    let count = columns * tensor.dtype.byteCount
    return Array(tensor.storage[row * count..<(row + 1) * count])
  }

  /// The values of a row.
  subscript(row: Int) -> [Float] {
    tensor.withUnsafeBytes { bytes in
      (row * columns..<(row + 1) * columns).map { element in
        switch tensor.dtype {
        case .bf16:
          BF16(bits: bytes.loadUnaligned(fromByteOffset: 2 * element, as: UInt16.self)).float
        case .f16:
          FP16(bits: bytes.loadUnaligned(fromByteOffset: 2 * element, as: UInt16.self)).float
        default:
          Float(
            bitPattern: bytes.loadUnaligned(fromByteOffset: 4 * element, as: UInt32.self))
        }
      }
    }
  }
}

extension ReferenceSlice {
  /// FP32 words.
  init(_ tensor: String, start: Int, f32 values: [Float]) {
    self.init(tensor, start: start, words: values.map(\.bitPattern))
  }

  /// 32-bit words.
  init(_ tensor: String, start: Int, words: [UInt32]) {
    self.init(
      tensor, start: start,
      bytes: words.flatMap { word in
        (0..<4).map { UInt8(truncatingIfNeeded: word >> UInt32(8 * $0)) }
      })
  }
}

extension Tensor {
  /// How many elements are NaN and how many infinite; none of a type that has neither.
  public func nonFinite() -> (nans: Int, infinities: Int) {
    switch dtype {
    case .bf16: nonFinite(UInt16.self, infinity: 0x7F80)
    case .f16: nonFinite(UInt16.self, infinity: 0x7C00)
    case .f32: nonFinite(UInt32.self, infinity: 0x7F80_0000)
    case .f64: nonFinite(UInt64.self, infinity: 0x7FF0_0000_0000_0000)
    case .e5m2: nonFinite(UInt8.self, infinity: 0x7C)
    // No infinity: the word before the NaN is a number, so that only the counts above it matter.
    case .e4m3fn: (nonFinite(UInt8.self, infinity: 0x7E).nans, 0)
    case .e8m0: (storage.count { $0 == 0xFF }, 0)
    case .i8, .i32, .i64: (0, 0)
    }
  }

  /// Magnitudes above `infinity` are NaN.
  private func nonFinite<Word: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
    _ type: Word.Type, infinity: Word
  ) -> (nans: Int, infinities: Int) {
    let magnitude = Word.max >> 1
    return storage.withUnsafeBytes { bytes in
      bytes.withMemoryRebound(to: type) { words in
        var nans = 0
        var infinities = 0
        for word in words {
          let size = word & magnitude
          nans &+= size > infinity ? 1 : 0
          infinities &+= size == infinity ? 1 : 0
        }
        return (nans, infinities)
      }
    }
  }
}

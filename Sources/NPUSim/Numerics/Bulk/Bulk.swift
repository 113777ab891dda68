import CDatapath

/// The fast paths: loops over arrays, one pass, no allocation.
///
/// Each function gives, element by element, exactly the words of the scalar definition it names, on
/// every ``DatapathPath``; tests prove it. Pointers must cover `count` elements (nothing is touched for
/// `count` ≤ 0). Source and destination may overlap only where a function says so.
public enum Bulk {
  /// Copies rows of bytes that do not overlap.
  ///
  /// - Parameters:
  ///   - toPitch: bytes from one row of the destination to the next.
  ///   - fromPitch: the same of the source.
  ///   - bytes: of each row.
  public static func copyRows(
    _ to: UnsafeMutablePointer<UInt8>, pitch toPitch: Int, from: UnsafePointer<UInt8>,
    pitch fromPitch: Int, bytes: Int, rows: Int, path: DatapathPath = .active
  ) {
    if let native = path.native {
      return npu_copy_rows(native, to, toPitch, from, fromPitch, bytes, rows)
    }
    for row in 0..<Swift.max(rows, 0) {
      (to + row * toPitch).update(from: from + row * fromPitch, count: Swift.max(bytes, 0))
    }
  }

  /// Copies `from[c, r]` to `to[r, c]`, byte by byte; they do not overlap.
  ///
  /// - Parameters:
  ///   - toPitch: bytes from one row of the destination to the next.
  ///   - fromPitch: the same of the source.
  ///   - rows: of the destination.
  ///   - columns: of the destination.
  public static func transpose(
    _ to: UnsafeMutablePointer<UInt8>, pitch toPitch: Int, from: UnsafePointer<UInt8>,
    pitch fromPitch: Int, rows: Int, columns: Int, path: DatapathPath = .active
  ) {
    if let native = path.native {
      return npu_transpose_bytes(native, to, toPitch, from, fromPitch, rows, columns)
    }
    for row in 0..<Swift.max(rows, 0) {
      for column in 0..<Swift.max(columns, 0) {
        to[row * toPitch + column] = from[column * fromPitch + row]
      }
    }
  }

  // MARK: Widening

  /// ``BF16/float`` over an array.
  public static func bf16ToFloat(
    _ source: UnsafePointer<UInt16>, _ destination: UnsafeMutablePointer<Float>, count: Int,
    path: DatapathPath = .active
  ) {
    if let native = path.native { return npu_bf16_to_float(native, source, destination, count) }
    define(source, destination, count) { BF16(bits: $0).float }
  }

  /// ``FP16/float`` over an array.
  public static func f16ToFloat(
    _ source: UnsafePointer<UInt16>, _ destination: UnsafeMutablePointer<Float>, count: Int,
    path: DatapathPath = .active
  ) {
    if let native = path.native { return npu_f16_to_float(native, source, destination, count) }
    define(source, destination, count) { FP16(bits: $0).float }
  }

  /// ``E4M3FN/float`` over an array.
  public static func e4m3fnToFloat(
    _ source: UnsafePointer<UInt8>, _ destination: UnsafeMutablePointer<Float>, count: Int,
    path: DatapathPath = .active
  ) {
    if let native = path.native {
      return npu_fp8_to_float(native, npu_e4m3fn, source, destination, count)
    }
    define(source, destination, count) { E4M3FN(bits: $0).float }
  }

  /// ``E5M2/float`` over an array.
  public static func e5m2ToFloat(
    _ source: UnsafePointer<UInt8>, _ destination: UnsafeMutablePointer<Float>, count: Int,
    path: DatapathPath = .active
  ) {
    if let native = path.native {
      return npu_fp8_to_float(native, npu_e5m2, source, destination, count)
    }
    define(source, destination, count) { E5M2(bits: $0).float }
  }

  /// ``FP8Block/Format/value(_:)`` over an array, as BF16 words: exact.
  public static func fp8ToBF16(
    _ source: UnsafePointer<UInt8>, _ destination: UnsafeMutablePointer<UInt16>, count: Int,
    format: FP8Block.Format, path: DatapathPath = .active
  ) {
    if let native = path.native {
      return npu_fp8_to_bf16(native, format.native, source, destination, count)
    }
    define(source, destination, count) { BF16(format.value($0)).bits }
  }

  // MARK: Narrowing

  /// ``BF16/init(_:)`` over an array.
  public static func floatToBF16(
    _ source: UnsafePointer<Float>, _ destination: UnsafeMutablePointer<UInt16>, count: Int,
    path: DatapathPath = .active
  ) {
    if let native = path.native { return npu_float_to_bf16(native, source, destination, count) }
    define(source, destination, count) { BF16($0).bits }
  }

  /// ``FP16/init(_:)`` over an array.
  public static func floatToF16(
    _ source: UnsafePointer<Float>, _ destination: UnsafeMutablePointer<UInt16>, count: Int,
    path: DatapathPath = .active
  ) {
    if let native = path.native { return npu_float_to_f16(native, source, destination, count) }
    define(source, destination, count) { FP16($0).bits }
  }

  /// ``E4M3FN/init(_:saturating:)`` over an array.
  public static func floatToE4M3FN(
    _ source: UnsafePointer<Float>, _ destination: UnsafeMutablePointer<UInt8>, count: Int,
    saturating: Bool, path: DatapathPath = .active
  ) {
    if let native = path.native {
      return npu_float_to_fp8(
        native, npu_e4m3fn, saturating ? 1 : 0, source, destination, count)
    }
    define(source, destination, count) { E4M3FN($0, saturating: saturating).bits }
  }

  /// ``E5M2/init(_:saturating:)`` over an array.
  public static func floatToE5M2(
    _ source: UnsafePointer<Float>, _ destination: UnsafeMutablePointer<UInt8>, count: Int,
    saturating: Bool, path: DatapathPath = .active
  ) {
    if let native = path.native {
      return npu_float_to_fp8(
        native, npu_e5m2, saturating ? 1 : 0, source, destination, count)
    }
    define(source, destination, count) { E5M2($0, saturating: saturating).bits }
  }

  // MARK: Counting

  /// Whether a BF16 or FP16 word is NaN or infinite.
  ///
  /// - Parameter exponent: the bits of the format's exponent field, 0x7F80 or 0x7C00.
  public static func hasSpecial(
    _ words: UnsafePointer<UInt16>, exponent: UInt16, count: Int, path: DatapathPath = .active
  ) -> Bool {
    if let native = path.native { return npu_any_special16(native, words, exponent, count) != 0 }
    return (0..<Swift.max(count, 0)).contains { words[$0] & exponent == exponent }
  }

  /// Whether an FP32 word is NaN or infinite.
  public static func hasSpecial(
    _ words: UnsafePointer<UInt32>, count: Int, path: DatapathPath = .active
  ) -> Bool {
    if let native = path.native { return npu_any_special32(native, words, count) != 0 }
    return (0..<Swift.max(count, 0)).contains { words[$0] & 0x7F80_0000 == 0x7F80_0000 }
  }

  // MARK: Words

  /// The scalar definition of each element, one after the other.
  @inline(__always)
  static func define<From, To>(
    _ source: UnsafePointer<From>, _ destination: UnsafeMutablePointer<To>, _ count: Int,
    _ definition: (From) -> To
  ) {
    for index in 0..<Swift.max(count, 0) { destination[index] = definition(source[index]) }
  }

  /// The BF16 word of an FP32 word: adding half a unit, less one where the kept part is even,
  /// carries exactly where rounding to nearest even goes up, through the exponent if need be.
  @inline(__always)
  static func bf16Word(_ bits: UInt32) -> UInt32 {
    let rounded = bits &+ 0x7FFF &+ ((bits &>> 16) & 1)
    let nan = (bits & 0x8000_0000) | 0x7FC0_0000
    // Comparisons are signed throughout: SSE2 has no unsigned ones.
    let isNaN = Int32(bitPattern: bits & 0x7FFF_FFFF) > 0x7F80_0000
    return UInt32(bitPattern: Int32(bitPattern: isNaN ? nan : rounded) &>> 16)
  }
}

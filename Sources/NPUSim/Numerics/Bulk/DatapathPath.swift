import CDatapath

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Which code computes the bulk operations: the scalar definitions, or the C loops of one instruction
/// set. All give the same words; they differ in speed only.
public enum DatapathPath: String, Sendable, Hashable, CaseIterable {
  /// The definitions themselves, element by element.
  case scalar
  /// C for any processor of the architecture.
  case portable
  /// x86-64 with AVX2 and FMA.
  case avx2
  /// x86-64 with AVX-512 F, BW, DQ, VL and VNNI.
  case avx512
  /// AArch64 with the dot-product instructions.
  case neon

  /// The environment variable that forces a path.
  public static let variable = "NPUSIM_DATAPATH"

  /// The path of this process: the one the environment asks for, or the fastest one where it asks for
  /// none or for one that this processor does not have. Decided once.
  public static let active: DatapathPath = (try? requested()) ?? fastest

  /// The fastest path of this processor.
  public static var fastest: DatapathPath {
    [avx512, avx2, neon].first(where: \.isAvailable) ?? portable
  }

  /// Paths of this processor.
  public static var available: [DatapathPath] { allCases.filter(\.isAvailable) }

  /// Whether this processor, its operating system and this build have the path.
  public var isAvailable: Bool {
    guard let native else { return true }
    return npu_path_is_available(native) != 0
  }

  /// The path that ``variable`` names, or the fastest one if it is unset or empty.
  ///
  /// - Throws: `.usage` for a name that is no path, or a path that this processor does not have.
  public static func requested() throws(NPUError) -> DatapathPath {
    guard let text = getenv(variable) else { return fastest }
    return try named(String(cString: text))
  }

  /// The path of a name; the empty name is the fastest one.
  ///
  /// - Throws: `.usage` for a name that is no path, or a path that this processor does not have.
  public static func named(_ name: String) throws(NPUError) -> DatapathPath {
    if name.isEmpty { return fastest }
    let known = available.map(\.rawValue).joined(separator: ", ")
    guard let path = DatapathPath(rawValue: name) else {
      throw NPUError(
        .usage, "\(variable): found '\(name)', needed one of \(known)",
        hint: "unset it for the fastest one, \(fastest.rawValue)")
    }
    guard path.isAvailable else {
      throw NPUError(
        .usage, "\(variable): this processor does not have \(name), only \(known)",
        hint: "unset it for the fastest one, \(fastest.rawValue)")
    }
    return path
  }

  /// Makes `rounds` rounds of the path's dot-product instructions out of registers and returns how
  /// many int8 multiply-accumulates that were: the rate that no product of the path can exceed. 0 for
  /// a path without such a measurement.
  public func dotProducts(rounds: Int) -> Int {
    guard let native else { return 0 }
    var sum: Int32 = 0
    return Int(npu_mac_peak(native, Int64(rounds), &sum))
  }

  /// The C name of the path; none for the definitions.
  @inline(__always)
  var native: npu_path? {
    switch self {
    case .scalar: nil
    case .portable: npu_path_portable
    case .avx2: npu_path_avx2
    case .avx512: npu_path_avx512
    case .neon: npu_path_neon
    }
  }
}

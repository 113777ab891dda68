#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// FP64 functions of the exact evaluation that errors are measured against. They never decide a bit
/// of the datapath, so the platform's library serves: its error of an ulp of FP64 is 2^-44 of an ulp
/// of BF16.
enum ReferenceMath {
  static func exp(_ x: Double) -> Double {
    #if canImport(Glibc)
      Glibc.exp(x)
    #elseif canImport(Musl)
      Musl.exp(x)
    #else
      Darwin.exp(x)
    #endif
  }

  static func exp2(_ x: Double) -> Double {
    #if canImport(Glibc)
      Glibc.exp2(x)
    #elseif canImport(Musl)
      Musl.exp2(x)
    #else
      Darwin.exp2(x)
    #endif
  }

  static func log(_ x: Double) -> Double {
    #if canImport(Glibc)
      Glibc.log(x)
    #elseif canImport(Musl)
      Musl.log(x)
    #else
      Darwin.log(x)
    #endif
  }

  static func sin(_ x: Double) -> Double {
    #if canImport(Glibc)
      Glibc.sin(x)
    #elseif canImport(Musl)
      Musl.sin(x)
    #else
      Darwin.sin(x)
    #endif
  }

  static func cos(_ x: Double) -> Double {
    #if canImport(Glibc)
      Glibc.cos(x)
    #elseif canImport(Musl)
      Musl.cos(x)
    #else
      Darwin.cos(x)
    #endif
  }

  /// 2^exponent, exact; 0 or infinite outside the range of FP64.
  static func power(_ exponent: Int) -> Double {
    Double(sign: .plus, exponent: exponent, significand: 1)
  }
}

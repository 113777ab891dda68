/// The chip-wide HBM server: takes transfers in the order of their starts, one after the other, at
/// the chip's rate. Its time is exact: whole cycles and a fraction over the rate's numerator.
struct HBMServer {
  /// When it is free again.
  private(set) var whole: Int64 = 0
  private(set) var fraction: Int64 = 0
  /// Numerator of the HBM rate; 1 when unlimited.
  private let unit: Int64

  init(_ rate: Rate) { unit = rate.isUnlimited ? 1 : rate.numerator }

  /// Serves a transfer that starts at `start`; returns the end of its service, rounded up.
  @inline(__always)
  mutating func serve(from start: Int64, _ price: UnsafePointer<PriceTable.Price>) -> Int64 {
    serve(from: start, whole: price.pointee.hbmWhole, fraction: price.pointee.hbmFraction)
  }

  /// Serves a transfer that takes `whole` cycles and a fraction.
  @inline(__always)
  mutating func serve(from start: Int64, whole cycles: Int64, fraction rest: Int64) -> Int64 {
    // An idle server begins at the start, a busy one when it is free.
    if start > whole || (start == whole && fraction == 0) {
      whole = start
      fraction = 0
    }
    whole &+= cycles
    // Both are below the unit: compare before adding, as the sum may not fit.
    if fraction >= unit &- rest {
      fraction &-= unit &- rest
      whole &+= 1
    } else {
      fraction &+= rest
    }
    return whole &+ (fraction > 0 ? 1 : 0)
  }
}

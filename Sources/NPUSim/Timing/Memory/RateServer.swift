/// A server that takes transfers in the order of their starts, one after the other, at a rate. Its
/// time is exact: whole cycles and parts of one.
struct RateServer {
  /// When it is free again.
  private(set) var whole: Int64 = 0
  private(set) var fraction: Int64 = 0
  /// Parts of a cycle.
  private let unit: Int64

  init(parts: Int64) { unit = parts }

  /// When it will begin with what comes at `start`, rounded up; `nil` where that is at once.
  func begin(from start: Int64) -> Int64? {
    let isBusy = whole > start || (whole == start && fraction > 0)
    return isBusy ? whole + (fraction > 0 ? 1 : 0) : nil
  }

  /// Serves a transfer that starts at `start`; returns the end of its service, rounded up.
  @inline(__always)
  mutating func serve(from start: Int64, _ time: PriceTable.Service) -> Int64 {
    let rest = time.fraction
    // An idle server begins at the start, a busy one when it is free.
    if start > whole || (start == whole && fraction == 0) {
      whole = start
      fraction = 0
    }
    whole &+= time.whole
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

/// What each distinct amount of work of a program costs on its machine.
///
/// Prices are work × configuration, computed once for each entry of ``Program/works``.
public struct PriceTable: Sendable {
  /// The cost of one amount of work.
  public struct Price: Sendable, Hashable {
    /// Cycles of the queue's own port or unit.
    public var occupancy: Int64
    /// Cycles from the end of occupancy to visible results.
    public var latency: Int64
    /// Whole cycles of the HBM server.
    public var hbmWhole: Int64
    /// What is left of its time, in units of 1 / numerator of the HBM rate.
    public var hbmFraction: Int64
    /// Cycles from start to free when HBM serves the transfer alone; the occupancy elsewhere.
    public var uncontended: Int64
    /// Whether an end of the transfer is in HBM.
    public var usesHBM: Bool

    /// Synchronisation takes one cycle of its queue.
    static let synchronisation = Price(
      occupancy: 1, latency: 0, hbmWhole: 0, hbmFraction: 0, uncontended: 1, usesHBM: false)
  }

  /// Indexed by position in ``Program/works``.
  public let prices: [Price]
  /// The largest of `1 + uncontended + latency`.
  let longest: Int64

  /// Largest price that is computed: far above any run that can end, far below overflow.
  static let limit = Int64(1) << 59

  /// The prices of a program's works. Throws when the machine's tables have the wrong size, or when
  /// a price is beyond 2^59 cycles.
  public init(_ program: Program) throws(NPUError) {
    let machine = program.machine
    guard machine.paths.count == TransferPath.count,
      machine.vector.slopes.count == VectorClass.count,
      machine.vector.latencies.count == VectorClass.count,
      machine.interlocks.count == Queue.count, machine.vector.lanes > 0,
      machine.matrix.m0 > 0, machine.matrix.k0 > 0, machine.matrix.n0 > 0,
      machine.matrix.array.rows > 0, machine.matrix.array.columns > 0
    else {
      throw NPUError(
        .configuration,
        "machine \(machine.name): found tables that do not cover its queues, paths and vector "
          + "classes, needed one entry for each",
        hint: "start from a configuration file")
    }
    var prices: [Price] = []
    prices.reserveCapacity(program.works.count)
    var longest: Int64 = 2
    for work in program.works {
      guard let price = Self.price(work, machine), price.occupancy <= Self.limit,
        price.uncontended <= Self.limit, price.latency <= Self.limit
      else {
        throw NPUError(
          .limit, "a micro-op would take more than 2^59 cycles on \(machine.name)",
          hint: "use smaller tiles, or higher rates and lower latencies")
      }
      longest = max(longest, 1 + price.uncontended + price.latency)
      prices.append(price)
    }
    self.prices = prices
    self.longest = longest
  }

  /// The price of a record's work.
  public subscript(work: UInt32) -> Price { prices[Int(work)] }

  /// `nil` when it cannot be represented.
  private static func price(_ work: Work, _ machine: MachineConfiguration) -> Price? {
    switch work.kind {
    case .none: return .synchronisation
    case .transfer: return transfer(work, machine)
    case .matrix:
      let (m, k, n) = work.amounts
      return machine.matrix.pricing.occupancy(m: m, k: k, n: n).map {
        unit($0, latency: machine.matrix.latency)
      }
    case .stated: return unit(work.amounts.0, latency: work.amounts.1)
    case .vector:
      guard let vectorClass = work.vectorClass else { return nil }
      return machine.vector.occupancy(of: vectorClass, elements: work.elements).map {
        unit($0, latency: machine.vector.latencies[vectorClass.index])
      }
    }
  }

  private static func unit(_ occupancy: Int64, latency: Int64) -> Price {
    Price(
      occupancy: occupancy, latency: latency, hbmWhole: 0, hbmFraction: 0, uncontended: occupancy,
      usesHBM: false)
  }

  private static func transfer(_ work: Work, _ machine: MachineConfiguration) -> Price? {
    guard let path = work.path else { return nil }
    let port = machine[path]
    var price = unit(port.rate.cycles(for: work.portBytes), latency: port.latency)
    guard path.readsHBM || path.writesHBM else { return price }
    price.usesHBM = true
    let rate = machine.hbm.rate
    guard !rate.isUnlimited else { return price }
    // bytes / (numerator / denominator), exact: whole cycles and a fraction over the numerator.
    let scaled = work.hbmBytes.multipliedFullWidth(by: rate.denominator)
    guard scaled.high >= 0, scaled.high < rate.numerator else { return nil }
    let (whole, rest) = dividing(scaled, by: rate.numerator)
    guard let whole else { return nil }
    price.hbmWhole = whole
    price.hbmFraction = rest
    price.uncontended = max(price.occupancy, whole + (rest > 0 ? 1 : 0))
    return price
  }

  private static func dividing(_ value: (high: Int64, low: UInt64), by divisor: Int64) -> (
    Int64?, Int64
  ) {
    let (quotient, remainder) = UInt64(divisor).dividingFullWidth(
      (UInt64(value.high), value.low))
    guard quotient <= UInt64(limit) else { return (nil, 0) }
    return (Int64(quotient), Int64(remainder))
  }
}

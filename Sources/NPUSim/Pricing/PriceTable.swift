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
    /// The time of the HBM server for a transfer that goes the way of the one before.
    public var hbm = Service.none
    /// The same for one that goes the other way.
    public var mixed = Service.none
    /// Cycles from start to free when HBM serves the transfer alone; the occupancy elsewhere.
    public var uncontended: Int64
    /// Whether an end of the transfer is in HBM, and whether it is the end that is written.
    public var usesHBM = false
    public var writesHBM = false

    /// Cycles from start to free behind a transfer that goes the other way and leaves HBM idle.
    var slowest: Int64 { max(uncontended, mixed.roundedUp) }

    /// Synchronisation takes one cycle of its queue.
    static let synchronisation = Price(occupancy: 1, latency: 0)

    init(occupancy: Int64, latency: Int64) {
      self.occupancy = occupancy
      self.latency = latency
      uncontended = occupancy
    }
  }

  /// Time of a server: whole cycles, and what is left in parts of a cycle, of which there are
  /// ``MachineConfiguration/HBMSpec/parts``.
  public struct Service: Sendable, Hashable {
    public var whole: Int64
    public var fraction: Int64

    static let none = Service(whole: 0, fraction: 0)

    var roundedUp: Int64 { whole + (fraction > 0 ? 1 : 0) }
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
      machine.interlocks.count == Queue.count, machine.vector.lanes > 0, machine.vector.units > 0,
      machine.vector.widthBytes ?? 4 >= 4,
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
      guard let price = Self.price(work, program.rows(of: work), machine),
        price.occupancy <= Self.limit, price.slowest <= Self.limit, price.latency <= Self.limit
      else {
        throw NPUError(
          .limit, "a micro-op would take more than 2^59 cycles on \(machine.name)",
          hint: "use smaller tiles, or higher rates and lower latencies")
      }
      longest = max(longest, 1 + price.slowest + price.latency)
      prices.append(price)
    }
    self.prices = prices
    self.longest = longest
  }

  /// The price of a record's work.
  public subscript(work: UInt32) -> Price { prices[Int(work)] }

  /// `nil` when it cannot be represented.
  private static func price(
    _ work: Work, _ rows: RowProfile?, _ machine: MachineConfiguration
  ) -> Price? {
    switch work.kind {
    case .none: return .synchronisation
    case .transfer: return transfer(work, rows, machine)
    case .matrix:
      let (m, k, n) = work.amounts
      return machine.matrix.pricing.occupancy(m: m, k: k, n: n).map {
        Price(occupancy: $0, latency: machine.matrix.latency)
      }
    case .stated: return Price(occupancy: work.amounts.0, latency: work.amounts.1)
    case .vector:
      guard let vectorClass = work.vectorClass else { return nil }
      return machine.vector.occupancy(
        of: vectorClass, elements: work.elements, rows: work.rows, formats: work.formats
      ).map {
        Price(occupancy: $0, latency: machine.vector.latencies[vectorClass.index])
      }
    }
  }

  private static func transfer(
    _ work: Work, _ rows: RowProfile?, _ machine: MachineConfiguration
  ) -> Price? {
    guard let path = work.path else { return nil }
    let port = machine[path]
    let moved = rows.map { port.cycles(for: $0) } ?? port.rate.cycles(for: work.portBytes)
    let (occupancy, overflow) = moved.addingReportingOverflow(port.issueCycles)
    if overflow { return nil }
    var price = Price(occupancy: occupancy, latency: port.latency)
    guard path.readsHBM || path.writesHBM else { return price }
    price.usesHBM = true
    price.writesHBM = path.writesHBM
    let hbm = machine.hbm
    guard !hbm.rate.isUnlimited else { return price }
    guard let alone = service(work.hbmBytes, at: hbm.readRate, parts: hbm.parts),
      let mixed = service(work.hbmBytes, at: hbm.mixedRate, parts: hbm.parts)
    else { return nil }
    price.hbm = alone
    price.mixed = mixed
    price.uncontended = max(price.occupancy, alone.roundedUp)
    return price
  }

  /// `bytes / (numerator / denominator)`, exact.
  private static func service(_ bytes: Int64, at rate: Rate, parts: Int64) -> Service? {
    let scaled = bytes.multipliedFullWidth(by: rate.denominator)
    guard scaled.high >= 0, scaled.high < rate.numerator else { return nil }
    let (whole, rest) = dividing(scaled, by: rate.numerator)
    return whole.map { Service(whole: $0, fraction: rest * (parts / rate.numerator)) }
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

extension MachineConfiguration.PathSpec {
  /// Whole cycles of some rows, each of which takes the fewest that a row does.
  fileprivate func cycles(for profile: RowProfile) -> Int64 {
    var total = ExactCycles(profile.filled, at: rate)
    for rows in profile.rows {
      let least = rowCycles.multipliedFullWidth(by: rate.numerator)
      let moved = rows.bytes.multipliedFullWidth(by: rate.denominator)
      let isShort =
        rate.isUnlimited || moved.high < least.high
        || (moved.high == least.high && moved.low < least.low)
      total.add(
        isShort
          ? ExactCycles(rows.count, times: rowCycles, over: 1)
          : ExactCycles(rows.count.multipliedClamped(by: rows.bytes), at: rate))
    }
    return total.roundedUp(dividedBy: 1)
  }
}

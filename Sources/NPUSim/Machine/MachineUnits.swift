/// The parts of a machine description.
extension MachineConfiguration {
  /// The matrix unit: MACs of 32-element MXINT8 blocks.
  public struct MatrixUnit: Sendable, Hashable {
    /// The organisation of the unit.
    public enum Kind: String, Sendable, CaseIterable {
      /// `m0 × k0 × n0` MACs a cycle.
      case cube
      /// A ``SystolicArray``; the cube's parameters are without effect.
      case systolic
    }

    public var kind: Kind
    public var m0: Int
    public var k0: Int
    public var n0: Int
    public var accumulator: AccumulatorMode
    /// Cycles that a unit tile of `m0 × k0 × n0` occupies: 1, or 0 on a machine without limits.
    public var cyclesPerTile: Int64
    /// Cycles added to the occupancy of each matmul.
    public var overhead: Int64
    /// Cycles from the end of occupancy to visible results.
    public var latency: Int64
    /// Unit tiles, ⌈m/m0⌉ · ⌈n/n0⌉ of a cube, from which on a matmul that accumulates forwards from an earlier
    /// one on the same tile; at least 1, which is always. `nil`: it never does.
    public var forwardTiles: Int?
    /// The array of a systolic unit.
    public var array: SystolicArray

    public init(
      kind: Kind = .cube, m0: Int, k0: Int, n0: Int, accumulator: AccumulatorMode,
      cyclesPerTile: Int64 = 1, overhead: Int64, latency: Int64, forwardTiles: Int? = 1,
      array: SystolicArray = SystolicArray()
    ) {
      self.kind = kind
      self.m0 = m0
      self.k0 = k0
      self.n0 = n0
      self.accumulator = accumulator
      self.cyclesPerTile = cyclesPerTile
      self.overhead = overhead
      self.latency = latency
      self.forwardTiles = forwardTiles
      self.array = array
    }

    /// Rows and columns of a unit tile: what the unit makes sums of at once.
    private var tile: (m: Int, n: Int) {
      switch kind {
      case .cube: (m0, n0)
      case .systolic: (array.rows, array.columns)
      }
    }

    /// Whether an accumulating matmul of an `m × n` tile forwards from an earlier one.
    public func forwards(m: Int64, n: Int64) -> Bool {
      guard let forwardTiles else { return false }
      return (max(m, 1) - 1) / Int64(tile.m) + 1
        >= (Int64(forwardTiles) - 1) / ((max(n, 1) - 1) / Int64(tile.n) + 1) + 1
    }

    /// The same of an accumulator tile of which only the bytes are known: of FP32 sums that fill the
    /// unit's tiles.
    public func forwards(accumulatorBytes bytes: Int) -> Bool {
      guard let forwardTiles else { return false }
      return (max(bytes, 1) - 1) / (4 * tile.m * tile.n) + 1 >= forwardTiles
    }
  }

  /// The vector unit.
  public struct VectorUnit: Sendable, Hashable {
    /// FP32 lanes; a power of two, and the lane count of every row reduction, whatever prices are.
    public var lanes: Int
    /// Smallest occupancy of a vector micro-op in cycles.
    public var minimumOccupancy: Int64
    /// Bytes that a repeat takes; `nil` where a repeat takes `lanes` elements, whatever they are stored in.
    public var widthBytes: Int?
    /// What the unit takes as it is stored; other formats are priced as FP32. Without effect where
    /// ``widthBytes`` is `nil`.
    public var nativeFormats = FormatSet.all
    /// Vector units of a core, at least 1: the rows of a micro-op are shared out.
    public var units = 1
    /// Cycles of a repeat, indexed by ``VectorClass/index``.
    public var slopes: [Int64]
    /// Cycles from the end of occupancy to visible results, indexed by ``VectorClass/index``.
    public var latencies: [Int64]

    public init(lanes: Int, minimumOccupancy: Int64, slopes: [Int64], latencies: [Int64]) {
      self.lanes = lanes
      self.minimumOccupancy = minimumOccupancy
      self.slopes = slopes
      self.latencies = latencies
    }

    /// Whether prices depend on more of a micro-op than how many elements it has.
    var pricesOperands: Bool { widthBytes != nil || units > 1 }

    /// Elements of a repeat that reads some formats, the widest of them deciding. A width is at
    /// least that of an FP32 element.
    private func repeated(_ formats: FormatSet) -> Int64 {
      guard let widthBytes else { return Int64(lanes) }
      return Int64(widthBytes / (formats.formats.map(bytes).max() ?? ElementFormat.f32.bytes))
    }

    private func bytes(_ format: ElementFormat) -> Int {
      nativeFormats.contains(format) ? format.bytes : ElementFormat.f32.bytes
    }

    /// The most elements that all units take in a repeat, of whatever format.
    public var mostElements: Int64 {
      guard let widthBytes else { return Int64(lanes) * Int64(units) }
      let least = ElementFormat.allCases.map(bytes).min() ?? 1
      return Int64(widthBytes / least) * Int64(units)
    }

    /// Elements that all units take in a repeat of operands in FP32.
    public var wordElements: Int64 { repeated([.f32]) * Int64(units) }

    /// Cycles that a micro-op of a class occupies the unit: `elements` elements in `rows` rows, read
    /// in some formats. The unit with the most rows decides. `nil` beyond 2^63.
    public func occupancy(
      of kind: VectorClass, elements: Int64, rows: Int64 = 1, formats: FormatSet = []
    ) -> Int64? {
      var share = max(0, elements)
      if units > 1, rows > 0 {
        let most = (rows - 1) / Int64(units) + 1
        let (product, overflow) = share.multipliedReportingOverflow(by: most)
        if overflow { return nil }
        share = product == 0 ? 0 : (product - 1) / rows + 1
      }
      let turns = share <= 0 ? 0 : (share - 1) / repeated(formats) + 1
      let (cycles, overflow) = turns.multipliedReportingOverflow(by: slopes[kind.index])
      return overflow ? nil : max(minimumOccupancy, cycles)
    }
  }

  /// One memory.
  public struct MemorySpec: Sendable, Hashable {
    /// Capacity in bytes; `nil` is unlimited. For HBM, of the whole chip.
    public var bytes: Int?
    /// Alignment of rows in bytes, a power of two; 1 for HBM.
    public var alignment: Int
    /// Bank organisation; `nil` where banks are not modelled.
    public var banks: Banks?

    /// Bank groups, banks in a group, and bytes of a bank. Conflicts cost nothing; they are a lint.
    public struct Banks: Sendable, Hashable {
      public var groups: Int
      public var banksPerGroup: Int
      public var bytesPerBank: Int

      public init(groups: Int, banksPerGroup: Int, bytesPerBank: Int) {
        self.groups = groups
        self.banksPerGroup = banksPerGroup
        self.bytesPerBank = bytesPerBank
      }
    }

    public init(bytes: Int?, alignment: Int, banks: Banks? = nil) {
      self.bytes = bytes
      self.alignment = alignment
      self.banks = banks
    }
  }

  /// The port of one transfer path.
  public struct PathSpec: Sendable, Hashable {
    /// Bytes per cycle.
    public var rate: Rate
    /// Cycles from the end of occupancy to visible results.
    public var latency: Int64
    /// Fewest cycles that a row, a contiguous run, takes of the queue.
    public var rowCycles: Int64 = 0
    /// Cycles that a transfer takes of the queue before its first row.
    public var issueCycles: Int64 = 0
    /// Whether the machine has the path; without it a micro-op that takes it is not legal.
    public var isPresent: Bool

    public init(rate: Rate, latency: Int64, isPresent: Bool = true) {
      self.rate = rate
      self.latency = latency
      self.isPresent = isPresent
    }

    /// The rate, `nil` for a path that the machine does not have.
    var optionalRate: Rate? {
      get { isPresent ? rate : nil }
      set { (rate, isPresent) = (newValue ?? .unlimited, newValue != nil) }
    }
  }

  /// HBM as all cores share it.
  public struct HBMSpec: Sendable, Hashable {
    /// Bytes per cycle of the whole chip.
    public var rate: Rate
    /// Bytes of a burst: each contiguous run is rounded out to whole bursts.
    public var burst: Int
    /// What makes bytes that a core wrote readable for the core itself.
    public var readAfterWrite: ReadAfterWrite
    /// The share of the rate that reads or writes alone reach, at most 1.
    public var readEfficiency: Rate
    /// The share of it where a service goes the other way than the one before; at most that of one
    /// direction alone.
    public var mixedEfficiency: Rate

    /// What a core has to put between a write to HBM and its own read of the bytes.
    public enum ReadAfterWrite: String, Sendable, CaseIterable {
      /// Any order: an event from the queue that writes to the queue that reads is enough.
      case event
      /// A barrier on all queues.
      case fence
    }

    public init(
      rate: Rate, burst: Int, readAfterWrite: ReadAfterWrite = .event,
      readEfficiency: Rate = .whole, mixedEfficiency: Rate = .whole
    ) {
      self.rate = rate
      self.burst = burst
      self.readAfterWrite = readAfterWrite
      self.readEfficiency = readEfficiency
      self.mixedEfficiency = mixedEfficiency
    }

    /// What one direction alone reaches, in bytes per cycle: the most that HBM gives.
    public var readRate: Rate { rate.times(readEfficiency) ?? rate }

    /// What a service reaches that goes the other way than the one before.
    public var mixedRate: Rate { rate.times(mixedEfficiency) ?? rate }

    /// Parts of a cycle in which the time of every service is a whole number.
    var parts: Int64 {
      if rate.isUnlimited { return 1 }
      let (a, b) = (readRate.numerator, mixedRate.numerator)
      // Both are below 2^31 in what a description gives.
      return (a / Self.greatestCommonDivisor(a, b)).multipliedClamped(by: b)
    }

    private static func greatestCommonDivisor(_ a: Int64, _ b: Int64) -> Int64 {
      var (a, b) = (a, b)
      while b != 0 { (a, b) = (b, a % b) }
      return max(1, a)
    }
  }
}

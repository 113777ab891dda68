/// The memories that all cores share, while time passes: each transfer with an end in one of them is
/// served when it starts. HBM is the only one.
struct MemorySystem {
  private var hbm: RateServer
  /// Whether the last service wrote; `nil` before the first one.
  private var lastWrote: Bool?
  private let isRecorded: Bool
  /// Every service so far in the order in which they were taken, where they are recorded.
  private(set) var services: [MemoryService] = []

  init(_ machine: MachineConfiguration, isRecorded: Bool) {
    hbm = RateServer(parts: machine.hbm.parts)
    self.isRecorded = isRecorded
  }

  /// Serves a transfer that starts at `start`; returns when its bytes are through, rounded up.
  @inline(__always)
  mutating func serve(
    _ site: OpSite, from start: Int64, _ price: UnsafePointer<PriceTable.Price>
  ) -> Int64 {
    if isRecorded { services.append(MemoryService(site: site, begin: hbm.begin(from: start))) }
    let writes = price.pointee.writesHBM
    let isMixed = lastWrote == !writes
    lastWrote = writes
    return hbm.serve(from: start, isMixed ? price.pointee.mixed : price.pointee.hbm)
  }
}

/// What a shared memory did for one transfer.
public struct MemoryService: Sendable, Hashable {
  /// The transfer.
  public var site: OpSite
  /// When the memory began with it, having just finished the service before, rounded up; `nil` where
  /// it was idle, and began at the transfer's start.
  public var begin: Int64?

  public init(site: OpSite, begin: Int64?) {
    self.site = site
    self.begin = begin
  }
}

/// Finds the services of a run by transfer.
struct ServiceIndex {
  private let services: [MemoryService]
  /// By core and micro-op.
  private var ranks: [[UInt32]]

  init(_ services: [MemoryService], of program: Program) {
    self.services = services
    // Without transfers nothing is looked up.
    ranks = services.isEmpty ? [] : program.cores.map { Array(repeating: 0, count: $0.count) }
    for (rank, service) in services.enumerated() {
      ranks[Int(service.site.core)][Int(service.site.op)] = UInt32(truncatingIfNeeded: rank)
    }
  }

  /// When the service of a transfer began behind another one, and that one; `nil` where it waited for
  /// none.
  func predecessor(core: Int, op: Int) -> (begin: Int64, site: OpSite)? {
    guard core < ranks.count else { return nil }
    let rank = Int(ranks[core][op])
    guard rank > 0, let begin = services[rank].begin else { return nil }
    return (begin, services[rank - 1].site)
  }
}

/// What the HBM server did for each transfer of a run, worked out again from the order of service.
struct HBMReplay {
  /// The service of one transfer.
  struct Service {
    /// When it began, rounded up.
    var begin: Int64
    /// The transfer that the server finished last before, if it came straight from it.
    var predecessor: OpSite?
  }

  private var ranks: [[UInt32]]
  private var begins: [Int64] = []
  private let order: [OpSite]

  init(
    _ program: Program, _ prices: PriceTable, _ timeline: [[OpInstants]], _ order: [OpSite]
  ) {
    self.order = order
    // Without transfers nothing is looked up.
    ranks = order.isEmpty ? [] : program.cores.map { Array(repeating: 0, count: $0.count) }
    var server = HBMServer(program.machine.hbm.rate)
    for (rank, site) in order.enumerated() {
      let core = Int(site.core)
      let op = Int(site.op)
      let start = timeline[core][op].start
      // −1 marks a server that was idle.
      let isBusy = server.whole > start || (server.whole == start && server.fraction > 0)
      begins.append(isBusy ? server.whole + (server.fraction > 0 ? 1 : 0) : -1)
      let price = prices[program.cores[core][op].work]
      _ = server.serve(from: start, whole: price.hbmWhole, fraction: price.hbmFraction)
      ranks[core][op] = UInt32(truncatingIfNeeded: rank)
    }
  }

  /// The service of a transfer with an end in HBM.
  subscript(core: Int, op: Int) -> Service {
    guard core < ranks.count else { return Service(begin: 0, predecessor: nil) }
    let rank = Int(ranks[core][op])
    let begin = begins[rank]
    return begin < 0 || rank == 0
      ? Service(begin: 0, predecessor: nil) : Service(begin: begin, predecessor: order[rank - 1])
  }
}

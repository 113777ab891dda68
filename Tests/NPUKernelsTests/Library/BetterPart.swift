import NPUSim

/// A part of a machine, in versions of which each is better than the one before.
enum BetterPart: Sendable, Hashable, CaseIterable, CustomStringConvertible {
  case path(TransferPath)
  case hbm, matrix, vector, events, depth

  static var allCases: [BetterPart] {
    TransferPath.allCases.map { .path($0) } + [.hbm, .matrix, .vector, .events, .depth]
  }

  var description: String {
    switch self {
    case .path(let path): "\(path)"
    case .hbm: "hbm"
    case .matrix: "matrix"
    case .vector: "vector"
    case .events: "events"
    case .depth: "depth"
    }
  }

  /// Rates × 1, 2 and 4, of paths and HBM beginning with those of the machine, of units ending with
  /// them; event IDs and queue depths from few to many.
  func versions(of machine: MachineConfiguration) -> [MachineConfiguration] {
    func changed<Value>(
      _ values: [Value], _ change: (inout MachineConfiguration, Value) -> Void
    ) -> [MachineConfiguration] {
      values.map {
        var machine = machine
        change(&machine, $0)
        return machine
      }
    }
    func faster(_ rate: Rate, _ factor: Int64) -> Rate {
      Rate(rate.numerator * factor, over: rate.denominator) ?? rate
    }
    return switch self {
    case .path(let path):
      changed([1, 2, 4]) { $0.paths[path.index].rate = faster($0[path].rate, $1) }
    case .hbm: changed([1, 2, 4]) { $0.hbm.rate = faster($0.hbm.rate, $1) }
    case .matrix: changed([4, 2, 1]) { $0.matrix.cyclesPerTile *= $1 }
    case .vector:
      changed([4, 2, 1]) { machine, factor in
        machine.vector.slopes = machine.vector.slopes.map { $0 * factor }
      }
    case .events: changed([2, 4, 8, 16]) { $0.eventsPerPair = $1 }
    case .depth: changed([2, 4, 8, 16, 32]) { $0.queueDepth = $1 }
    }
  }
}

/// The cores by the earliest cycle at which each may next ask the HBM server: a binary heap, ties by
/// core.
struct CoreAgenda {
  private var entries: [(time: Int64, core: Int)]

  /// Every core at cycle 0.
  init(cores: Int) { entries = (0..<cores).map { (0, $0) } }

  /// The core that comes first.
  var first: Int? { entries.first?.core }

  /// When and where another core comes next; never, when there is none.
  var second: (time: Int64, core: Int) {
    switch entries.count {
    case 0, 1: (Int64.max, Int.max)
    case 2: entries[1]
    default: entries[1] < entries[2] ? entries[1] : entries[2]
    }
  }

  mutating func delayFirst(to time: Int64) {
    entries[0].time = time
    sink()
  }

  /// Lets a core be asked before all others, as it may go on: whether it stood in the agenda or not.
  mutating func bringForward(_ core: Int) {
    entries.removeAll { $0.core == core }
    entries.append((0, core))
    // Sorted is a heap.
    entries.sort { $0 < $1 }
  }

  mutating func removeFirst() {
    let last = entries.removeLast()
    if entries.isEmpty { return }
    entries[0] = last
    sink()
  }

  private mutating func sink() {
    var index = 0
    while true {
      var child = 2 * index + 1
      guard child < entries.count else { return }
      if child + 1 < entries.count && entries[child + 1] < entries[child] { child += 1 }
      guard entries[child] < entries[index] else { return }
      entries.swapAt(index, child)
      index = child
    }
  }
}

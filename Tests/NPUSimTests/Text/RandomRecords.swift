import NPUSim

/// Random records with the bytes of each area, for laws about what becomes of them.
struct RandomRecords {
  /// The bytes of an area: `where` and the bytes from its start on.
  struct Area: Hashable {
    var owner: String
    var bytes: [Int]
  }

  struct Line {
    var text: String
    /// What an `op` writes, and what it reads; `nil` for other lines.
    var written: [Area]?
    var read: [Area] = []
    /// Its place in the source; 0 for none.
    var line = 0
  }

  private(set) var head: [String] = ["npusim record 1"]
  private(set) var lines: [Line] = []

  /// A record for a machine that aligns its memories to 16 bytes.
  init(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let pitch = 64 * (1 + random.below(3))
    let rows = 2 + random.below(6)
    head += [
      "# made for seed \(seed)", "hbm x update 0x1000 \(pitch * rows)",
      "hbm y output 65536 \(1 + random.below(900))  # behind x",
      "buffer a ub 64 256 \(1 + random.below(3))", "buffer b l1 0x20 128",
    ]
    let yBytes = Int(head[3].split(separator: " ")[4]) ?? 1
    let queues = Queue.allCases.map(\.name)
    func area() -> (String, Area) {
      switch random.below(5) {
      case 0:
        let length = 1 + random.below(pitch)
        let count = 1 + random.below(rows)
        let first = random.below(rows - count + 1) * pitch + random.below(pitch - length + 1)
        let bytes = (0..<count).flatMap { row in (0..<length).map { first + row * pitch + $0 } }
        let byName = random.below(2) == 0
        return (
          "\(byName ? "x:\(first)" : "hbm:\(0x1000 + first)"):\(length)*\(count)/\(pitch)",
          Area(owner: "x", bytes: bytes)
        )
      case 1:
        let first = random.below(pitch * rows)
        let length = 1 + random.below(min(pitch * rows - first, 3 * pitch))
        return ("x:\(first):\(length)", Area(owner: "x", bytes: Array(first..<(first + length))))
      case 2:
        let first = random.below(yBytes)
        let length = 1 + random.below(yBytes - first)
        return ("y:\(first):\(length)", Area(owner: "y", bytes: Array(first..<(first + length))))
      case 3:
        let space = ["ub", "l1", "left", "acc"][random.below(4)]
        let first = 16 * random.below(30)
        let length = 1 + random.below(80)
        let step = 16 * (5 + random.below(4))
        let count = 1 + random.below(4)
        let bytes = (0..<count).flatMap { row in (0..<length).map { first + row * step + $0 } }
        return (
          "\(space):\(first):\(length)*\(count)/\(step)", Area(owner: space, bytes: bytes)
        )
      default:
        let first = 16 * random.below(8)
        let length = 1 + random.below(64)
        return (
          "a:\(first):\(length)",
          Area(owner: "ub", bytes: Array((64 + first)..<(64 + first + length)))
        )
      }
    }
    for _ in 0..<(5 + random.below(30)) {
      let place = 1 + random.below(40)
      let isPlaced = random.below(3) > 0
      let end = isPlaced ? " @ k\(place % 2).cpp:\(place)" : ""
      let queue = queues[random.below(queues.count)]
      var line = Line(text: "", line: isPlaced ? place : 0)
      switch random.below(7) {
      case 6:
        let other = queues[random.below(queues.count)]
        line.text =
          "\(random.below(2) == 0 ? "set" : "wait") core \(random.below(3)) "
          + "\(queue)->\(other):\(random.below(3))\(end)"
      case 0:
        let others = queues.filter { $0 != queue }
        let other = others[random.below(others.count)]
        line.text =
          "\(random.below(2) == 0 ? "set" : "wait") \(queue)->\(other):\(random.below(3))\(end)"
      case 1: line.text = ["barrier \(queue)", "barrier_all"][random.below(2)] + end
      default:
        let written = (0..<random.below(2)).map { _ in area() }
        let read = (0..<random.below(2)).map { _ in area() }
        line.text =
          "op \(queue) N\(random.below(4))"
          + (written.isEmpty ? "" : " write " + written.map(\.0).joined(separator: " "))
          + (read.isEmpty ? "" : " read " + read.map(\.0).joined(separator: "\t"))
          + ["", " cycles 7", " cycles 0x1F latency 3"][random.below(3)]
        let isOfUnit = (written + read).count { $0.1.owner == "acc" } == 1
        if queue == "vector", random.below(2) == 0 { line.text += " stream" }
        if queue == "matrix", isOfUnit, random.below(2) == 0 { line.text += " stream" }
        if queue == "matrix", isOfUnit {
          line.text += " unit \(["hold", "release"][random.below(2)])"
        }
        if queue == "drain", isOfUnit { line.text += " unit yes" }
        line.text += end
        line.written = written.map(\.1)
        line.read = read.map(\.1)
      }
      lines.append(line)
    }
  }

  var text: String { (head + lines.map(\.text)).joined(separator: "\n") + "\n" }
}

import Foundation

/// How many cases a randomised suite runs, and from which seeds.
///
/// By default a tenth of the full count; the full count with NPUSIM_FULL=1; as many as fit into the
/// time, from a seed that differs from run to run, with NPUSIM_FUZZ_SECONDS; and those of the seeds
/// that NPUSIM_FUZZ_SEEDS has with commas between them, to look at a finding again.
enum Fuzzing {
  /// Whether seeds are looked at again.
  static var isReplay: Bool { ProcessInfo.processInfo.environment["NPUSIM_FUZZ_SEEDS"] != nil }

  static func run(
    _ name: String, full: Int,
    _ body: (_ seed: UInt64, _ random: inout SeededGenerator) throws -> Void
  ) rethrows {
    let environment = ProcessInfo.processInfo.environment
    if let seeds = environment["NPUSIM_FUZZ_SEEDS"] {
      for seed in seeds.split(separator: ",").compactMap({ UInt64($0) }) {
        var random = SeededGenerator(seed: seed)
        try body(seed, &random)
      }
      return
    }
    var count = environment["NPUSIM_FULL"] == "1" ? full : full / 10
    var seed: UInt64 = 0
    var deadline: Date?
    if let seconds = environment["NPUSIM_FUZZ_SECONDS"].flatMap(Double.init) {
      deadline = Date(timeIntervalSinceNow: seconds)
      count = .max
      seed = UInt64.random(in: 0..<(1 << 48)) << 16
      print("fuzzing \(name): first seed \(seed)")
    }
    var done = 0
    while done < count {
      var random = SeededGenerator(seed: seed)
      try body(seed, &random)
      seed &+= 1
      done += 1
      if let deadline, done % 64 == 0, Date() >= deadline { break }
    }
    if deadline != nil { print("fuzzing \(name): \(done) cases") }
  }
}

/// Damages bytes: flips, overwrites, inserts, removes, repeats, truncates, splices in words that
/// matter to the format.
struct Mutator {
  var words: [[UInt8]]

  init(words: [String]) { self.words = words.map { Array($0.utf8) } }

  func mutate(_ bytes: [UInt8], using random: inout SeededGenerator) -> [UInt8] {
    var bytes = bytes
    for _ in 0..<(1 + random.below(4)) {
      let place = random.below(bytes.count + 1)
      let end = min(bytes.count, place + random.below(9))
      switch random.below(8) {
      case 0 where place < bytes.count: bytes[place] ^= 1 << UInt8(random.below(8))
      case 1 where place < bytes.count: bytes[place] = UInt8(random.below(256))
      case 2: bytes.insert(UInt8(random.below(256)), at: place)
      case 3: bytes.removeSubrange(place..<end)
      case 4: bytes.insert(contentsOf: bytes[place..<end], at: random.below(bytes.count + 1))
      case 5 where random.below(4) == 0: bytes.removeSubrange(place...)
      default:
        if words.isEmpty { continue }
        let word = words[random.below(words.count)]
        if random.below(2) == 0 { bytes.removeSubrange(place..<end) }
        bytes.insert(contentsOf: word, at: place)
      }
    }
    return bytes
  }
}

/// Which rules are tried for so many micro-ops, so that all of them together take some 20 ms, or for
/// long programs two microseconds a micro-op.
struct RuleBudget {
  /// Those that know of no other order, what gains most first.
  let rules: [OrderRule]
  /// Those that go on from the best order so far, as often as ``rounds`` says.
  let improvements: [OrderRule]
  let rounds: Int
  /// How many are tried at a time; nothing but time and memory depends on it.
  let threads: Int

  static let none = RuleBudget(rules: [], improvements: [], rounds: 0, threads: 1)

  private init(
    rules: [OrderRule], improvements: [OrderRule], rounds: Int, threads: Int
  ) {
    self.rules = rules
    self.improvements = improvements
    self.rounds = rounds
    self.threads = threads
  }

  /// Micro-ops times rules in 20 ms.
  private static let steps = 30_000
  /// Micro-ops above which one rule is tried at a time, as several at once need the memory of each.
  private static let mostTogether = 1 << 17
  private static let mostRounds = 2

  /// - Parameters:
  ///   - microOps: over all cores.
  ///   - sharesHBM: whether several cores use HBM.
  ///   - threads: the most that may be used.
  init(microOps: Int, sharesHBM: Bool, threads: Int) {
    let isLong = microOps > Self.mostTogether
    self.threads = isLong ? 1 : max(1, threads)
    let attempts = max(isLong ? 3 : 4, Self.steps / max(1, microOps))
    rules = Array(Self.ranked.filter { sharesHBM || $0.hbm == .shared }.prefix(attempts))
    improvements = Self.improving
    rounds = min(Self.mostRounds, (attempts - rules.count) / improvements.count)
  }

  /// Queues that run ahead in their order, and small windows, keep transfers in the order in which memory
  /// was meant to serve them; large windows find overlap. Kernels that are bound by memory want the
  /// first, those of many stages the second.
  private static let ranked: [OrderRule] = [
    .runAhead, OrderRule(.longestPath, window: 8), OrderRule(.written, window: 64),
    OrderRule(.written, window: 64, hbm: .alone), OrderRule(.longestPath),
    OrderRule(.longestPath, window: 64, hbm: .alone), OrderRule(.longestPath, window: 64),
    OrderRule(.longestPath, window: 128, slack: 200), OrderRule(.longestPath, slack: 64),
    OrderRule(.longestPath, hbm: .alone),
    OrderRule(.longestPath, window: 64, kept: [.load]), OrderRule(.longestPath, window: 256),
    OrderRule(.written), OrderRule(.longestPath, window: 128, slack: 16),
    OrderRule(.written, window: 16), OrderRule(.longestPath, window: 32),
    OrderRule(.longestPath, window: 16), OrderRule(.longestPath, kept: [.load]),
    OrderRule(.written, window: 64, kept: [.load, .store]), OrderRule(.longestPath, slack: 16),
    OrderRule(.longestPath, window: 128),
  ]

  /// The two rules that gain most: together they come within half a per cent of what all find.
  static let glance = RuleBudget(
    rules: [OrderRule(.written, window: 64), OrderRule(.longestPath)], improvements: [], rounds: 0,
    threads: 1)

  private static let improving: [OrderRule] = [
    OrderRule(.improved), OrderRule(.improved, window: 128), OrderRule(.improved, window: 32),
    OrderRule(.improved, slack: 16), OrderRule(.improved, slack: 64),
  ]
}

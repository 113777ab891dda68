/// Guesses which known word a mistyped one was meant to be.
public enum DidYouMean {
  /// The known word closest to `word`, when it is close enough to be worth saying.
  ///
  /// Letter case, `-` and `_` do not count as differences. A third of the word's characters, and at
  /// least one, may be edited (inserted, deleted, substituted, or swapped with a neighbour); the parts
  /// of a dotted name that both have in front do not count.
  /// Failing that, the only known word that starts with `word` (three characters or more) is
  /// taken. Ties go to a candidate that starts with `word`, then to the earlier one.
  public static func suggest(_ word: String, among known: some Sequence<String>) -> String? {
    let wanted = normalised(word)
    guard !wanted.isEmpty, wanted.count <= 64 else { return nil }
    var best: (word: String, score: (distance: Int, isOther: Int))?
    var completions: [String] = []
    for candidate in known {
      let other = normalised(candidate)
      guard other.count <= 256 else { continue }
      let isCompletion = wanted.count >= 3 && other.starts(with: wanted)
      if isCompletion { completions.append(candidate) }
      let shared = sharedParts(wanted, other)
      let distance = editDistance(Array(wanted.dropFirst(shared)), Array(other.dropFirst(shared)))
      let score = (distance, isCompletion ? 0 : 1)
      if distance <= max(1, (wanted.count - shared) / 3), distance < other.count - shared,
        score < best?.score ?? (.max, 0)
      {
        best = (candidate, score)
      }
    }
    return best?.word ?? (completions.count == 1 ? completions.first : nil)
  }

  /// The hint that goes with an unknown word: the guess, or the known words when they are few.
  public static func hint(for word: String, among known: some Sequence<String>) -> String? {
    let known = Array(known)
    if let guess = suggest(word, among: known) { return "did you mean \"\(guess)\"?" }
    guard !known.isEmpty, known.count <= 24 else { return nil }
    return "known: \(known.joined(separator: ", "))"
  }

  private static func normalised(_ word: String) -> [Unicode.Scalar] {
    word.lowercased().unicodeScalars.map { $0 == "-" ? "_" : $0 }
  }

  /// The length of the dotted parts that two names begin with, the last part left out.
  private static func sharedParts(_ a: [Unicode.Scalar], _ b: [Unicode.Scalar]) -> Int {
    let common = zip(a, b).prefix { $0 == $1 }.map(\.0)
    return common.lastIndex(of: ".").map { $0 + 1 } ?? 0
  }

  /// Optimal string alignment distance: edits with swaps, no substring edited twice.
  private static func editDistance(_ a: [Unicode.Scalar], _ b: [Unicode.Scalar]) -> Int {
    var beforeLast: [Int] = []
    var last = Array(0...b.count)
    for i in a.indices {
      var row = [i + 1]
      row.reserveCapacity(b.count + 1)
      for j in b.indices {
        var cost = min(last[j + 1] + 1, row[j] + 1, last[j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
          cost = min(cost, beforeLast[j - 1] + 1)
        }
        row.append(cost)
      }
      beforeLast = last
      last = row
    }
    return last[b.count]
  }
}

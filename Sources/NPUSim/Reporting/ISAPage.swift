/// docs/isa.md: every micro-op of a catalogue, from its own declaration.
public enum ISAPage {
  /// The page as Markdown, ending with a line break.
  public static func text(_ catalogue: OpCatalogue) -> String {
    var text = """
      # Micro-ops

      This page is generated: `simctl docs isa` prints it, and a test keeps the two equal.

      A micro-op is written `mnemonic destination, source, ..., name=value`. A tile operand says in
      which memory it lies and whether it is read, written, or both. machine.md has the order and the
      time of micro-ops (the price of a path or class is in the machine's configuration), numerics.md
      their arithmetic. No operand shares a byte with a result of its micro-op (M007), unless the
      micro-op says that the two may coincide: be the very same tile, with the same bytes, pitch,
      format and extent.

      | family | micro-ops |
      |---|---|

      """
    let families = self.families(catalogue)
    for (name, entries) in families {
      let list = entries.map { "`\($0.mnemonic)`" }.joined(separator: " ")
      text += "| \(name) | \(list) |\n"
    }
    for (name, entries) in families {
      text += "\n## \(name)\n"
      for entry in entries {
        let summary = PageRow.broken(sentence(entry.summary)).joined(separator: "\n")
        text += "\n### `\(entry.mnemonic)`\n\n\(summary)\n\n"
        if isDecidedByOperand(entry) {
          text += "Queue: that of its operand.\n"
        } else if entry.kind.isInSequencer {
          text += "Queue: none, the sequencer.\n"
        } else if entry.kind == .barrierAll || entry.kind == .barrierCores {
          text += "Queue: all.\n"
        } else {
          text += "Queue: `\(entry.queue.name)`.\n"
        }
        if let work = describe(entry.unit) { text += "Work: \(work).\n" }
        if let sharing = describeSharing(entry) { text += "May coincide: \(sharing).\n" }
        guard !entry.operands.isEmpty else { continue }
        text += "\n| operand | is |\n|---|---|\n"
        for operand in entry.operands { text += "| \(operand.name) | \(describe(operand)) |\n" }
      }
    }
    return text
  }

  /// The entries by the first part of their mnemonics, in the order of the catalogue.
  private static func families(_ catalogue: OpCatalogue) -> [(name: String, entries: [OpEntry])] {
    var families: [(name: String, entries: [OpEntry])] = []
    for entry in catalogue.entries {
      let name = String(entry.mnemonic.prefix { $0 != "." })
      if let index = families.firstIndex(where: { $0.name == name }) {
        families[index].entries.append(entry)
      } else {
        families.append((name, [entry]))
      }
    }
    return families
  }

  /// A summary as a sentence; a formula keeps its first letter.
  private static func sentence(_ summary: String) -> String {
    let words = summary.split(separator: " ", maxSplits: 2)
    guard words.count > 1, words[1] != "=", words[0].allSatisfy(\.isLowercase) else {
      return summary + "."
    }
    return summary.prefix(1).uppercased() + summary.dropFirst() + "."
  }

  private static func describe(_ unit: Work) -> String? {
    switch unit.kind {
    case .none: nil
    case .transfer: unit.path.map { "bytes on path `\($0.key)`" }
    case .matrix: "MACs of m × k × n"
    case .vector: unit.vectorClass.map { "elements of class `\($0.key)`" }
    case .stated: "as stated"
    }
  }

  private static func isDecidedByOperand(_ entry: OpEntry) -> Bool {
    switch entry.kind {
    case .set, .wait, .coreSet, .barrierQueue: true
    case .data: entry.isOpaque
    default: false
    }
  }

  /// Which tiles may coincide; `nil` where there are not two.
  private static func describeSharing(_ entry: OpEntry) -> String? {
    var tiles = 0
    var results: [String] = []
    var sources: [String] = []
    for operand in entry.operands {
      guard case .tile(_, let access) = operand.kind else { continue }
      tiles += 1
      if access.contains(.write) { results.append("`\(operand.name)`") }
      if access.contains(.inPlace) { sources.append("`\(operand.name)`") }
    }
    guard tiles > 1 else { return nil }
    if sources.isEmpty { return "nothing" }
    return results.joined(separator: ", ") + " with " + sources.joined(separator: ", ")
  }

  private static func describe(_ operand: OperandDescription) -> String {
    switch operand.kind {
    case .tile(let space, let access):
      "tile in `\(space.name)`, \(describe(access))"
        + operand.variants.map { "; with `\($0.word)` \(describe($0.access))" }.joined()
    case .scalar: "FP32 immediate"
    case .integer: "integer immediate"
    case .event: "event, `source->target:id`"
    case .choice(let words):
      "one of " + words.map { "`\($0)`" }.joined(separator: ", ")
        + (operand.isOptional ? "; `\(words[0])` if left out" : "")
    }
  }

  private static func describe(_ access: Access) -> String {
    var text: String
    if access.contains(.update) {
      text = "read and written"
    } else {
      text = access.contains(.read) ? "read" : "written"
    }
    if access.contains(.zeroFill) { text += ", its last block filled with zeros" }
    return text
  }
}

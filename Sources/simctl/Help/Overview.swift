/// `simctl --help`.
enum Overview {
  /// The page as plain text.
  static func text(_ verbs: [any Verb.Type]) -> String {
    var table = TextTable([.left, .left], indent: "  ")
    for verb in verbs where !verb.description.isHidden {
      table.row([verb.description.name, verb.description.summary])
    }
    var codes = TextTable([.right, .left], indent: "  ")
    for (code, meaning) in ExitCode.table { codes.row(["\(code.rawValue)", meaning]) }
    return """
      simctl: is a kernel right, is its schedule right, and is it fast?

      A cycle-approximate simulator of an NPU core's datapath. It executes a kernel's numbers bit
      for bit, proves its schedule free of races and deadlock, and counts its cycles.

      Examples:
        simctl run softmax_v --kv 128                     numbers, proof and cycles on one page
        simctl run softmax_v --kv 4096 --config ascend-910b-like
        simctl run softmax_v --set matrix.accumulator=fp32 --json report.json
        simctl list                                       what there is
        simctl run softmax_v --help                       the flags of a kernel

      Usage:
        simctl VERB [words] [flags]

      Verbs:
      \(table.text)
      Flags:
        --help     show this help; after a verb, that verb's
        --version  show the version

      Exit codes:
      \(codes.text)
      Data goes to standard output, diagnostics and progress to standard error. The same input gives
      byte-identical output. Colours are for terminals, and never used where NO_COLOR is set.

      """
  }
}

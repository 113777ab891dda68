import NPUKernels
import NPUSim

/// docs/ladders.md: what each rung of a kernel's ladder takes, measured when the page is made.
enum LaddersPage {
  static func text() throws(NPUError) -> String {
    """
    # Ladders

    This page is generated: `simctl docs ladders` runs every rung and prints it. kernels.md says what
    each rung does.

    ## gemm

    1024 × 1024 × 1024 in MXINT8 on one core, by
    `simctl run gemm --m 1024 --n 1024 --k 1024 --cores 1 --no-values --schedule rung=R --config M`. The
    roofline is what the matrix unit needs for the products alone.

    \(try gemm())
    ## flash_attention

    One head of dimension 128, q = kv = 2048, causal, on edge, by
    `simctl run flash_attention --q 2048 --kv 2048 --causal --no-values --rung R --kv-format F`. The
    scalar rung has dimension 1, and its own work.

    \(try attention())
    """
  }

  private static func report(
    _ kernel: String, _ machine: String, _ arguments: [String: String], schedule: String? = nil
  ) throws(NPUError) -> RunReport {
    var configuration = try Presets.named(machine).configuration
    configuration.cores = 1
    var request = RunRequest(kernel: kernel, machine: configuration)
    request.arguments = arguments
    request.schedule = schedule
    request.plan = .timing
    return try Runner.run(request).report
  }

  private static func table(_ head: [String], _ rows: [[String]]) -> String {
    let lines = [head, head.map { _ in "---" }] + rows
    return lines.map { "| " + $0.joined(separator: " | ") + " |\n" }.joined()
  }

  private static func gemm() throws(NPUError) -> String {
    let rungs = ["direct", "tiled", "double-buffered", "blocked for reuse"]
    let machines = ["edge", "ascend-910b-like"]
    var rows: [[String]] = []
    for (index, name) in rungs.enumerated() {
      var row = ["\(index + 1) \(name)"]
      for machine in machines {
        let report = try report(
          "gemm", machine, ["m": "1024", "n": "1024", "k": "1024"], schedule: "rung=\(index + 1)")
        guard let timing = report.timing, let bounds = timing.bounds else { continue }
        row += [
          Quantity.grouped(timing.cycles),
          Quantity.percent(Double(bounds.roofline), of: Double(timing.cycles)),
        ]
      }
      rows.append(row)
    }
    return table(["rung"] + machines.flatMap { ["\($0), cycles", "of the roofline"] }, rows)
  }

  private static func attention() throws(NPUError) -> String {
    var rows: [[String]] = []
    for (rung, format) in [
      ("scalar", "bf16"), ("unfused", "bf16"), ("unfused", "mxint8"), ("online", "bf16"),
      ("online", "mxint8"), ("pipelined", "bf16"), ("pipelined", "mxint8"),
    ] {
      var arguments = ["q": "2048", "kv": "2048", "causal": "true", "rung": rung]
      arguments["kv-format"] = format
      let report = try report("flash_attention", "edge", arguments)
      guard let timing = report.timing, let traffic = report.traffic else { continue }
      rows.append([
        rung, format, Quantity.grouped(timing.cycles), Quantity.seconds(timing.seconds),
        Quantity.percent(
          Double(timing.queues[Queue.vector.index].busy), of: Double(timing.cycles)),
        Quantity.bytes(traffic.hbmRead), Quantity.bytes(traffic.hbmWritten),
      ])
    }
    return table(
      ["rung", "k and v", "cycles", "time", "vector busy", "HBM read", "HBM written"], rows)
  }
}

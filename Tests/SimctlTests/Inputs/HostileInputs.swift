import Foundation

/// Command lines and files that ask for too much, or for nonsense, made from a seed.
struct HostileInputs {
  /// What a command is run with: its words, the limits of its shell, and its standard input.
  struct Command {
    var words: [String]
    var limits: String
  }

  private var random: SeededGenerator
  private let folder: ScratchFolder

  init(seed: UInt64, in folder: ScratchFolder) {
    random = SeededGenerator(seed: seed)
    self.folder = folder
  }

  private mutating func pick<T>(_ values: [T]) -> T { values[random.below(values.count)] }

  /// Mostly absurd, now and then small.
  private mutating func size() -> String {
    pick([
      "1", "2", "3", "33", "-1", "0", "65535", "134217728", "1073741823", "1073741824",
      "2147483647", "2147483648", "4294967296", "1099511627776", "4611686018427387904",
      "9223372036854775807", "9223372036854775808", "99999999999999999999999", "1e9", "x",
    ])
  }

  mutating func command() throws -> Command {
    var words =
      switch random.below(6) {
      case 0: kernel()
      case 1: try text()
      case 2: try damaged()
      case 3: try machine()
      case 4: try tensors()
      default: settings()
      }
    var limits = "ulimit -v 500000"
    switch random.below(4) {
    case 0: words += ["--json", pick(["/dev/full", "-", folder("out.json")])]
    case 1 where words.first == "run": words += ["--dump", pick(["/dev/full", folder("out.st")])]
    case 2 where words.first == "run":
      words += ["--dump", folder("out.safetensors")]
    default: break
    }
    if random.below(3) == 0 { limits += "; ulimit -f \(pick([0, 1, 4, 64]))" }
    return Command(words: words, limits: limits)
  }

  // MARK: Command lines

  private mutating func kernel() -> [String] {
    let (name, flags) = pick([
      ("softmax_v", ["kv", "heads", "q", "head-dim", "batch"]), ("softmax", ["rows", "cols"]),
      ("gemm", ["m", "n", "k"]), ("gevm", ["k", "n"]), ("dot_product", ["n"]),
      ("flash_attention", ["q", "kv", "heads", "head-dim", "batch", "window", "splits"]),
      ("compress_epilog", ["tokens", "dim", "slots"]), ("rope", ["positions", "head-dim"]),
      ("rms_norm", ["rows", "cols"]), ("swiglu", ["tokens", "hidden", "ffn"]),
      ("linear", ["tokens", "in", "out"]),
      ("embedding", ["tokens", "vocab", "hidden"]), ("residual_add", ["rows", "cols"]),
      ("cache_store", ["slots", "rows", "cols"]),
      ("argmax", ["rows", "cols"]),
    ])
    var words = [pick(["run", "run", "check", "disasm"]), name]
    let absurd = random.below(flags.count)
    for (index, flag) in flags.enumerated() {
      words += ["--\(flag)", index == absurd ? size() : pick(["1", "2", "32"])]
    }
    if words[0] != "disasm" {
      words += ["--config", pick(["edge", "tiny", "ideal", "ascend-910b-like"])]
    }
    return words
  }

  private mutating func settings() -> [String] {
    let path = pick([
      "cores", "vector.lanes", "matrix.m0", "matrix.k0", "queues.depth", "events.per_pair",
      "memories.ub.bytes", "memories.ub.alignment", "memories.hbm.bytes", "hbm.burst",
      "vector.add.slope", "nothing",
    ])
    var words = [pick(["run", "check"]), "softmax", "--rows", "2", "--cols", "32"]
    words += ["--set", "\(path)=\(pick([size(), "unlimited", "null", "", "{}"]))"]
    words += pick([
      [], ["--seed", size()], ["--schedule", "stages=\(size())"], ["--jitter", size()],
      ["--max-memory", size()], ["--max-memory", "4GB"],
      [String(repeating: "-", count: 100_000)], ["--\(String(repeating: "a", count: 100_000))"],
    ])
    return words
  }

  // MARK: Texts

  private mutating func text() throws -> [String] {
    let n = size()
    let m = pick(["1", "16", size()])
    let text = pick([
      ".input a bf16 [\(n), \(m)]\n.buf b ub bf16 [1, 16]\nvector.fill b {value=0}\n",
      ".tap x f32 [\(n), \(m)]\n.buf b ub f32 [1, 16]\nvector.fill b {value=0}\n"
        + "tap x[0 +: 1, 0 +: 16] <- b\n",
      ".buf b ub bf16 [\(n), \(m)] {slots=\(pick(["1", size()]))}\nvector.fill b {value=0}\n",
      ".buf b l1 mxint8 [16, 64] {at=\(n)}\n.input x mxint8 [16, 64]\nload.l1 b <- x\n",
      ".index x i32 [\(n)]\n.input t bf16 [8, 16]\n.buf b ub bf16 [1, 16]\n"
        + "load.ub_gather b <- t[x @ 0 +: 1, :]\n",
      ".buf b ub bf16 [1, 16]\n.loop i 0..<\(n): .loop j 0..<\(m): vector.fill b {value=0}\n",
      ".buf b ub bf16 [1, 16]\n.loop i 0..<\(n)\n.scope s[i]\n.end\n.end\n",
      ".buf b ub bf16 [1, 16]\nvector.fill b {value=0} set "
        + (0..<3_000).map { "store:\($0)" }.joined(separator: ", ") + "\n",
      (0..<5_000).map { ".buf b\($0) ub bf16 [1, \(m)]\n" }.joined(),
      String(repeating: ".loop i 0..<1\n", count: 20_000),
      ".param a = \(String(repeating: "(", count: 50_000))1\n",
      ".param a = \(n)\n.tensor t bf16 [a, a, a, a]\n",
      ".if 0 > 1 / \(m) % \(n): .buf a ub bf16 [1, 1]\n",
    ])
    let path = try folder.write(text, "hostile.npu")
    return [pick(["run", "check", "asm"]), path, "--config", pick(["edge", "ideal", "tiny"])]
  }

  /// A valid text with bytes changed, repeated or cut.
  private mutating func damaged() throws -> [String] {
    var bytes = Array(
      """
      .param n = 4
      .input x bf16 [64, 256]
      .output y bf16 [64, 256]
      .buf a ub bf16 [16, 256] {slots=2}
      .loop i 0..<n
        load.ub a[i % 2] <- x[i * 16 +: 16, :] wait store:i % 2 if i > 1 set vector:i % 2
        vector.exp a[i % 2] <- a[i % 2] wait load:i % 2 set store:i % 2
        store.hbm y[i * 16 +: 16, :] <- a[i % 2] wait vector:i % 2 set load:i % 2 if i + 2 < n
      .end

      """.utf8)
    for _ in 0..<1 + random.below(6) {
      let at = random.below(bytes.count)
      switch random.below(3) {
      case 0: bytes[at] = UInt8(random.below(256))
      case 1: bytes.insert(contentsOf: pick([size(), "99", ".end\n", "\0"]).utf8, at: at)
      default: bytes.removeSubrange(at..<min(bytes.count, at + 1 + random.below(8)))
      }
    }
    return [pick(["run", "check", "asm", "fmt"]), try folder.write(bytes, "damaged.npu")]
  }

  // MARK: Files

  private mutating func machine() throws -> [String] {
    let text = pick([
      String(repeating: "[", count: 100_000), String(repeating: "{\"a\":", count: 100_000),
      "[" + String(repeating: "0,", count: 1_000_000) + "0]",
      "{\"name\": \"\(String(repeating: "x", count: 4_000_000))\"}",
      "{\"base\": \"edge\", \"cores\": \(size())}", "{\"cores\": 1e999999}", "\u{0}", "",
      "{\"a\": 1" + String(repeating: "0", count: 1_000_000) + "}",
    ])
    return [
      pick(["run", "check"]), "softmax", "--rows", "1", "--cols", "32", "--config",
      try folder.write(text, "machine.json"),
    ]
  }

  private mutating func tensors() throws -> [String] {
    var header =
      pick([
        "{\"x\":{\"dtype\":\"BF16\",\"shape\":[\(size()),\(size())],\"data_offsets\":[0,128]}}",
        "{\"x\":{\"dtype\":\"BF16\",\"shape\":[2,32],\"data_offsets\":[0,\(size())]}}",
        "{\"x\":{\"dtype\":\"BF16\",\"shape\":[2,32],\"data_offsets\":[0,128]}}",
        "{" + String(repeating: "\"x\":[", count: 50_000),
      ])
    while header.utf8.count % 8 != 0 { header += " " }
    let count = pick([
      UInt64(header.utf8.count), UInt64(header.utf8.count), 0, 99_999_999, 1 << 40, .max,
    ])
    let prefix = (0..<8).map { UInt8(truncatingIfNeeded: count >> UInt64(8 * $0)) }
    let bytes = prefix + Array(header.utf8) + [UInt8](repeating: 0x3F, count: 128)
    let path = try folder.write(
      Array(bytes.prefix(pick([bytes.count, 7, random.below(bytes.count)]))), "x.safetensors")
    if random.below(3) == 0 {
      // Sparse: it takes no room on the disk.
      try FileHandle(forWritingTo: URL(fileURLWithPath: path)).truncate(atOffset: 5 << 30)
    }
    return [
      "run", "softmax", "--rows", "2", "--cols", "32", pick(["--inputs", "--expect"]), path,
    ]
  }
}

import NPUKernels
import NPUSim
import Testing

/// residual_add, rms_norm, argmax, embedding and cache_store: the kernels that stream rows through `ub`.
@Suite struct RowKernelTests {
  static let hands = 4
  static let seed: UInt64 = 2_026_11

  /// 1, ragged, prime, around lanes and tiles, longer than `ub`, more rows than a tile holds.
  static let shapes: [(rows: Int, columns: Int)] = [
    (1, 1), (1, 31), (2, 32), (3, 33), (5, 64), (7, 97), (16, 128), (17, 127), (31, 129),
    (33, 256), (64, 65), (100, 16), (1, 1000), (2, 4096), (4, 5000), (130, 40), (3, 11008),
    (1, 20000), (9, 513), (40, 300), (257, 8), (25, 96), (1, 70000),
  ]

  static let schedules: [String?] = [
    nil, "stages=1", "tile.rows=1", "tile.rows=3,stages=2", "tile.columns=64,tile.rows=2",
    "tile.columns=128,stages=2", "tile.columns=192,tile.rows=1,stages=4",
  ]

  static let cases: [KernelCase] = shapes.flatMap { shape in
    let flags = ["rows": "\(shape.rows)", "cols": "\(shape.columns)"]
    let form = shape.columns % 2 == 0 ? "torch" : "llama"
    return [
      KernelCase("residual_add", flags),
      KernelCase("rms_norm", flags.merging(["form": form]) { $1 }),
      KernelCase("argmax", flags),
      KernelCase("cache_store", flags.merging(["slots": "\(1 + shape.rows % 3)"]) { $1 }),
      KernelCase("cache_store", flags.merging(["along": "rows"]) { $1 }),
      KernelCase("cache_store", flags.merging(["format": "bf16"]) { $1 }),
      KernelCase(
        "embedding",
        ["tokens": "\(shape.rows)", "hidden": "\(shape.columns)", "vocab": "\(shape.rows + 9)"]),
    ]
  }

  @Test(arguments: 0..<hands)
  func `every schedule on every machine is clean, exact and inside its bounds`(hand: Int) throws {
    let faults = KernelCase.faults(
      Self.cases, machines: try KernelCase.machines(), schedules: Self.schedules,
      seed: Self.seed, hand: hand, of: Self.hands)
    #expect(faults.isEmpty, "\(faults.prefix(5))")
  }

  @Test(arguments: [
    ("residual_add", "edge", "rows=9 cols=200", "tile.rows=2,tile.columns=64"),
    ("residual_add", "ascend-910b-like", "rows=9 cols=200", "tile.rows=2,tile.columns=64"),
    ("rms_norm", "edge", "rows=9 cols=200", "tile.rows=2"),
    ("rms_norm", "edge", "rows=9 cols=200", "tile.rows=2,tile.columns=64,stages=2"),
    ("rms_norm", "ascend-910b-like", "rows=7 cols=200", "tile.rows=2,tile.columns=64"),
    ("rms_norm", "ascend-910b-like", "rows=7 cols=200", "tile.rows=2"),
    ("argmax", "edge", "rows=30 cols=200", "tile.rows=2,tile.columns=64"),
    ("argmax", "ascend-910b-like", "rows=30 cols=200", "tile.rows=2,tile.columns=64"),
    ("embedding", "edge", "tokens=20 vocab=9 hidden=64", "tile.rows=3"),
    ("cache_store", "edge", "slots=5 rows=40 cols=96", "tile.rows=4"),
    ("cache_store", "edge", "slots=3 rows=41 cols=96 along=rows", "tile.rows=32"),
    ("cache_store", "ascend-910b-like", "slots=9 rows=41 cols=96 along=rows", "tile.rows=32"),
  ])
  func `a program without one of its events or barriers is not clean`(
    kernel: String, name: String, flags: String, schedule: String
  ) throws {
    var machine = try Presets.named(name).configuration
    machine.cores = 1
    let one = KernelCase(kernel, KernelCase.flags(flags))
    let program = try one.make(on: machine, schedule: schedule).program()
    EventMutation.expectNeeded(program, atLeast: 5, seed: Self.seed, "\(one) on \(name)")
  }

  @Test(arguments: [
    ("residual_add", "rows=4 cols=64", "tile.row=2", "did you mean tile.rows"),
    ("residual_add", "rows=64 cols=4096", "tile.rows=64", "ub holds"),
    (
      "cache_store", "rows=64 cols=96 along=rows", "tile.rows=33",
      "tile.rows needs a multiple of 32"
    ),
    ("cache_store", "rows=4 cols=96", "tile.columns=33", "tile.columns needs a multiple of 32"),
    ("cache_store", "rows=4 cols=96 along=rows format=bf16", nil, "it needs --format mxint8"),
    ("residual_add", "rows=1073741825 cols=1", nil, "--rows needs at most"),
    ("residual_add", "rows=1000000000 cols=1000000000", nil, "the HBM of edge holds"),
    ("residual_add", "rows=4 cols=64", "stages=1073741825", "stages needs a whole number"),
    ("rms_norm", "rows=4 cols=640", "tile.columns=48", "tile.columns needs a multiple of 32"),
    ("rms_norm", "eps=-1", nil, "--eps needs a number from 0"),
    ("rms_norm", "eps=1e300", nil, "--eps needs a number from 0"),
    ("rms_norm", "form=meta", nil, "--form needs one of torch, llama"),
    ("argmax", "rows=0", nil, "--rows needs at least 1"),
    ("argmax", "model=llama-2-7c", nil, "did you mean llama-2-7b"),
    ("embedding", "model=mistral", nil, "--model needs one of"),
  ])
  func `what cannot be is refused with what is needed`(
    kernel: String, flags: String, schedule: String?, reason: String
  ) {
    let refusal = KernelCase(kernel, KernelCase.flags(flags)).refusal(schedule: schedule)
    #expect(refusal?.contains(reason) == true, "\(kernel) \(flags): \(refusal ?? "accepted")")
  }

  /// Rows of small whole numbers: with many ties, with none, with NaN.
  @Test func `argmax says how many rows tie, only when there are any`() throws {
    let machine = try Presets.named("edge").configuration
    func report(_ rows: [[Float]]) throws -> RunReport {
      var inputs = TensorSet()
      try inputs.insert(
        Tensor(
          dtype: .bf16, shape: [rows.count, rows[0].count],
          storage: rows.joined().flatMap { value -> [UInt8] in
            let bits = UInt16(truncatingIfNeeded: value.bitPattern >> 16)
            return [UInt8(truncatingIfNeeded: bits), UInt8(truncatingIfNeeded: bits >> 8)]
          }), named: "x")
      let flags = ["rows": "\(rows.count)", "cols": "\(rows[0].count)"]
      return try KernelCase("argmax", flags).run(on: machine, inputs: inputs).report
    }
    let tied = try report([
      [1, 3, 3, 0], [3, 2, 1, 0], [-0.0, 0, -1, -1], [.infinity, 1, .infinity, 0],
      [.nan, .nan, 1, 1], [5, 5, 5, 5],
    ])
    #expect(tied.numerics?.tiedRows == 4)
    #expect(tied.numerics?.isBitExact == true)
    #expect(tied.text().contains("ties       4 verified rows have several largest elements"))
    #expect(tied.json()["numerics"]?["tied_rows"] != nil)
    let plain = try report([[1, 3, 2, 0], [.nan, .nan, 1, 1]])
    #expect(plain.numerics?.tiedRows == nil)
    #expect(!plain.text().contains("ties"))
    #expect(plain.json()["numerics"]?["tied_rows"] == nil)
  }

  @Test func `the forms of rms_norm differ by the rounding before the weight`() throws {
    let machine = try Presets.named("edge").configuration
    let dumps = try ["torch", "llama"].map {
      try KernelCase("rms_norm", ["rows": "4", "cols": "1000", "form": $0]).run(on: machine).dump()
    }
    #expect(dumps[0]["inv"] == dumps[1]["inv"])
    let words = try dumps.map { try #require($0["out"]).floats() }
    let differing = zip(words[0], words[1]).count { $0 != $1 }
    #expect(differing > 400 && differing < 2000, "\(differing) of 4000")
    // One step of BF16 at most.
    #expect(zip(words[0], words[1]).allSatisfy { ($0 - $1).magnitude <= $0.magnitude / 64 })
  }

  @Test func `a row that no tile of tiny holds is cut into columns`() throws {
    let machine = try Presets.named("tiny").configuration
    for kernel in ["residual_add", "rms_norm", "argmax"] {
      let run = try KernelCase(kernel, ["rows": "2", "cols": "3000"]).run(on: machine)
      #expect(KernelRun.faults(run.report).isEmpty, "\(kernel)")
    }
  }

  @Test(arguments: [Int32(-1), 7, .max])
  func `an id outside the vocabulary is refused with its token`(id: Int32) throws {
    let words: [Int32] = [0, 6, id, 3]
    var set = TensorSet()
    try set.insert(
      Tensor(
        dtype: .i32, shape: [4],
        storage: words.flatMap { word in
          (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) }
        }), named: "ids")
    let one = KernelCase("embedding", ["tokens": "4", "vocab": "7", "hidden": "16"])
    let refusal = one.refusal(inputs: set)
    #expect(refusal?.contains("token 2 has id \(id), needed 0 to 6") == true, "\(refusal ?? "")")
  }

  @Test func `a model fills in shapes, and a flag that is given wins`() throws {
    let machine = try Presets.named("edge").configuration
    func shape(_ kernel: String, _ flags: String) throws -> [String: String] {
      let made = try KernelCase(kernel, KernelCase.flags(flags)).make(on: machine).shape
      return Dictionary(uniqueKeysWithValues: made.map { ($0.name, $0.value) })
    }
    #expect(try shape("rms_norm", "model=tinyllama-1.1b")["cols"] == "2048")
    #expect(try shape("residual_add", "model=llama-3.2-1b rows=7")["cols"] == "2048")
    #expect(try shape("argmax", "model=llama-3-8b")["cols"] == "128256")
    #expect(try shape("embedding", "model=llama-3-8b hidden=8")["vocab"] == "128256")
    #expect(try shape("embedding", "model=llama-3-8b hidden=8")["hidden"] == "8")
    let rope = try shape("rope", "model=llama-3.2-1b theta=10000")
    #expect(rope["theta"] == "10000.0" && rope["heads"] == "40" && rope["head-dim"] == "64")
    #expect(rope["scaling"] == "llama3 by 32.0" && rope["positions"] == "131072")
    #expect(try shape("rope", "model=llama-3.2-1b scaling=none")["scaling"] == "none")
    #expect(try shape("swiglu", "model=llama-3-8b tokens=2")["ffn"] == "14336")
    #expect(try shape("softmax_v", "model=llama-3-8b")["kv-heads"] == "8")
    #expect(try shape("softmax_v", "model=llama-3-8b heads=6")["kv-heads"] == "6")
    #expect(try shape("softmax_v", "model=tinyllama-1.1b")["head-dim"] == "64")
  }
}

extension KernelCase {
  /// Flags written as `name=value` with spaces between.
  static func flags(_ text: String) -> [String: String] {
    var flags: [String: String] = [:]
    for pair in text.split(separator: " ") {
      let parts = pair.split(separator: "=")
      flags[String(parts[0])] = String(parts.last ?? "")
    }
    return flags
  }
}

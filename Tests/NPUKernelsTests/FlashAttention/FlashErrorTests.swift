import NPUKernels
import NPUSim
import Testing

/// What flash_attention refuses, and the words of the refusal.
@Suite struct FlashErrorTests {
  private func message(
    _ one: FlashCase, on name: String = "edge", schedule: String? = nil
  ) -> String {
    do throws(NPUError) {
      _ = try one.kernel(on: one.machine(name), schedule: schedule).program()
      return "accepted"
    } catch {
      return "\(error.message); \(error.hint ?? "")"
    }
  }

  @Test func `shapes that make no sense are refused with what is needed`() {
    var one = FlashCase(1, 100, heads: 6, kvHeads: 4)
    #expect(message(one).contains("--kv-heads 4 does not divide --heads 6"))
    one = FlashCase(1, 100)
    one.page = 20
    one.format = "mxint8"
    #expect(message(one).contains("--page 20 with --kv-format mxint8, needed a multiple of 32"))
    one = FlashCase(1, 100)
    one.splits = 2
    #expect(message(one).contains("--splits 2 is more than the 1 kv tiles of 128 keys"))
    one = FlashCase(1, 100)
    one.rung = "composed"
    #expect(message(one).contains("needed e4m3fn or e5m2"))
  }

  @Test(arguments: [
    (["pages": "9"], "--pages has no effect here: it needs --page"),
    (["page": "32", "pages": "3"], "--pages 3 is less than the 4 pages that the sequences take"),
    (["page": "32", "pages": "0"], "--pages needs at least 1"),
    (["page": "32", "pages": "1073741824"], "bytes, but the HBM of edge holds"),
    (["page": "32", "pages": "9223372036854775807"], "--pages needs at most"),
  ])
  func `a pool that cannot be is refused with what is needed`(
    pool: [String: String], reason: String
  ) throws {
    let machine = try Presets.named("edge").configuration
    let flags = ["q": "1", "kv": "100"].merging(pool) { $1 }
    let error = KernelRun.error { () throws(NPUError) in
      try KernelRun.kernel(FlashAttention.name, flags, on: machine)
    }
    #expect(
      error?.category == .usage && error?.message.contains(reason) == true,
      "\(error?.message ?? "")")
  }

  @Test(arguments: ["scalar", "unfused", "online", "pipelined"])
  func `a prefill rung says what it does not take`(rung: String) {
    var one = FlashCase(1, 400, d: rung == "scalar" ? 1 : 64)
    one.rung = rung
    one.splits = 2
    #expect(message(one).contains("--rung \(rung) does not take --splits 2"))
    one.splits = 1
    one.page = 64
    #expect(message(one).contains("--rung \(rung) does not take --page 64"))
    one.page = nil
    one.format = "e5m2"
    let found = message(one)
    guard rung == "scalar" else { return #expect(found == "accepted") }
    #expect(found.contains("--rung scalar") && found.contains("--kv-format e5m2"), "\(found)")
  }

  @Test func `sizes beyond the machine are refused without a trap`() {
    for (queries, kv, heads, d) in [
      (Int.max, 1, 1, 1), (1, Int.max, 1, 1), (1 << 30, 1 << 30, 1 << 30, 1 << 30),
      (1, 1 << 31, 1, 1), (1 << 30, 1 << 30, 2, 1), (1, 1, 1 << 31, 1),
    ] {
      for name in ["edge", "ideal"] {
        #expect(message(FlashCase(queries, kv, heads: heads, d: d), on: name) != "accepted")
      }
    }
    var one = FlashCase(1, 100)
    one.page = Int.max
    #expect(message(one).contains("--page needs at most"))
    one.page = 1 << 30
    #expect(message(one).contains("bytes, but the HBM of edge holds"))
    one.page = nil
    one.window = Int.max
    #expect(message(one).contains("--window needs at most"))
    one = FlashCase(1, 1, d: 1 << 20)
    #expect(message(one, on: "edge").contains("does not fit edge"))
  }

  @Test(arguments: [
    ("tile.kv=48", "tile.kv needs a multiple of 32 from 32 to 1073741824, found '48'"),
    ("tile.staged=40", "tile.staged needs a multiple of 32"),
    ("tile.kv=4096", "l1 holds 524288 bytes"), ("tile.heads=0", "needs a whole number from 1"),
    ("tile.x=4", "the schedule has no field 'tile.x'"),
    ("tile.q=2147483648", "tile.q needs a whole number"),
  ])
  func `a schedule that cannot be is refused with what is needed`(text: String, reason: String) {
    var one = FlashCase(1, 4096, heads: 4)
    one.rung = "decode"
    let found = message(one, schedule: text)
    #expect(found.contains(reason), "\(text): \(found)")
  }

  @Test func `a block table names pages that exist, each entry by its place`() throws {
    var one = FlashCase(1, 100)
    one.batch = 2
    one.page = 32
    let machine = try one.machine("edge")
    let kernel = try one.kernel(on: machine)
    for (entry, value) in [(5, Int32(8)), (0, -1), (7, .max)] {
      var table = (0..<8).map { Int32($0) }
      table[entry] = value
      do throws(NPUError) {
        _ = try kernel.program(IndexTensors(["block_table": table]))
        Issue.record("\(value) was accepted")
      } catch {
        #expect(error.category == .tensor)
        #expect(
          error.message == "block_table[\(entry / 4), \(entry % 4)] is \(value), needed a page "
            + "from 0 to 7")
      }
    }
    #expect(throws: NPUError.self) { try kernel.program(IndexTensors([:])) }
    // Sequences may share a page.
    let shared = try kernel.program(IndexTensors(["block_table": [0, 1, 2, 3, 0, 1, 2, 7]]))
    #expect(Checker.check(shared).isClean)
  }
}

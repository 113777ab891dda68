import NPUSim
import Testing

/// Records of kernels that were compiled elsewhere: docs/import.md.
@Suite struct RecordTests {
  static func read(
    _ text: String, marksLines: Bool = false
  ) -> TextOutcome<RecordProgram> {
    RecordProgram.read(
      TextSource(file: "k.rec", text: text), machine: TestMachine.small(cores: 2),
      catalogue: .standard, marksLines: marksLines)
  }

  private static func errors(_ line: String) -> [String] {
    let head = "npusim record 1\nhbm x input 0x100 64\nhbm y output 256000 64\nbuffer a ub 0 64 2\n"
    return read(head + line).errors.map { error in
      "\(error.location?.line ?? 0):\(error.location?.column ?? 0) \(error.message)"
    }
  }

  @Test func `the tiles of a micro-op are exactly the bytes of its areas`() throws {
    for seed in 0..<UInt64(TextFixture.isFull ? 3000 : 300) {
      let record = RandomRecords(seed: seed)
      let outcome = Self.read(record.text)
      let program = try outcome.get().program
      #expect(program.defects.isEmpty && program.cores[0].count == record.lines.count)
      for (op, line) in record.lines.enumerated() {
        let made = program.cores[0][op]
        guard let written = line.written else {
          #expect(made.kind != .data, "seed \(seed): \(line.text)")
          let words = line.text.split { " >:@".contains($0) || $0 == "-" }.map(String.init)
          #expect(Self.words(of: made) == Array(words.prefix(Self.words(of: made).count)))
          continue
        }
        let words = line.text.split(separator: " ")
        #expect(program.works[Int(made.work)].streams == words.contains("stream"))
        #expect(made.hasUnitFlag == words.contains("unit"))
        #expect(made.releasesUnit == words.contains("release"))
        for (isWrite, areas) in [(true, written), (false, line.read)] {
          var bytes: Set<RandomRecords.Area> = []
          for k in 0..<Int(made.operandCount)
          where !made.access(k).isEmpty && made.access(k).contains(.write) == isWrite {
            bytes.formUnion(Self.bytes(program.tiles[Int(made.words[k])], program))
          }
          let expected = Set(
            areas.flatMap { area in
              area.bytes.map { RandomRecords.Area(owner: area.owner, bytes: [$0]) }
            })
          #expect(bytes == expected, "seed \(seed): \(line.text)")
        }
      }
    }
  }

  /// A synchronising micro-op as the words of its line, read from its kind and its own fields.
  private static func words(of record: OpRecord) -> [String] {
    func ends(_ event: Event) -> [String] { [event.source.name, event.target.name, "\(event.id)"] }
    switch record.kind {
    case .set, .sequencerSet: return ["set"] + ends(record.event)
    case .wait, .sequencerWait: return ["wait"] + ends(record.event)
    case .coreSet:
      return ["set", "core", "\(record.words[0])"]
    case .coreWait:
      return ["wait", "core", "\(record.words[0])"]
    case .barrierQueue: return ["barrier", record.queue.name]
    case .barrierAll: return ["barrier_all"]
    case .barrierCores: return ["barrier_cores"]
    case .data: return []
    }
  }

  /// The bytes of a tile one by one: of a tensor from its start on, otherwise of its memory.
  private static func bytes(_ tile: TileRef, _ program: Program) -> [RandomRecords.Area] {
    let buffer = program.buffers[Int(tile.buffer)]
    let isTensor = buffer.space == .hbm
    let base = (isTensor ? 0 : buffer.base) + Int(tile.slot) * buffer.slotStride
    return (0..<Int(tile.rows)).flatMap { row in
      (0..<Int(tile.columns)).map { column in
        RandomRecords.Area(
          owner: isTensor ? buffer.name : buffer.space.name,
          bytes: [base + (Int(tile.row) + row) * buffer.pitch + Int(tile.column) + column])
      }
    }
  }

  @Test func `the printed text is the same program, at the same places of the source`() throws {
    for seed in 0..<UInt64(TextFixture.isFull ? 1000 : 100) {
      let record = RandomRecords(seed: seed)
      let made = try Self.read(record.text).get()
      for rolls in [true, false] {
        let text = try made.text(rollsLoops: rolls)
        let parsed = try TextProgram.parse(TextSource(file: "t.npu", bytes: text)).get()
        #expect(parsed.formatted() == text, "seed \(seed)")
        let assembly = try parsed.assemble(
          machine: made.program.machine, catalogue: .standard
        ).get()
        let difference = assembly.program.difference(from: made.program)
        #expect(difference == nil, "seed \(seed): \(difference ?? "")")
        let sites = record.lines.indices.map { Finding.Site(core: 0, op: $0) }
        let places = assembly.places(of: sites)
        for (site, line) in zip(sites, record.lines) where line.line > 0 {
          let place = places[site]?.location
          #expect(place?.line == line.line, "seed \(seed): \(line.text)")
          #expect(place?.file == "k\(line.line % 2).cpp", "seed \(seed): \(line.text)")
        }
      }
    }
  }

  @Test func `micro-ops without a place stand at their lines of the record on request`() throws {
    let text = "npusim record 1\n# a comment\nop vector A cycles 1\nop vector B @ f.cpp:9\n"
    let marked = try Self.read(text, marksLines: true).get()
    #expect(marked.origins.files == ["k.rec", "f.cpp"])
    #expect(marked.origins.places[0].map(\.line) == [3, 9])
    #expect(try Self.read(text).get().origins[0, 0] == .none)
  }

  @Test func `what states no cycles takes those of its way, or of the lanes`() throws {
    let program = try Self.read(
      """
      npusim record 1
      hbm x input 0 64
      op load In write ub:0:64 read x:0:64
      op vector Add write ub:64:32 read ub:0:64
      op vector Nop
      """
    ).get().program
    let cycles = program.cores[0].map { program.works[Int($0.work)].amounts.0 }
    #expect(cycles == [8, 4, 1])
  }

  @Test func `bytes of a memory lie in the buffer that their own core declared`() throws {
    let program = try Self.read(
      """
      npusim record 1
      buffer a ub 0 64
      core 1
      op vector A write ub:0:32 cycles 1
      """
    ).get().program
    let tile = program.tiles[Int(program.cores[1][0].words[0])]
    #expect(program.buffers[Int(tile.buffer)].core == 1)
    #expect(program.buffers[Int(tile.buffer)].name == "ub")
  }

  @Test func `a tensor whose bytes are no whole rows of a pitch has one row`() throws {
    let program = try Self.read(
      "npusim record 1\nhbm x input 0 100\nop load A read x:0:8*2/64 cycles 1\n"
    ).get().program
    #expect(program.buffers[0].columns == 100 && program.cores[0][0].operandCount == 2)
  }

  @Test func `a last row that the memory cuts off is an area of its own`() throws {
    let program = try Self.read(
      "npusim record 1\nop load A write ub:65408:16*2/112 cycles 1\n"
    ).get().program
    #expect(program.cores[0][0].operandCount == 2 && program.defects.isEmpty)
  }

  @Test func `a view has another name than what is declared`() throws {
    let program = try Self.read(
      """
      npusim record 1
      hbm ub_64 input 0 64
      buffer a ub 0 64
      op vector A write ub:256:16*2/64 read ub_64:0:64 cycles 1
      """
    ).get().program
    #expect(Set(program.buffers.map(\.name)).count == program.buffers.count)
  }

  @Test func `cores have buffers of their own, and lines in any order`() throws {
    let program = try Self.read(
      """
      npusim record 1
      core 1
      buffer a ub 0 32
      op vector A write a:0:32 cycles 1
      barrier_cores
      core 0
      buffer a ub 64 32
      op vector A write a:0:32 cycles 1
      barrier_cores
      """
    ).get().program
    #expect(program.cores.map(\.count) == [2, 2])
    #expect(program.buffers.map(\.base) == [64, 0])
  }

  @Test(arguments: [
    ("op vectr A", "5:4 there is no queue 'vectr'"),
    ("op vector", "5:10 found the end of the line, needed a name of its own"),
    ("op", "5:3 found the end of the line, needed a queue"),
    (
      "op vector A wrote ub:0:4",
      "5:13 found 'wrote', needed write, read, cycles, latency, stream, unit or @"
    ),
    ("op vector A unit", "5:17 found the end of the line, needed hold or release"),
    ("op matrix A unit yes", "5:18 found 'yes', needed hold or release"),
    ("op drain A unit hold", "5:17 found 'hold', needed yes"),
    (
      "op vector A read acc:0:4 unit hold",
      "5:1 vector.A: found a unit flag on the vector queue, needed matrix or drain"
    ),
    (
      "op drain A unit yes",
      "5:1 drain.A: found a unit flag with 0 tiles in acc, needed one: the flag is that tile's"
    ),
    (
      "op feed A stream",
      "5:1 feed.A: found stream on the feed queue, needed the vector or the matrix queue"
    ),
    (
      "op matrix A write acc:0:4 read x:0:1 x:1:1 x:2:1 x:3:1 x:4:1 unit hold",
      "5:1 found areas that make more than 5 rectangles, needed at most that many"
    ),
    ("set core", "5:9 found the end of the line, needed the number of a core"),
    ("set core 1", "5:11 found the end of the line, needed an event, such as load->vector:0"),
    ("set core x load->load:0", "5:10 found 'x', needed the number of a core: a whole number"),
    ("wait core 4096 load->load:0", "5:6 found core 4096, needed less than 4096"),
    (
      "wait core 1 load->scalar:0",
      "5:13 found the sequencer in an event between cores, needed a queue of each"
    ),
    (
      "op vector A read x:0:4 write a:0:4",
      "5:24 found 'write' again or behind read, needed write and then read"
    ),
    ("op vector A cycles 0", "5:20 found 0, needed cycles of 1 or more and less than 2^40"),
    ("op vector A cycles -1", "5:20 found '-1', needed cycles: a whole number"),
    (
      "op vector A cycles 99999999999999999999",
      "5:20 found 99999999999999999999, needed cycles of 1 or more and less than 2^40"
    ),
    ("op vector A cycles 1 cycles 1", "5:22 cycles is given twice"),
    ("op vector A write up:0:4", "5:19 there is no memory, tensor or buffer 'up'"),
    (
      "op vector A write ub:0",
      "5:19 found 'ub:0', needed an area, such as ub:0:2048 or ub:0:256*8/512"
    ),
    ("op vector A write ub:0:0", "5:24 found 0, needed a length of 1 or more and less than 2^40"),
    (
      "op vector A write ub:0:4*2",
      "5:19 found 'ub:0:4*2', needed an area, such as ub:0:2048 or ub:0:256*8/512"
    ),
    (
      "op vector A write ub:0:64*2/32",
      "5:19 found rows of 64 bytes 32 bytes apart, needed a pitch of at least a row"
    ),
    (
      "op vector A write ub:0:1*1000000000000/1000000000000",
      "5:19 found 1000000000000 rows 1000000000000 bytes apart, needed less than 2^40 bytes"
    ),
    (
      "op vector A write ub:65520:32",
      "5:19 found bytes 65520 to 65551 of ub, which has 65536 on small"
    ),
    (
      "op vector A write ub:8:8",
      "5:19 found byte 8 in ub, needed a multiple of its alignment of 16 on small"
    ),
    ("op vector A read x:0:65", "5:18 found an area up to byte 65, needed one within its 64 bytes"),
    (
      "op vector A read hbm:0:4", "5:18 found bytes 0 to 3 of hbm, which lie in no tensor"
    ),
    (
      "op vector A read x:0:1 x:0:1 x:0:1 x:0:1 x:0:1 x:0:1 x:0:1",
      "5:54 found more than 6 areas, needed at most that many"
    ),
    (
      "op vector A read x:0:4*8/8 x:0:4*8/8\nop vector B read x:0:2*8/4",
      "6:1 found areas that make more than 6 rectangles, needed at most that many"
    ),
    ("set load", "5:5 found 'load', needed an event, such as load->vector:0"),
    ("set load->load:0", "5:5 found an event of load with itself, needed two queues"),
    ("set load->vector:65536", "5:18 found event ID 65536, needed 0 to 65535"),
    ("wait load->vector:x", "5:19 found 'x', needed the ID of the event: a whole number"),
    ("barrier", "5:8 found the end of the line, needed a queue"),
    ("barrier_all now", "5:13 found 'now', needed '@ FILE:LINE' or the end of the line"),
    ("barrier_all @ f.cpp", "5:15 found 'f.cpp', needed a place in the source"),
    (
      "barrier_all @ f.cpp:0",
      "5:21 found 0, needed a line of the source of 1 or more and less than 2^40"
    ),
    ("barrier_all @ f.cpp:4294967296", "5:21 found line 4294967296, needed one below 2^31"),
    ("core 2\nbarrier_all", "6:1 found core 2, the machine has 2"),
    ("core 4096", "5:1 found core 4096, needed less than 4096"),
    (
      "bore 1",
      "5:1 found 'bore', needed one of op, set, wait, barrier, barrier_all, barrier_cores, core, hbm, "
        + "buffer"
    ),
    ("hbm z output 280 64", "5:5 found z on bytes of x, needed tensors apart"),
    ("hbm x output 9000 64", "5:5 'x' is already declared"),
    ("hbm z out 9000 64", "5:7 found 'out', needed input, output, update or scratch"),
    ("hbm z output 9000", "5:18 found the end of the line, needed a number of bytes"),
    ("hbm z output 9000 64 1", "5:22 found '1', needed the end of the line"),
    ("buffer z hbm 0 64", "5:10 there is no memory 'hbm' on chip"),
    (
      "buffer ub ub 0 64", "5:8 found 'ub' as a name, needed one that is no memory and has no colon"
    ),
    (
      "buffer z ub 0 1048576 1048576",
      "5:8 found 1048576 slots of 1048576 bytes, needed less than 2^40 in all"
    ),
    (
      "buffer z ub 8 64",
      "5:1 found byte 8 in ub, needed a multiple of its alignment of 16 on small"
    ),
    ("op vector \u{1}A", "5:11 found a control character, needed a name of its own"),
    ("op vector A\u{0}", "5:11 found a control character, needed a name of its own"),
  ])
  func `what is wrong is said at its place`(line: String, error: String) {
    #expect(Self.errors(line) == [error])
  }

  @Test(arguments: ["", "npusim record 2\n", "npusim record 1x", "\n\n", "op vector A"])
  func `another first line is refused`(text: String) {
    let error = Self.read(text).errors.first
    #expect(error?.location?.line == 1 && error?.category == .parse)
    #expect(error?.message.hasSuffix("needed 'npusim record 1' as the first line") == true)
  }

  @Test func `a damaged record ends in a program or in places, and does not trap`() throws {
    let words = [
      "op ", "set ", "wait ", "core ", "hbm ", "buffer ", " write ", " read ", "*", "/", ":", "@ ",
      "18446744073709551616", "0x", "-1", "ub:0:16*65536/4096", "1099511627775", "\u{0}", "#",
      "\n", "acc:0:1", "barrier_cores\n",
    ]
    let mutator = Mutator(words: words)
    Fuzzing.run("records", full: 5000) { seed, random in
      let bytes = mutator.mutate(Array(RandomRecords(seed: seed).text.utf8), using: &random)
      let outcome = RecordProgram.read(
        TextSource(file: "k.rec", bytes: bytes), machine: TestMachine.small(), catalogue: .standard)
      #expect((outcome.value == nil) == !outcome.errors.isEmpty, "seed \(seed)")
      for error in outcome.errors { #expect(error.location != nil, "seed \(seed)") }
      if let record = outcome.value, record.program.opCount < 200 {
        _ = try? record.text(rollsLoops: true)
        _ = Checker.check(record.program)
      }
    }
  }

  @Test(arguments: [
    ("hbm z output 0 3000000000", "2:1 found 3000000000 bytes of z in rows of 3000000000, needed"),
    (
      "hbm z output 0 0x200000000\nop load A read z:0:1*2/2",
      "2:1 found 8589934592 bytes of z in rows of 2, needed"
    ),
    (
      "op load A write ub:2147483632:32", "2:17 found bytes 2147483632 to 2147483663 of ub, needed"
    ),
    (
      "buffer a ub 2147483632 32\nop load A",
      "2:1 found bytes 2147483632 to 2147483663 of ub, needed"
    ),
  ])
  func `what no tile can name is refused on a machine without limits`(lines: String, error: String)
  {
    var machine = TestMachine.small()
    for index in machine.memories.indices { machine.memories[index].bytes = nil }
    let outcome = RecordProgram.read(
      TextSource(file: "k.rec", text: "npusim record 1\n" + lines), machine: machine,
      catalogue: .standard)
    let found = outcome.errors.map { error in
      "\(error.location?.line ?? 0):\(error.location?.column ?? 0) \(error.message)"
    }
    #expect(found.count == 1 && found[0].hasPrefix(error), "\(found)")
  }

  @Test func `a memory that is too small is said at what fills it`() {
    let text = "npusim record 1\nhbm x input 0 64\nhbm y output 64 16777216\n"
    let errors = Self.read(text).errors
    #expect(errors.map(\.location?.line) == [3])
    #expect(errors.first?.message.hasPrefix("hbm holds 16777216 bytes") == true)
  }

  @Test(arguments: ["", "core 1\n", "hbm x input 0 64\nbuffer a ub 0 64\n"])
  func `a record without a micro-op is refused at its end`(lines: String) {
    let text = "npusim record 1\n" + lines
    let errors = Self.read(text).errors
    #expect(errors.map(\.message) == ["found the end of the record, needed a micro-op"])
    #expect(errors.first?.location?.line == 1 + text.count { $0 == "\n" })
  }

  @Test func `a core without micro-ops is none`() throws {
    let text = "npusim record 1\ncore 1\nbuffer a ub 0 64\ncore 0\nop load A\ncore 1\n"
    #expect(try Self.read(text).get().program.cores.map(\.count) == [1])
  }

  @Test func `many sets on one event are a finding, not an error`() throws {
    let sets = String(repeating: "set load->vector:0\n", count: 2000)
    let program = try Self.read("npusim record 1\n" + sets).get().program
    #expect(!Checker.check(program).isClean)
  }

  // MARK: Places in texts

  @Test func `findings stand, fold and speak by the places of the source`() throws {
    let assembly = try TextFixture.assembly(
      """
      .input x i8 [4, 64]
      .buf a ub i8 [1, 64] {slots=4}
      op load In a[0] <- x[0 +: 1, :] {cycles=1} @ add.cpp:31
      op load In a[1] <- x[1 +: 1, :] {cycles=1} @ add.cpp:31
      op vector Use a[3] <- a[0] {cycles=1} @ add.cpp:40
      op vector Use a[3] <- a[1] {cycles=1} @ add.cpp:40
      """)
    let races = Self.races(assembly)
    #expect(races.map(\.folded) == [1])
    #expect(races.first?.message.hasPrefix("vector.Use of line 40 may read a[0]") == true)
  }

  @Test func `a place in another file than the first is named with its file`() throws {
    let assembly = try TextFixture.assembly(
      """
      .input x i8 [4, 64]
      .buf a ub i8 [1, 64] {slots=4}
      op feed Nop {cycles=1} @ add.cpp:3
      load.ub a[2] <- x[2 +: 1, :] @ "my lib.h":31
      op vector Use a[3] <- a[2] {cycles=1} wait store:0 if 1 < 0 @ add.cpp:50
      """)
    #expect(assembly.mainFile == "add.cpp")
    let race = try #require(Self.races(assembly).first)
    #expect(race.message.hasPrefix("vector.Use of line 50 may read a[2]"))
    #expect(race.message.contains("load.ub of line my lib.h:31 has written it"))
  }

  private static func races(_ assembly: TextAssembly) -> [Finding] {
    let main = assembly.mainFile
    let lines = SourceLines { sites in
      assembly.places(of: sites).mapValues { place in
        let file = place.location.file
        return SourceLine(place.location.line, of: file == main ? nil : file)
      }
    }
    return Checker.check(assembly.program, lines: lines).findings.filter { $0.code == .H001 }
  }

  @Test(arguments: [
    ("barrier_all @", "1:14 found the end of the file, needed the name of a file"),
    ("barrier vector @", "1:17 found the end of the file, needed the name of a file"),
    ("barrier vector @ f.cpp", "1:23 found the end of the file, needed ':' and a line"),
    ("barrier vector @ f.cpp:0", "1:24 found '0', needed a line from 1 on"),
    ("barrier vector @ f.cpp:1 2", "1:26 found '2', needed the end of the line"),
  ])
  func `a place of a text names a file and a line`(text: String, error: String) {
    #expect(TextFixture.errors(text) == [error])
  }
}

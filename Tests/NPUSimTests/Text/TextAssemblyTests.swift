import NPUSim
import Testing

/// What a text means: the micro-ops that it makes.
@Suite struct TextAssemblyTests {
  private let head = TextFixture.head

  @Test func `a micro-op writes what stands before the arrow and reads what stands after it`()
    throws
  {
    let program = try TextFixture.program(
      head + """
        vector.add a[1][0 +: 2, :] <- b[0][2 +: 2, :], a[0][0 +: 2, :]
        vector.mul_scalar a[0] <- b[0] {b=-0.5}
        vector.fill b {value=inf}
        vector.row_max a[0][:, 0 +: 1] <- b[1] {start=yes}
        """)
    #expect(
      TextFixture.lines(program)
        == [
          "vector.add a[1][0 +: 2, 0 +: 64], b[0][2 +: 2, 0 +: 64], a[0][0 +: 2, 0 +: 64] (vector queue)",
          "vector.mul_scalar a[0][0 +: 4, 0 +: 64], b[0][0 +: 4, 0 +: 64], b=-0.5 (vector queue)",
          "vector.fill b[0][0 +: 4, 0 +: 64], value=inf (vector queue)",
          "vector.row_max a[0][0 +: 4, 0 +: 1], b[1][0 +: 4, 0 +: 64], start=yes (vector queue)",
        ].map { $0.replacingOccurrences(of: " queue)", with: ")") })
    #expect(program.defects == [])
  }

  @Test func `a program from text is the program from Swift`() throws {
    let machine = TestMachine.small()
    var p = ProgramBuilder(machine: machine, catalogue: .standard)
    let x = try p.tensor("x", .bf16, rows: 16, columns: 64, role: .input)
    let y = try p.tensor("y", .bf16, rows: 16, columns: 64, role: .output)
    let a = try p.buffer("a", in: UB.self, .bf16, slots: 2, rows: 4, columns: 64)
    let b = try p.buffer("b", in: UB.self, .bf16, slots: 2, rows: 4, columns: 64)
    p.pushScope("tile", iteration: 3)
    p.emit(LoadUB(a.tile(slot: 1), from: x.tile(row: 8, rows: 4)))
    p.emit(SetEvent(Event(from: .load, to: .vector, id: 2)))
    p.emit(WaitEvent(Event(from: .load, to: .vector, id: 2)))
    p.popScope()
    p.emit(Special<ExpRule>(b.tile(slot: 1), a.tile(slot: 1)))
    p.emit(QueueBarrier(.vector))
    p.emit(CoreBarrier())
    p.emit(StoreHBM(y.tile(row: 8, rows: 4), from: b.tile(slot: 1)))
    let text = try TextFixture.program(
      head + """
        .scope tile[3]
          load.ub a[1] <- x[8 +: 4, :]
          set load->vector:2
          wait load->vector:2
        .end
        vector.exp b[1] <- a[1]
        barrier vector
        barrier_all
        store.hbm y[8 +: 4, :] <- b[1]
        """, machine: machine)
    #expect(text.difference(from: p.build()) == nil)
  }

  @Test func `loops count with their step, and their bounds may depend on outer loops`() throws {
    let program = try TextFixture.program(
      head + """
        .param n = 7
        .loop i 0..<n step 3
          .loop j i..<min(i + 2, n)
            vector.fill a[j % 2][i / 3 +: 1, :] {value=1}
          .end
        .end
        """)
    #expect(
      TextFixture.lines(program).map { $0.prefix { $0 != "," } } == [
        "vector.fill a[0][0 +: 1", "vector.fill a[1][0 +: 1", "vector.fill a[1][1 +: 1",
        "vector.fill a[0][1 +: 1", "vector.fill a[0][2 +: 1",
      ])
  }

  @Test func `quotients are rounded down and remainders take the sign of the divisor`() throws {
    for (expression, value) in [
      ("-7 / 2", -4), ("-7 % 2", 1), ("7 / -2", -4), ("7 % -2", -1), ("ceildiv(7, 2)", 4),
      ("ceildiv(-7, 2)", -3), ("ceildiv(6, 2)", 3), ("2 + 3 * 4 - 6 / 2", 11),
      ("(2 + 3) * 4", 20), ("max(3, min(9, 5))", 5), ("1 < 2 && !(3 == 4)", 1),
      ("0 && 2", 0), ("1 || 0", 1), ("0x1F + 1_000", 1031), ("- -3", 3),
      ("9223372036854775807 / -1 * -1", Int.max), ("3 != 3", 0), ("lanes * 2 + cores", 9),
    ] {
      // An index list shows the value of an expression.
      let program = try TextFixture.program(".index list i32 [1] = [(\(expression)) % 1000003]")
      let expected = ((value % 1_000_003) + 1_000_003) % 1_000_003
      #expect(program.indexLists == [[Int32(expected)]], "\(expression)")
    }
  }

  @Test func `branches take the side that their condition says`() throws {
    let program = try TextFixture.program(
      head + """
        .loop i 0..<4
          .if i == 0
            vector.fill a {value=0}
          .else
            .if i % 2 == 1 && i > 1
              vector.fill a {value=3}
            .end
          .end
        .end
        vector.fill a {value=9}
        """)
    #expect(
      TextFixture.lines(program).map { $0.split(separator: "value=")[1].prefix(3) } == [
        "0.0", "3.0", "9.0",
      ])
  }

  @Test func `a condition decides between yes and no`() throws {
    let program = try TextFixture.program(
      head + """
        .loop i 0..<3
          vector.row_max a[0][:, 0 +: 1] <- b[1] {start=i == 0}
        .end
        """)
    #expect(program.cores[0].map { $0.words[2] } == [1, 0, 0])
    #expect(program.cores[0].map { $0.access(0) } == [.write, .update, .update])
  }

  @Test func `cores have buffers of their own, and their number is a variable`() throws {
    let program = try TextFixture.program(
      """
      .output y bf16 [8, 64]
      .core 0..<cores
        .buf a ub bf16 [4, 64]
        vector.fill a[0 +: core + 1, :] {value=1}
      .end
      .core 1
        vector.fill a {value=2}
      .end
      """, machine: TestMachine.small(cores: 3))
    #expect(program.cores.map(\.count) == [1, 2, 1])
    #expect(program.buffers.map(\.core) == [-1, 0, 1, 2])
    #expect(program.tiles.map(\.rows) == [1, 2, 3, 4])
  }

  @Test func `parameters are overridden, and the machine's numbers are known`() throws {
    let text = """
      .param n = 4
      .param wide = 16 * n
      .param factor = 0.5
      .buf a ub bf16 [n, wide]
      vector.mul_scalar a <- a {b=factor * 2}
      vector.mul_scalar a <- a {b=1.0 / n}
      """
    let program = try TextFixture.program(text, parameters: ["n": "8", "factor": "0.25"])
    #expect(program.buffers[0].rows == 8 && program.buffers[0].columns == 128)
    #expect(program.cores[0].map { Float(bitPattern: $0.words[2]) } == [0.5, 0.125])
  }

  @Test func `index lists gather rows, count from 0 by default, and come from outside`() throws {
    let text = """
      .input x bf16 [16, 64]
      .buf a ub bf16 [4, 64]
      .index slots i32 [4] = [3, 1, 4, 15]
      .index plain i32 [3]
      load.gather_ub a[0 +: 2, :] <- x[slots @ 1 +: 2, :]
      load.ub a[0 +: 1, :] <- x[slots[2] +: 1, :]
      """
    let program = try TextFixture.program(text)
    #expect(program.indexLists == [[3, 1, 4, 15], [0, 1, 2]])
    #expect(program.tiles[1].indexList == 1 && program.tiles[1].row == 1)
    #expect(program.tiles[3].row == 4)
    let other = try TextFixture.program(text, indices: ["slots": [0, 5, 6, 7]])
    #expect(other.indexLists[0] == [0, 5, 6, 7] && other.tiles[3].row == 6)
    #expect(
      (try? TextFixture.program(text, indices: ["slots": [0]])) == nil)
  }

  @Test func `tensors flatten their leading dimensions, and keep a shape for files`() throws {
    let assembly = try TextFixture.assembly(
      """
      .input q f32 [2, 3, 4, 5]
      .input v mxint8 [2, 64, 8] {blocks=rows}
      .tensor s bf16 [7]
      .output o bf16 [6, 4] {shape=[1, 6, 1, 4]}
      .tap t bf16 [3, 4]
      """)
    #expect(assembly.program.buffers.map(\.slots) == [6, 2, 1, 1])
    #expect(assembly.program.buffers.map(\.rows) == [4, 64, 1, 6])
    #expect(assembly.program.buffers[1].axis == .alongRows)
    #expect(
      assembly.tensors.map(\.shape) == [[2, 3, 4, 5], [2, 64, 8], [7], [1, 6, 1, 4], [3, 4]])
    #expect(
      assembly.tensors.map(\.role) == [.input, .input, .scratch, .output, .tap])
  }

  @Test func `a ring becomes the events that its blocks need, and no more`() throws {
    let text =
      head + """
        .loop i 0..<3
          produce a
            load.ub a <- x[i * 4 +: 4, :]
          .end
          consume a
            produce b
              vector.exp b <- a
            .end
          .end
          consume b
            store.hbm y[i * 4 +: 4, :] <- b
          .end
        .end
        """
    let program = try TextFixture.program(text)
    #expect(
      TextFixture.lines(program).map { String($0.prefix { $0 != "(" }) } == [
        "load.ub a[0][0 +: 4, 0 +: 64], x[0 +: 4, 0 +: 64] ", "sync.set load->vector:0 ",
        "sync.wait load->vector:0 ", "vector.exp b[0][0 +: 4, 0 +: 64], a[0][0 +: 4, 0 +: 64] ",
        "sync.set vector->store:0 ", "sync.set vector->load:0 ", "sync.wait vector->store:0 ",
        "store.hbm y[0 +: 4, 0 +: 64], b[0][0 +: 4, 0 +: 64] ", "sync.set store->vector:0 ",
        "load.ub a[1][0 +: 4, 0 +: 64], x[4 +: 4, 0 +: 64] ", "sync.set load->vector:1 ",
        "sync.wait load->vector:1 ", "vector.exp b[1][0 +: 4, 0 +: 64], a[1][0 +: 4, 0 +: 64] ",
        "sync.set vector->store:1 ", "sync.wait vector->store:1 ",
        "store.hbm y[4 +: 4, 0 +: 64], b[1][0 +: 4, 0 +: 64] ", "sync.wait vector->load:0 ",
        "load.ub a[0][0 +: 4, 0 +: 64], x[8 +: 4, 0 +: 64] ", "sync.set load->vector:0 ",
        "sync.wait load->vector:0 ", "sync.wait store->vector:0 ",
        "vector.exp b[0][0 +: 4, 0 +: 64], a[0][0 +: 4, 0 +: 64] ", "sync.set vector->store:0 ",
        "sync.wait vector->store:0 ", "store.hbm y[8 +: 4, 0 +: 64], b[0][0 +: 4, 0 +: 64] ",
      ])
    #expect(Checker.check(program).findings.map(\.code) == [.I002], "rows 12 to 15 are not written")
    let own = try TextFixture.program(text.replacing(".output", with: ".tensor"))
    #expect(Checker.check(own).isClean)
    #expect(Checker.redundantEvents(own).isEmpty)
  }

  @Test func `a text without order keeps none, on a machine that does not interlock`() throws {
    let machine = TestMachine.small(interlocks: Array(repeating: false, count: Queue.count))
    let program = try TextFixture.program(
      head.replacing(".output", with: ".tensor") + "vector.fill a {value=1}\nvector.exp b <- a\n",
      machine: machine)
    #expect(program.cores[0].count == 2)
    #expect(Checker.check(program).findings.map(\.code) == [.H001])
  }

  @Test func `places name the line, the column and the turns of the loops`() throws {
    let assembly = try TextFixture.assembly(
      head + """
        .loop i 0..<3
          .loop j 0..<2
              vector.fill a[j] {value=1}
          .end
        .end
        """)
    let site = Finding.Site(core: 0, op: 3)
    let place = try #require(assembly.places(of: [site])[site])
    #expect(place.location.line == 7 && place.location.column == 7)
    #expect(place.iterations.map(\.name) == ["i", "j"])
    #expect(place.iterations.map(\.value) == [1, 1])
  }

  @Test func `tiles outside their buffer and illegal shapes are defects with their place`() throws {
    let assembly = try TextFixture.assembly(
      head + """
        vector.fill a[2] {value=1}
        vector.add a[0] <- b[0], b[0][0 +: 2, :]
        vector.fill a[0][0 +: 5, :] {value=1}
        """)
    #expect(assembly.program.defects.map(\.code) == [.M001, .M005, .M001])
    #expect(assembly.program.defects.map(\.op) == [0, 1, 2])
  }

  @Test func `events beside a micro-op are those before and after it`() throws {
    let loop = """
      .loop i 0..<3
        vector.exp a <- b wait load:i % 2, store:1 if i > 0 set store:0, load:i if i == 1
      .end

      """
    let written = """
      .loop i 0..<3
        wait load->vector:i % 2
        .if i > 0
          wait store->vector:1
        .end
        vector.exp a <- b
        set vector->store:0
        .if i == 1
          set vector->load:i
        .end
      .end

      """
    let beside = try TextFixture.program(TextFixture.head + loop)
    let apart = try TextFixture.program(TextFixture.head + written)
    #expect(beside.opCount == 12)
    let difference = beside.difference(from: apart)
    #expect(difference == nil, "\(difference ?? "")")
  }

  @Test func `a block of one statement fits on a line`() throws {
    let short = """
      .loop i 0..<4: .if i % 2 == 0: vector.exp a[i / 2] <- b[i / 2]  ; even turns
      .scope s: vector.exp a <- b

      """
    let long = """
      .loop i 0..<4
        .if i % 2 == 0
          vector.exp a[i / 2] <- b[i / 2]
        .end
      .end
      .scope s
        vector.exp a <- b
      .end

      """
    let one = try TextFixture.program(TextFixture.head + short)
    let difference = one.difference(from: try TextFixture.program(TextFixture.head + long))
    #expect(difference == nil, "\(difference ?? "")")
    #expect(one.opCount == 3)
    #expect(try TextFixture.format(TextFixture.head + short) == TextFixture.head + short)
  }

  @Test func `tables give numbers, as lists or as digits`() throws {
    let text = """
      .table t = [3, 0, -1]
      .table u = "01z"
      .loop i 0..<3: .if t[i] >= 0: vector.fill a[u[i]] {value=t[i]}

      """
    let program = try TextFixture.program(TextFixture.head + text)
    #expect(
      TextFixture.lines(program).count == 2 && program.indexLists.isEmpty,
      "\(TextFixture.lines(program))")
    let digits = String(repeating: "0123456789abcdefghijklmnopqrstuvwxyz", count: 10)
    let long = ".table t = \"\(digits)\"\n"
    let formatted = try TextFixture.format(long)
    #expect(formatted.split(separator: "\n").count == 4)
    #expect(try TextFixture.format(formatted) == formatted)
  }
}

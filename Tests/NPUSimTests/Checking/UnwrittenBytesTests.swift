import NPUSim
import Testing

/// I001 names the bytes that nobody wrote, and who should have.
@Suite struct UnwrittenBytesTests {
  private func finding(_ text: String, cores: Int = 1) throws -> Finding {
    let program = try TextFixture.program(text, machine: TestMachine.small(cores: cores))
    return try #require(Checker.check(program).findings.first { $0.code == .I001 })
  }

  private static let head = """
    .input x bf16 [8, 64]
    .tensor y bf16 [8, 64]
    .buf a ub bf16 [8, 64] {slots=2}
    .buf b ub bf16 [8, 64]

    """

  @Test func `columns that the load leaves out are named, and the load`() throws {
    let found = try finding(
      Self.head + "load.ub a[:, 0 +: 32] <- x[:, 0 +: 32] set vector:0\n"
        + "vector.exp b <- a wait load:0\n")
    #expect(
      found.message
        == "vector.exp #3 (queue vector) reads a[0][0 +: 8, 0 +: 64], but nothing writes columns 32 "
        + "to 63 of it; load.ub #0 (queue load) writes only a[0][0 +: 8, 0 +: 32]")
    #expect(found.sites == [.init(core: 0, op: 3), .init(core: 0, op: 0)])
    #expect(found.region?.rows == 8 && found.region?.runBytes == 64)
    #expect(found.fix == "write columns 32 to 63 of a first, or read only what is written")
  }

  @Test func `rows in the middle of two loads are named, and the nearer load`() throws {
    let found = try finding(
      Self.head + "load.ub a[0 +: 3, :] <- x[0 +: 3, :]\n"
        + "load.ub a[5 +: 3, :] <- x[5 +: 3, :] set vector:0\nvector.exp b <- a wait load:0\n")
    #expect(found.message.contains("nothing writes rows 3 to 4 of it; load.ub #1"))
  }

  @Test func `a slot that nobody filled is told from the one that was`() throws {
    let found = try finding(
      Self.head + "load.ub a[0] <- x set vector:0\nvector.exp b <- a[1] wait load:0\n")
    #expect(
      found.message.contains(
        "nothing writes rows 0 to 7 of it; load.ub #0 (queue load) writes only a[0][0 +: 8"))
  }

  @Test func `what is written only later is said to be, and by whom`() throws {
    let found = try finding(
      Self.head + "vector.exp b <- a set load:0\nload.ub a <- x wait vector:0\n")
    #expect(
      found.message.contains(
        "nothing writes rows 0 to 7 of it before; load.ub #3 (queue load) writes a[0][0 +: 8, 0 +: 64] "
          + "later"))
  }

  @Test func `a tensor of the program's own is named with the role that would help`() throws {
    let found = try finding(Self.head + "load.ub a[0] <- y\n")
    #expect(found.message.contains("nothing writes rows 0 to 7 of it, nor anything of y"))
    #expect(
      found.fix == "give the tensor the role of an input, or write rows 0 to 7 of y first")
  }

  @Test func `bytes that another buffer writes in the same place are written`() throws {
    let found = try finding(
      """
      .input x bf16 [4, 64]
      .buf a ub bf16 [4, 64] {at=0}
      .buf low ub bf16 [1, 128] {at=0}
      .buf b ub bf16 [4, 64]
      load.ub low <- x[0 +: 2, :] set vector:0
      """.replacing("low <- x[0 +: 2, :]", with: "a[0 +: 1, :] <- x[0 +: 1, :]")
        + "\nwait load->vector:0\nvector.fill low[:, 64 +: 64] {value=1}\nvector.exp b <- a\n")
    #expect(found.message.contains("nothing writes rows 2 to 3 of it"))
  }

  @Test func `a filled last block is written as far as it reaches`() throws {
    let found = try finding(
      Self.head + """
        .buf m ub mxint8 [8, 64]
        load.ub a[0] <- x set vector:0
        wait load->vector:0
        vector.encode_mx m[0 +: 4, 0 +: 40] <- a[0][0 +: 4, 0 +: 40]
        vector.decode_mx b <- m
        """)
    #expect(found.message.contains("nothing writes rows 4 to 7 of it; vector.encode_mx"))
  }

  @Test func `scales that nobody wrote under a payload that is written are named`() throws {
    let found = try finding(
      """
      .input x i8 [8, 64]
      .buf m ub mxint8 [8, 64] {at=0}
      .buf p ub i8 [8, 64] {at=0}
      .buf b ub bf16 [8, 64]
      load.ub p <- x set vector:0
      vector.decode_mx b <- m wait load:0
      """)
    #expect(
      found.message.contains("nothing writes the scales of rows 0 to 7, blocks 0 to 1 of it"),
      "\(found.message)")
  }

  @Test func `the micro-op that wrote a part is named before a later one that wrote none`() throws {
    let found = try finding(
      Self.head + """
        load.ub a[0 +: 4, 0 +: 32] <- x[0 +: 4, 0 +: 32]
        load.ub a[0 +: 4, 32 +: 32] <- x[0 +: 4, 32 +: 32] set vector:0
        vector.exp b[:, 0 +: 32] <- a[:, 0 +: 32] wait load:0
        """)
    #expect(found.message.contains("nothing writes rows 4 to 7 of it; load.ub #0 (queue load)"))
  }

  @Test func `a read of bytes that are written but not ordered is a race and nothing else`() throws
  {
    let program = try TextFixture.program(
      Self.head + "load.ub a[0] <- x\nvector.exp b <- a[0]\n", machine: TestMachine.small())
    #expect(Checker.check(program).findings.filter { $0.severity == .error }.map(\.code) == [.H001])
  }
}

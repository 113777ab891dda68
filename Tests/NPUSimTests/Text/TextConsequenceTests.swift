import NPUSim
import Testing

/// What follows from an error is not reported: the cause stands alone.
@Suite struct TextConsequenceTests {
  private let head = TextFixture.head

  @Test(arguments: [
    // A micro-op, a buffer or an operand that is not understood may have filled or used a ring.
    (
      "produce a: load.ub a <- x[0 +: 4, :]\nproduce b\nconsume a: vector.gelu b <- a\n.end\n"
        + "consume b: store.hbm y[0 +: 4, :] <- b",
      "7:12 there is no micro-op 'vector.gelu'"
    ),
    (
      "produce a: load.ub a <- x[0 +: 4, :]\nconsume a: vector.exp c <- a",
      "6:23 there is no 'c' in ub"
    ),
    (
      "produce a: load.ub a <- z\nconsume a: vector.exp b <- a",
      "5:25 there is no 'z' in hbm"
    ),
    (
      "produce a: load.l1 a <- x\nconsume a: vector.exp b <- a",
      "5:20 'a' is in ub, load.l1 needs a tile in l1 here"
    ),
    (
      "produce a: load.ub a\nconsume a: vector.exp b <- a",
      "5:12 load.ub writes destination and reads source, found 1 written and 0 read"
    ),
    // A ring of another name leaves the end of the one that was meant.
    (
      "produce c: load.ub a <- x[0 +: 4, :]\nconsume a: vector.exp b <- a",
      "5:9 there is no buffer 'c'"
    ),
    ("produce c: load.ub c <- x\nconsume c: vector.exp b <- c", "5:9 there is no buffer 'c'"),
    ("load.ub c <- x\nload.l1 c <- x\nvector.exp b <- c", "5:9 there is no 'c' in ub"),
    // A line that may have opened a block.
    (".lop i 0..<2\n.end", "5:1 found '.lop', needed a directive"),
    (".lop i 0..<2\n.lop j 0..<2\n.end\n.end", "5:1 found '.lop', needed a directive"),
    (".iff 1\n.else\n.end", "5:1 found '.iff', needed a directive"),
    ("prodce a\nload.ub a <- x[0 +: 4, :]\n.end", "5:1 there is no micro-op 'prodce'"),
    ("consum a\nvector.exp b <- a\n.end", "5:1 there is no micro-op 'consum'"),
    // A declaration without a value.
    (
      ".param n = 0\n.buf c ub bf16 [4 / n, 64]\nproduce c: load.ub c <- x\n"
        + "consume c: vector.exp b <- c",
      "6:17 found a division by zero"
    ),
    (".input z bf16 [0 - 1, 64]\nload.ub a <- z", "5:16 found -1, needed a number from 0 to 2^56"),
    (".tap t bf16 [0 - 1, 64]\nload.ub a <- x[0 +: 4, :]\ntap t <- a", "5:14 found -1, needed"),
    (
      ".loop i 0..<2\n.let n = 1 / i\nvector.fill a[n] {value=n}\nvector.fill b[1 / n] {value=0}\n"
        + ".end", "6:10 found a division by zero, where i = 0"
    ),
    (".table t = [1 / 0]\nvector.fill a[t[0]] {value=0}", "5:13 found a division by zero"),
  ])
  func `an error is reported without what follows from it`(_ text: String, _ message: String) {
    let errors = TextFixture.errors(head + text + "\n")
    let first = errors.first ?? ""
    #expect(first.hasPrefix(message), "\(errors)")
    // The second loop is a mistake of its own.
    let causes = text.contains(".lop j") ? 2 : 1
    #expect(errors.count == causes, "\(errors)")
  }

  @Test func `what is wrong by itself is still reported beside another error`() {
    #expect(
      TextFixture.errors(head + "produce a: load.ub a <- x[0 +: 4, :]\nvector.exq b <- b\n") == [
        "5:9 nothing reads it between consume a and its .end",
        "6:1 there is no micro-op 'vector.exq'",
      ])
    #expect(
      TextFixture.errors(head + "load.ub c <- x\nvector.exp d <- c\n") == [
        "5:9 there is no 'c' in ub", "6:12 there is no 'd' in ub",
      ])
    #expect(
      TextFixture.errors(head + "vector.exp b <- a\n.end\n") == [
        "6:1 found .end without a block"
      ])
    #expect(
      TextFixture.errors(
        head + ".loop i 0..<2\n.let n = 1 / i\n.let m = 1 / (i - 1)\n.end\n") == [
          "6:10 found a division by zero, where i = 0",
          "7:10 found a division by zero, where i = 1",
        ])
  }
}

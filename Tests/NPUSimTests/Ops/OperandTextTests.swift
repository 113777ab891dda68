import Foundation
import NPUSim
import Testing

/// M005 names the operand, what it is and what is needed, and says what to write: written so, the
/// program is legal.
@Suite struct OperandTextTests {
  private static let head = """
    .input x bf16 [16, 64]
    .input q mxint8 [32, 64]
    .input w mxint8 [64, 32] {blocks=rows}
    .output y bf16 [16, 64]
    .buf a ub bf16 [4, 64]
    .buf b ub bf16 [4, 64]
    .buf row ub bf16 [1, 64]
    .buf col ub bf16 [4, 1]
    .buf wide ub f32 [4, 64]
    .buf sums ub f32 [4, 32]
    .buf short ub f32 [2, 1]
    .buf codes ub i32 [4, 64]
    .buf ql l1 mxint8 [32, 64]
    .buf wl l1 mxint8 [64, 32] {blocks=rows}
    .buf wrong l1 mxint8 [64, 32]
    .buf l left mxint8 [32, 64]
    .buf r right mxint8 [64, 32] {blocks=rows}
    .buf s right mxint8 [64, 32]
    .buf c acc acc [32, 32]

    """

  @Test(arguments: [
    (
      "vector.mul b <- a, col", "vector.mul: b, col[0 +: 4, 0 +: 1], is 4 × 1, needed 4 × 64",
      "write vector.mul_column b[0 +: 4, 0 +: 64] <- a[0 +: 4, 0 +: 64], col[0 +: 4, 0 +: 1]"
    ),
    (
      "vector.mul b <- a, row", "vector.mul: b, row[0 +: 1, 0 +: 64], is 1 × 64, needed 4 × 64",
      "write .loop i 0..<4: vector.mul b[i +: 1, 0 +: 64] <- a[i +: 1, 0 +: 64], row[0 +: 1, 0 +: 64]"
    ),
    (
      "vector.add_column a <- b, a", "vector.add_column: b, a[0 +: 4, 0 +: 64], is 4 × 64",
      "write vector.add a[0 +: 4, 0 +: 64] <- b[0 +: 4, 0 +: 64], a[0 +: 4, 0 +: 64]"
    ),
    (
      "vector.add_column b <- a, row", "vector.add_column: b, row[0 +: 1, 0 +: 64], is 1 × 64",
      "write .loop i 0..<4: vector.add b[i +: 1, 0 +: 64] <- a[i +: 1, 0 +: 64], row[0 +: 1, 0 +: 64]"
    ),
    (
      "load.ub a <- x", "load.ub: source, x[0 +: 16, 0 +: 64], is 16 × 64, needed 4 × 64",
      "write x[0 +: 4, 0 +: 64]"
    ),
    (
      "vector.exp b[0 +: 2, :] <- a", "vector.exp: a, a[0 +: 4, 0 +: 64], is 4 × 64, needed 2 × 64",
      "write a[0 +: 2, 0 +: 64]"
    ),
    (
      "load.ub wide <- x[0 +: 4, :]", "load.ub: destination, wide[0 +: 4, 0 +: 64], is f32",
      "declare wide as bf16"
    ),
    (
      "store.hbm y[0 +: 4, :] <- wide", "store.hbm: source, wide[0 +: 4, 0 +: 64], is f32",
      "declare wide as bf16, or put a vector.cast between"
    ),
    (
      "load.l1 wrong <- w",
      "load.l1: destination, wrong[0 +: 64, 0 +: 32], is in blocks along columns",
      "declare wrong with {blocks=rows}"
    ),
    (
      "matrix.matmul c <- l, s {accumulate=no}",
      "matrix.matmul: right, s[0 +: 64, 0 +: 32], is in blocks along columns, needed blocks along k",
      "declare s with {blocks=rows}"
    ),
    (
      "matrix.matmul c <- l, r[0 +: 32, :] {accumulate=no}",
      "matrix.matmul: right, r[0 +: 32, 0 +: 32], is 32 × 32, needed 64 × 32",
      "write r[0 +: 64, 0 +: 32]"
    ),
    (
      "matrix.matmul c[0 +: 16, :] <- l, r {accumulate=no}",
      "matrix.matmul: accumulator, c[0 +: 16, 0 +: 32], is 16 × 32, needed 32 × 32",
      "write c[0 +: 32, 0 +: 32]"
    ),
    (
      "vector.exp codes <- a", "vector.exp: result, codes[0 +: 4, 0 +: 64], is i32, needed one of",
      "declare codes as bf16 or f32"
    ),
  ])
  func `each names its operand and what to write`(
    _ line: String, _ message: String, _ fix: String
  ) throws {
    let machine = TestMachine.small()
    let program = try TextFixture.program(Self.head + line + "\n", machine: machine)
    let defect = try #require(program.defects.first)
    #expect(program.defects.count == 1 && defect.code == .M005)
    #expect(defect.message.hasPrefix(message), "\(defect.message)")
    #expect(defect.fix.hasPrefix(fix), "\(defect.fix)")
    guard let mended = Self.mended(line, defect.fix) else { return }
    #expect(try TextFixture.program(mended, machine: machine).defects.isEmpty, "\(mended)")
  }

  /// The text with what a fix says to write or to declare; `nil` where it leaves a choice.
  private static func mended(_ line: String, _ fix: String) -> String? {
    let words = fix.split(separator: " ")
    if fix.hasPrefix("write "), fix.contains("<-") { return head + fix.dropFirst(6) + "\n" }
    if fix.hasPrefix("write ") {
      let tile = fix.dropFirst(6)
      let name = tile.prefix { $0 != "[" }
      let old = line.split(separator: " ").last { $0.hasPrefix(name) }.map(String.init) ?? ""
      // The operand with its region, which may hold spaces.
      guard let start = line.range(of: old)?.lowerBound else { return nil }
      var end = line.index(start, offsetBy: name.count)
      if end < line.endIndex, line[end] == "[" {
        end = line[end...].firstIndex(of: "]").map { line.index(after: $0) } ?? end
      }
      return head + line.replacingCharacters(in: start..<end, with: tile) + "\n"
    }
    guard fix.hasPrefix("declare "), words.count == 4 else { return nil }
    return head.split(separator: "\n").map { declaration -> String in
      guard declaration.hasPrefix(".buf \(words[1]) ") else { return String(declaration) }
      if words[2] == "with" { return declaration + " " + words[3] }
      return String(declaration.replacing(" f32 ", with: " \(words[3]) "))
    }.joined(separator: "\n") + "\n" + line + "\n"
  }
}

/// What micro-ops have in common that were written at one place: the line of a text; in a program that
/// was made in Swift, the mnemonic and the scope without the turns of its loops.
enum Statement: Hashable {
  case line(SourceLine)
  case operation(opcode: UInt8, scope: String)
}

/// The header of an .npy file: a Python dictionary literal after a short binary preamble.
///
/// Versions 1.0, 2.0 and 3.0 of the format differ in the width of the header size (two bytes, then
/// four) and in the text encoding, which only matters for the field names of structured types.
struct NpyHeader {
  /// The type of the words, such as `<f4`.
  var descriptor: String
  /// Whether the first dimension varies fastest.
  var isFortranOrder: Bool
  var shape: [Int]

  /// The largest header accepted. NumPy itself writes a few hundred bytes and reads at most 10,000.
  static let sizeLimit = 1 << 16

  /// Bytes enough for ``dataStart(prefix:size:file:)``.
  static let preambleCount = 12

  /// Where the header text and the data start, from the first twelve bytes (or all, when the file
  /// is shorter) and the size of the file.
  static func dataStart(
    prefix: [UInt8], size: Int, file: String
  ) throws(NPUError) -> (text: Int, data: Int) {
    guard prefix.starts(with: [0x93] + Array("NUMPY".utf8)) else {
      throw NPUError(
        .tensor, "\(file) does not start with the mark of an .npy file",
        hint: "write it with numpy.save")
    }
    guard prefix.count >= 10 else {
      throw NPUError(.tensor, "\(file) is truncated: it ends inside the .npy preamble")
    }
    let version = (major: prefix[6], minor: prefix[7])
    guard (1...3).contains(version.major), version.minor == 0 else {
      throw NPUError(
        .tensor,
        "\(file) has .npy version \(version.major).\(version.minor); 1.0, 2.0 and 3.0 are supported"
      )
    }
    let width = version.major == 1 ? 2 : 4
    guard prefix.count >= 8 + width else {
      throw NPUError(.tensor, "\(file) is truncated: it ends inside the .npy preamble")
    }
    let count = prefix[8..<(8 + width)].reversed().reduce(0) { $0 << 8 | Int($1) }
    guard count <= sizeLimit else {
      throw NPUError(
        .tensor, "\(file) claims an .npy header of \(count) bytes; at most \(sizeLimit) are read")
    }
    let data = 8 + width + count
    guard data <= size else {
      throw NPUError(
        .tensor,
        "\(file) is truncated: its .npy header takes \(count) bytes, "
          + "only \(size - 8 - width) follow")
    }
    return (8 + width, data)
  }

  /// Reads the header text, which starts `offset` bytes into the file.
  init(_ text: [UInt8], offset: Int, file: String) throws(NPUError) {
    var parser = NpyHeaderParser(text: text, offset: offset, file: file)
    self = try parser.parse()
  }

  init(descriptor: String, isFortranOrder: Bool, shape: [Int]) {
    self.descriptor = descriptor
    self.isFortranOrder = isFortranOrder
    self.shape = shape
  }

  /// Preamble and header as numpy.save writes them: version 1.0 when the header fits, blanks for a
  /// first dimension of 21 digits, data aligned to 64 bytes.
  var encoded: [UInt8] {
    let dimensions = shape.map(String.init)
    let tuple = dimensions.joined(separator: ", ") + (shape.count == 1 ? "," : "")
    let order = isFortranOrder ? "True" : "False"
    let literal = "{'descr': '\(descriptor)', 'fortran_order': \(order), 'shape': (\(tuple)), }"
    var text = Array(literal.utf8)
    if let first = isFortranOrder ? dimensions.last : dimensions.first {
      text += [UInt8](repeating: 0x20, count: max(0, 21 - first.utf8.count))
    }
    func padded(_ width: Int) -> Int {
      let unpadded = text.count + 1
      return unpadded + 64 - (8 + width + unpadded) % 64
    }
    let width = padded(2) <= 0xFFFF ? 2 : 4
    let count = padded(width)
    text += [UInt8](repeating: 0x20, count: count - 1 - text.count)
    text.append(0x0A)
    let preamble = [0x93] + Array("NUMPY".utf8) + [width == 2 ? 1 : 2, 0]
    return preamble + (0..<width).map { UInt8(truncatingIfNeeded: count >> (8 * $0)) } + text
  }
}

import NPUSim

/// The values that a check tries: of the parameters of a text, or of the shape flags of a kernel.
enum SweepFlags {
  static let shapes = FlagGroup(
    "Shapes",
    [
      Flag(
        "shapes", .text("NAME=LIST"),
        "try each value of a shape flag, such as m=1..40 or k=32,64; several combine",
        isRepeatable: true, scope: .kernels)
    ])

  /// `--param` where it takes several values.
  static let parameters = FlagGroup(
    TextFile.parameters.title,
    [
      Flag(
        "param", .text("NAME=VALUE"),
        "the value of a .param of the text; of n=0..9,16 each is tried",
        isRepeatable: true, scope: .texts)
    ])

  /// The values to try; `nil` where every name is given one value, or none is given.
  ///
  /// - Throws: `.usage` for what is no list, and for flags that concern one program alone; `.limit` for
  ///   too many values.
  static func values(_ arguments: ParsedArguments) throws(NPUError) -> ValueProduct? {
    var lists: [ValueProduct.List] = []
    var isSweep = arguments.has("shapes")
    for (flag, example) in [("param", "n=0..9"), ("shapes", "m=1..40")] {
      for (name, text) in try NamedValues.of(flag, arguments, example: example) {
        isSweep = isSweep || ValueProduct.List.isList(text)
        lists.append(try ValueProduct.List(name, text, flag: "--\(flag)"))
      }
    }
    guard isSweep else { return nil }
    for (name, reason) in [
      ("minimise", "looks at one program"), ("inputs", "has the tensors of one shape"),
    ] where arguments.has(name) {
      throw NPUError(
        .usage, "--\(name) \(reason), and several values are to be tried",
        hint: "give one value, or drop --\(name)")
    }
    return try ValueProduct(lists)
  }
}

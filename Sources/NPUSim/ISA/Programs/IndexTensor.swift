/// An index list of a program as files know it: one that a kernel or a text was given.
///
/// Lists that are made from others, such as the rows of a cache in the order of its slots, have none.
public struct IndexTensor: Sendable, Hashable {
  public var name: String
  /// Its dimensions in files; the list has the last one fastest.
  public var shape: [Int]
  /// Index in ``Program/indexLists``.
  public var list: Int

  public init(name: String, shape: [Int], list: Int) {
    self.name = name
    self.shape = shape
    self.list = list
  }
}

extension Program {
  /// What files call an index list; `nil` where they do not know it.
  func indexTensor(ofList list: Int) -> IndexTensor? { indexTensors.first { $0.list == list } }

  /// An index list as texts name it: by its own name, or by its number.
  func listName(_ list: Int) -> String {
    if let own = indexTensor(ofList: list) { return own.name }
    let taken = Set(indexTensors.map(\.name))
    var name = "list\(list)"
    while taken.contains(name) { name += "_" }
    return name
  }
}

import NPUSim

/// The index tensors of a kernel by name: slot mappings, block tables, token ids. They are bound when
/// a program is built, and immutable from then on.
public struct IndexTensors: Sendable, Hashable {
  private var lists: [String: [Int32]]

  /// Given lists, flattened, last dimension fastest.
  public init(_ lists: [String: [Int32]]) { self.lists = lists }

  /// The numbers of a tensor; none where the kernel has no such tensor.
  public subscript(name: String) -> [Int32] { lists[name] ?? [] }
}

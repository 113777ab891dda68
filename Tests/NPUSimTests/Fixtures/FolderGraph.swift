import Foundation

/// Which folders of Sources/ mention which, by the types that they declare.
struct FolderGraph {
  /// The targets of Swift, and what each imports.
  private static let imports = [
    "NPUSim": [], "NPUKernels": ["NPUSim"], "simctl": ["NPUKernels", "NPUSim"],
  ]

  /// A place where a folder mentions another one's type.
  struct Mention {
    var path: String
    var line: Int
    var from: String
    var name: String
    /// The folders that declare the type, mostly one.
    var to: Set<String>
  }

  let folders: Set<String>
  let mentions: [Mention]

  init(_ all: [SwiftSource]) {
    let files = all.filter { Self.imports[$0.target] != nil }
    var owners: [String: Set<String>] = [:]
    var own: [String: Set<String>] = [:]
    for file in files {
      for name in file.declaredTypes { owners[name, default: []].insert(file.place) }
      own[file.place, default: []].formUnion(file.ownTypes)
    }
    folders = Set(files.map(\.place))
    mentions = files.flatMap { file -> [Mention] in
      let reach = [file.target] + (Self.imports[file.target] ?? [])
      return file.tokens.compactMap { token in
        guard let declaring = owners[token.text], own[file.place]?.contains(token.text) != true
        else { return nil }
        let near = declaring.filter { reach.contains(String($0.prefix { $0 != "/" })) }
        return near.isEmpty
          ? nil
          : Mention(
            path: file.path, line: token.line, from: file.place, name: token.text, to: near)
      }
    }
  }
}

extension SwiftSource {
  /// The folder below Sources/: `NPUSim/Ops`; of a file of the target itself, the target.
  var place: String { folder.isEmpty ? target : "\(target)/\(folder)" }
}

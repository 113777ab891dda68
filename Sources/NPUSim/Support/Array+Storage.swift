extension Array {
  /// Bytes of its elements, room that is reserved and not used included; what they refer to is not.
  var storageBytes: Int { capacity * MemoryLayout<Element>.stride }
}

import Testing

@testable import ResidualKernels

@Suite struct StorageTests {
  @Test func `Memory is aligned to 64 bytes and ends on a whole vector`() {
    for count in [0, 1, 15, 16, 17, 1000, 600_000] {
      let floats = Storage<Float>(uninitialized: count)
      let doubles = Storage<Double>(uninitialized: count)
      #expect(UInt(bitPattern: floats.base) % 64 == 0 && UInt(bitPattern: doubles.base) % 64 == 0)
      #expect(floats.count == count && floats.vectorCount == (count + Float.lanes - 1) / Float.lanes)
      #expect(doubles.vectorCount == (count + Double.lanes - 1) / Double.lanes)
    }
  }

  @Test func `Elements are what was put in`() {
    let storage = Storage<Float>([1, 2, 3, 4, 5])
    #expect(storage[4] == 5 && storage.array(1..<4) == [2, 3, 4])
    storage[1] = 20
    let copy = storage.copy()
    copy[0] = 10
    #expect(storage.array(0..<5) == [1, 20, 3, 4, 5] && copy.array(0..<5) == [10, 20, 3, 4, 5])
    storage.copy(from: copy, at: 0, to: 3, count: 2)
    #expect(storage.array(0..<5) == [1, 20, 3, 10, 20])
    #expect(Storage<Double>(repeating: 2.5, count: 19).array(0..<19) == [Double](repeating: 2.5, count: 19))
    #expect(Storage<Double>(repeating: 0, count: 19).array(0..<19) == [Double](repeating: 0, count: 19))
  }

  #if !EXACT_STORAGE
    /// Sizes that no other test asks for, since all tests share the pool.
    @Test func `A block that nobody needs any more is used again`() {
      var first: Storage<Float>? = Storage(repeating: 7, count: 777_777)
      let address = first!.base
      first = nil
      let second = Storage<Float>(uninitialized: 777_777)
      #expect(second.base == address)
      let third = Storage<Float>(uninitialized: 777_777)
      #expect(third.base != address)
    }

    @Test func `Zeros are zeros in recycled memory too`() {
      var dirty: Storage<Float>? = Storage(repeating: .nan, count: 654_321)
      let address = dirty!.base
      dirty = nil
      let zeros = Storage<Float>(repeating: 0, count: 654_321)
      #expect(zeros.base == address && Kernels.firstNonFinite(zeros) == nil && Kernels.extremes(zeros) == (0, 0))
    }
  #endif
}

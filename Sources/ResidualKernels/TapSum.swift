// TapSum.swift: the sums that all convolutions, their gradients and matrix products are made of.
//
// In a padded image in [H, W, C] the kernel's row of kW pixels is kW·C neighbouring numbers. So a convolution is,
// for each output pixel, a sum over a few *taps* (the kernel's rows), each a run of `depth` neighbouring inputs,
// times a row of output channels. A matrix product is the same with one tap. The gradient with respect to the input is
// the same with the weights in reverse order, once for each remainder that a pixel's row and column leave when divided
// by the stride.

/// A grid of outputs and the places of their inputs.
struct TapGrid {
  /// The rows and columns of the grid.
  var height = 1
  var width: Int
  /// The distance in scalars between the inputs of two outputs: from one row to the next, from one pixel to the next.
  var inputRow = 0
  var inputPixel: Int
  /// The number of runs of neighbouring inputs that an output sums over, the distance in scalars from one run to the
  /// next, and the length of a run.
  var taps = 1
  var tapStep = 0
  var depth: Int
  /// The distance in vectors between two outputs, or the gradients of two: from one row to the next, from one pixel to
  /// the next.
  var outputRow = 0
  var outputPixel: Int
  /// The distance in vectors from the weights of one row to those of the next; 0 where all rows have the same.
  var weightRow = 0

  /// The same grid as one long row, where its rows lie end to end: tiles then leave fewer pixels over.
  func flattened() -> TapGrid {
    guard inputRow == width * inputPixel && outputRow == width * outputPixel else { return self }
    var grid = self
    grid.width = height * width
    grid.height = 1
    return grid
  }
}

extension TapGrid {
  /// Some rows of a convolution's outputs, which have `vectors` vectors a pixel; a row of its padded input has `row`
  /// scalars.
  init(_ shape: ConvolutionShape, rows: Int, row: Int, vectors: Int) {
    self.init(
      height: rows, width: shape.outputWidth, inputRow: shape.stride * row,
      inputPixel: shape.stride * shape.inputChannels, taps: shape.kernelHeight, tapStep: row,
      depth: shape.kernelWidth * shape.inputChannels, outputRow: shape.outputWidth * vectors, outputPixel: vectors)
  }
}

/// The vectors of output channels of a convolution, cut into panels of ``panelVectors``, of which the last may have fewer.
struct Panels {
  let vectors: Int

  var count: Int { (vectors + panelVectors - 1) / panelVectors }

  /// The vectors of a panel.
  @inline(__always)
  subscript(panel: Int) -> Range<Int> { panel * panelVectors..<min((panel + 1) * panelVectors, vectors) }
}

/// Weights in the order in which the tiles read them: panel by panel, and in a panel one row of vectors for each of the
/// `depth` inputs that an output sums over. Channels that only fill vectors are zero.
struct PackedWeights<Scalar: Element> {
  let depth: Int
  let panels: Panels
  let storage: Storage<Scalar>

  /// Packs `channels` scalars of `weight`, which lie `step` apart, from each of the places `row(0)` to `row(depth - 1)`
  /// on.
  @inline(__always)
  init(_ weight: Storage<Scalar>, depth: Int, channels: Int, step: Int, row: (Int) -> Int) {
    let lanes = Scalar.lanes
    self.depth = depth
    panels = Panels(vectors: roundUp(channels, to: lanes) / lanes)
    storage = Storage(uninitialized: depth * panels.vectors * lanes)
    for i in 0..<depth {
      let source = weight.base + row(i)
      for panel in 0..<panels.count {
        let (first, width) = (panels[panel].lowerBound * lanes, panels[panel].count * lanes)
        let target = storage.base + first * depth + i * width
        let present = min(width, channels - first)
        for c in 0..<present { target[c] = source[(first + c) * step] }
        for c in present..<width { target[c] = 0 }
      }
    }
  }

  /// The first vector of a panel.
  @inline(__always)
  subscript(panel: Int) -> UnsafePointer<Scalar.Vector> {
    UnsafePointer(storage.vectors + panels[panel].lowerBound * depth)
  }
}

/// `output[y, x] = Σ over taps and depth of input · weights`, for all panels.
@inline(__always)
func sumTaps<Scalar: Element>(
  _ grid: TapGrid, input: UnsafePointer<Scalar>, _ weights: PackedWeights<Scalar>,
  output: UnsafeMutablePointer<Scalar.Vector>
) {
  for panel in 0..<weights.panels.count {
    let vectors = weights.panels[panel]
    sumPanel(
      grid, input: input, panel: weights[panel], width: vectors.count, output: output + vectors.lowerBound)
  }
}

/// `sumTaps` for one panel of `width` vectors. It is not inlined, because its code is large and it is called once a
/// panel.
@inline(never)
func sumPanel<Scalar: Element>(
  _ grid: TapGrid, input: UnsafePointer<Scalar>, panel: UnsafePointer<Scalar.Vector>, width: Int,
  output: UnsafeMutablePointer<Scalar.Vector>
) {
  for row in 0..<grid.height {
    let (input, panel, output) = (
      input + row * grid.inputRow, panel + row * grid.weightRow, output + row * grid.outputRow
    )
    var pixel = 0
    // As many tiles of this shape as there are.
    @inline(__always)
    func sum<Tile: RegisterTile<Scalar>>(_: Tile.Type) {
      while pixel + Tile.count <= grid.width {
        let target = output + pixel * grid.outputPixel
        var tile = Tile()
        var weights = panel
        var tap = input + pixel * grid.inputPixel
        for _ in 0..<grid.taps {
          for i in 0..<grid.depth {
            tile.multiplyAdd(tap + i, step: grid.inputPixel, Tile.Row(load: weights))
            weights += Tile.Row.vectors
          }
          tap += grid.tapStep
        }
        tile.store(target, step: grid.outputPixel)
        pixel += Tile.count
      }
    }
    #if arch(x86_64) && AVX512
      if width == 2 {
        sum(Tile8<TwoVectors<Scalar>>.self)
        sum(Tile4<TwoVectors<Scalar>>.self)
        sum(Tile1<TwoVectors<Scalar>>.self)
        continue
      }
      sum(Tile16<OneVector<Scalar>>.self)
    #endif
    sum(SmallTile<OneVector<Scalar>>.self)
    sum(Tile1<OneVector<Scalar>>.self)
  }
}

// MARK: - The gradient with respect to the weight

/// `sums[tap, i, channel] = Σ over the grid of input[…][i] · gradient[y, x, channel]`: for every weight, the sum of
/// the inputs that it multiplies times the gradients of the outputs that the products are added to.
///
/// `sums` has one row of `vectors` vectors for each of the `taps · depth` inputs; with `accumulating` the products are
/// added to what it holds.
@inline(never)
func addOuterProducts<Scalar: Element>(
  _ grid: TapGrid, input: UnsafePointer<Scalar>, gradient: UnsafePointer<Scalar.Vector>, vectors: Int,
  sums: UnsafeMutablePointer<Scalar.Vector>, accumulating: Bool
) {
  // A few rows at a time, so that their inputs and gradients stay in the L1 cache for all tiles.
  let rowsAtOnce = max(1, 256 / max(1, grid.width))
  for rowStart in stride(from: 0, to: grid.height, by: rowsAtOnce) {
    let rows = rowStart..<min(rowStart + rowsAtOnce, grid.height)
    for tap in 0..<grid.taps {
      var vector = 0
      while vector < vectors {
        let (input, gradient, sums) = (
          input + tap * grid.tapStep, gradient + vector, sums + tap * grid.depth * vectors + vector
        )
        var start = 0
        // As many tiles of this shape as there are, from input number `start` of the tap on.
        @inline(__always)
        func add<Tile: RegisterTile<Scalar>>(_: Tile.Type) {
          while start + Tile.count <= grid.depth {
            let target = sums + start * vectors
            var tile = accumulating || rowStart > 0 ? Tile(load: target, step: vectors) : Tile()
            for row in rows {
              var x = input + row * grid.inputRow + start
              var g = gradient + row * grid.outputRow
              for _ in 0..<grid.width {
                tile.multiplyAdd(x, step: 1, Tile.Row(load: g))
                x += grid.inputPixel
                g += grid.outputPixel
              }
            }
            tile.store(target, step: vectors)
            start += Tile.count
          }
        }
        #if arch(x86_64) && AVX512
          if vector + 2 <= vectors {
            add(Tile8<TwoVectors<Scalar>>.self)
            add(Tile4<TwoVectors<Scalar>>.self)
            add(Tile1<TwoVectors<Scalar>>.self)
            vector += 2
            continue
          }
          add(Tile16<OneVector<Scalar>>.self)
          add(Tile8<OneVector<Scalar>>.self)
        #endif
        add(SmallTile<OneVector<Scalar>>.self)
        add(Tile1<OneVector<Scalar>>.self)
        vector += 1
      }
    }
  }
}

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
  var height, width: Int
  /// The distance in scalars between the inputs of two outputs: from one row to the next, from one pixel to the next.
  var inputRow, inputPixel: Int
  /// The number of runs of neighbouring inputs that an output sums over, the distance in scalars from one run to the
  /// next, and the length of a run.
  var taps, tapStep, depth: Int
  /// The distance in vectors between two outputs: from one row to the next, from one pixel to the next.
  var outputRow, outputPixel: Int
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

/// The order in which the tiles read weights: panels of ``panelVectors`` vectors of output channels; in a
/// panel, one row of vectors for each of the `depth` inputs. Missing channels are zero.
struct PanelLayout {
  /// The number of inputs that are multiplied (taps times depth), and of vectors of output channels.
  var depth, vectors: Int

  init<Scalar: Element>(_: Scalar.Type, depth: Int, channels: Int) {
    self.depth = depth
    vectors = roundUp(channels, to: Scalar.lanes) / Scalar.lanes
  }

  /// The number of vectors in all panels together.
  var count: Int { depth * vectors }

  /// Visits the panels: the first vector of each, and its width in vectors.
  @inline(__always)
  func forEachPanel(_ body: (_ vector: Int, _ width: Int) -> Void) {
    var vector = 0
    while vector < vectors {
      let width = min(panelVectors, vectors - vector)
      body(vector, width)
      vector += width
    }
  }

  /// The first vector of the panel that begins with this vector of output channels.
  @inline(__always) func start(ofPanel vector: Int) -> Int { vector * depth }

  /// Packs the channels of row `row`, `channels` scalars `step` apart, into the panels.
  @inline(__always)
  func pack<Scalar: Element>(
    row: Int, from source: UnsafePointer<Scalar>, step: Int, channels: Int, into panels: UnsafeMutablePointer<Scalar>
  ) {
    let lanes = Scalar.lanes
    forEachPanel { vector, width in
      let target = panels + (start(ofPanel: vector) + row * width) * lanes
      let first = vector * lanes
      let present = min(width * lanes, channels - first)
      for i in 0..<present { target[i] = source[(first + i) * step] }
      for i in present..<width * lanes { target[i] = 0 }
    }
  }
}

/// `output[y, x] = Σ over taps and depth of input · weights`, for all panels.
@inline(__always)
func sumTaps<Scalar: Element>(
  _ grid: TapGrid, input: UnsafePointer<Scalar>, panels: UnsafePointer<Scalar.Vector>, layout: PanelLayout,
  output: UnsafeMutablePointer<Scalar.Vector>, accumulating: Bool = false
) {
  layout.forEachPanel { vector, width in
    sumPanel(
      grid, input: input, panel: panels + layout.start(ofPanel: vector), width: width, output: output + vector,
      accumulating: accumulating)
  }
}

/// `sumTaps` for one panel of `width` vectors; with `accumulating` the sums are added to what the output holds. It is
/// not inlined, because its code is large and it is called once a panel.
@inline(never)
func sumPanel<Scalar: Element>(
  _ grid: TapGrid, input: UnsafePointer<Scalar>, panel: UnsafePointer<Scalar.Vector>, width: Int,
  output: UnsafeMutablePointer<Scalar.Vector>, accumulating: Bool
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
        var tile = accumulating ? Tile(load: target, step: grid.outputPixel) : Tile()
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

/// The distances in vectors between the gradients of a grid's outputs, from one row and from one pixel to the next.
struct GradientGrid {
  var row, pixel: Int
}

/// `sums[tap, i, channel] = Σ over the grid of input[…][i] · gradient[y, x, channel]`: for every weight, the sum of
/// the inputs that it multiplies times the gradients of the outputs that the products are added to.
///
/// `sums` has one row of `vectors` vectors for each of the `taps · depth` inputs; with `accumulating` the products are
/// added to what it holds.
@inline(never)
func addOuterProducts<Scalar: Element>(
  _ grid: TapGrid, input: UnsafePointer<Scalar>, gradient: UnsafePointer<Scalar.Vector>, _ layout: GradientGrid,
  vectors: Int, sums: UnsafeMutablePointer<Scalar.Vector>, accumulating: Bool
) {
  // A few rows at a time, so that their inputs and gradients stay in the first cache for all tiles.
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
              var g = gradient + row * layout.row
              for _ in 0..<grid.width {
                tile.multiplyAdd(x, step: 1, Tile.Row(load: g))
                x += grid.inputPixel
                g += layout.pixel
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

// LayerResponses+Plot.swift: Fig. 7 as a picture.
//
// Tests       Tests/ResidualExperimentsTests/LayerResponsesPlotTests.swift

import ResidualLearning

extension LayerResponses {
  /// Fig. 7 of several networks: the layers in their order, or the deviations sorted.
  public static func plot(_ responses: [(name: String, responses: LayerResponses)], sorted: Bool) -> LinePlot {
    LinePlot(
      title: "Layer responses" + (sorted ? ", sorted by magnitude" : ""), xLabel: sorted ? "rank" : "layer",
      yLabel: "standard deviation",
      series: responses.enumerated().map { i, entry in
        let values = sorted ? entry.responses.sorted : entry.responses.layers.map(\.deviation)
        return LinePlot.Series(entry.name, values.enumerated().map { (Double($0 + 1), $1) }, color: i)
      })
  }
}

"""Writes what torchvision and pycocotools compute: detection.safetensors.

Run from the package folder: python Tests/Fixtures/make_detection_fixtures.py
Needs torch, torchvision, pycocotools and safetensors. The file is committed; the tests that read it are in
Tests/ResidualDetectionTests/ParityTests.swift. With --check nothing is written: the file is compared with what they compute now.

    pool.CASE/input             [N, H, W, C]
    pool.CASE/regions           [R, 5]: the number of the picture, left, top, right, bottom
    pool.CASE/settings          [2]: bins, and pixels of the picture a cell
    pool.CASE/output            [R, bins, bins, C]
    pool.CASE/outputGradient    the loss is the sum of the output times this
    pool.CASE/inputGradient
    nms.CASE/boxes, /scores     [n, 4], [n]
    nms.CASE/threshold, /kept   [1]; the numbers of the boxes that remain
    iou/a, /b, /overlaps        [n, 4], [m, 4], [n, m]
    smoothL1.CASE/...           predicted, targets, threshold, loss (the sum), gradient
    coco/objects                [n, 6]: picture, class, left, top, right, bottom
    coco/detections             [n, 7]: the same and the score
    coco/results                [3]: mAP@[.5, .95], mAP@.5, mAP@.75
    coco/byClass                AP@.5 of each class
"""

import contextlib
import io
import sys

import numpy as np
import torch
import torch.nn.functional as F
import torchvision
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from safetensors.torch import load_file, save_file

PATH = "Tests/Fixtures/detection.safetensors"
torch.manual_seed(2015)
tensors = {}


def rounded(tensor):
    return tensor.to(torch.float32).to(torch.float64)


def boxes(count, size, least=2.0, most=40.0):
    """Boxes whose sides are multiples of 1/8, so that every program computes the same areas."""
    corner = torch.rand(count, 2, dtype=torch.float64) * size
    side = least + torch.rand(count, 2, dtype=torch.float64) * (most - least)
    return torch.round(torch.cat([corner, corner + side], 1) * 8) / 8


def put(name, tensor):
    tensors[name] = tensor.detach().contiguous().clone()


for case, (bins, stride, channels) in {"small": (3, 4.0, 5), "vectors": (6, 8.0, 16), "one": (1, 2.0, 3)}.items():
    image = rounded(torch.randn(2, channels, 9, 11)).requires_grad_()
    regions = torch.cat([torch.randint(0, 2, (12, 1)).double(), boxes(12, 11 * stride * 0.7, 1, 6 * stride)], 1)
    regions[0] = torch.tensor([0, -3 * stride, -stride, 4 * stride, 30 * stride])  # beyond the map on three sides
    output = torchvision.ops.roi_pool(image, regions, bins, 1 / stride)
    gradient = rounded(torch.randn(output.shape))
    (output * gradient).sum().backward()
    put(f"pool.{case}/input", image.permute(0, 2, 3, 1))
    put(f"pool.{case}/regions", regions)
    put(f"pool.{case}/settings", torch.tensor([bins, stride], dtype=torch.float64))
    put(f"pool.{case}/output", output.permute(0, 2, 3, 1))
    put(f"pool.{case}/outputGradient", gradient.permute(0, 2, 3, 1))
    put(f"pool.{case}/inputGradient", image.grad.permute(0, 2, 3, 1))

for case, threshold in {"loose": 0.7, "strict": 0.3}.items():
    candidates = boxes(150, 60)
    scores = rounded(torch.rand(150))
    put(f"nms.{case}/boxes", candidates)
    put(f"nms.{case}/scores", scores)
    put(f"nms.{case}/threshold", torch.tensor([threshold], dtype=torch.float64))
    put(f"nms.{case}/kept", torchvision.ops.nms(candidates, scores, threshold))

a, b = boxes(20, 50), boxes(15, 50)
put("iou/a", a)
put("iou/b", b)
put("iou/overlaps", torchvision.ops.box_iou(a, b))

for case, threshold in {"one": 1.0, "ninth": 1 / 9}.items():
    predicted = rounded(torch.randn(8, 4)).requires_grad_()
    targets = rounded(torch.randn(8, 4))
    loss = F.smooth_l1_loss(predicted, targets, reduction="sum", beta=threshold)
    loss.backward()
    for name, tensor in [("predicted", predicted), ("targets", targets), ("loss", loss[None]), ("gradient", predicted.grad)]:
        put(f"smoothL1.{case}/{name}", tensor)
    put(f"smoothL1.{case}/threshold", torch.tensor([threshold], dtype=torch.float64))

# Pictures with objects, and detections near them, of the wrong class, twice, and nowhere. All scores differ.
rng = np.random.default_rng(2015)
objects, detections = [], []
for picture in range(20):
    for box in boxes(int(rng.integers(0, 6)), 60, 8).tolist():
        label = int(rng.integers(0, 4))
        objects.append([picture, label, *box])
        for _ in range(int(rng.integers(0, 4))):
            near = np.round((np.array(box) + rng.normal(0, 2.0, 4)) * 8) / 8
            if near[2] > near[0] and near[3] > near[1]:
                said = label if rng.random() < 0.85 else int(rng.integers(0, 4))
                detections.append([picture, said, *near.tolist()])
    for box in boxes(2, 60, 8).tolist():
        detections.append([picture, int(rng.integers(0, 4)), *box])
scores = (rng.permutation(len(detections)) + 1) / 1024
detections = [[*row, score] for row, score in zip(detections, scores.tolist())]


def xywh(box):
    return [box[0], box[1], box[2] - box[0], box[3] - box[1]]


with contextlib.redirect_stdout(io.StringIO()):
    truth = COCO()
    truth.dataset = {
        "images": [{"id": i} for i in range(20)],
        "categories": [{"id": k + 1, "name": str(k)} for k in range(4)],
        "annotations": [
            {"id": i + 1, "image_id": row[0], "category_id": row[1] + 1, "bbox": xywh(row[2:]), "iscrowd": 0,
             "area": (row[4] - row[2]) * (row[5] - row[3])}
            for i, row in enumerate(objects)
        ],
    }
    truth.createIndex()
    found = truth.loadRes(
        [{"image_id": r[0], "category_id": r[1] + 1, "bbox": xywh(r[2:6]), "score": r[6]} for r in detections])
    evaluation = COCOeval(truth, found, "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
put("coco/objects", torch.tensor(objects, dtype=torch.float64))
put("coco/detections", torch.tensor(detections, dtype=torch.float64))
put("coco/results", torch.tensor(evaluation.stats[:3], dtype=torch.float64))
precision = evaluation.eval["precision"][0, :, :, 0, -1]  # [recall, class] at IoU 0.5, all areas, 100 detections
put("coco/byClass", torch.tensor(precision.mean(0), dtype=torch.float64))

if "--check" in sys.argv:
    old = load_file(PATH)
    assert old.keys() == tensors.keys(), old.keys() ^ tensors.keys()
    worst = max((old[name].double() - tensor.double()).abs().max().item() for name, tensor in tensors.items())
    print(f"{len(tensors)} tensors, largest difference {worst:.1e}")
    sys.exit(worst > 1e-9)
save_file(tensors, PATH)
print(f"{PATH}: {len(tensors)} tensors; COCO {evaluation.stats[:3]}, {len(objects)} objects, {len(detections)} detections")

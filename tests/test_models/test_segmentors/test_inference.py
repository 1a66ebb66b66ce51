import pytest
import torch
import torch.nn.functional as F

from openvocab.models.segmentors import SlideAndGlobalInference, WholeInference


def resize(x, size):
    return F.interpolate(x[None], size, mode='bilinear', align_corners=False)[0]


def forward(views):
    """Five classes at a quarter of the resolution, dependent on the view as a whole."""
    pooled = F.avg_pool2d(views, 4)
    mean = views.mean(dim=(2, 3), keepdim=True)
    return torch.cat([pooled, pooled[:, :2] - 3 * mean[:, :2]], dim=1)


def reference(image, canvas, crop, stride, size, weight=0.5):
    """The published protocol, written out plainly: every class at full size."""
    whole = forward(resize(image, (crop, crop))[None])[0]
    image = resize(image, canvas)
    starts = [
        sorted({min(s, side - crop) for s in range(0, side - crop + stride, stride)})
        for side in canvas
    ]
    total, count = torch.zeros(5, *canvas), torch.zeros(canvas)
    for top in starts[0]:
        for left in starts[1]:
            view = image[:, top : top + crop, left : left + crop]
            scores = resize(forward(view[None])[0], (crop, crop)).sigmoid()
            total[:, top : top + crop, left : left + crop] += scores
            count[top : top + crop, left : left + crop] += 1
    whole = resize(resize(whole, (crop, crop)).sigmoid(), canvas)
    return resize((1 - weight) * total / count + weight * whole, size)


@pytest.mark.parametrize('batch_size', [1, 2, 100])
def test_slide_and_global_equals_the_plain_protocol(batch_size):
    torch.manual_seed(0)
    images = [torch.randn(3, 50, 90), torch.randn(3, 64, 64)]
    slide = SlideAndGlobalInference(80, 48, 32, batch_size=batch_size)
    for image, scores in zip(
        images, slide(images, forward, torch.sigmoid), strict=True
    ):
        expected = reference(image, (80, 80), 48, 32, (37, 41))
        torch.testing.assert_close(scores.at(slice(0, 5), (37, 41)), expected)
        for tile in (1, 80 * 80 * 2, 10**9):
            found = scores.label_map((37, 41), tile=tile)
            best, labels = expected.max(dim=0)
            torch.testing.assert_close(found.scores, best)
            assert (found.labels != labels).float().mean() < 0.01  # equal scores


def test_the_whole_is_resized_from_the_image_itself():
    torch.manual_seed(0)
    image, views = torch.randn(3, 50, 90), []

    def record(batch):
        views.extend(batch)
        return forward(batch)

    SlideAndGlobalInference(80, 48, 32)([image], record, torch.sigmoid)
    direct, via_canvas = (resize(i, (48, 48)) for i in (image, resize(image, (80, 80))))
    assert not torch.allclose(direct, via_canvas, atol=0.1)
    torch.testing.assert_close(views[-1], direct)


def test_without_global_view():
    image = torch.randn(3, 64, 64)
    slide = SlideAndGlobalInference(64, 48, 16, global_weight=0)
    (scores,) = slide([image], forward, torch.sigmoid)
    expected = reference(image, (64, 64), 48, 16, (64, 64), weight=0)
    torch.testing.assert_close(scores.at(slice(0, 5), (64, 64)), expected)


def test_aspect_ratio_is_kept_on_demand():
    shapes = []

    def record(views):
        shapes.append(tuple(views.shape))
        return forward(views)

    slide = SlideAndGlobalInference(64, 48, 32, keep_ratio=True, batch_size=100)
    (scores,) = slide([torch.randn(3, 40, 80)], record, torch.sigmoid)
    assert scores.canvas == (64, 128)
    assert sorted(shapes) == [(1, 3, 48, 96), (8, 3, 48, 48)]
    (scores,) = slide([torch.randn(3, 80, 40)], forward, torch.sigmoid)
    assert scores.canvas == (128, 64)


@pytest.mark.parametrize('height', [1, 30, 48, 49, 80, 81, 112, 200])
def test_windows_cover_the_canvas(height):
    slide = SlideAndGlobalInference(canvas=None, crop=48, stride=32)
    windows = slide.windows(height, 60)
    seen = torch.zeros(height, 60)
    for w in windows:
        assert w.top + w.height <= height and w.left + w.width <= 60
        assert w.height == min(48, height) and w.width == 48
        seen[w.top : w.top + w.height, w.left : w.left + w.width] += 1
    assert seen.min() >= 1
    assert len(windows) == len(set(windows))


def test_published_windows():
    windows = SlideAndGlobalInference().windows(640, 640)
    corners = [(w.top, w.left) for w in windows]
    assert corners == [(0, 0), (0, 256), (256, 0), (256, 256)]


def test_whole_inference_resizes_and_batches_equal_sizes():
    shapes = []

    def record(views):
        shapes.append(tuple(views.shape))
        return forward(views)

    images = [torch.randn(3, *size) for size in ((8, 12), (16, 8), (8, 12))]
    scores = WholeInference()(images, record, torch.sigmoid)
    assert shapes == [(2, 3, 8, 12), (1, 3, 16, 8)]
    expected = resize(forward(images[1][None])[0].sigmoid(), (9, 5))
    torch.testing.assert_close(scores[1].at(slice(0, 5), (9, 5)), expected)
    shapes.clear()
    WholeInference(size=16, batch_size=2)(images, record, torch.sigmoid)
    assert shapes == [(2, 3, 16, 16), (1, 3, 16, 16)]


def test_no_more_scores_than_a_tile_exist_at_once():
    logits = torch.randn(847, 8, 8)
    (scores,) = WholeInference()(
        [torch.zeros(3, 8, 8)], lambda _: logits[None], torch.sigmoid
    )
    plain, counts = scores.at, []

    def counted(classes, size):
        counts.append(plain(classes, size).numel())
        return plain(classes, size)

    scores.at = counted
    labels = scores.label_map((96, 96), tile=2**18).labels
    assert max(counts) <= 2**18 and sum(counts) == 847 * 96 * 96
    assert labels.max() > 255
    assert torch.equal(labels, plain(slice(0, 847), (96, 96)).argmax(dim=0))

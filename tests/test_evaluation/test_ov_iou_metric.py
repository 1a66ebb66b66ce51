import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from mmengine.structures import PixelData

from helpers.processes import on_ranks
from openvocab.evaluation import OVIoUMetric
from openvocab.evaluation.class_iou import class_histograms
from openvocab.registry import METRICS
from openvocab.vocab import Vocabulary
from openvocab.vocab.trained_classes import TrainedClasses

CLASSES = Vocabulary.load(
    [
        dict(name='cat', split='base'),
        dict(name='dog', split='novel'),
        dict(name='sky', split='seen'),
        dict(name='sea', split='unseen'),
    ]
)
CAT, DOG, SKY, SEA, NONE = 0, 1, 2, 3, 255


def sample(path, labelled, predicted):
    from mmseg.structures import SegDataSample

    element = SegDataSample(metainfo=dict(img_path=path))
    element.gt_sem_seg = PixelData(data=torch.as_tensor(labelled)[None])
    element.pred_sem_seg = PixelData(data=torch.as_tensor(predicted)[None])
    return element


def evaluate(samples, meta=None, size=None, **kwargs):
    metric = METRICS.build(dict(type='openvocab.OVIoUMetric', **kwargs))
    evaluator = Evaluator(metric)
    evaluator.dataset_meta = meta or CLASSES.metainfo()
    for element in samples:
        evaluator.process([element])
    return evaluator.evaluate(len(samples) if size is None else size), metric


def test_hand_computed():
    samples = [
        sample('a', [[CAT, CAT, CAT, CAT]], [[CAT, CAT, CAT, DOG]]),
        sample('b', [[SKY, SKY], [NONE, NONE]], [[SKY, SEA], [SEA, CAT]]),
        sample('c', [[DOG, DOG]], [[CAT, DOG]]),
    ]
    metrics, metric = evaluate(samples)
    # cat: 3 of 4 labelled and one more predicted; dog: 1 of 2, one more; sky: 1 of 2;
    # sea is predicted once where there is a label and never labelled.
    cat, dog, sky, sea = 300 / 5, 100 / 3, 100 / 2, 0
    seen, unseen = (cat + sky) / 2, dog
    assert metrics == pytest.approx(
        dict(
            miou=(cat + dog + sky) / 3,
            miou_union=(cat + dog + sky + sea) / 4,
            fwiou=(4 * cat + 2 * dog + 2 * sky) / 8,
            pacc=500 / 8,
            miou_seen=seen,
            miou_unseen=unseen,
            hiou=2 * seen * unseen / (seen + unseen),
            # dog of two classes in a; sea of two in b; cat of two in c
            hallucination=50,
        )
    )
    assert all(type(value) is float for value in metrics.values())
    assert metric.class_iou == pytest.approx(dict(cat=cat, dog=dog, sky=sky, sea=sea))


def test_class_that_occurs_nowhere_is_in_no_mean():
    metrics, metric = evaluate([sample('a', [[CAT, SKY]], [[CAT, CAT]])])
    assert metrics['miou'] == metrics['miou_union'] == 25
    assert metrics['miou_seen'] == 25
    assert 'miou_unseen' not in metrics and 'hiou' not in metrics
    assert np.isnan(metric.class_iou['dog']) and metric.class_iou['sky'] == 0


def test_harmonic_mean_is_zero_if_both_are():
    metrics, _ = evaluate([sample('a', [[CAT, DOG]], [[SEA, SEA]])])
    assert metrics['hiou'] == metrics['miou'] == 0


def test_images_without_any_label():
    ignored = sample('a', [[NONE, NONE]], [[CAT, SEA]])
    assert evaluate([ignored])[0] == {}
    metrics, _ = evaluate([ignored, sample('b', [[CAT]], [[CAT]])])
    assert metrics['miou'] == metrics['miou_union'] == metrics['pacc'] == 100


def test_seen_and_unseen_against_a_training_vocabulary():
    tested = Vocabulary.load(
        [
            dict(name='background'),
            dict(name='sofa', synonyms=['sofa', 'couch']),
            dict(name='zebra crossing'),
        ]
    )
    trained = [dict(name='couch'), 'wall-other', 'background']
    samples = [sample('a', [[0, 1, 1, 2]], [[0, 1, 0, 0]])]
    metrics, _ = evaluate(samples, tested.metainfo(), train_vocabulary=trained)
    assert metrics['miou'] == pytest.approx((100 / 3 + 50 + 0) / 3)
    assert (metrics['miou_seen'], metrics['miou_unseen']) == (50, 0)
    metrics, _ = evaluate(samples, tested.metainfo())
    assert 'miou_seen' not in metrics and 'miou_unseen' not in metrics


def test_overlap_of_the_benchmarks_with_coco_stuff():
    trained = Vocabulary.load('coco_stuff_171')
    classes = TrainedClasses(trained)
    assert not any(classes.novel(trained))
    assert not any(classes.novel(Vocabulary.load('pascal_voc_20')))
    full = classes.novel(Vocabulary.load('ade20k_847'))
    assert 80 < len(full) - sum(full) < 200


def test_pas20b_folds_predictions_from_20_on():
    vocab = Vocabulary.load('pascal_voc_20b')
    samples = [sample('a', [[0, 19, 20, 20, 255]], [[0, 20, 58, 19, 30]])]
    metrics, metric = evaluate(samples, vocab.metainfo(), background_from=20)
    # aeroplane 1/1; tvmonitor 0 of 1, once wrong; background 1 of 2, once wrong
    assert metrics['miou'] == pytest.approx((100 + 0 + 100 / 3) / 3)
    assert metrics['pacc'] == 50
    assert list(metric.class_iou)[-2:] == ['tvmonitor', 'background']
    assert len(metric.class_iou) == 21
    metrics, _ = evaluate(
        samples,
        vocab.metainfo(),
        background_from=20,
        train_vocabulary=['aeroplane'],
    )
    assert (metrics['miou_seen'], metrics['miou_unseen']) == (100, 0)
    with pytest.raises(ValueError, match='background_from=59 leaves no class'):
        evaluate(samples, vocab.metainfo(), background_from=59)
    with pytest.raises(ValueError, match='a: label 21 is none of the 21 classes'):
        wrong = [sample('a', [[21]], [[0]])]
        evaluate(wrong, vocab.metainfo(), background_from=20)


def scattered(count, classes, ignore, seed=0, height=9, width=13):
    """Images whose classes come from a few; some pixels are ignored."""
    generator = np.random.default_rng(seed)
    samples = []
    for number in range(count):
        few = generator.choice(classes, min(7, classes), replace=False)
        labelled = few[generator.integers(0, len(few), (height, width))]
        predicted = np.where(
            generator.random((height, width)) < 0.5,
            labelled,
            generator.integers(0, classes, (height, width)),
        )
        labelled = np.where(generator.random((height, width)) < 0.2, ignore, labelled)
        samples.append(sample(f'{number}.jpg', labelled, predicted))
    return samples


def reference(samples, classes, ignore):
    """One pixel and one class at a time."""
    both, predicted, labelled = (dict.fromkeys(range(classes), 0) for _ in range(3))
    shares = []
    for element in samples:
        seen, guessed = set(), set()
        pairs = zip(
            element.gt_sem_seg.data.flatten().tolist(),
            element.pred_sem_seg.data.flatten().tolist(),
            strict=True,
        )
        for label, guess in pairs:
            if label != ignore:
                labelled[label] += 1
                predicted[guess] += 1
                both[label] += label == guess
                seen.add(label)
                guessed.add(guess)
        shares.append(100 * len(guessed - seen) / len(guessed))
    iou = {
        c: 100 * both[c] / (labelled[c] + predicted[c] - both[c])
        for c in range(classes)
        if labelled[c] + predicted[c]
    }
    present = [c for c in iou if labelled[c]]
    pixels = sum(labelled.values())
    return dict(
        miou=sum(iou[c] for c in present) / len(present),
        miou_union=sum(iou.values()) / len(iou),
        fwiou=sum(labelled[c] * iou[c] for c in present) / pixels,
        pacc=100 * sum(both.values()) / pixels,
        hallucination=sum(shares) / len(shares),
    )


@pytest.mark.parametrize(
    ('classes', 'ignore'), [(1, 255), (7, 255), (150, 255), (847, 65535)]
)
def test_equals_a_plain_reference(classes, ignore):
    names = Vocabulary.load([f'class {i}' for i in range(classes)])
    samples = scattered(5, classes, ignore)
    metrics, _ = evaluate(samples, names.metainfo())
    assert metrics == pytest.approx(reference(samples, classes, ignore))
    # the ignored label may also be told by the data set, or here
    again, _ = evaluate(samples, {**names.metainfo(), 'ignore_index': ignore})
    assert again == metrics
    assert evaluate(samples, names.metainfo(), ignore_index=ignore)[0] == metrics


@pytest.mark.parametrize('classes', [7, 150])
def test_union_rule_equals_mmseg(classes):
    from mmseg.evaluation import IoUMetric

    samples = scattered(4, classes, 255)
    theirs = IoUMetric(iou_metrics=['mIoU'])
    theirs.dataset_meta = dict(classes=[f'class {i}' for i in range(classes)])
    for element in samples:
        theirs.process({}, [element.to_dict()])
    expected = theirs.evaluate(len(samples))
    metrics, _ = evaluate(samples, theirs.dataset_meta)
    # mmseg rounds to two digits
    assert metrics['miou_union'] == pytest.approx(expected['mIoU'], abs=0.006)
    assert metrics['pacc'] == pytest.approx(expected['aAcc'], abs=0.006)


def test_permuting_the_classes_permutes_the_scores():
    samples = scattered(3, 10, 255)
    order = np.random.default_rng(1).permutation(10)
    lookup = torch.as_tensor(np.append(order, [0] * 245 + [255]))
    permuted = [
        sample(
            element.img_path,
            lookup[element.gt_sem_seg.data[0]],
            lookup[element.pred_sem_seg.data[0]],
        )
        for element in samples
    ]
    names = [f'class {i}' for i in range(10)]
    metrics, metric = evaluate(samples, dict(classes=names))
    again, other = evaluate(permuted, dict(classes=[names[i] for i in order.argsort()]))
    assert again == pytest.approx(metrics)
    assert other.class_iou == pytest.approx(metric.class_iou)


def test_an_image_keeps_only_the_classes_that_occur_in_it():
    metric = OVIoUMetric()
    metric.dataset_meta = dict(classes=[f'class {i}' for i in range(847)])
    labelled = torch.tensor([[3, 700, 65535]]).repeat(500, 500)
    metric.process(None, [sample('a', labelled, labelled.clamp(max=800))])
    ((_, (occurring, counts)),) = metric.results
    assert occurring.tolist() == [3, 700]
    assert counts.tolist() == [[250_000, 250_000]] * 3


def test_bad_predictions_are_named():
    with pytest.raises(ValueError, match='a: prediction 4 is none of the 4 classes'):
        evaluate([sample('a', [[CAT]], [[4]])])
    with pytest.raises(ValueError, match='a: label 9 is none of the 4 classes'):
        evaluate([sample('a', [[9]], [[CAT]])])
    with pytest.raises(ValueError, match=r'a: the prediction is \(1, 2\), the label'):
        evaluate([sample('a', [[CAT]], [[CAT, CAT]])])
    element = sample('a', [[CAT]], [[CAT]])
    with pytest.raises(KeyError, match="needs 'classes'"):
        evaluate([element], dict(name='x'))
    del element.pred_sem_seg
    with pytest.raises(KeyError, match='a has no pred_sem_seg'):
        evaluate([element])
    with pytest.raises(KeyError, match='no img_path'):
        evaluate([sample(None, [[CAT]], [[CAT]])])


def test_types_of_label_maps():
    for dtype in (torch.uint8, torch.int16, torch.int64):
        predicted = torch.tensor([[CAT, SEA]], dtype=dtype)
        labelled = torch.tensor([[CAT, NONE]])
        counts = class_histograms(predicted, labelled, 4, NONE)
        assert counts.tolist() == [[1, 0, 0, 0]] * 3


def test_repeated_image_counts_once():
    samples = [sample('a', [[CAT]], [[CAT]]), sample('b', [[CAT]], [[SKY]])]
    metrics, _ = evaluate([*samples, samples[0]], size=2)
    assert metrics['pacc'] == 50


@pytest.mark.dist
@pytest.mark.parametrize('shards', [[[0, 2, 4], [1, 3, 0]], [[0], [1, 2, 3, 4]]])
def test_two_processes_equal_one(shards, tmp_path):
    images = scattered(5, 847, 65535)
    meta = dict(classes=[f'class {i}' for i in range(847)])

    def score(shard):
        metrics, _ = evaluate([images[i] for i in shard], meta, size=5)
        return metrics

    first, second = on_ranks(score, shards, tmp_path)
    assert first == second == pytest.approx(score(range(5)))


def test_columns_of_the_report():
    from openvocab.reports.table import markdown_tables

    metrics, _ = evaluate([sample('a', [[CAT, DOG]], [[CAT, DOG]])])
    table = markdown_tables([dict(method='x', **metrics)])
    for title in ('mIoU', 'mIoU (union)', 'Seen', 'Unseen', 'hIoU', 'Pixel acc.'):
        assert f'| {title} |' in table.splitlines()[0]
    assert isinstance(OVIoUMetric(), METRICS.get('openvocab.OVIoUMetric'))

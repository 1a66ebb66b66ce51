from types import SimpleNamespace

from openvocab.engine import AtomicCheckpointHook


def test_a_metric_that_is_not_measured_costs_the_best_checkpoint_only():
    hook = AtomicCheckpointHook(save_best='bbox_ap50_novel', rule='greater')
    said = []
    runner = SimpleNamespace(logger=SimpleNamespace(warning=said.append))
    hook.after_val_epoch(runner, dict(bbox_ap=3.0, bbox_ap50=4.0))
    assert 'bbox_ap, bbox_ap50' in said[0] and 'bbox_ap50_novel' in said[0]
